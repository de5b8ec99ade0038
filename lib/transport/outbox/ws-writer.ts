import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { FrameWriter, WaitingFrames } from './frame-writer.js';
import { sentBytesOf, unsentBytesOf } from './write-progress.js';
import type { SendCallback, RawSendOptions, WsData } from './ws-send.js';

/** What an outbox needs of ws, as it works without the outbox. */
export interface WsMethods {
  send(ws: WebSocket, data: WsData, options: RawSendOptions, done?: SendCallback): void;
  close(ws: WebSocket, code?: number, reason?: string | Buffer): void;
  bufferedAmountOf(ws: WebSocket): number;
}

/** The methods of ws' own class, for sockets whose class overrides them. */
export const WS_METHODS: WsMethods = {
  send: (ws, data, options, done) => WebSocket.prototype.send.call(ws, data, options, done),
  close: (ws, code, reason) => WebSocket.prototype.close.call(ws, code, reason),
  bufferedAmountOf: (ws) => Reflect.get(WebSocket.prototype, 'bufferedAmount', ws),
};

/** What ws makes of a text by default. */
const DEFAULTS: RawSendOptions = {};

/** Writes by ws' own `send`, which frames each text and compresses it where that was negotiated. */
export class WsWriter implements FrameWriter {
  /**
   * @param stream the network socket behind `ws`; null where it is not known
   */
  constructor(
    protected readonly ws: WebSocket,
    protected readonly stream: Duplex | null,
    private readonly methods: WsMethods,
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

  write(frames: WaitingFrames, behind?: WaitingFrames | null): void {
    for (const text of frames.texts()) this.send(text, DEFAULTS);
    if (behind) this.write(behind);
  }

  send(data: WsData, options: RawSendOptions, done?: SendCallback): void {
    this.methods.send(this.ws, data, options, done);
  }

  close(code?: number, reason?: string | Buffer): void {
    this.methods.close(this.ws, code, reason);
  }

  get isCompressing(): boolean {
    return this.stream?.writableNeedDrain === false && this.bufferedAmount > 0;
  }

  whenDrained(callback: () => void): () => void {
    this.stream?.once('drain', callback);
    return () => void this.stream?.off('drain', callback);
  }
}
