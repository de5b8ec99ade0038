import type { WsExclusion } from '../clients/exclusion.interface.js';
import type { WsRetention } from '../options/rooms/history.options.js';
import type { WsPosition } from '../protocol/room-position.js';
import type { WsTraceContext } from '../tracing/trace-context.js';

export type { WsPosition };

/** The token of the {@link WsRoomStore} that keeps the rooms' history; null where no room has one. */
export const ROOM_STORE = Symbol('PXL_WS_ROOM_STORE');

/** A message of a room with history, before it has a number. Whom it leaves out does not get it later either. */
export interface WsNumberedMessage extends WsExclusion {
  /** The text of the `pxl.v1` frame, without `room`, `offset` and `copy`. */
  readonly text: string;
  /** The id of a send to several rooms; its copies have it in common. */
  readonly copy?: string | undefined;
}

/** A message that is to be added to a room's history. */
export interface WsAppend extends WsNumberedMessage {
  readonly roomName: string;
  readonly retention: WsRetention;
  /** A message that has been added with the same key within five minutes is not added again. */
  readonly idempotencyKey?: string | undefined;
  /** The span that sends it. It goes to other workers with the message, and is no part of what is kept. */
  readonly trace?: WsTraceContext | undefined;
}

/** What became of a {@link WsAppend}. */
export interface WsAppended extends WsPosition {
  /** Whether an earlier message has the same idempotency key; the position is that message's. */
  readonly isRepeated: boolean;
}

/** A message of a room's history. */
export interface WsHistoryEntry extends WsNumberedMessage {
  readonly offset: number;
}

/** Which entries of a room are read. */
export interface WsHistoryRange {
  /** Only entries behind this offset. Default: 0. */
  readonly since?: number | undefined;
  /** Only entries up to and with this offset. Default: the top. */
  readonly until?: number | undefined;
  /** The most entries. */
  readonly limit: number;
  /** True: the newest entries of the range, newest first; else the oldest, oldest first. Default: false. */
  readonly reverse?: boolean | undefined;
}

/**
 * Entries of a room as they were at one moment. A page may be shorter than its limit, since a store bounds the bytes of one
 * page; it has at least one entry where the range has one.
 */
export interface WsHistoryPage {
  /** The top of the room: its epoch, and the offset of its newest message. */
  readonly top: WsPosition;
  /** The offset of the oldest message that is kept; `top.offset + 1` when none is. */
  readonly oldest: number;
  readonly entries: readonly WsHistoryEntry[];
}

/**
 * Numbers and keeps the messages of rooms with history. All workers of a cluster share it, so all of them see the same
 * order. A store that has lost messages, or may have, begins a new epoch.
 *
 * Each method settles within a second, and rejects with UNAVAILABLE when the store cannot be reached.
 */
export interface WsRoomStore {
  /**
   * Gives a message the next number of its room, keeps it, and publishes it to every worker that hears the room (the
   * envelope has its {@link WsPosition}). The messages that one worker appends to a room keep their order.
   *
   * @throws WsError UNAVAILABLE; the message is not added later
   */
  append(message: WsAppend): Promise<WsAppended>;
  /** Reads entries of a room. A room that nobody has used begins an epoch. */
  read(roomName: string, range: WsHistoryRange, retention: WsRetention): Promise<WsHistoryPage>;
  /** Reads the top of a room; the same as a page without entries. */
  top(roomName: string, retention: WsRetention): Promise<WsPosition>;
  /**
   * Removes the messages of a room, which begins a new epoch. Workers learn that when they next ask for the room's top.
   *
   * @param youngest milliseconds: a room whose epoch is younger keeps it and its messages. Default: 0
   * @returns the new top
   */
  clear(roomName: string, retention: WsRetention, youngest?: number): Promise<WsPosition>;
}
