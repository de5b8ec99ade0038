import type { WsRoomInterest } from '../rooms/room-interest.interface.js';
import type { RoomHistories } from './room-histories.js';

/**
 * The interest in rooms where some have history: such a room is live once what is sent to it reaches this worker, and once
 * the worker knows where the room stands. So nobody is in it without a position.
 */
export class HistoryInterest implements WsRoomInterest {
  constructor(
    private readonly bus: WsRoomInterest,
    private readonly histories: RoomHistories,
  ) {}

  acquireRoom(roomName: string, hasMembers = false): Promise<void> | undefined {
    if (!this.histories.retentionOf(roomName)) return this.bus.acquireRoom(roomName, hasMembers);
    // While the store is away nobody can be told where the room stands, whoever is in it already.
    const live = this.bus.acquireRoom(roomName, false);
    return live ? live.then(() => this.#open(roomName)) : this.#open(roomName);
  }

  releaseRoom(roomName: string): void {
    this.histories.release(roomName);
    this.bus.releaseRoom(roomName);
  }

  #open(roomName: string): Promise<void> | undefined {
    return this.histories.acquire(roomName)?.catch((error: unknown) => {
      this.bus.releaseRoom(roomName);
      throw error;
    });
  }
}
