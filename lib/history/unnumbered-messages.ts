import type { ErrorReporter } from '../errors/error-reporter.js';
import { ModuleLogger } from '../errors/module-logger.js';
import type { WsRetention } from '../options/rooms/history.options.js';
import type { Runtime, RuntimeTimer } from '../runtime/runtime.js';
import type { WsRoomStore } from './room-store.interface.js';

/** A room is cleared, and the log warns, at most once in this time, in ms. */
const INTERVAL = 60_000;
/** Another worker has cleared the room for the same messages when its epoch is younger, in ms. */
const JUST_CLEARED = 30_000;

/** A room that was cleared. */
interface ClearedRoom {
  /** Whether there were more of these messages since. */
  isAgain: boolean;
  /** The end of its interval. */
  readonly timer: RuntimeTimer;
}

/**
 * Messages without a number that came for rooms with history, from workers of version 0.1 and from emitters that do not know
 * of the history. A room that had them is cleared: nobody could tell a returning client that it has missed them.
 */
export class UnnumberedMessages {
  readonly #logger = new ModuleLogger();
  /** The rooms that were cleared within the interval. */
  readonly #cleared = new Map<string, ClearedRoom>();
  #warnedAt = -Infinity;
  #isEnded = false;

  /**
   * @param epochOf the epoch in which this worker has the room; empty when it has no members there
   * @param cleared is called once a room has begun a new epoch
   */
  constructor(
    private readonly store: WsRoomStore,
    private readonly epochOf: (roomName: string) => string,
    private readonly cleared: (roomName: string) => void,
    private readonly errors: ErrorReporter,
    private readonly runtime: Runtime,
  ) {}

  take(roomName: string, retention: WsRetention): void {
    if (this.#isEnded) return;
    this.#warn();
    if (this.#cleared.has(roomName)) {
      this.#again(roomName);
      return;
    }
    const timer = this.runtime.timeout(INTERVAL, () => {
      this.#cleared.delete(roomName);
      if (room.isAgain) this.take(roomName, retention);
    });
    const room: ClearedRoom = { isAgain: false, timer };
    this.#cleared.set(roomName, room);
    this.#clear(roomName, retention).catch((error: unknown) => {
      if (this.#isEnded) return;
      this.errors.report('The history of a room could not be cleared.', error);
      this.#again(roomName);
    });
  }

  /** The bus has ended: nothing is cleared any more. */
  end(): void {
    this.#isEnded = true;
    for (const { timer } of this.#cleared.values()) timer.cancel();
    this.#cleared.clear();
  }

  async #clear(roomName: string, retention: WsRetention): Promise<void> {
    const known = this.epochOf(roomName);
    const { epoch } = await this.store.top(roomName, retention);
    if (known !== '' && known !== epoch) {
      // Another worker was quicker: clearing the room once more would tell all members of a loss that is none.
      this.cleared(roomName);
      return;
    }
    const after = await this.store.clear(roomName, retention, JUST_CLEARED);
    if (after.epoch !== epoch) this.cleared(roomName);
    // The room was too young; or another worker was quicker, which cannot be told apart where there are no members.
    else this.#again(roomName);
  }

  #again(roomName: string): void {
    const room = this.#cleared.get(roomName);
    if (room) room.isAgain = true;
  }

  #warn(): void {
    const now = this.runtime.monotonic();
    if (now - this.#warnedAt < INTERVAL) return;
    this.#warnedAt = now;
    this.#logger.warn(
      'A message without a number came for a room with history, and its history was cleared: a worker of version 0.1 or ' +
        'an emitter without the option rooms.history sends there. Further ones are counted.',
    );
  }
}
