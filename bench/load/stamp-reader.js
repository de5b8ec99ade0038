import { STAMP_DIGITS, STAMP_MARK } from '../lib/stamps.js';

const MARK = STAMP_MARK.charCodeAt(0);
const ZERO = '0'.charCodeAt(0);

/** Finds the stamps in what one client reads; it may be cut anywhere. */
export class StampReader {
  #missingDigits = 0;
  #stamp = 0;

  /** Calls `take` with each stamp that ends within these bytes. */
  read(buffer, length, take) {
    const bytes = buffer.subarray(0, length);
    for (let at = 0; at < length;) {
      if (this.#missingDigits === 0) {
        const mark = bytes.indexOf(MARK, at);
        if (mark < 0) return;
        at = mark + 1;
        this.#stamp = 0;
        this.#missingDigits = STAMP_DIGITS;
      }
      while (at < length && this.#missingDigits > 0) {
        this.#stamp = this.#stamp * 10 + bytes[at++] - ZERO;
        this.#missingDigits--;
      }
      if (this.#missingDigits === 0) take(this.#stamp);
    }
  }
}
