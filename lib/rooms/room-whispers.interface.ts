import type { ClientSession } from '../clients/session/client-session.js';

/** The token of the {@link RoomWhispers} of this worker. */
export const ROOM_WHISPERS = Symbol('PXL_WS_ROOM_WHISPERS');

/** What a member says to the other members of a room, which the application neither handles nor keeps. */
export interface Whisper {
  /** The room's key. */
  readonly roomName: string;
  readonly action: string;
  readonly data: unknown;
}

/** Brings whispers to the members of all workers. */
export interface RoomWhispers {
  /** @throws WsError UNAVAILABLE when other workers cannot be reached; the members of this worker have it then */
  send(sender: ClientSession, whisper: Whisper): Promise<void>;
}
