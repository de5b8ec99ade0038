import type { ClientEncryption } from '../client-encryption.interface.js';
import { bytesOf, textOf } from './base64url.js';

type Subtle = typeof crypto.subtle;
type Key = Awaited<ReturnType<Subtle['importKey']>>;

const EXCHANGE = { name: 'ECDH', namedCurve: 'P-256' };
const SECRET_BITS = 256;
const CIPHER = 'AES-GCM';
const KEY_BITS = 256;
const COUNTER_BYTES = 8;
/** The nonce is the counter behind four zero bytes. */
const NONCE_BYTES = 12;

/**
 * The encryption that the server has built in, through WebCrypto, in browsers and Node: PROTOCOL.md "Encryption". One
 * object serves one client, however often it connects. Browsers have WebCrypto on secure pages only (https, localhost).
 *
 * @example new WebSocketClient({ url, encryption: webCryptoEncryption() })
 */
export function webCryptoEncryption(): ClientEncryption {
  return new WebCryptoEncryption();
}

class WebCryptoEncryption implements ClientEncryption {
  #privateKey: Key | null = null;
  #keys: { readonly outbound: Key; readonly inbound: Key } | null = null;
  #encrypted = 0;
  #decrypted = 0;

  async offer(): Promise<{ publicKey: string }> {
    this.#keys = null;
    const subtle = webCrypto();
    const pair = await subtle.generateKey(EXCHANGE, false, ['deriveBits']);
    this.#privateKey = pair.privateKey;
    return { publicKey: textOf(new Uint8Array(await subtle.exportKey('raw', pair.publicKey))) };
  }

  async agree({ serverPublicKey, salt }: { serverPublicKey: string; salt: string }): Promise<void> {
    const subtle = webCrypto();
    const privateKey = this.#privateKey;
    if (!privateKey) throw new Error('Nothing was offered that could be agreed on.');
    const publicKey = await subtle.importKey('raw', bytesOf(serverPublicKey), EXCHANGE, false, []);
    const secret = await subtle.deriveBits({ name: EXCHANGE.name, public: publicKey }, privateKey, SECRET_BITS);
    const source = await subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey']);
    const keyOf = (writer: 'client' | 'server', usage: 'encrypt' | 'decrypt'): Promise<Key> => {
      const info = new TextEncoder().encode(`pxl.v1 ${writer}`);
      const derivation = { name: 'HKDF', hash: 'SHA-256', salt: bytesOf(salt), info };
      return subtle.deriveKey(derivation, source, { name: CIPHER, length: KEY_BITS }, false, [usage]);
    };
    this.#privateKey = null;
    this.#encrypted = 0;
    this.#decrypted = 0;
    this.#keys = { outbound: await keyOf('client', 'encrypt'), inbound: await keyOf('server', 'decrypt') };
  }

  async encrypt(text: string): Promise<string> {
    const iv = nonceOf(this.#encrypted++);
    const sealed = await webCrypto().encrypt(
      { name: CIPHER, iv },
      this.#agreed.outbound,
      new TextEncoder().encode(text),
    );
    const data = new Uint8Array(COUNTER_BYTES + sealed.byteLength);
    data.set(iv.subarray(-COUNTER_BYTES));
    data.set(new Uint8Array(sealed), COUNTER_BYTES);
    return textOf(data);
  }

  async decrypt(data: string): Promise<string> {
    const bytes = bytesOf(data);
    const iv = nonceOf(this.#decrypted++);
    const isNext = iv.subarray(-COUNTER_BYTES).every((byte, at) => byte === bytes[at]);
    if (!isNext) throw new Error('The encrypted frame is not the next one.');
    const text = await webCrypto().decrypt({ name: CIPHER, iv }, this.#agreed.inbound, bytes.subarray(COUNTER_BYTES));
    return new TextDecoder().decode(text);
  }

  get #agreed(): { readonly outbound: Key; readonly inbound: Key } {
    if (!this.#keys) throw new Error('No keys have been agreed on.');
    return this.#keys;
  }
}

function webCrypto(): Subtle {
  const subtle = (globalThis.crypto as typeof crypto | undefined)?.subtle;
  if (!subtle) throw new Error('There is no WebCrypto here: browsers have it on https and localhost only.');
  return subtle;
}

function nonceOf(counter: number): Uint8Array<ArrayBuffer> {
  const nonce = new Uint8Array(NONCE_BYTES);
  new DataView(nonce.buffer).setBigUint64(NONCE_BYTES - COUNTER_BYTES, BigInt(counter));
  return nonce;
}
