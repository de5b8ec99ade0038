import { TestClient } from '../support/test-client.js';
import { pause } from './checks.js';

/** Milliseconds between two connections. */
const PAUSE = 50;

/** Opens one connection after the other, each for one question. */
export class Dialer {
  dials = 0;
  readonly failures: string[] = [];
  readonly #dialling: Promise<void>;
  #isOver = false;

  constructor(private readonly url: string) {
    this.#dialling = this.#dial();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#dialling;
  }

  async #dial(): Promise<void> {
    while (!this.#isOver) {
      this.dials++;
      try {
        const client = await TestClient.connect(this.url);
        await client.request('guest', 'echo', this.dials);
        client.socket.terminate();
      } catch (error) {
        this.failures.push((error as Error).message);
      }
      await pause(PAUSE);
    }
  }
}
