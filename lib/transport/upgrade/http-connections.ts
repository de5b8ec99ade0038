import type { Server } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Runtime } from '../../runtime/runtime.js';

/**
 * The connections of an application's HTTP server, as far as its close has to do with them: it waits for every one, and
 * stops the timer by which Node ends those on which no request ever comes.
 */
export class HttpConnections {
  /** With what hears of its end. */
  readonly #open = new Map<Socket, () => void>();

  constructor(private readonly server: Server) {
    // On a server that speaks TLS a peer may be silent before its handshake, or after it.
    for (const event of ['connection', 'secureConnection']) server.on(event, this.#opened);
  }

  /**
   * Lets the server's close end: connections that have sent nothing are cut now, and requests that are still served
   * after `ms`. What was upgraded belongs to whom it was upgraded for.
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

  /** It is being upgraded, and none of the HTTP server's any more. */
  readonly forget = (stream: Duplex): void => {
    const closed = stream instanceof Socket && this.#open.get(stream);
    if (!closed) return;
    stream.off('close', closed);
    this.#open.delete(stream);
  };

  readonly #opened = (socket: Socket): void => {
    // Somebody who serves a connection by hand may announce it once more.
    if (this.#open.has(socket)) return;
    const closed = (): void => void this.#open.delete(socket);
    this.#open.set(socket, closed);
    socket.on('close', closed);
  };
}
