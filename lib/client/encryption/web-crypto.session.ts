import type { EncryptionSession } from '../client-encryption.interface.js';
import { badOption } from '../websocket-client.error.js';
import { bytesOf, textOf } from './base64url.js';

type Subtle = typeof crypto.subtle;
type Key = Awaited<ReturnType<Subtle['importKey']>>;

const EXCHANGE = { name: 'ECDH', namedCurve: 'P-256' };
const SECRET_BITS = 256;
const CIPHER = 'AES-GCM';
const KEY_BITS = 256;
const COUNTER_BYTES = 8;
/** The size of a nonce, which is four zero bytes and the counter. */
const NONCE_BYTES = 12;
/** Parts the texts of a list: a byte that UTF-8 never has. */
const SEPARATOR = 0xff;

/** The keys and counters of one connection. Each connection has its own, so that no nonce is used twice with a key. */
export class WebCryptoSession implements EncryptionSession {
  readonly sealed = 'lists';
  #keys: { readonly outbound: Key; readonly inbound: Key } | null = null;
  #encrypted = 0;
  #decrypted = 0;

  private constructor(
    private readonly subtle: Subtle,
    private readonly privateKey: Key,
    readonly publicKey: string,
  ) {}

  /** @throws WebSocketClientError BAD_OPTION when there is no WebCrypto; it is not retryable */
  static async create(): Promise<WebCryptoSession> {
    const subtle = (globalThis.crypto as typeof crypto | undefined)?.subtle;
    if (!subtle) throw badOption('There is no WebCrypto here: browsers have it on https and localhost only.');
    const pair = await subtle.generateKey(EXCHANGE, false, ['deriveBits']);
    const point = await subtle.exportKey('raw', pair.publicKey);
    return new WebCryptoSession(subtle, pair.privateKey, textOf(new Uint8Array(point)));
  }

  async agree({ serverPublicKey, salt }: { serverPublicKey: string; salt: string }): Promise<void> {
    const { subtle } = this;
    const publicKey = await subtle.importKey('raw', bytesOf(serverPublicKey), EXCHANGE, false, []);
    const secret = await subtle.deriveBits({ name: EXCHANGE.name, public: publicKey }, this.privateKey, SECRET_BITS);
    const source = await subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey']);
    const keyOf = (writer: 'client' | 'server', usage: 'encrypt' | 'decrypt'): Promise<Key> => {
      const info = new TextEncoder().encode(`pxl.v1 ${writer}`);
      const derivation = { name: 'HKDF', hash: 'SHA-256', salt: bytesOf(salt), info };
      return subtle.deriveKey(derivation, source, { name: CIPHER, length: KEY_BITS }, false, [usage]);
    };
    const keys = { outbound: await keyOf('client', 'encrypt'), inbound: await keyOf('server', 'decrypt') };
    if (this.#keys) throw new Error('The keys have been agreed on already.');
    this.#keys = keys;
  }

  async encrypt(text: string): Promise<string> {
    const { outbound } = this.#agreed;
    const iv = nonceOf(this.#encrypted++);
    const sealed = await this.subtle.encrypt({ name: CIPHER, iv }, outbound, new TextEncoder().encode(text));
    const data = new Uint8Array(COUNTER_BYTES + sealed.byteLength);
    data.set(iv.subarray(-COUNTER_BYTES));
    data.set(new Uint8Array(sealed), COUNTER_BYTES);
    return textOf(data);
  }

  async decrypt(data: string): Promise<string[]> {
    const bytes = await this.#open(data);
    const texts = [];
    let begin = 0;
    for (let end = bytes.indexOf(SEPARATOR); end >= 0; end = bytes.indexOf(SEPARATOR, begin)) {
      texts.push(new TextDecoder().decode(bytes.subarray(begin, end)));
      begin = end + 1;
    }
    texts.push(new TextDecoder().decode(bytes.subarray(begin)));
    return texts;
  }

  async #open(data: string): Promise<Uint8Array> {
    const { inbound } = this.#agreed;
    const bytes = bytesOf(data);
    const iv = nonceOf(this.#decrypted++);
    const isNext = iv.subarray(-COUNTER_BYTES).every((byte, at) => byte === bytes[at]);
    if (!isNext) throw new Error('The encrypted frame is not the next one.');
    return new Uint8Array(await this.subtle.decrypt({ name: CIPHER, iv }, inbound, bytes.subarray(COUNTER_BYTES)));
  }

  get #agreed(): { readonly outbound: Key; readonly inbound: Key } {
    if (!this.#keys) throw new Error('No keys have been agreed on.');
    return this.#keys;
  }
}

function nonceOf(counter: number): Uint8Array<ArrayBuffer> {
  const nonce = new Uint8Array(NONCE_BYTES);
  new DataView(nonce.buffer).setBigUint64(NONCE_BYTES - COUNTER_BYTES, BigInt(counter));
  return nonce;
}
