import { surroundings } from './surroundings.js';

/** Tells of moments at which a page should look after its connection: the network is back, or somebody looks at it. */
export class WakeUps {
  readonly #wake: () => void;

  constructor(wake: () => void) {
    this.#wake = wake;
  }

  start(): void {
    surroundings.addEventListener?.('online', this.#wake);
    surroundings.document?.addEventListener('visibilitychange', this.#becameVisible);
  }

  stop(): void {
    surroundings.removeEventListener?.('online', this.#wake);
    surroundings.document?.removeEventListener('visibilitychange', this.#becameVisible);
  }

  readonly #becameVisible = (): void => {
    if (surroundings.document?.visibilityState === 'visible') this.#wake();
  };
}
