/** A timer that {@link ClientRuntime} started. */
export interface ClientTimer {
  /** Stops the timer; calling it again, or after the timer fired, does nothing. */
  cancel(): void;
}

/** Time and chance, as the client sees them: tests turn the clock instead of sleeping. */
export class ClientRuntime {
  /** Milliseconds that only ever grow. */
  now(): number {
    return performance.now();
  }

  /** Calls `callback` once after `ms`; never, where that is more than a timer can be set to: it would fire at once. */
  timeout(ms: number, callback: () => void): ClientTimer {
    const timer = ms < 2e9 ? setTimeout(callback, ms) : undefined;
    return { cancel: () => clearTimeout(timer) };
  }

  /** At least 0, less than 1. */
  random(): number {
    return Math.random();
  }
}
