import type { Server } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Runtime } from '../../runtime/runtime.js';

/**
 * The open connections of the application's HTTP server. The close of the server waits for each of them, and stops the timer
 * by which Node would end those that never send a request.
 */
export class HttpConnections {
  /** Each with the listener of its `close`. */
  readonly #open = new Map<Socket, () => void>();

  constructor(private readonly server: Server) {
    // On a TLS server a peer may be silent before its handshake, or after it.
    for (const event of ['connection', 'secureConnection']) server.on(event, this.#opened);
  }

  /**
   * Lets the close of the server end: cuts connections that have sent nothing now, and requests that are still served after
   * `ms`. Upgraded connections are not touched.
   */
  end(ms: number, runtime: Runtime): void {
    for (const event of ['connection', 'secureConnection']) this.server.off(event, this.#opened);
    for (const socket of this.#open.keys()) if (socket.bytesRead === 0) socket.destroy();
    if (!this.server.listening) return;
    const timer = runtime.timeout(ms, () => {
      if ('closeAllConnections' in this.server) this.server.closeAllConnections();
      else for (const socket of this.#open.keys()) socket.destroy(); // HTTP/2
    });
    this.server.once('close', () => timer.cancel());
  }

  /** Leaves out a connection that is being upgraded. */
  readonly forget = (stream: Duplex): void => {
    const closed = stream instanceof Socket && this.#open.get(stream);
    if (!closed) return;
    stream.off('close', closed);
    this.#open.delete(stream);
  };

  readonly #opened = (socket: Socket): void => {
    // A connection that is given back to the server (see ordinary-request.ts) is announced once more.
    if (this.#open.has(socket)) return;
    const closed = (): void => void this.#open.delete(socket);
    this.#open.set(socket, closed);
    socket.on('close', closed);
  };
}
