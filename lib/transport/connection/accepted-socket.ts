import type { Duplex } from 'node:stream';
import { WebSocket, type ServerOptions } from 'ws';
import type { ClientSocket } from '../../clients/session/client-outbox.interface.js';
import type { ClientSession } from '../../clients/session/client-session.js';
import { ENGINE } from '../../runtime/engine.js';
import { BunWriter } from '../outbox/bun-writer.js';
import { outboxOfAdopted } from './adopted-socket.js';
import { CompressingWriter, isCompressorForgetful } from '../outbox/compressing-writer.js';
import type { FrameWriter } from '../outbox/frame-writer.js';
import { Outbox } from '../outbox/outbox.js';
import type { OutboxServices } from '../outbox/outbox.services.js';
import { StreamWriter } from '../outbox/stream-writer.js';
import { writeOneByOneUnlessShown } from '../outbox/write-progress.js';
import type { SendCallback, RawSendOptions, WsData } from '../outbox/ws-send.js';
import { WS_METHODS, WsWriter } from '../outbox/ws-writer.js';
import { endReceiverOnce } from './receiver-end.js';

/** What ws' server calls to make a socket of a stream, and does not document. Only this file uses it. */
interface Undocumented {
  _protocol: string;
  setSocket(stream: Duplex, head: Buffer, options: ServerOptions): void;
}

/** Whether {@link AcceptedSocket.over} works: ws is what npm has, and not Bun's own. */
export const canAcceptByItself = ENGINE !== 'bun' && 'setSocket' in WebSocket.prototype;

/** The socket of an upgrade on a path of ours. Whoever sends by it sends through its outbox. */
export class AcceptedSocket extends WebSocket implements ClientSocket {
  session: ClientSession | null = null;
  /** Null until `openOutbox`, which comes before anybody else has the socket. */
  #outbox: Outbox | null = null;

  /**
   * The socket of an upgrade without extensions, to which the 101 was written.
   *
   * @param stream its network socket
   * @param head what of the client's bytes was read with the request
   * @param options of the server
   */
  static over(stream: Duplex, head: Buffer, options: ServerOptions, protocol = ''): AcceptedSocket {
    const socket = Reflect.construct(AcceptedSocket, [null, undefined, options]) as AcceptedSocket & Undocumented;
    socket._protocol = protocol;
    socket.setSocket(stream, head, options);
    return socket;
  }

  // Its declared type is a property, which TypeScript overrides by no accessor.
  static {
    Object.defineProperty(this.prototype, 'bufferedAmount', {
      get(this: AcceptedSocket): number {
        return this.#outbox?.bufferedAmount ?? WS_METHODS.bufferedAmountOf(this);
      },
    });
  }

  /** @param stream the network socket of the upgrade */
  openOutbox(stream: Duplex, services: OutboxServices): Outbox {
    writeOneByOneUnlessShown(stream);
    endReceiverOnce(this);
    return (this.#outbox = new Outbox(this, writerOf(this, stream), services));
  }

  override send(data: WsData, options?: RawSendOptions | SendCallback, callback?: SendCallback): void {
    if (this.#outbox) this.#outbox.send(data, options, callback);
    else if (typeof options === 'function') super.send(data, options);
    else super.send(data, options ?? {}, callback);
  }

  override ping(data?: unknown, mask?: boolean, callback?: (error: Error) => void): void {
    this.#outbox?.flush();
    super.ping(data, mask, callback);
  }

  override pong(data?: unknown, mask?: boolean, callback?: (error: Error) => void): void {
    this.#outbox?.flush();
    super.pong(data, mask, callback);
  }

  override close(code?: number, reason?: string | Buffer): void {
    if (this.#outbox) this.#outbox.close(code, reason);
    else super.close(code, reason);
  }
}

/**
 * The outbox of a socket that our server has accepted.
 *
 * @param stream the network socket of the upgrade
 */
export function outboxOf(ws: WebSocket, stream: Duplex, services: OutboxServices): Outbox {
  // The `ws` of Bun before 1.4.4 makes sockets of its own class, whatever class it is given.
  return ws instanceof AcceptedSocket ? ws.openOutbox(stream, services) : outboxOfAdopted(ws, services);
}

/** What was negotiated with the client, and the runtime, say who writes its text frames. */
function writerOf(ws: WebSocket, stream: Duplex): FrameWriter {
  if (ENGINE === 'bun') return new BunWriter(ws, stream, WS_METHODS);
  if (ws.extensions === '') return new StreamWriter(ws, stream, WS_METHODS);
  const Writer = isCompressorForgetful(ws) ? CompressingWriter : WsWriter;
  return new Writer(ws, stream, WS_METHODS);
}
