import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What went over one connection, in both directions. */
export interface Recording {
  /** Every byte that the server wrote. */
  fromServer(): Buffer;
  /** Every byte that the client wrote. */
  fromClient(): Buffer;
}

/** A TCP proxy that stands between clients and a server, as one that ends TLS would, and keeps every byte. */
export class RecordingProxy {
  readonly recordings: Recording[] = [];
  readonly #sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {}

  static async to(port: number): Promise<RecordingProxy> {
    const server = createServer();
    const proxy = new RecordingProxy(server);
    server.on('connection', (client) => proxy.#connect(client, port));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}/ws`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  #connect(client: Socket, port: number): void {
    const upstream = createConnection({ port, host: '127.0.0.1' });
    const up: Buffer[] = [];
    const down: Buffer[] = [];
    this.recordings.push({ fromServer: () => Buffer.concat(down), fromClient: () => Buffer.concat(up) });
    this.#carry(client, upstream, up);
    this.#carry(upstream, client, down);
  }

  #carry(from: Socket, to: Socket, record: Buffer[]): void {
    this.#sockets.add(from);
    from.on('data', (bytes) => {
      record.push(bytes);
      to.write(bytes);
    });
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
    from.on('close', () => this.#sockets.delete(from));
  }
}

/** The payloads of the text frames that a server wrote behind its 101. */
export function framesOf(bytes: Buffer): string[] {
  const frames: string[] = [];
  let at = bytes.indexOf('\r\n\r\n') + 4;
  while (at + 2 <= bytes.length) {
    const opcode = bytes[at]! & 15;
    const short = bytes[at + 1]! & 0x7f;
    const start = at + (short === 126 ? 4 : short === 127 ? 10 : 2);
    const length =
      short === 126 ? bytes.readUInt16BE(at + 2) : short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short;
    if (opcode <= 2) frames.push(bytes.toString('utf8', start, start + length));
    at = start + length;
  }
  return frames;
}
