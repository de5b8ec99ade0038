import { OrderedSteps, type Step } from '../../runtime/ordered-steps.js';

/** The steps that texts pass, one after the other, on their way into an outbox. They keep their order. */
export class OutboundSteps {
  readonly #steps: OrderedSteps<string, string>[] = [];
  #isSealed = false;

  /** Whether the last step is a cipher, past which nothing may be sent. */
  get isSealed(): boolean {
    return this.#isSealed;
  }

  /** Whether no text is on its way. */
  get isEmpty(): boolean {
    return this.#steps.every(({ length }) => length === 0);
  }

  /** Bytes of the texts that are on their way. */
  get bytes(): number {
    return this.#steps.reduce((sum, { size }) => sum + size, 0);
  }

  /** Adds a step that all texts pass from now on, those on their way included. */
  add(limit: number, step: Step<string, string>): void {
    this.#steps.push(new OrderedSteps(limit, step));
  }

  /** Adds a cipher, which stays the last step. */
  seal(limit: number, cipher: Step<string, string>): void {
    this.add(limit, cipher);
    this.#isSealed = true;
  }

  /**
   * Sends a text through all steps.
   *
   * @param deliver gets what comes out, in its turn
   */
  push(text: string, deliver: (text: string) => void): void {
    this.#pass(0, text, deliver);
  }

  /** Sends texts through all steps that leave together. */
  pushAll(texts: readonly string[], deliver: (text: string) => void): void {
    for (const text of texts) this.#pass(0, text, deliver);
  }

  /** Sends a text through the last step only: it had passed the others before that step was added. */
  pushLast(text: string, deliver: (text: string) => void): void {
    this.#pass(this.#steps.length - 1, text, deliver);
  }

  /**
   * Calls back once everything that was pushed before is through, or forgotten.
   *
   * @param size bytes that wait with the callback
   */
  after(callback: () => void, size = 0): void {
    this.#follow(0, callback, size);
  }

  /** Drops what is on its way, for a socket that is closed. */
  forget(): void {
    for (const step of this.#steps) step.forget();
  }

  #pass(at: number, text: string, deliver: (text: string) => void): void {
    const step = this.#steps[at];
    if (step) step.push(text, Buffer.byteLength(text), (passed) => this.#pass(at + 1, passed, deliver));
    else deliver(text);
  }

  #follow(at: number, callback: () => void, size: number): void {
    const step = this.#steps[at];
    if (step) step.after(() => this.#follow(at + 1, callback, size), size);
    else callback();
  }
}
