import type { Socket } from 'node:net';
import type { Redis } from 'ioredis';
import type { Runtime } from '../../runtime/runtime.js';

/**
 * Gathers the commands of one turn of the event loop into one write for each connection: half of what ioredis' own
 * pipelines cost, which make several objects for each command. Each command stays one of its own: in a pipeline of ioredis
 * those of a slot that has moved are handed back as failures, where others went through.
 */
export class WriteBatch {
  #streams: Socket[] = [];

  constructor(private readonly runtime: Runtime) {}

  /** What is written to this connection in this turn leaves at its end. */
  hold({ status, stream }: Redis): void {
    if (status !== 'ready' || this.#streams.includes(stream)) return;
    if (this.#streams.length === 0) this.runtime.afterIo(this.#release);
    this.#streams.push(stream);
    stream.cork();
  }

  readonly #release = (): void => {
    const streams = this.#streams;
    this.#streams = [];
    for (const stream of streams) stream.uncork();
  };
}
