import type { OutboundCipher } from '../../clients/session/client-outbox.interface.js';
import { OrderedSteps, type Step } from '../../runtime/ordered-steps.js';

/** The steps that texts pass, one after the other, on their way into an outbox. They keep their order. */
export class OutboundSteps {
  readonly #steps: OrderedSteps<string, string>[] = [];
  /** The last step, past which nothing may be sent; null while nothing is encrypted. */
  #cipher: OutboundCipher | null = null;

  /** Whether the last step is a cipher. */
  get isSealed(): boolean {
    return this.#cipher !== null;
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
  seal(limit: number, cipher: OutboundCipher): void {
    this.add(limit, (text) => cipher.seal(text));
    this.#cipher = cipher;
  }

  /**
   * Sends a text through all steps.
   *
   * @param deliver gets what comes out, in its turn
   */
  push(text: string, deliver: (text: string) => void): void {
    this.#pass(0, Infinity, text, deliver);
  }

  /** Sends texts through all steps that leave together: a cipher that can gets them as a whole. */
  pushAll(texts: readonly string[], deliver: (text: string) => void): void {
    const cipher = this.#cipher;
    if (!cipher?.sealAll) {
      for (const text of texts) this.push(text, deliver);
      return;
    }
    const last = this.#steps.length - 1;
    const passed = last === 0 ? texts : this.#passTogether(texts, last, deliver);
    for (const text of cipher.sealAll(passed)) deliver(text);
  }

  /** Sends a text through the last step only: it had passed the others before that step was added. */
  pushLast(text: string, deliver: (text: string) => void): void {
    this.#pass(this.#steps.length - 1, Infinity, text, deliver);
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

  /** Sends texts through the steps before the last; returns those that pass at once. The others go on when they have passed. */
  #passTogether(texts: readonly string[], last: number, deliver: (text: string) => void): string[] {
    const together: string[] = [];
    let isAtOnce = true;
    for (const text of texts) {
      this.#pass(0, last, text, (passed) => {
        if (isAtOnce) together.push(passed);
        else this.#pass(last, Infinity, passed, deliver);
      });
    }
    isAtOnce = false;
    return together;
  }

  /** @param end the first step that is not passed */
  #pass(at: number, end: number, text: string, deliver: (text: string) => void): void {
    const step = at < end ? this.#steps[at] : undefined;
    if (step) step.push(text, Buffer.byteLength(text), (passed) => this.#pass(at + 1, end, passed, deliver));
    else deliver(text);
  }

  #follow(at: number, callback: () => void, size: number): void {
    const step = this.#steps[at];
    if (step) step.after(() => this.#follow(at + 1, callback, size), size);
    else callback();
  }
}
