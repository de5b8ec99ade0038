import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { AcceptedSocket, canAcceptByItself } from '../connection/accepted-socket.js';
import { acceptLines, headOf } from '../upgrade/handshake.js';

/** An upgrade whose handshake was checked. */
export interface CheckedUpgrade {
  readonly request: IncomingMessage;
  readonly stream: Duplex;
  readonly head: Buffer;
  /** The name of the chosen subprotocol; undefined where the client has offered none. */
  readonly protocol: string | undefined;
}

/**
 * The ws server of an endpoint, as applications see it. Upgrades whose clients get no extension it answers by itself: what ws
 * would check again was checked before.
 */
export class EndpointServer extends WebSocketServer<typeof AcceptedSocket> {
  #state: 'open' | 'closing' | 'closed' = 'open';

  /** Whether it accepts upgrades. */
  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /**
   * Writes the 101 and makes the socket; destroys a stream that its peer has ended.
   *
   * @param use gets the socket
   */
  accept(upgrade: CheckedUpgrade, use: (socket: AcceptedSocket) => void): void {
    const { request, stream, head, protocol } = upgrade;
    const follow = (socket: AcceptedSocket): void => {
      socket.on('close', () => this.#left(socket));
      use(socket);
    };
    if (!this.#canAnswer(upgrade)) {
      this.handleUpgrade(request, stream, head, follow);
      return;
    }
    if (!stream.readable || !stream.writable) {
      stream.destroy();
      return;
    }
    const lines = acceptLines(request, protocol);
    this.emit('headers', lines, request);
    stream.write(headOf(lines), 'latin1');
    const socket = AcceptedSocket.over(stream, head, this.options, protocol);
    this.clients.add(socket);
    follow(socket);
  }

  #canAnswer({ request, stream }: CheckedUpgrade): boolean {
    // Of a stream that another ws server reads already, ws says so.
    if (!canAcceptByItself || stream.listenerCount('data') > 0) return false;
    return !this.options.perMessageDeflate || request.headers['sec-websocket-extensions'] === undefined;
  }

  /** Accepts nobody any more. The event `close` comes when the last client is gone. */
  override close(done?: (error?: Error) => void): void {
    if (this.#state === 'closed') {
      super.close(done);
      return;
    }
    this.#state = 'closing';
    if (done) this.once('close', () => done());
    this.#closeWhenEmpty();
  }

  #left(socket: AcceptedSocket): void {
    this.clients.delete(socket);
    this.#closeWhenEmpty();
  }

  #closeWhenEmpty(): void {
    if (this.#state !== 'closing' || this.clients.size > 0) return;
    this.#state = 'closed';
    WebSocketServer.prototype.close.call(this); // `super` in a private method fails under older targets of TypeScript
  }
}
