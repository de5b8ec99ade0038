import { WsError } from '../../errors/ws.error.js';
import type { WsAppend, WsAppended } from '../../history/room-store.interface.js';
import { Deadlines } from '../../redis/link/deadlines.js';
import { InDoubtError } from '../../redis/link/redis-failures.js';
import type { Runtime } from '../../runtime/runtime.js';

/** Milliseconds until a message must be in Redis; after that it is refused, there as well. */
const DEADLINE = 1_000;
/** The most messages of one call. */
const MOST = 256;
/** The most characters of one call, except for a single message. */
const MOST_TEXT = 1_048_576;

/** A message that waits for its number. */
interface Waiting {
  readonly message: WsAppend;
  /** ms since 1970 by Redis' clock. */
  readonly deadline: number;
  resolve(appended: WsAppended): void;
  reject(error: Error): void;
}

/**
 * Sends the messages of a batch, which are of one room, to Redis.
 *
 * @param deadline when Redis has to refuse them: ms since 1970 by its clock
 */
export type SendBatch = (
  roomName: string,
  messages: readonly [WsAppend, ...WsAppend[]],
  deadline: number,
) => Promise<readonly WsAppended[]>;

/**
 * The messages that wait for their numbers. Of each room one batch is on its way; what comes meanwhile is the next one. So a
 * batch that has to be repeated, because Redis did not know the script, is not overtaken by the next.
 */
export class RoomAppends {
  /** By room; a room has a list while a batch is due or on its way. */
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #deadlines: Deadlines<Waiting>;
  #due: string[] = [];

  /** @param redisNow Redis' clock, ms since 1970, and never ahead of it: what was rejected must be too late for Redis, too */
  constructor(
    private readonly send: SendBatch,
    private readonly redisNow: () => number,
    private readonly runtime: Runtime,
  ) {
    this.#deadlines = new Deadlines(runtime, DEADLINE, (overdue) => {
      for (const call of overdue) call.reject(new WsError('UNAVAILABLE', 'Redis did not answer in time.'));
    });
  }

  append(message: WsAppend): Promise<WsAppended> {
    return new Promise((resolve, reject) => {
      const call: Waiting = { message, deadline: this.redisNow() + DEADLINE, resolve, reject };
      this.#deadlines.add(call);
      const waiting = this.#waiting.get(message.roomName);
      if (waiting) waiting.push(call);
      else this.#begin(message.roomName, call);
    });
  }

  /** What is sent in this turn of the event loop is one batch. */
  #begin(roomName: string, call: Waiting): void {
    this.#waiting.set(roomName, [call]);
    if (this.#due.push(roomName) === 1) this.runtime.afterIo(this.#sendDue);
  }

  readonly #sendDue = (): void => {
    const due = this.#due;
    this.#due = [];
    for (const roomName of due) void this.#sendAll(roomName);
  };

  async #sendAll(roomName: string): Promise<void> {
    const waiting = this.#waiting.get(roomName) ?? [];
    for (;;) {
      const [first, ...others] = this.#take(waiting);
      if (!first) break;
      const batch = [first, ...others];
      try {
        const messages: [WsAppend, ...WsAppend[]] = [first.message, ...others.map(({ message }) => message)];
        const appended = await this.send(roomName, messages, first.deadline);
        batch.forEach((call, at) => this.#settle(call, appended[at]));
      } catch (error) {
        // Redis may carry it out until the deadline: it is rejected then, so that it does not come after its rejection.
        if (error instanceof InDoubtError) continue;
        for (const call of batch) if (this.#deadlines.delete(call)) call.reject(error as Error);
      }
    }
    this.#waiting.delete(roomName);
  }

  /** Removes the next batch. Messages whose time is over have been refused. */
  #take(waiting: Waiting[]): Waiting[] {
    const batch: Waiting[] = [];
    let taken = 0;
    let size = 0;
    for (const call of waiting) {
      size += call.message.text.length;
      if (batch.length === MOST || (batch.length > 0 && size > MOST_TEXT)) break;
      taken++;
      if (this.#deadlines.has(call)) batch.push(call);
    }
    waiting.splice(0, taken);
    return batch;
  }

  #settle(call: Waiting, appended: WsAppended | undefined): void {
    if (!this.#deadlines.delete(call)) return;
    if (appended) call.resolve(appended);
    else call.reject(new WsError('UNAVAILABLE', 'Redis has answered something else.'));
  }
}
