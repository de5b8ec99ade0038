import type { Socket } from 'node:net';
import type { Redis } from 'ioredis';
import type { Runtime } from '../runtime/runtime.js';

/**
 * Gathers the commands of one turn of the event loop into one write: half of what ioredis' own pipelines cost, which make
 * several objects for each command.
 */
export class WriteBatch {
  #stream: Socket | null = null;

  constructor(private readonly runtime: Runtime) {}

  /** What is written to this connection in this turn leaves at its end. */
  hold({ status, stream }: Redis): void {
    if (this.#stream || status !== 'ready') return;
    this.#stream = stream;
    stream.cork();
    this.runtime.afterIo(this.#release);
  }

  readonly #release = (): void => {
    this.#stream?.uncork();
    this.#stream = null;
  };
}
