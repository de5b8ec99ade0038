import { WsError } from '../errors/ws.error.js';
import type { RefusalCounters } from '../limits/refusal-counters.js';
import { allOptions, type ResolvedOptions } from '../pxl-websocket.options.js';

/**
 * Whether a value can be a room name: any text of 1 to `limit` characters. `*` and texts like client ids are ordinary names.
 *
 * @param counters counts a name that is too long
 */
export function isRoomName(name: unknown, limit: number | false, counters?: RefusalCounters): name is string {
  if (typeof name !== 'string' || name.length === 0) return false;
  if (limit === false || name.length <= limit) return true;
  counters?.count('roomName');
  return false;
}

/** The length of the longest room name that any endpoint allows: no client of any endpoint can join a longer one. */
export function longestRoomName(options: ResolvedOptions): number | false {
  const limits = allOptions(options).map(({ limits: { roomName } }) => roomName);
  return limits.includes(false) ? false : Math.max(...limits.map(Number));
}

/**
 * @throws WsError INVALID_ROOM unless {@link isRoomName}
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
