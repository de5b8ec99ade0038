import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import type { Codec } from '../protocol/codec.interface.js';
import type { Cipher } from './cipher.interface.js';
import type { ClearFrames } from './clear-frames.js';

const ALGORITHM = 'aes-256-gcm';
const COUNTER_BYTES = 8;
const TAG_BYTES = 16;
/** The nonce is four zero bytes followed by the counter. */
const NONCE_BYTES = 12;

/**
 * The built-in cipher: AES-256-GCM with one key per direction and counters as nonces, PROTOCOL.md "Encryption".
 *
 * It uses Node's own crypto, not WebCrypto. Both write the same bytes, but Node's is synchronous and takes a third of
 * the time for texts of 200 bytes (4.5 µs against 15 µs of CPU in Node 20, and 36 µs one at a time).
 */
export class AesGcmCipher implements Cipher {
  #sealed = 0;
  #opened = 0;

  constructor(
    private readonly codec: Codec,
    private readonly outboundKey: KeyObject,
    private readonly inboundKey: KeyObject,
    private readonly clearFrames: ClearFrames,
  ) {}

  seal(text: string): string {
    return this.#seal(Buffer.from(text));
  }

  sealAll(texts: readonly string[]): readonly string[] {
    return this.clearFrames.of(texts).map((clear) => this.#seal(clear));
  }

  open(data: unknown): string | null {
    const bytes = bytesOf(data);
    if (!bytes || bytes.length < COUNTER_BYTES + TAG_BYTES) return null;
    const nonce = writeNonce(Buffer.allocUnsafe(NONCE_BYTES), this.#opened);
    if (bytes.compare(nonce, NONCE_BYTES - COUNTER_BYTES, NONCE_BYTES, 0, COUNTER_BYTES) !== 0) return null;
    const decipher = createDecipheriv(ALGORITHM, this.inboundKey, nonce, { authTagLength: TAG_BYTES });
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    const text = decipher.update(bytes.subarray(COUNTER_BYTES, -TAG_BYTES));
    try {
      decipher.final();
    } catch {
      return null; // not encrypted with this key, or changed since
    }
    this.#opened++;
    return text.toString();
  }

  /** Each call has the next nonce, whether one frame is sealed or a list. */
  #seal(clear: Buffer): string {
    // Nonce, ciphertext and tag; what is sent begins with the nonce's counter.
    const bytes = Buffer.allocUnsafe(NONCE_BYTES + clear.length + TAG_BYTES);
    const nonce = writeNonce(bytes, this.#sealed++);
    const cipher = createCipheriv(ALGORITHM, this.outboundKey, nonce);
    bytes.set(cipher.update(clear), NONCE_BYTES);
    cipher.final(); // checks that all is done: in this mode update has given every byte
    bytes.set(cipher.getAuthTag(), NONCE_BYTES + clear.length);
    return this.codec.encodeSealed(bytes.toString('base64url', NONCE_BYTES - COUNTER_BYTES));
  }
}

/** Writes a nonce to the head of a buffer. */
function writeNonce(buffer: Buffer, counter: number): Buffer {
  buffer.writeUInt32BE(0, 0);
  buffer.writeUInt32BE(Math.floor(counter / 2 ** 32), 4);
  buffer.writeUInt32BE(counter % 2 ** 32, 8);
  return buffer.subarray(0, NONCE_BYTES);
}

/** The bytes of a text in base64url; null unless the text is exactly how these bytes are written. */
export function bytesOf(text: unknown): Buffer | null {
  if (typeof text !== 'string') return null;
  const bytes = Buffer.from(text, 'base64url');
  // Node ignores padding, stray characters and spare bits, so one frame would have many spellings.
  return bytes.toString('base64url') === text ? bytes : null;
}
