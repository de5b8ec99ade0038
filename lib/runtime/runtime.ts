import { randomBytes } from 'node:crypto';

/** Random bytes that are fetched at once. */
const POOL = 4_096;
/** Milliseconds: a timer that fires later than this tells that the process stood still meanwhile. */
const STALL = 1_000;

/** A timer that {@link Runtime} started. */
export interface RuntimeTimer {
  /** Stops the timer; calling it again, or after the timer fired, does nothing. */
  cancel(): void;
}

/**
 * Time and chance, as every class of the library sees them: tests turn the clock instead of sleeping. Without a decorator,
 * since processes without Nest have it too.
 */
export class Runtime {
  #random = Buffer.alloc(0);
  #used = 0;

  /** Milliseconds since 1970, for what people and other machines read. */
  now(): number {
    return Date.now();
  }

  /** Milliseconds that only ever grow, for measuring how long something took. */
  monotonic(): number {
    return performance.now();
  }

  /**
   * Calls `callback` once after `ms`. Does not keep the process alive: for what happens in the background, and for what
   * ends with a connection, which does.
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
   * As {@link timeout}, for a verdict on the silence of peers, against whom a pause of this process must not count: what
   * has arrived from them is read first, and the verdict is told when it comes late.
   *
   * @param judge gets whether this process stood still, so that it is not known what the peers did meanwhile
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
   * What `promise` settles with, if it settles within `ms`; else rejects with the error that `late` makes. The promise
   * itself goes on; what it resolves to later is ignored.
   *
   * @param lost hears what it rejects with later, when nobody waits for it any more
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
    // Asked for a few bytes at a time, the system's generator costs more than everything else about an id.
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
