import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { reset } from '../../lib/redis/link/abandon.js';

/** An HTTP response as it stood on the wire. */
export interface RawResponse {
  status: number;
  /** By lower-case name. */
  headers: Record<string, string>;
  body: string;
}

/** A frame as the server wrote it. */
export interface RawFrame {
  fin: boolean;
  rsv: number;
  opcode: number;
  payload: Buffer;
}

/** A frame to write; every bit can be wrong. */
export interface FrameBits {
  fin?: boolean;
  /** The three reserved bits, 0–7. */
  rsv?: number;
  opcode?: number;
  masked?: boolean;
  payload?: Buffer | string;
  /** What the header says, where that is not the payload's real length. */
  length?: number | bigint;
}

/** An upgrade request; a header of `null` is left out. */
export interface UpgradeRequest {
  method?: string;
  /** Of HTTP; 1.1 by default. */
  version?: string;
  headers?: Record<string, string | null>;
  /** Bytes written behind the request, in the same write. */
  head?: Buffer | string;
}

const PATIENCE = 15_000;
const HEADERS = {
  Host: 'localhost',
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

/** A TCP connection that speaks HTTP and WebSocket by hand, right or wrong, and reads what comes back. */
export class RawClient {
  /** What arrived, read by read. */
  readonly chunks: Buffer[] = [];
  /** Resolves once the server has ended its side, or the connection is gone. */
  readonly ended: Promise<void>;
  /** Resolves once the connection is gone. */
  readonly closed: Promise<void>;
  #unread = Buffer.alloc(0);
  #received = 0;
  #isOver = false;
  readonly #waiting = new Set<() => void>();

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.chunks.push(chunk);
      this.#received += chunk.length;
      this.#unread = Buffer.concat([this.#unread, chunk]);
      this.#wake();
    });
    socket.on('error', () => undefined);
    const over = (resolve: () => void) => (): void => {
      this.#isOver = true;
      this.#wake();
      resolve();
    };
    this.ended = new Promise((resolve) => void socket.once('end', over(resolve)).once('close', over(resolve)));
    this.closed = new Promise((resolve) => void socket.once('close', () => resolve()));
  }

  /**
   * @param at a port, or the path of a Unix socket
   * @param ca a certificate to trust; with it the connection speaks TLS
   */
  static async connect(at: number | string, ca?: string): Promise<RawClient> {
    const place = typeof at === 'string' ? { path: at } : { port: at, host: '127.0.0.1' };
    const address = { ...place, allowHalfOpen: true };
    const socket =
      ca === undefined ? createConnection(address) : connectTls({ ...address, ca, servername: 'localhost' });
    await once(socket, ca === undefined ? 'connect' : 'secureConnect');
    return new RawClient(socket);
  }

  /** Connects, and asks for an upgrade; `response` tells the answer. */
  static async upgrading(
    at: number | string,
    path = '/ws',
    request: UpgradeRequest = {},
    ca?: string,
  ): Promise<RawClient> {
    const client = await RawClient.connect(at, ca);
    client.requestUpgrade(path, request);
    return client;
  }

  /** Connects, upgrades, and takes the 101 and the welcome. */
  static async open(at: number | string, path = '/ws', ca?: string): Promise<RawClient> {
    const client = await RawClient.upgrading(at, path, {}, ca);
    const { status } = await client.response();
    if (status !== 101) throw new Error(`Expected 101, got ${status}`);
    await client.frame();
    return client;
  }

  requestUpgrade(
    path: string,
    { method = 'GET', version = '1.1', headers = {}, head = '' }: UpgradeRequest = {},
  ): void {
    const lines = Object.entries<string | null>({ ...HEADERS, ...headers }).flatMap(([name, value]) =>
      value === null ? [] : [`${name}: ${value}\r\n`],
    );
    const request = `${method} ${path} HTTP/${version}\r\n${lines.join('')}\r\n`;
    this.write(Buffer.concat([Buffer.from(request), Buffer.from(head)]));
  }

  write(data: Buffer | string): void {
    this.socket.write(data);
  }

  writeFrame(bits: FrameBits): void {
    this.write(encodeFrame(bits));
  }

  /** The next HTTP response, its body read by Content-Length. */
  async response(): Promise<RawResponse> {
    await this.#until(() => this.#unread.includes('\r\n\r\n'));
    const end = this.#unread.indexOf('\r\n\r\n');
    const [statusLine = '', ...lines] = this.#take(end + 4)
      .toString('latin1')
      .trimEnd()
      .split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) \S/.exec(statusLine)?.[1]);
    const headers: Record<string, string> = {};
    for (const line of lines) {
      const colon = line.indexOf(':');
      headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    const length = Number(headers['content-length'] ?? 0);
    await this.#until(() => this.#unread.length >= length);
    return { status, headers, body: this.#take(length).toString() };
  }

  /** The next frame. */
  async frame(): Promise<RawFrame> {
    await this.#until(() => frameLength(this.#unread) !== undefined);
    const { header, payload } = frameLength(this.#unread)!;
    const bytes = this.#take(header + payload);
    const first = bytes[0]!;
    return { fin: first >= 0x80, rsv: (first >> 4) & 7, opcode: first & 15, payload: bytes.subarray(header) };
  }

  /** Reads no more until {@link read}. */
  pause(): void {
    this.socket.pause();
  }

  /** Reads about so many bytes, and pauses again. */
  async read(bytes: number): Promise<void> {
    const end = this.#received + bytes;
    this.socket.resume();
    await this.#until(() => this.#received >= end);
    this.socket.pause();
  }

  /** The code of the next close frame; other frames before it are passed over. */
  async closeCode(): Promise<number> {
    for (;;) {
      const { opcode, payload } = await this.frame();
      if (opcode === 8) return payload.length < 2 ? 1005 : payload.readUInt16BE(0);
    }
  }

  /** Everything that has arrived and was not taken as a response or a frame. */
  get unread(): Buffer {
    return this.#unread;
  }

  /** Ends this side (FIN). */
  end(): void {
    this.socket.end();
  }

  /** Resets the connection (RST). */
  reset(): void {
    reset(this.socket);
  }

  #take(length: number): Buffer {
    const taken = this.#unread.subarray(0, length);
    this.#unread = this.#unread.subarray(length);
    return taken;
  }

  async #until(met: () => boolean): Promise<void> {
    const deadline = Date.now() + PATIENCE;
    while (!met()) {
      if (this.#isOver) throw new Error(`The connection is over; unread: ${this.#describe()}`);
      if (Date.now() >= deadline) throw new Error(`It did not come; unread: ${this.#describe()}`);
      await this.#change(deadline);
    }
  }

  #change(deadline: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.max(0, deadline - Date.now()));
      this.#waiting.add(wake);
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  #describe(): string {
    return JSON.stringify(this.#unread.toString('latin1').slice(0, 300));
  }
}

/** The bytes of a frame, as a client masks it unless told otherwise. */
export function encodeFrame({ fin = true, rsv = 0, opcode = 1, masked = true, ...rest }: FrameBits): Buffer {
  const payload = Buffer.from(rest.payload ?? '');
  const length = BigInt(rest.length ?? payload.length);
  const size = length < 126n ? 0 : length < 65_536n ? 2 : 8;
  const header = Buffer.alloc(2 + size + (masked ? 4 : 0));
  header[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  header[1] = (masked ? 0x80 : 0) | (size === 0 ? Number(length) : size === 2 ? 126 : 127);
  if (size === 2) header.writeUInt16BE(Number(length), 2);
  if (size === 8) header.writeBigUInt64BE(length, 2);
  if (!masked) return Buffer.concat([header, payload]);
  const key = [0x5a, 0x01, 0xff, 0x3c] as const;
  key.forEach((byte, at) => (header[2 + size + at] = byte));
  return Buffer.concat([header, payload.map((byte, at) => byte ^ key[at % 4]!)]);
}

/** How long the first frame is; undefined until all of it has arrived. */
function frameLength(bytes: Buffer): { header: number; payload: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes[1]! & 0x7f;
  const header = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (bytes.length < header) return undefined;
  const payload = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
  return bytes.length < header + payload ? undefined : { header, payload };
}
