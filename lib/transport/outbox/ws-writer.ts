import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { FrameWriter, WaitingFrames } from './frame-writer.js';
import { sentBytesOf, unsentBytesOf } from './write-progress.js';
import type { SendCallback, SendOptions, WsData } from './ws-send.js';

/** What an outbox needs of ws, as it works without the outbox. */
export interface WsMethods {
  readonly send: WebSocket['send'];
  readonly close: WebSocket['close'];
  readonly bufferedAmountOf: (ws: WebSocket) => number;
}

const getBufferedAmount = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'bufferedAmount')?.get;

/** Those of sockets whose class overrides them. */
const OVERRIDDEN: WsMethods = {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the socket
  send: WebSocket.prototype.send,
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the socket
  close: WebSocket.prototype.close,
  bufferedAmountOf: (ws) => getBufferedAmount?.call(ws) as number,
};

/** What ws makes of a text by default. */
const DEFAULTS: SendOptions = {};

/** Writes by ws' own `send`, which frames each text and compresses it where that was negotiated. */
export class WsWriter implements FrameWriter {
  takesFrames = false;

  /**
   * @param stream the network socket behind `ws`; null where it is not known
   * @param methods by default those that an accepted socket overrides
   */
  constructor(
    protected readonly ws: WebSocket,
    protected readonly stream: Duplex | null,
    private readonly methods: WsMethods = OVERRIDDEN,
  ) {}

  get bufferedAmount(): number {
    return this.methods.bufferedAmountOf(this.ws);
  }

  get unsentBytes(): number {
    return unsentBytesOf(this.stream, this.bufferedAmount);
  }

  get sentBytes(): number {
    return sentBytesOf(this.stream, this.bufferedAmount);
  }

  write(frames: WaitingFrames): void {
    for (const text of frames.texts()) this.send(text, DEFAULTS);
  }

  send(data: WsData, options: SendOptions, done?: SendCallback): void {
    this.methods.send.call(this.ws, data, options, done);
  }

  close(code?: number, reason?: string | Buffer): void {
    this.methods.close.call(this.ws, code, reason);
  }

  whenDrained(callback: () => void): void {
    this.stream?.once('drain', callback);
  }
}
