import { createServer, connect } from 'node:net';
import { once } from 'node:events';

/** The network of one client: a port that leads to a server, and that can be cut off. */
export class Line {
  #sockets = new Set();
  #isCut = false;
  #server;

  static async to(port) {
    const line = new Line(port);
    line.#server.listen(0, '127.0.0.1');
    await once(line.#server, 'listening');
    return line;
  }

  constructor(target) {
    this.target = target;
    this.#server = createServer({ noDelay: true }, (client) => this.#accept(client));
  }

  get port() {
    return this.#server.address().port;
  }

  /** What is under way is lost; a new connection is refused. */
  cut() {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  mend() {
    this.#isCut = false;
  }

  #accept(client) {
    if (this.#isCut) {
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    const server = connect({ port: this.target, host: '127.0.0.1', noDelay: true });
    const pair = [client, server];
    for (const [at, socket] of pair.entries()) {
      const other = pair[1 - at];
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => other.write(bytes));
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }
}
