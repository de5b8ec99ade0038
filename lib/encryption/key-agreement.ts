import { createECDH, createSecretKey, hkdfSync, randomBytes, type KeyObject } from 'node:crypto';
import type { Codec } from '../protocol/codec.interface.js';
import { AesGcmCipher, bytesOf } from './aes-gcm.cipher.js';
import type { Cipher } from './cipher.interface.js';
import type { ClearFrames } from './clear-frames.js';

const CURVE = 'prime256v1';
/** An uncompressed point: the byte 4, then x and y. */
const PUBLIC_KEY_BYTES = 65;
const UNCOMPRESSED = 4;
const SALT_BYTES = 32;
const KEY_BYTES = 32;

/** The result of an exchange of keys. */
export interface Agreement {
  /** Sent to the client in its welcome. */
  readonly serverPublicKey: string;
  readonly salt: string;
  readonly cipher: Cipher;
}

/**
 * The built-in exchange, with a new pair for every connection: P-256 ECDH, HKDF-SHA-256, one AES-256-GCM key per
 * direction. Null when the client's key is not a point of this curve.
 *
 * @param publicKey the client's: an uncompressed point in base64url
 * @param clearFrames what is sealed for this client: its frames one by one, or lists of them
 */
export function agreeOnKeys(codec: Codec, publicKey: unknown, clearFrames: ClearFrames): Agreement | null {
  const point = bytesOf(publicKey);
  if (point?.length !== PUBLIC_KEY_BYTES || point[0] !== UNCOMPRESSED) return null;
  const pair = createECDH(CURVE);
  const serverPublicKey = pair.generateKeys('base64url');
  let secret: Buffer;
  try {
    secret = pair.computeSecret(point);
  } catch {
    return null; // not on the curve
  }
  const salt = randomBytes(SALT_BYTES);
  const cipher = new AesGcmCipher(codec, keyOf('server', secret, salt), keyOf('client', secret, salt), clearFrames);
  return { serverPublicKey, salt: salt.toString('base64url'), cipher };
}

/** @param writer the side that encrypts with this key */
function keyOf(writer: 'client' | 'server', secret: Buffer, salt: Buffer): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, salt, `pxl.v1 ${writer}`, KEY_BYTES)));
}
