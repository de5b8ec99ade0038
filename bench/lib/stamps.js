import { microseconds } from './clock.js';

/** Before the digits of a stamp. It stands nowhere else in what servers send, headers of frames included. */
export const STAMP_MARK = '@';
export const STAMP_DIGITS = 16;
const TEXT_BYTES = 200;

/** A text that says when it was made, always of one length. */
export function stampedText() {
  return `${STAMP_MARK}${String(microseconds()).padStart(STAMP_DIGITS, '0')}`.padEnd(TEXT_BYTES, '.');
}
