import { Injectable } from '@nestjs/common';
import { PendingFrames } from './pending-frames.js';
import type { SharedFrame } from '../../clients/session/client-outbox.interface.js';

/** A socket whose frames wait for the end of this turn of the event loop. */
export interface Flushable {
  flush(): void;
}

/**
 * Collects the sockets that have something to write and writes to each once per turn of the event loop, after the
 * turn's I/O: however many messages a turn sends to a client, they cost it one system call.
 */
@Injectable()
export class OutboxScheduler {
  #waiting: Flushable[] = [];
  #firstFrames = new Map<SharedFrame, PendingFrames>();

  /** The chain that begins with `frame`: the same one for every socket of this turn. */
  beginChain(frame: SharedFrame): PendingFrames {
    let chain = this.#firstFrames.get(frame);
    if (!chain) this.#firstFrames.set(frame, (chain = new PendingFrames(null, frame.bytes)));
    return chain;
  }

  /** Has the socket flushed at the end of this turn. */
  schedule(socket: Flushable): void {
    if (this.#waiting.push(socket) === 1) setImmediate(this.#flushAll);
  }

  readonly #flushAll = (): void => {
    const sockets = this.#waiting;
    this.#waiting = [];
    this.#firstFrames.clear();
    for (const socket of sockets) socket.flush();
  };
}
