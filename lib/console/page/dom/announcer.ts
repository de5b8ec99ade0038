import { h } from './element.js';

/** The shortest time between two sentences, ms: a screen reader that is interrupted says nothing. */
const PAUSE = 2_000;

/** Says sentences to screen readers, politely: of those that come too fast only the last one is said. */
export class Announcer {
  readonly element = h('p', { class: 'unseen', role: 'status', 'aria-live': 'polite' });
  #next: string | undefined;
  #isPausing = false;

  say(sentence: string): void {
    this.#next = sentence;
    if (!this.#isPausing) this.#tell();
  }

  #tell(): void {
    if (this.#next === undefined) return;
    this.element.textContent = this.#next;
    this.#next = undefined;
    this.#isPausing = true;
    setTimeout(() => {
      this.#isPausing = false;
      this.#tell();
    }, PAUSE);
  }
}
