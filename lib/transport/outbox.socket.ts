import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { ClientSocket, SharedFrame } from '../clients/client-socket.interface.js';
import type { WsClient } from '../clients/ws-client.js';
import type { CloseReason } from '../protocol/close-codes.js';
import type { OutboxScheduler } from './outbox.scheduler.js';
import type { PendingFrames } from './pending-frames.js';
import { TextFrame } from './text-frame.js';

/** Bytes that wait for one socket before it is written to at once, not at the end of the turn. */
const WRITE_AT_ONCE = 65_536;

type Data = Parameters<WebSocket['send']>[0];
type SendCallback = (error?: Error) => void;
interface SendOptions {
  mask?: boolean;
  binary?: boolean;
  compress?: boolean;
  fin?: boolean;
}

/**
 * A server-side WebSocket with an outbox: text frames wait for the end of the turn and leave in one write. Whatever else
 * ws writes (control frames, binary and fragmented messages) flushes the outbox first, so order is kept whoever sends.
 */
export class OutboxSocket extends WebSocket implements ClientSocket {
  client: WsClient | null = null;
  /** Null where frames must not be written past ws: it compresses, or it has a queue of its own. */
  #outbox: { readonly scheduler: OutboxScheduler; readonly stream: Duplex } | null = null;
  #pending: PendingFrames | null = null;
  #inFragments = false;
  #closedWith: CloseReason | null = null;

  // `bufferedAmount` counts what waits. Its declared type is a property, which TypeScript overrides by no accessor.
  static {
    const inherited = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'bufferedAmount');
    Object.defineProperty(this.prototype, 'bufferedAmount', {
      get(this: OutboxSocket): number {
        return (inherited?.get?.call(this) as number) + (this.#pending?.byteLength ?? 0);
      },
    });
  }

  /**
   * Opens the outbox of an upgraded socket. With a negotiated extension (permessage-deflate) it stays shut, and every
   * frame takes ws' own path.
   */
  openOutbox(scheduler: OutboxScheduler, stream: Duplex): void {
    if (this.extensions === '') this.#outbox = { scheduler, stream };
  }

  sendFrame(frame: SharedFrame): boolean {
    if (this.readyState !== WebSocket.OPEN) return false;
    const outbox = this.#outbox;
    if (!outbox) {
      super.send(frame.text);
      return true;
    }
    if (this.#pending) {
      this.#pending = this.#pending.append(frame.bytes);
    } else {
      this.#pending = outbox.scheduler.beginChain(frame);
      outbox.scheduler.schedule(this);
    }
    if (this.#pending.byteLength >= WRITE_AT_ONCE) this.flush();
    return true;
  }

  /** Writes what waits, unless an unfinished fragmented message is in the way: no frame may stand inside of it. */
  flush(): void {
    const pending = this.#pending;
    if (!pending || this.#inFragments) return;
    this.#pending = null;
    const stream = this.#outbox?.stream;
    if (!stream || this.readyState !== WebSocket.OPEN) return;
    const chunks = pending.chunks();
    if (!Array.isArray(chunks)) {
      stream.write(chunks);
      return;
    }
    stream.cork();
    for (const chunk of chunks) stream.write(chunk);
    stream.uncork();
  }

  override send(data: Data, options?: SendOptions | SendCallback, callback?: SendCallback): void {
    if (typeof data === 'string' && !options && !this.#inFragments && this.readyState === WebSocket.OPEN) {
      this.sendFrame(new TextFrame(data));
      return;
    }
    this.flush();
    if (data instanceof Blob) this.#outbox = null; // ws reads it later and queues what follows meanwhile
    const [settings, done]: [SendOptions, SendCallback | undefined] =
      typeof options === 'function' ? [{}, options] : [options ?? {}, callback];
    super.send(data, settings, done);
    this.#inFragments = settings.fin === false;
    this.flush();
  }

  override ping(data?: unknown, mask?: boolean, callback?: (error: Error) => void): void {
    this.flush();
    super.ping(data, mask, callback);
  }

  override pong(data?: unknown, mask?: boolean, callback?: (error: Error) => void): void {
    this.flush();
    super.pong(data, mask, callback);
  }

  /** What this side closed the connection with, if it did so first; ws itself then reports what the peer answered. */
  get closedWith(): CloseReason | null {
    return this.#closedWith;
  }

  override close(code?: number, reason: string | Buffer = ''): void {
    this.flush();
    // A peer's close frame makes ws call this too, with the peer's own code.
    if (code !== undefined && this.readyState === WebSocket.OPEN)
      this.#closedWith = { code, reason: reason.toString() };
    super.close(code, reason);
  }
}
