import type { AckSource } from '../../clients/session/route.interface.js';
import type { ClientSession } from '../../clients/session/client-session.js';
import type { ReplayRequest, ReplayVerdict, RoomHistory } from '../../history/room-history.interface.js';

/**
 * What one message of a client asks of rooms with history. The members get nothing numbered before the message is
 * answered, so that they know where they stand, and are let go then, however it is answered.
 */
export class Admissions {
  readonly #rooms: string[] = [];

  constructor(
    private readonly history: RoomHistory,
    private readonly session: ClientSession,
    exchange: AckSource,
  ) {
    if (history.isOn) exchange.whenAnswered(() => this.#begin());
  }

  /** The client has entered the room: it is let go with the answer, in a room without history as well. */
  entered(roomName: string): void {
    if (this.history.isOn) this.#rooms.push(roomName);
  }

  /**
   * Decides what the client gets, which has entered the room.
   *
   * @throws WsError UNAVAILABLE; CONFLICT when the client has left, or was told meanwhile that this took too long
   */
  async decide(roomName: string, request: ReplayRequest): Promise<ReplayVerdict | undefined> {
    return this.history.admit(this.session, roomName, request);
  }

  #begin(): void {
    for (const roomName of this.#rooms) this.history.begin(this.session, roomName);
  }
}
