import { once } from 'node:events';
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { reset } from '../../lib/redis/link/abandon.js';

/**
 * What happens to the bytes of one direction. `hold`: they wait, as in a network that is down, and go on when it is up
 * again, unless their sender has reset the connection. `drop`: they vanish, and since TCP knows no gaps, the connection is
 * reset when they no longer do. A number: they are so many ms late.
 */
export type Passage = 'pass' | 'hold' | 'drop' | number;

/** A network between a client and a server whose faults a test switches on and off. */
export class TcpProxy {
  readonly #links = new Set<Link>();
  readonly #server: Server;
  #bytes = 0;
  #requests: Passage = 'pass';
  #replies: Passage = 'pass';

  /** @param target where new connections lead to: the port of a server */
  private constructor(public target: number) {
    this.#server = createServer((client) => this.#accept(client));
  }

  /** @param target the port of the server */
  static async before(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many connections are open. */
  get size(): number {
    return this.#links.size;
  }

  /** How many bytes have come from the server. */
  get bytesOfReplies(): number {
    return this.#bytes;
  }

  /** From the client to the server. */
  set requests(passage: Passage) {
    this.#requests = passage;
    for (const { request } of this.#links) request.passage = passage;
  }

  /** From the server to the client. */
  set replies(passage: Passage) {
    this.#replies = passage;
    for (const { reply } of this.#links) reply.passage = passage;
  }

  /** From the server to the client, of one connection only: the first is the oldest. */
  repliesOf(connection: number, passage: Passage): void {
    [...this.#links][connection]!.reply.passage = passage;
  }

  /** Nothing arrives, in either direction. */
  blackHole(): void {
    this.requests = 'hold';
    this.replies = 'hold';
  }

  heal(): void {
    this.requests = 'pass';
    this.replies = 'pass';
  }

  /** Resets every connection. */
  reset(): void {
    for (const { request, reply } of this.#links) for (const { from } of [request, reply]) reset(from);
  }

  async close(): Promise<void> {
    this.reset();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    const server = connect(this.target, '127.0.0.1');
    const link = { request: new Lane(client, server, this.#requests), reply: new Lane(server, client, this.#replies) };
    server.on('data', ({ length }: Buffer) => (this.#bytes += length));
    this.#links.add(link);
    client.once('close', () => this.#links.delete(link));
  }
}

interface Link {
  readonly request: Lane;
  readonly reply: Lane;
}

/** One direction of a connection. */
class Lane {
  readonly #held: Buffer[] = [];
  #hasGap = false;
  #passage: Passage;
  #next: Passage;
  #hasEnded = false;

  constructor(
    readonly from: Socket,
    private readonly to: Socket,
    passage: Passage,
  ) {
    this.#passage = passage;
    this.#next = passage;
    from.on('data', (bytes: Buffer) => this.#carry(bytes));
    from.on('end', () => this.#end());
    from.on('error', () => this.#break());
    from.on('close', () => this.#end());
  }

  set passage(passage: Passage) {
    this.#next = passage;
    // A sender that has reset the connection sends nothing again: the system knows that, and tells it in the next turn.
    if (this.#passage === 'hold') setImmediate(() => setImmediate(() => this.#turn()));
    else this.#turn();
  }

  #turn(): void {
    this.#passage = this.#next;
    if (this.#passage === 'hold') return;
    if (this.#hasGap && this.#passage !== 'drop') for (const socket of [this.from, this.to]) reset(socket);
    for (const bytes of this.#held.splice(0)) this.#carry(bytes);
    if (this.#hasEnded) this.to.end();
  }

  #carry(bytes: Buffer): void {
    if (this.#passage === 'hold') this.#held.push(bytes);
    else if (this.#passage === 'pass') this.to.write(bytes);
    else if (this.#passage === 'drop') this.#hasGap = true;
    else setTimeout(() => this.to.write(bytes), this.#passage);
  }

  #end(): void {
    // Of data with a reset right behind it libuv makes data and an end; but a reset socket has no peer any more.
    const isReset = this.from.remoteAddress === undefined && !this.from.destroyed;
    if (isReset) this.#break();
    this.#hasEnded = true;
    if (this.#passage !== 'hold') this.to.end();
  }

  /** The sender has reset the connection: what it had under way is lost, as is the news of it while nothing passes. */
  #break(): void {
    this.#held.length = 0;
    if (this.#passage !== 'hold') reset(this.to);
  }
}
