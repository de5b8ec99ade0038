import type { Server, Socket } from 'node:net';

/** The sockets that a server holds: nothing may be left of a connection that is over. */
export class ServerSockets {
  readonly #open = new Set<Socket>();
  #onEmpty: (() => void)[] = [];

  constructor(private readonly server: Server) {
    server.on('connection', (socket: Socket) => {
      if (this.#open.has(socket)) return;
      this.#open.add(socket);
      socket.once('close', () => {
        this.#open.delete(socket);
        if (this.#open.size === 0) for (const resolve of this.#onEmpty.splice(0)) resolve();
      });
    });
  }

  /** The open sockets, oldest first. */
  get all(): Socket[] {
    return [...this.#open];
  }

  /** Resolves once every socket has closed. */
  allClosed(): Promise<void> {
    return this.#open.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#onEmpty.push(resolve));
  }

  /** How many descriptors the server itself counts. */
  count(): Promise<number> {
    return new Promise((resolve, reject) =>
      this.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    );
  }
}
