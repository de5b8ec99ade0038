import type { Socket } from 'node:net';
import type { Redis } from 'ioredis';
import type { Runtime } from '../../runtime/runtime.js';

/**
 * Joins the commands of one turn of the event loop into one write per connection. It costs half of ioredis' auto-pipelining,
 * which makes several objects per command. The commands stay independent: in a pipeline of ioredis the commands of a moved
 * slot fail, even when others succeeded.
 */
export class WriteBatch {
  #streams: Socket[] = [];

  constructor(private readonly runtime: Runtime) {}

  /** Holds back what is written to this connection until the end of this turn. */
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
