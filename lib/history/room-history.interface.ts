import type { ClientSession } from '../clients/session/client-session.js';
import type { WsRetention } from '../options/rooms/history.options.js';
import type { WsLossReason } from '../protocol/room-position.js';
import type { Sending } from '../runtime/metrics/timings.js';
import type { WsAppend, WsAppended, WsHistoryEntry, WsNumberedMessage, WsPosition } from './room-store.interface.js';

export type { WsLossReason };

/** The token of the {@link RoomHistory} of this worker. */
export const ROOM_HISTORY = Symbol('PXL_WS_ROOM_HISTORY');

/** What a client asks for when it joins a room with history. */
export interface ReplayRequest {
  /** Where the client stands, from an earlier connection. It wins over `history`. */
  readonly since?: WsPosition | undefined;
  /** How many of the room's last messages a newcomer wants. */
  readonly history?: number | undefined;
  /** The client's id on that earlier connection: what excluded it then stays hidden. */
  readonly was?: string | undefined;
}

/** What the client is told. */
export interface ReplayVerdict {
  /** Where the client stands now. Every numbered message that it gets from here on is behind this position. */
  readonly position: WsPosition;
  /** Whether everything behind `since` follows; undefined when the client has named no position. */
  readonly recovered?: boolean | undefined;
  /** Why not. */
  readonly reason?: WsLossReason | undefined;
  /** How many kept messages follow the answer, before any new one. */
  readonly replayed: number;
}

/** A page that a member has asked for. */
export interface MemberPage {
  readonly entries: readonly WsHistoryEntry[];
  readonly top: WsPosition;
  /** Whether the page ends because of its limit, and not because there is nothing more. */
  readonly more: boolean;
  /** Why the page does not begin where the member asked, where it named a position. */
  readonly reason?: WsLossReason | undefined;
}

/** Which entries a member asks for. */
export interface MemberRange {
  /** Behind this position; in reverse: before it. */
  readonly since?: WsPosition | undefined;
  readonly limit?: number | undefined;
  readonly reverse?: boolean | undefined;
  /** The most bytes of all messages; one that is larger comes alone. Default: what one read brings. */
  readonly bytes?: number | undefined;
}

/** A numbered message on its way to members. */
export interface ArrivedMessage extends WsNumberedMessage {
  /** Undefined: that is not measured, or the message was read from the store. */
  readonly sent?: Sending | undefined;
}

/**
 * The rooms with history, as this worker knows them: one log per room with members here, one cursor per member. Every
 * numbered message goes to the members in the order of its numbers, each once.
 */
export interface RoomHistory {
  /** Whether any room may have history. */
  readonly isOn: boolean;
  /** What is kept of a room; null: it has no history. */
  retentionOf(roomName: string): WsRetention | null;
  /**
   * Appends a message, and delivers it to the members of this worker in its turn.
   *
   * @throws WsError UNAVAILABLE; the message is not added later
   */
  append(message: WsAppend): Promise<WsAppended>;
  /** A numbered message has come from the bus. Never throws. */
  receive(roomName: string, position: WsPosition, message: ArrivedMessage): void;
  /**
   * Decides what a member gets that has just joined at its own request, or that asks once more. It gets no numbered message
   * until {@link begin} is called.
   *
   * @returns undefined for a room without history
   * @throws WsError UNAVAILABLE when the room's state cannot be had, CONFLICT when the client has left or {@link begin} was
   * called meanwhile; a client that was a member before goes on from where it was
   */
  admit(client: ClientSession, roomName: string, request: ReplayRequest): Promise<ReplayVerdict> | undefined;
  /** The answer is on its way to the member: the replay follows it, then what is new. */
  begin(client: ClientSession, roomName: string): void;
  /**
   * Reads a page for a member.
   *
   * @throws WsError FORBIDDEN when `rooms.mayRead` refuses, RATE_LIMITED over the bytes of a minute, UNAVAILABLE
   */
  page(client: ClientSession, roomName: string, range: MemberRange): Promise<MemberPage>;
  /** Somebody has cleared the room: asks for its new epoch. Never throws. */
  cleared(roomName: string): void;
  /** An unnumbered message that is not volatile came for a room with history: what the log has is not all any more. */
  unnumbered(roomName: string): void;
  /** The bus has ended: rooms are left as they are. */
  end(): void;
}
