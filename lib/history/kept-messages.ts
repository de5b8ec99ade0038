import { badMessage, checkNames, readFlag } from '../clients/verb-checks.js';
import type { WsRetention } from '../options/rooms/history.options.js';
import type { HistoryMessage, WebSocketContract } from '../protocol/contract.js';
import type { WsLossReason } from '../protocol/room-position.js';
import type { WsNamespaced } from '../ws-client/room-key.js';
import type { WsHistoryEntry, WsPosition, WsRoomStore } from './room-store.interface.js';

const LONGEST_EPOCH = 64;
const MOST_MESSAGES = 10_000;

/** Which messages of a room {@link readMessages} returns. */
export interface WsHistoryQuery extends WsNamespaced {
  /** Only messages behind this position; with `reverse` only those before it. Default: all that are kept. */
  since?: WsPosition;
  /** The most messages: 0 to 10 000; 0 reads the position alone. Default: 100. */
  limit?: number;
  /** True: the newest messages, newest first; else the oldest, oldest first. Default: false. */
  reverse?: boolean;
}

/** A message that a room's history holds. */
export interface WsKeptMessage<C extends WebSocketContract = WebSocketContract> {
  /** Its number. */
  readonly offset: number;
  /** With the names type and action, however it was sent: the event `tea` is `{ type: 'event', action: 'tea' }`. */
  readonly message: HistoryMessage<C>;
}

/** Messages of a room as they were at one moment. */
export interface WsKeptMessages<C extends WebSocketContract = WebSocketContract> {
  readonly messages: readonly WsKeptMessage<C>[];
  /** The room's newest message, kept or not. */
  readonly position: WsPosition;
  /**
   * Whether there are more: because of `limit`, or because of the bytes of a page, which is at least one message and about
   * 1 MiB. The next page is behind the last message (with `reverse`: before it).
   */
  readonly more: boolean;
  /**
   * Why not everything behind `since` can be had: `epoch`, the room has another numbering now, and there are no messages
   * here; `trimmed`, some are not kept any more. Undefined: nothing is missing.
   */
  readonly reason?: Extract<WsLossReason, 'epoch' | 'trimmed'> | undefined;
}

/** @throws WsError BAD_MESSAGE for a wrong query; UNAVAILABLE */
export async function readMessages<C extends WebSocketContract>(
  store: WsRoomStore,
  roomName: string,
  retention: WsRetention,
  query: WsHistoryQuery,
): Promise<WsKeptMessages<C>> {
  const { since, limit, reverse } = readQuery(query);
  if (limit === 0) {
    const position = await store.top(roomName, retention);
    return { messages: [], position, more: position.offset > 0, reason: undefined };
  }
  const bound = since && (reverse ? { until: Math.max(0, since.offset - 1) } : { since: since.offset });
  const { top, oldest, entries } = await store.read(roomName, { ...bound, limit, reverse }, retention);
  const isOfOther = since && (since.epoch !== top.epoch || since.offset > top.offset);
  if (isOfOther) return { messages: [], position: top, more: false, reason: 'epoch' };
  const last = entries.at(-1)?.offset;
  const more = last !== undefined && (reverse ? last > oldest : last < top.offset);
  const isTrimmed = since !== undefined && !reverse && since.offset + 1 < oldest;
  return { messages: entries.map(read<C>), position: top, more, reason: isTrimmed ? 'trimmed' : undefined };
}

function readQuery(query: WsHistoryQuery): { since: WsPosition | undefined; limit: number; reverse: boolean } {
  checkNames('query', query, ['since', 'limit', 'reverse', 'namespace']);
  const { since, limit = 100, reverse } = query;
  if (!Number.isInteger(limit) || limit < 0 || limit > MOST_MESSAGES) {
    throw badMessage(`limit is a whole number from 0 to ${MOST_MESSAGES}`);
  }
  if (since !== undefined) checkPosition(since);
  return { since, limit, reverse: readFlag('reverse', reverse) };
}

function checkPosition(since: Partial<WsPosition>): void {
  checkNames('field of a position', since, ['epoch', 'offset']);
  const { epoch, offset } = since;
  const isEpoch = typeof epoch === 'string' && epoch.length > 0 && epoch.length <= LONGEST_EPOCH;
  const isOffset = typeof offset === 'number' && Number.isSafeInteger(offset) && offset >= 0;
  if (!isEpoch || !isOffset) throw badMessage('A position has an epoch, and an offset that is a whole number from 0');
}

/** The store has the text of a frame, which the library itself has written. */
function read<C extends WebSocketContract>({ offset, text }: WsHistoryEntry): WsKeptMessage<C> {
  return { offset, message: JSON.parse(text) as HistoryMessage<C> };
}
