import type { ClientEnd } from '../clients/client-listener.interface.js';
import { CLOSE_CODES, CLOSED_BY_PROXY, reactionTo } from '../protocol/close-codes.js';

/**
 * How long a member stays after its connection has ended, in ms: for its grace, when its client comes back by itself after such an
 * end, or has come back already; undefined: not at all.
 *
 * @param grace ms
 * @param spread the longest wait that this server asks for when it restarts, in ms: a client may close with any words
 */
export function graceAfter({ code, reason }: ClientEnd, grace: number, spread: number): number | undefined {
  const isReplaced = code === CLOSE_CODES.REPLACED.code && reason === CLOSE_CODES.REPLACED.reason;
  const isOfClient = reactionTo(code) === 'stop' && !reason.startsWith(CLOSED_BY_PROXY);
  if (grace === 0 || (isOfClient && !isReplaced)) return undefined;
  return code === CLOSE_CODES.RESTART.code ? grace + Math.min(waitOf(reason), spread) : grace;
}

/** How long a restarting server has asked its client to wait, in ms: `{"after":ms}`. */
function waitOf(reason: string): number {
  const [, after] = /^\{"after":(\d{1,9})\}$/.exec(reason) ?? [];
  return Number(after ?? 0);
}
