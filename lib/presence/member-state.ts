import { WsError } from '../errors/ws.error.js';
import { MOST_STATE_BYTES } from '../protocol/presence.js';

/**
 * A member's own state as JSON carries it; undefined for none.
 *
 * @throws WsError BAD_MESSAGE for a value without a JSON form, and for one of more than 256 bytes
 */
export function checkState(state: unknown): unknown {
  if (state === undefined || state === null) return undefined;
  const text = textOf(state);
  if (text === undefined) throw new WsError('BAD_MESSAGE', 'The state has no JSON form.');
  const bytes = Buffer.byteLength(text);
  if (bytes > MOST_STATE_BYTES) {
    throw new WsError('BAD_MESSAGE', `The state has ${bytes} bytes as JSON; at most ${MOST_STATE_BYTES} are allowed.`);
  }
  return (JSON.parse(text) as unknown) ?? undefined;
}

export function isSameState(a: unknown, b: unknown): boolean {
  return textOf(a ?? null) === textOf(b ?? null);
}

function textOf(state: unknown): string | undefined {
  try {
    // JSON.stringify returns undefined for a value without a JSON form, though its type does not say so.
    return JSON.stringify(state);
  } catch {
    return undefined;
  }
}
