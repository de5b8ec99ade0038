import { WsError } from '../errors/ws.error.js';
import type { RefusalCounters } from '../limits/refusal-counters.js';
import { allOptions, type ResolvedOptions } from '../pxl-websocket.options.js';

/**
 * Any text of 1 to `limit` characters is a room name; `*` and what looks like a client's id are ordinary rooms.
 *
 * @param counters counts a name that is too long
 */
export function isRoomName(name: unknown, limit: number | false, counters?: RefusalCounters): name is string {
  if (typeof name !== 'string' || name.length === 0) return false;
  if (limit === false || name.length <= limit) return true;
  counters?.count('roomName');
  return false;
}

/** The longest name that any endpoint allows: what is refused beyond it no client could join, wherever it is. */
export function longestRoomName(options: ResolvedOptions): number | false {
  const limits = allOptions(options).map(({ limits: { roomName } }) => roomName);
  return limits.includes(false) ? false : Math.max(...limits.map(Number));
}

/**
 * Lets a room's name pass, see {@link isRoomName}.
 *
 * @throws WsError INVALID_ROOM for anything else
 */
export function checkRoomName(
  name: unknown,
  limit: number | false,
  counters?: RefusalCounters,
): asserts name is string {
  if (isRoomName(name, limit, counters)) return;
  const most = limit === false ? '' : ` of at most ${limit} characters`;
  throw new WsError('INVALID_ROOM', `A room name is a text${most} that is not empty.`);
}
