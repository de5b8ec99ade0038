import { isMessage } from '../clients/encode-message.js';
import { badMessage } from '../clients/verb-checks.js';

/** What the frame of a numbered message has beside the message. */
const OWN_FIELDS = ['room', 'offset', 'copy'] as const;

/** Characters of an idempotency key: Redis remembers it. */
const LONGEST_KEY = 128;

/** Why a message to a room with history has no `conflate`. */
export const KEEPS_ALL = 'A room with history keeps every message: none takes the place of another';

/**
 * Checks that a message can be numbered.
 *
 * @param text its text in `pxl.v1`
 * @throws WsError BAD_MESSAGE for a value that is no message, and for one with a field `room`, `offset` or `copy`
 */
export function checkNumbered(message: unknown, text: string): void {
  // Only of a plain object the fields are those of its text.
  const whole: unknown = isPlain(message) ? message : JSON.parse(text);
  if (!isMessage(whole) || Array.isArray(whole)) {
    throw badMessage('A message to a room with history has the names type and action, or event');
  }
  for (const field of OWN_FIELDS) {
    if ((whole as Readonly<Record<string, unknown>>)[field] === undefined) continue;
    throw badMessage(`A message to a room with history has no field ${field}: the library writes its own`);
  }
}

/** @throws WsError BAD_MESSAGE for anything but undefined and a text of 1 to 128 characters */
export function readIdempotencyKey(key: unknown): string | undefined {
  if (key === undefined || (typeof key === 'string' && key !== '' && key.length <= LONGEST_KEY)) return key;
  throw badMessage(`idempotencyKey is a text of 1 to ${LONGEST_KEY} characters`);
}

function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
