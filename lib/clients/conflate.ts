import { badMessage } from './verb-checks.js';

/** Characters of the longest key. */
const LONGEST = 128;

/** Whether a value can be the key of `conflate`. */
export function isConflateKey(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= LONGEST;
}

/** @throws WsError BAD_MESSAGE for anything but a text of 1 to 128 characters and undefined */
export function readConflate(key: unknown): string | undefined {
  if (key === undefined || isConflateKey(key)) return key;
  throw badMessage(`conflate is a text of 1 to ${LONGEST} characters`);
}
