/** How many characters of the waiting messages an error shows. */
const SHOWN = 1_000;

/** Messages that wait until a test takes them. The error of a wait in vain shows what arrived instead. */
export class MessageQueue<T> {
  readonly #messages: T[] = [];
  readonly #waiting = new Set<() => void>();
  #end: string | null = null;

  /** @param patience how long `take` waits, in ms */
  constructor(private readonly patience: number) {}

  /** The messages that arrived and were not taken. */
  get pending(): readonly T[] {
    return this.#messages;
  }

  push(message: T): void {
    this.#messages.push(message);
    this.#wake();
  }

  /** Ends the queue. @param why the reason, as it stands in a sentence: "the connection was closed with 1001" */
  end(why: string): void {
    this.#end = why;
    this.#wake();
  }

  /**
   * Takes the first message that fits, or waits for one. The others stay in the queue.
   *
   * @param what a description of the message, for the error
   */
  async take(what: string, fits: (message: T) => boolean): Promise<T> {
    const deadline = performance.now() + this.patience;
    for (;;) {
      for (const [at, message] of this.#messages.entries()) {
        if (!fits(message)) continue;
        this.#messages.splice(at, 1);
        return message;
      }
      const isOver = this.#end !== null || !(await this.#changes(deadline));
      if (isOver)
        throw new Error(`${what} did not come ${this.#end ?? `within ${this.patience} ms`}; ${this.#instead()}`);
    }
  }

  /** Rejects when a message is in the queue or arrives within `ms`. Resolves at once when the queue has ended. */
  async expectNothing(ms: number): Promise<void> {
    const deadline = performance.now() + ms;
    while (this.#messages.length === 0 && this.#end === null && (await this.#changes(deadline)));
    if (this.#messages.length > 0) throw new Error(`Nothing was expected; ${this.#instead()}`);
  }

  /** Whether anything happened before the deadline. */
  #changes(deadline: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (changed: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve(changed);
      };
      const wake = (): void => settle(true);
      const timer = setTimeout(settle, Math.max(0, deadline - performance.now()), false);
      this.#waiting.add(wake);
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  #instead(): string {
    if (this.#messages.length === 0) return 'nothing else came.';
    const text = this.#messages.map((message) => JSON.stringify(message)).join(', ');
    return `what came: ${text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text}`;
  }
}
