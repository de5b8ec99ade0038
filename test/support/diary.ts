const PATIENCE = 15_000;

/** What happened on the server, in order: tests await an entry instead of sleeping. */
export class Diary {
  readonly entries: string[] = [];
  readonly #waiting = new Set<() => void>();

  write(entry: string): void {
    this.entries.push(entry);
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves once an entry is, or begins with, `start`. */
  until(start: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      const look = (): void => {
        const entry = this.entries.find((candidate) => candidate.startsWith(start));
        if (entry === undefined) return;
        stop();
        resolve(entry);
      };
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`"${start}" did not happen; what did: ${this.entries.join(' | ')}`));
      }, PATIENCE);
      this.#waiting.add(look);
      look();
    });
  }
}
