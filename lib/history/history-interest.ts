import { WsError } from '../errors/ws.error.js';
import type { WsRoomInterest } from '../rooms/room-interest.interface.js';
import type { Runtime } from '../runtime/runtime.js';
import type { RoomHistories } from './room-histories.js';

/** Milliseconds for which a bus that is down is waited for, and between two questions. */
const PATIENCE = 1_000;
const AGAIN = 25;

/**
 * The interest in rooms where some have history: such a room is live once what is sent to it reaches this worker, and once
 * the worker knows where the room stands. So nobody is in it without a position.
 */
export class HistoryInterest implements WsRoomInterest {
  constructor(
    private readonly bus: WsRoomInterest,
    private readonly histories: RoomHistories,
    private readonly runtime: Runtime,
  ) {}

  acquireRoom(roomName: string, hasMembers = false): Promise<void> | undefined {
    if (!this.histories.retentionOf(roomName)) return this.bus.acquireRoom(roomName, hasMembers);
    // While the store is away nobody can be told where the room stands, whoever is in it already.
    const live = this.bus.acquireRoom(roomName, false);
    if (!live) return this.#open(roomName);
    return live.catch((error: unknown) => this.#hearSoon(roomName, error)).then(() => this.#open(roomName));
  }

  releaseRoom(roomName: string): void {
    this.histories.release(roomName);
    this.bus.releaseRoom(roomName);
  }

  /**
   * Subscriptions that were cut are back in a moment, with the clients that return meanwhile. One that is refused comes again
   * after seconds.
   */
  async #hearSoon(roomName: string, first: unknown): Promise<void> {
    let error = first;
    const begin = this.runtime.monotonic();
    while (error instanceof WsError && error.code === 'UNAVAILABLE' && this.runtime.monotonic() - begin < PATIENCE) {
      await new Promise<void>((resolve) => this.runtime.timeout(AGAIN, resolve));
      try {
        return await this.bus.acquireRoom(roomName, false);
      } catch (next) {
        error = next;
      }
    }
    throw error;
  }

  #open(roomName: string): Promise<void> | undefined {
    return this.histories.acquire(roomName)?.catch((error: unknown) => {
      this.bus.releaseRoom(roomName);
      throw error;
    });
  }
}
