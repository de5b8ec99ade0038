/**
 * The client's side of an encrypted connection, written from PROTOCOL.md alone with nothing but WebCrypto: for Node, and
 * bundled for pages. It shares no line with the library.
 */
export class WebCryptoPeer {
  #outbound: Awaited<ReturnType<typeof crypto.subtle.importKey>> | null = null;
  #inbound: Awaited<ReturnType<typeof crypto.subtle.importKey>> | null = null;
  #written = 0n;
  #read = 0n;

  private constructor(
    private readonly pair: { privateKey: Awaited<ReturnType<typeof crypto.subtle.importKey>> },
    /** What the client offers. */
    readonly publicKey: string,
  ) {}

  static async create(): Promise<WebCryptoPeer> {
    const pair = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits']);
    const point = await crypto.subtle.exportKey('raw', pair.publicKey);
    return new WebCryptoPeer(pair, encode(new Uint8Array(point)));
  }

  get isAgreed(): boolean {
    return this.#outbound !== null;
  }

  async agree({ serverPublicKey, salt }: { serverPublicKey: string; salt: string }): Promise<void> {
    const { subtle } = crypto;
    const server = await subtle.importKey(
      'raw',
      decode(serverPublicKey),
      { name: 'ECDH', namedCurve: 'P-256' },
      false,
      [],
    );
    const secret = await subtle.deriveBits({ name: 'ECDH', public: server }, this.pair.privateKey, 256);
    const master = await subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits']);
    const keyFor = async (writer: string): Promise<Awaited<ReturnType<typeof subtle.importKey>>> => {
      const info = new TextEncoder().encode(`pxl.v1 ${writer}`);
      const bits = await subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: decode(salt), info }, master, 256);
      return subtle.importKey('raw', bits, 'AES-GCM', false, ['encrypt', 'decrypt']);
    };
    this.#inbound = await keyFor('server');
    this.#outbound = await keyFor('client');
  }

  /** The `data` of the next encrypted frame. */
  async seal(text: string): Promise<string> {
    const counter = counterBytes(this.#written++);
    const iv = new Uint8Array([0, 0, 0, 0, ...counter]);
    const sealed = await crypto.subtle.encrypt(
      { name: 'AES-GCM', iv, tagLength: 128 },
      this.#outbound!,
      new TextEncoder().encode(text),
    );
    return encode(new Uint8Array([...counter, ...new Uint8Array(sealed)]));
  }

  /** The text in the next encrypted frame. Fails for any other than the next one. */
  async open(data: string): Promise<string> {
    return utf8(await this.#open(data));
  }

  /** The texts in the next encrypted frame, for a client that has said that it reads lists. */
  async openList(data: string): Promise<string[]> {
    const texts: number[][] = [[]];
    for (const byte of await this.#open(data)) {
      if (byte === 0xff) texts.push([]);
      else texts.at(-1)!.push(byte);
    }
    return texts.map((bytes) => utf8(Uint8Array.from(bytes)));
  }

  async #open(data: string): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = decode(data);
    const expected = counterBytes(this.#read++);
    const counter = bytes.slice(0, 8);
    if (counter.some((byte, at) => byte !== expected[at])) throw new Error(`Frame ${String(counter)} is not the next.`);
    const iv = new Uint8Array([0, 0, 0, 0, ...counter]);
    return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, this.#inbound!, bytes.slice(8)));
  }
}

function utf8(bytes: Uint8Array<ArrayBuffer>): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}

function counterBytes(counter: bigint): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, counter);
  return bytes;
}

function encode(bytes: Uint8Array): string {
  const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(letters).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

function decode(text: string): Uint8Array<ArrayBuffer> {
  const letters = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}
