import { Injectable } from '@nestjs/common';
import { PendingFrames } from './pending-frames.js';
import type { SharedFrame } from '../../clients/session/client-outbox.interface.js';

/** An outbox with frames that wait for the end of this turn of the event loop. */
export interface Flushable {
  flush(): void;
}

/**
 * Collects the outboxes that have something to write and flushes each once per turn of the event loop, after the turn's
 * I/O: however many messages a turn sends to a client, they cost one system call.
 */
@Injectable()
export class OutboxScheduler {
  #waiting: Flushable[] = [];
  #firstFrames = new Map<SharedFrame, PendingFrames>();

  /** The chain that begins with `frame`; every socket gets the same one within a turn. */
  beginChain(frame: SharedFrame): PendingFrames {
    let chain = this.#firstFrames.get(frame);
    if (!chain) this.#firstFrames.set(frame, (chain = new PendingFrames(null, frame.bytes)));
    return chain;
  }

  /** Flushes an outbox at the end of this turn. */
  schedule(outbox: Flushable): void {
    if (this.#waiting.push(outbox) === 1) setImmediate(this.#flushAll);
  }

  readonly #flushAll = (): void => {
    const outboxes = this.#waiting;
    this.#waiting = [];
    this.#firstFrames.clear();
    for (const outbox of outboxes) outbox.flush();
  };
}
