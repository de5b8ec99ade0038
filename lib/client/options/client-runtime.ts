/** A timer that {@link ClientRuntime} started. */
export interface ClientTimer {
  /** Stops the timer; calling it again, or after the timer fired, does nothing. */
  cancel(): void;
}

/** The client's clock, timers and random numbers, which tests replace. */
export class ClientRuntime {
  /** The time in ms of a clock that never goes back. */
  now(): number {
    return performance.now();
  }

  /** Calls `callback` once after `ms`; never when `ms` is too long for a timer, which would fire at once. */
  timeout(ms: number, callback: () => void): ClientTimer {
    const timer = ms < 2e9 ? setTimeout(callback, ms) : undefined;
    return { cancel: () => clearTimeout(timer) };
  }

  /** A random number from 0 up to, but not including, 1. */
  random(): number {
    return Math.random();
  }
}
