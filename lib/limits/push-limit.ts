import { WsError } from '../errors/ws.error.js';
import type { RefusalCounters } from './refusal-counters.js';

/** Bounds the bytes of one message to a client: `limits.maxPushBytes`. Whoever sends asks it before anything is sent. */
export class PushLimit {
  /** @param bytes false: there is no limit, and nothing has to be measured */
  constructor(
    readonly bytes: number | false,
    private readonly counters?: RefusalCounters,
  ) {}

  /** @throws WsError TOO_LARGE for the text of a message that is too large for a client */
  check(text: string): void {
    // Most texts are so short that nobody has to count: a character has three bytes at most.
    if (this.bytes !== false && 3 * text.length > this.bytes) this.checkSize(Buffer.byteLength(text));
  }

  /** @throws WsError TOO_LARGE for so many bytes */
  checkSize(bytes: number): void {
    if (this.bytes === false || bytes <= this.bytes) return;
    this.counters?.count('maxPushBytes');
    throw new WsError('TOO_LARGE', `The message has ${bytes} bytes, limits.maxPushBytes allows ${this.bytes}.`);
  }
}
