import { once } from 'node:events';
import { createServer } from 'node:net';

/** Where the load process tells that everything of a turn has arrived: one byte a turn on a connection of its own. */
export class PaceServer {
  #resolve = null;

  async listen() {
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on('data', () => this.#resolve?.());
      socket.on('error', () => socket.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server.address().port;
  }

  arrived() {
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }
}
