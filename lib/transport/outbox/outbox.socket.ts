import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { SharedFrame } from '../../clients/session/client-socket.interface.js';
import type { WsClient } from '../../clients/ws-client.js';
import type { CloseReason } from '../../protocol/close-codes.js';
import { freeCompressor, isCompressorForgetful } from './compressor.js';
import { limitClosing } from '../connection/closing-handshake.js';
import { HeldFrames } from './held-frames.js';
import { NotSentError } from './not-sent.error.js';
import type { OutboxServices } from './outbox.services.js';
import type { PendingFrames } from './pending-frames.js';
import { RAW_WRITES_DRAIN } from './raw-writes.js';
import type { BudgetedSocket } from './slow-consumers.js';
import { TextFrame } from './text-frame.js';
import { TextRun } from './text-run.js';
import { sentBytesOf, unsentBytesOf, writeOneByOneUnlessShown } from './write-progress.js';

/** Bytes that wait for one socket before it is written to at once, not at the end of the turn. */
const WRITE_AT_ONCE = 65_536;

/** Shared frames up to this size are framed again behind texts of a socket's own: cheaper than a second write. */
const FRAME_AGAIN = 4_096;

/** What ws' own `send` takes. */
export type Data = Parameters<WebSocket['send']>[0];
export type SendCallback = (error?: Error) => void;

const wsBufferedAmount = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'bufferedAmount');
export interface SendOptions {
  mask?: boolean | undefined;
  binary?: boolean | undefined;
  compress?: boolean | undefined;
  fin?: boolean | undefined;
}

/**
 * A server-side WebSocket with an outbox: text frames wait for the end of the turn and leave in one write. Whatever else
 * ws writes (control frames, binary and fragmented messages) flushes the outbox first, so order is kept whoever sends.
 */
export class OutboxSocket extends WebSocket implements BudgetedSocket {
  client: WsClient | null = null;
  #services: OutboxServices | null = null;
  #stream: Duplex | null = null;
  /** Frames must not be written past ws, which gets their texts: it compresses, it has a queue of its own, or on Bun. */
  #isPlain = true;
  /** What follows a message that ws may have compressed. */
  #afterCompression: (() => void) | undefined;
  /** What waits for the end of the turn: texts for this socket alone, or frames that others may wait for too. */
  #run: TextRun | null = null;
  #shared: PendingFrames | null = null;
  /** What is sent while a fragmented message is unfinished, since no frame may stand inside of it; null: none is. */
  #behindFragments: SharedFrame[] | null = null;
  #closedWith: CloseReason | null = null;
  #isOverBudget = false;
  #isDropping = false;
  /** With `dropOldest`: what waits until the socket is back under its budget. */
  #heldBack: HeldFrames | null = null;

  // `bufferedAmount` counts what waits. Its declared type is a property, which TypeScript overrides by no accessor.
  static {
    Object.defineProperty(this.prototype, 'bufferedAmount', {
      get(this: OutboxSocket): number {
        return this.#bufferedByWs + this.waitingBytes;
      },
    });
  }

  /** Opens the outbox of an upgraded socket. With a negotiated extension (permessage-deflate) ws writes itself. */
  openOutbox(stream: Duplex, services: OutboxServices): void {
    this.#stream = stream;
    this.#services = services;
    this.#isPlain = this.extensions !== '' || !RAW_WRITES_DRAIN;
    writeOneByOneUnlessShown(stream);
    if (this.extensions !== '' && isCompressorForgetful(this)) this.#afterCompression = () => this.#freeCompressor();
  }

  get sentBytes(): number {
    return sentBytesOf(this.#stream, this.#bufferedByWs);
  }

  get unsentBytes(): number {
    return unsentBytesOf(this.#stream, this.#bufferedByWs) + this.waitingBytes;
  }

  sendFrame(frame: SharedFrame, isVolatile = false): boolean {
    if (this.readyState !== WebSocket.OPEN) return false;
    if (this.#isOverBudget && !this.#passesOverBudget(frame, isVolatile)) return false;
    if (this.#behindFragments) {
      this.#behindFragments.push(frame);
      return true;
    }
    return this.queue(frame);
  }

  sendText(text: string): boolean {
    const services = this.#services;
    const isOrdinary = services && !this.#isOverBudget && !this.#behindFragments && !this.#shared;
    if (!isOrdinary || this.readyState !== WebSocket.OPEN) return this.sendFrame(new TextFrame(text));
    return this.#addToRun(services, text);
  }

  sendBinary(text: string): boolean {
    if (this.readyState !== WebSocket.OPEN || this.drops()) return false;
    this.sendRaw(Buffer.from(text), {});
    return true;
  }

  /** Writes what waits for the end of the turn. */
  flush(): void {
    if (this.#isPlain) {
      this.#sendTexts(this.takeWaiting());
      return;
    }
    const chunks = this.#run ? this.#run.toBuffer() : this.#shared?.chunks();
    if (!chunks) return;
    this.#run = null;
    this.#shared = null;
    const stream = this.#stream;
    if (!stream || this.readyState !== WebSocket.OPEN) return;
    if (Array.isArray(chunks)) {
      stream.cork();
      for (const chunk of chunks) stream.write(chunk);
      stream.uncork();
    } else {
      stream.write(chunks);
    }
    const slowConsumers = this.#services?.slowConsumers;
    if (slowConsumers && stream.writableLength > slowConsumers.budget) slowConsumers.check(this);
  }

  setOverBudget(isOver: boolean): void {
    this.#isOverBudget = isOver;
    this.#isDropping = false;
    if (this.client) this.client.backpressured = isOver;
    if (isOver) {
      this.#stream?.once('drain', () => this.#drained());
      return;
    }
    for (const frame of this.#heldBack?.take() ?? []) this.sendFrame(frame);
  }

  startDropping(): void {
    this.#isDropping = true;
  }

  override send(data: Data, options?: SendOptions | SendCallback, callback?: SendCallback): void {
    const isOrdinary = typeof data === 'string' && !options && !callback && !this.#behindFragments;
    if (isOrdinary && this.readyState === WebSocket.OPEN) {
      this.sendText(data);
      return;
    }
    const [settings, done] = typeof options === 'function' ? [{}, options] : [options ?? {}, callback];
    const isWhole = !this.#behindFragments && settings.fin !== false;
    if (isWhole && this.readyState === WebSocket.OPEN && this.drops()) done?.(new NotSentError());
    else this.sendRaw(data, settings, done);
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
    const isOpen = this.readyState === WebSocket.OPEN;
    const isFirst = isOpen && code !== undefined;
    super.close(code, reason);
    if (isOpen && this.#services) limitClosing(this, this.#services.runtime);
    if (isFirst) this.#closedWith = { code, reason: reason.toString() };
    if (this.isPaused) this.resume(); // else the peer's close frame is never read
  }

  /** What ws counts itself: bytes that it compresses, and those in the network socket. */
  get #bufferedByWs(): number {
    return wsBufferedAmount?.get?.call(this) as number;
  }

  protected get services(): OutboxServices | null {
    return this.#services;
  }

  /** Whether no frame may stand where the next one would: the application has a fragmented message unfinished. */
  protected get isFragmenting(): boolean {
    return this.#behindFragments !== null;
  }

  /** Bytes that nothing has been written of yet. */
  protected get waitingBytes(): number {
    const held = this.#behindFragments ?? [];
    const waiting = ((this.#run ?? this.#shared)?.byteLength ?? 0) + (this.#heldBack?.bytes ?? 0);
    return held.reduce((sum, { bytes }) => sum + bytes.length, waiting);
  }

  /** Puts a frame behind what waits for the end of the turn. */
  protected queue(frame: SharedFrame): boolean {
    const services = this.#services;
    if (!services) return this.#sendTexts([frame.text]);
    if (this.#isPlain) return this.#addToRun(services, frame.text);
    if (this.#run) {
      if (frame.bytes.length <= FRAME_AGAIN) return this.#addToRun(services, frame.text);
      this.flush();
    }
    if (this.#shared) {
      this.#shared = this.#shared.append(frame.bytes);
    } else {
      this.#shared = services.scheduler.beginChain(frame);
      services.scheduler.schedule(this);
    }
    if (this.#shared.byteLength >= WRITE_AT_ONCE) this.flush();
    return true;
  }

  /** The same for a text of this socket's own. */
  protected queueText(text: string): boolean {
    const services = this.#services;
    if (!services) return this.#sendTexts([text]);
    if (this.#shared) this.flush();
    return this.#addToRun(services, text);
  }

  /** Whether a message that is no frame of ours yet is dropped for the byte budget, which is counted. */
  protected drops(): boolean {
    const slowConsumers = this.#services?.slowConsumers;
    if (!slowConsumers || !this.#isDropping) return false;
    slowConsumers.counts.dropped++;
    return true;
  }

  /** Takes the texts out that wait for the end of the turn. */
  protected takeWaiting(): readonly string[] {
    const texts = (this.#run ?? this.#shared)?.texts() ?? [];
    this.#run = null;
    this.#shared = null;
    return texts;
  }

  /** Lets ws write something, behind what waits. */
  protected sendRaw(data: Data, settings: SendOptions, done?: SendCallback): void {
    this.flush();
    if (data instanceof Blob) this.#isPlain = true; // ws reads it later and queues what follows meanwhile
    super.send(data, settings, this.#afterSending(done));
    this.#checkBudget();
    if (settings.fin === false) this.#behindFragments ??= [];
    else this.#releaseHeld();
  }

  /** The fragmented message is complete: what came meanwhile follows it. */
  #releaseHeld(): void {
    const held = this.#behindFragments;
    this.#behindFragments = null;
    for (const frame of held ?? []) this.sendFrame(frame);
  }

  #addToRun({ scheduler }: OutboxServices, text: string): boolean {
    if (!this.#run) {
      this.#run = new TextRun();
      scheduler.schedule(this);
    }
    this.#run.add(text);
    if (this.#run.byteLength >= WRITE_AT_ONCE) this.flush();
    return true;
  }

  /** Lets ws write texts, which it queues while it compresses: from there no cipher takes them back. */
  #sendTexts(texts: readonly string[]): boolean {
    if (texts.length === 0 || this.readyState !== WebSocket.OPEN) return false;
    for (const text of texts) super.send(text, this.#afterCompression);
    this.#checkBudget();
    return true;
  }

  #afterSending(done?: SendCallback): SendCallback | undefined {
    const free = this.#afterCompression;
    if (!free || !done) return done ?? free;
    return (error) => {
      free();
      done(error);
    };
  }

  #freeCompressor(): void {
    // What ws counts beside the network socket is being compressed, or waits for that.
    if (this.#bufferedByWs === this.#stream?.writableLength) freeCompressor(this);
  }

  #checkBudget(): void {
    const slowConsumers = this.#services?.slowConsumers;
    if (slowConsumers && this.bufferedAmount > slowConsumers.budget) slowConsumers.check(this);
  }

  /** What becomes of a frame while the socket is over its budget: false when it is dropped or waits. */
  #passesOverBudget(frame: SharedFrame, isVolatile: boolean): boolean {
    const slowConsumers = this.#services?.slowConsumers;
    if (!slowConsumers) return true;
    const { counts, policy, budget } = slowConsumers;
    if (policy === 'dropOldest' && (isVolatile || this.#heldBack?.isEmpty === false)) {
      this.#heldBack ??= new HeldFrames(budget);
      counts.droppedOldest += this.#heldBack.push(frame, isVolatile);
      slowConsumers.check(this);
      return false;
    }
    if (!this.#isDropping && !isVolatile) return true;
    counts.dropped++;
    return false;
  }

  #drained(): void {
    const slowConsumers = this.#services?.slowConsumers;
    if (!slowConsumers || !this.#isOverBudget) return;
    if (this.unsentBytes - (this.#heldBack?.bytes ?? 0) <= slowConsumers.budget) slowConsumers.relieve(this);
    else this.#stream?.once('drain', () => this.#drained());
  }
}
