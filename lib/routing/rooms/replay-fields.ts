import { WsError } from '../../errors/ws.error.js';
import type { ReplayRequest } from '../../history/room-history.interface.js';
import type { WsPosition } from '../../protocol/room-position.js';

const LONGEST_EPOCH = 64;
/** Applications give ids of their own to sockets that they hand over. */
const LONGEST_CLIENT_ID = 1_024;
const MOST_MESSAGES = 10_000;

/** What a client has written beside the name of a room, as it came. */
export interface ReplayFields {
  readonly since?: unknown;
  readonly history?: unknown;
  readonly was?: unknown;
}

/** @throws WsError BAD_MESSAGE when a field is not what it has to be */
export function readReplay({ since, history, was }: ReplayFields): ReplayRequest {
  if (history !== undefined && !isWhole(history, 0, MOST_MESSAGES)) {
    throw new WsError('BAD_MESSAGE', `history is not a whole number from 0 to ${MOST_MESSAGES}.`);
  }
  if (was !== undefined && !isText(was, LONGEST_CLIENT_ID)) {
    throw new WsError('BAD_MESSAGE', `was is not a client's id, a text of 1 to ${LONGEST_CLIENT_ID} characters.`);
  }
  return { since: since === undefined ? undefined : readPosition(since), history, was };
}

/** @throws WsError BAD_MESSAGE when the value is not a position */
export function readPosition(since: unknown): WsPosition {
  if (typeof since === 'object' && since !== null && 'epoch' in since && 'offset' in since) {
    const { epoch, offset } = since;
    if (isText(epoch, LONGEST_EPOCH) && isWhole(offset, 0, Number.MAX_SAFE_INTEGER)) return { epoch, offset };
  }
  throw new WsError('BAD_MESSAGE', 'since is not a position: { epoch, offset }, a text and a whole number.');
}

/** Whether the value is a whole number within these bounds. */
export function isWhole(value: unknown, least: number, most: number): value is number {
  return Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most;
}

function isText(value: unknown, longest: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= longest;
}
