import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { WebSocketEmitter } from 'nestjs-pxl-websocket/emitter';
import { FEED, HISTORY, PREFIX } from './room.js';
import { TIMES } from './times.js';

/** Publishes 1, 2, 3, … It is a process without sockets, to which Redis is all that there is of the workers. */
export class Feed {
  /** Tells pages that have been open for long that the counting has begun anew. */
  readonly run = randomUUID();
  /** The last number that the room has. */
  last = 0;
  /** Whether Redis has refused the next one. */
  isRefused = false;
  #isOver = false;
  readonly #emitter: WebSocketEmitter;

  constructor(redis: string) {
    this.#emitter = new WebSocketEmitter({ redis, prefix: PREFIX, rooms: { history: HISTORY } });
  }

  async publish(): Promise<void> {
    while (!this.#isOver) {
      await setTimeout(TIMES.message);
      await this.#publishOne(this.last + 1);
    }
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#emitter.shutdown();
  }

  /** What was refused is sent again: by its key the room has it once, also where only Redis' answer was lost. */
  async #publishOne(number: number): Promise<void> {
    const data = { number, at: Date.now() };
    const message = { room: FEED, type: 'feed', action: 'message', data, idempotencyKey: `${this.run}:${number}` };
    try {
      await this.#emitter.toRoom(message);
      this.last = number;
      this.isRefused = false;
    } catch {
      this.isRefused = true;
    }
  }
}
