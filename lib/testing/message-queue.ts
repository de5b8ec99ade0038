/** How much of what came instead an error shows, in characters. */
const SHOWN = 1_000;

/** What came, until a test takes it: who waits in vain is told what came instead. */
export class MessageQueue<T> {
  readonly #messages: T[] = [];
  readonly #waiting = new Set<() => void>();
  #end: string | null = null;

  /** @param patience how long a message is waited for, in ms */
  constructor(private readonly patience: number) {}

  /** What has come and nobody has taken. */
  get pending(): readonly T[] {
    return this.#messages;
  }

  push(message: T): void {
    this.#messages.push(message);
    this.#wake();
  }

  /** Nothing more will come. @param why as it stands in a sentence: "the connection was closed with 1001" */
  end(why: string): void {
    this.#end = why;
    this.#wake();
  }

  /**
   * Takes the first message that fits, or waits for it; the others stay.
   *
   * @param what what is waited for, for people
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

  /** Rejects when something is there, or comes within `ms`. Once the queue has ended nothing can come. */
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
