/** Runs at most `limit` asynchronous tasks at once; the others wait, in their order. */
export class ConcurrencyLimit {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(private readonly limit: number) {}

  /** @param task neither throws nor rejects; a synchronous one does not count as running */
  take<T>(task: () => T | Promise<T>): T | Promise<T> {
    if (this.#running < this.limit) return this.#begin(task);
    return new Promise((resolve) => this.#waiting.push(() => resolve(this.#begin(task))));
  }

  #begin<T>(task: () => T | Promise<T>): T | Promise<T> {
    const result = task();
    if (!(result instanceof Promise)) return result;
    this.#running++;
    return result.then((settled) => {
      this.#running--;
      while (this.#running < this.limit && this.#waiting.length > 0) this.#waiting.shift()?.();
      return settled;
    });
  }
}
