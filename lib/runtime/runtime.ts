import { randomBytes } from 'node:crypto';

/** How many random bytes are fetched at once. */
const POOL = 4_096;
/** When a timer fires more milliseconds late than this, the process has stood still meanwhile. */
const STALL = 1_000;

/** A timer that {@link Runtime} started. */
export interface RuntimeTimer {
  /** Stops the timer; calling it again, or after the timer fired, does nothing. */
  cancel(): void;
}

/**
 * The clock, timers and random numbers of the library; tests replace it and move the clock instead of sleeping. It has no
 * decorator, since processes without Nest use it too.
 */
export class Runtime {
  #random = Buffer.alloc(0);
  #used = 0;
  #stampedAt = NaN;
  #stamp = '';

  /** Milliseconds since 1970, for what people and other machines read. */
  now(): number {
    return Date.now();
  }

  /** {@link now} in the form of ISO 8601, with milliseconds. */
  timestamp(): string {
    const now = this.now();
    // Many clients may ask within a millisecond, and a date takes longer to write than the rest of an answer.
    if (now !== this.#stampedAt) [this.#stampedAt, this.#stamp] = [now, new Date(now).toISOString()];
    return this.#stamp;
  }

  /** Milliseconds that only ever grow, for measuring how long something took. */
  monotonic(): number {
    return performance.now();
  }

  /**
   * Calls `callback` once after `ms`. It does not keep the process alive: it is for work in the background, and for work that
   * ends with a connection, which keeps the process alive itself.
   */
  timeout(ms: number, callback: () => void): RuntimeTimer {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  }

  /** As {@link timeout}, and keeps the process alive until then: a start, a close or a caller waits for it. */
  deadline(ms: number, callback: () => void): RuntimeTimer {
    const timer = setTimeout(callback, ms);
    return { cancel: () => clearTimeout(timer) };
  }

  /**
   * As {@link timeout}, for judging the silence of peers, against whom a pause of this process must not count: what has
   * arrived from them is read first, and `judge` is told when the timer fires late.
   *
   * @param judge gets whether this process stood still, so that the silence may be its own fault
   * @param stall how many milliseconds later than planned the timer fires after such a pause
   */
  fairTimeout(ms: number, judge: (wasStalled: boolean) => void, stall = STALL): RuntimeTimer {
    const dueAt = this.monotonic() + ms;
    let isCancelled = false;
    const decide = (): void => {
      if (!isCancelled) judge(this.monotonic() - dueAt > stall);
    };
    const timer = this.timeout(ms, () => this.afterIo(decide));
    return {
      cancel: () => {
        isCancelled = true;
        timer.cancel();
      },
    };
  }

  /** Calls back after the I/O of this turn of the event loop. */
  afterIo(callback: () => void): void {
    setImmediate(callback);
  }

  /**
   * Settles as `promise` does if that happens within `ms`, otherwise rejects with the error that `late` makes. The promise
   * itself goes on; its later value is ignored.
   *
   * @param lost is called with the reason when the promise rejects later
   */
  within<T>(ms: number, promise: Promise<T>, late: () => Error, lost?: (reason: unknown) => void): Promise<T> {
    return limited(promise, (expired) => this.timeout(ms, () => expired(late())), lost);
  }

  /** As {@link within}, and keeps the process alive meanwhile: a start, a close or a caller waits for it. */
  waitFor<T>(ms: number, promise: Promise<T>, late: () => Error): Promise<T> {
    return limited(promise, (expired) => this.deadline(ms, () => expired(late())));
  }

  /** A number from 0 up to 1, for jitter. */
  random(): number {
    return Math.random();
  }

  /** An unguessable id of `bytes` random bytes, in base64url. */
  randomId(bytes: number): string {
    // One call of the system's generator for each id would cost more than the rest of making the id.
    if (this.#used + bytes > this.#random.length) {
      this.#random = randomBytes(Math.max(POOL, bytes));
      this.#used = 0;
    }
    return this.#random.toString('base64url', this.#used, (this.#used += bytes));
  }
}

function limited<T>(
  promise: Promise<T>,
  begin: (expired: (error: Error) => void) => RuntimeTimer,
  lost?: (reason: unknown) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = begin((error) => {
      reject(error);
      if (lost) promise.catch(lost);
    });
    promise.then(resolve, reject).finally(() => timer.cancel());
  });
}
