import { sizeOf, type SendCallback, type RawSendOptions, type WsData } from './ws-send.js';
import { WsWriter } from './ws-writer.js';

/**
 * Writes by the `ws` of Bun, which stands behind the package's name there (seen in 1.4.5). A frame that is written to the network
 * socket past it never gets `drain` once the kernel's buffer is full: the client would hear nothing more. What is written
 * by it arrives, and its `bufferedAmount` falls with each byte that leaves, also within a message, and with TLS.
 */
export class BunWriter extends WsWriter {
  /** Bytes that have been seen leaving. */
  #left = 0;
  /** What waited at the last look. */
  #waiting = 0;

  override get unsentBytes(): number {
    return this.bufferedAmount;
  }

  override get sentBytes(): number {
    this.#look(0);
    return this.#left;
  }

  /** Bun compresses within `send`. */
  override get isCompressing(): boolean {
    return false;
  }

  override send(data: WsData, options: RawSendOptions, done?: SendCallback): void {
    this.#look(0);
    super.send(data, options, done);
    // While messages come, what waits leaves within sends only. What a compressed one has added is not known.
    this.#look(this.ws.extensions === '' ? bytesOf(data) : 0);
  }

  #look(added: number): void {
    const waiting = this.bufferedAmount;
    this.#left += Math.max(0, this.#waiting + added - waiting);
    this.#waiting = waiting;
  }
}

function bytesOf(data: WsData): number {
  return typeof data === 'string' ? Buffer.byteLength(data) : sizeOf(data);
}
