import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { TIMES } from '../times.js';

/** The way from a worker to Redis: a proxy that can be cut. */
export class Link {
  isCut = false;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor(target: number) {
    this.#server = createServer((socket) => (this.isCut ? socket.destroy() : this.#join(socket, target)));
  }

  /** @param target a port of this machine */
  static async to(target: number): Promise<Link> {
    const link = new Link(target);
    link.#server.listen(0, '127.0.0.1');
    await once(link.#server, 'listening');
    return link;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends every connection, and for a while each new one. */
  async cut(): Promise<void> {
    if (this.isCut) return;
    this.isCut = true;
    for (const socket of this.#sockets) socket.destroy();
    await setTimeout(TIMES.cut);
    this.isCut = false;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(socket: Socket, target: number): void {
    const other = connect(target, '127.0.0.1');
    pipe(socket, other);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }
}

/** Makes one connection of two, which end together. */
export function pipe(one: Socket, other: Socket): void {
  one.pipe(other).pipe(one);
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on('error', () => {}); // `close` follows
    from.once('close', () => to.destroy());
  }
}
