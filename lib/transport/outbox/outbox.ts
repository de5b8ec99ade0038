import type { ClientOutbox, ClientSocket, SharedFrame } from '../../clients/session/client-outbox.interface.js';
import { OWN_SENDS } from '../../clients/session/own-sends.js';
import type { Step } from '../../runtime/ordered-steps.js';
import { WsError } from '../../errors/ws.error.js';
import type { CloseReason } from '../../protocol/close-codes.js';
import type { RuntimeTimer } from '../../runtime/runtime.js';
import { OPEN } from '../../runtime/socket-state.js';
import { limitClosing, NO_STATUS, STEPS_PATIENCE } from './closing.js';
import type { FrameWriter, WaitingFrames } from './frame-writer.js';
import { HeldFrames } from './held-frames.js';
import { OutboundSteps } from './outbound-steps.js';
import type { OutboxServices } from './outbox.services.js';
import type { PendingFrames } from './pending-frames.js';
import { ClearSendError, NotSentError } from './send-errors.js';
import type { BudgetedOutbox } from './slow-consumers.js';
import { TextFrame } from '../../clients/session/text-frame.js';
import { TextRun } from './text-run.js';
import { sizeOf, textOf, type SendCallback, type RawSendOptions, type WsData } from './ws-send.js';

/** Bytes that wait for one socket before it is written to at once, not at the end of the turn. */
const WRITE_AT_ONCE = 65_536;

/** Bytes with which a socket counts as drained: less than this is on its way soon, and some runtimes do not tell when. */
const DRAINED = 16_384;

/** Milliseconds between two looks at a socket whose drain nobody tells. */
const LOOK_AGAIN = 100;
/** Milliseconds until the compressor, which is this process, may have done its part. */
const COMPRESSING = 5;

/** Shared frames up to this size are framed again behind texts of a socket's own: cheaper than a second write. */
const FRAME_AGAIN = 4_096;

/**
 * What waits for one socket. Text frames wait for the end of the turn and leave in one write. Whatever else is written
 * (control frames, binary and fragmented messages) flushes the outbox first, so the order is kept whoever sends. Texts may
 * have to pass steps first: transformers, a cipher. The byte budget drops frames before these steps, so that a cipher
 * never counts a frame that is not sent.
 */
export class Outbox implements ClientOutbox, BudgetedOutbox {
  /** Texts for this socket alone that wait for the end of the turn. Of this and `#shared` at most one is set. */
  #run: TextRun | null = null;
  /** Frames that wait for the end of the turn and that other sockets may share. */
  #shared: PendingFrames | null = null;
  /** Frames and binary messages that wait for the end of the application's fragmented message; null without one. */
  #behindFragments: (SharedFrame | Buffer)[] | null = null;
  #steps: OutboundSteps | null = null;
  /** Set from the first `close` on, also while that waits for the steps. */
  #closedWith: CloseReason | null = null;
  /** Set while the socket is over its byte budget: the frames that wait until it is not. */
  #held: HeldFrames | null = null;

  constructor(
    readonly ws: ClientSocket,
    private readonly writer: FrameWriter,
    private readonly services: OutboxServices,
  ) {}

  get bufferedAmount(): number {
    return this.writer.bufferedAmount + this.#waitingBytes;
  }

  get unsentBytes(): number {
    return this.writer.unsentBytes + this.#waitingBytes;
  }

  get sentBytes(): number {
    return this.writer.sentBytes;
  }

  get isOverBudget(): boolean {
    return this.#held !== null;
  }

  /**
   * What this side closed the connection with; null when the peer closed it first, or no code was given. ws reports what
   * the peer answered.
   */
  get closedWith(): CloseReason | null {
    return this.#closedWith;
  }

  get isEnding(): boolean {
    return this.#closedWith !== null;
  }

  sendFrame(frame: SharedFrame, isVolatile = false): boolean {
    if (this.ws.readyState !== OPEN) return false;
    if (this.#held && !this.#passesOverBudget(this.#held, frame, isVolatile)) return false;
    if (this.#behindFragments) {
      this.#behindFragments.push(frame);
      return true;
    }
    if (this.#steps) return this.#pass(this.#steps, frame.text, (passed) => this.#addPassed(passed));
    return this.#add(frame);
  }

  sendText(text: string): boolean {
    const isOrdinary = !this.#steps && !this.#held && !this.#behindFragments && !this.#shared;
    if (!isOrdinary || this.ws.readyState !== OPEN) return this.sendFrame(new TextFrame(text));
    return this.#addText(text);
  }

  sendBinary(text: string): boolean {
    if (this.ws.readyState !== OPEN || this.#drops()) return false;
    if (this.#steps) return this.#pass(this.#steps, text, (passed) => this.#writeBinary(passed));
    this.#writeBinary(text);
    return true;
  }

  /**
   * Takes what the application sends by the socket itself.
   *
   * @throws ClearSendError when the client is encrypted; WsError CONFLICT for what cannot pass a transformer: a fragment,
   * or a text message of unread bytes
   */
  send(data: WsData, options?: RawSendOptions | SendCallback, callback?: SendCallback): void {
    if (this.#steps?.isSealed) throw new ClearSendError();
    if (this.ws.session) OWN_SENDS.note(this.ws.session);
    const isOpen = this.ws.readyState === OPEN;
    if (isOpen && typeof data === 'string' && !options && !callback && !this.#behindFragments) {
      this.sendText(data);
      return;
    }
    const [settings, done] = typeof options === 'function' ? [{}, options] : [options ?? {}, callback];
    if (this.#behindFragments || !isOpen) this.#writeByWs(data, settings, done);
    else if (settings.fin !== false && this.#drops()) done?.(new NotSentError());
    else if (this.#steps) this.#sendThrough(this.#steps, data, settings, done);
    else this.#writeByWs(data, settings, done);
  }

  /** Writes what waits for the end of the turn. */
  flush(): void {
    const frames = this.#takeWaiting();
    if (!frames || this.ws.readyState !== OPEN) return;
    this.writer.write(frames);
    // What waits elsewhere is checked where it begins to wait.
    const { slowConsumers } = this.services;
    if (this.writer.bufferedAmount > slowConsumers.budget) slowConsumers.check(this);
  }

  transform(limit: number, step: Step<string, string>): void {
    this.#openSteps().add(limit, step);
  }

  encrypt(limit: number, cipher: Step<string, string>, lastInClear?: string): void {
    if (this.#behindFragments) throw new WsError('CONFLICT', 'A fragmented message of the application is unfinished.');
    const waiting = this.#takeWaiting()?.texts() ?? [];
    if (lastInClear !== undefined) this.#addText(lastInClear);
    const steps = this.#openSteps();
    steps.seal(limit, cipher);
    for (const text of waiting) steps.pushLast(text, (passed) => this.#addPassed(passed));
  }

  /** Begins the closing handshake once all that was sent before has passed the steps, or has taken too long for them. */
  close(code?: number, reason: string | Buffer = ''): void {
    if (!this.#steps || this.#steps.isEmpty) {
      this.#closeNow(code, reason);
    } else if (!this.isEnding) {
      this.#closedWith = { code: code ?? NO_STATUS, reason: reason.toString() };
      this.#closeAfter(this.#steps, code, reason);
    }
  }

  whenDrained(callback: () => void): void {
    if (this.#held) {
      this.#held.released.push(callback);
    } else if (this.#steps && !this.#steps.isEmpty) {
      this.#steps.after(() => this.whenDrained(callback));
    } else {
      this.flush();
      if (this.writer.bufferedAmount <= DRAINED) this.services.runtime.afterIo(callback);
      else this.#lookForDrain(callback);
    }
  }

  setOverBudget(isOver: boolean): void {
    const before = this.#held;
    this.#held = isOver ? new HeldFrames(this.services.slowConsumers.budget) : null;
    if (isOver) this.#relieveWhenDrained();
    for (const frame of before?.take() ?? []) this.sendFrame(frame);
    for (const callback of before?.released ?? []) this.whenDrained(callback);
  }

  startDropping(): void {
    if (this.#held) this.#held.dropsAll = true;
  }

  /** Bytes that nothing has been written of yet. */
  get #waitingBytes(): number {
    let bytes = (this.#run ?? this.#shared)?.byteLength ?? 0;
    if (this.#steps) bytes += this.#steps.bytes;
    if (this.#held) bytes += this.#held.bytes;
    if (this.#behindFragments) bytes += sizeOfAll(this.#behindFragments);
    return bytes;
  }

  #takeWaiting(): WaitingFrames | null {
    const frames = this.#run ?? this.#shared;
    this.#run = null;
    this.#shared = null;
    return frames;
  }

  /** Lets a frame wait for the end of the turn. */
  #add(frame: SharedFrame): boolean {
    if (this.#shared) {
      this.#shared = this.#shared.append(frame.bytes);
    } else {
      if (!this.writer.takesFrames) return this.#addText(frame.text);
      if (this.#run) {
        if (frame.bytes.length <= FRAME_AGAIN) return this.#addText(frame.text);
        this.flush();
      }
      this.#shared = this.services.scheduler.beginChain(frame);
      this.services.scheduler.schedule(this);
    }
    if (this.#shared.byteLength >= WRITE_AT_ONCE) this.flush();
    return true;
  }

  /** Lets a text for this socket alone wait for the end of the turn. */
  #addText(text: string): boolean {
    if (this.#shared) this.flush();
    if (!this.#run) {
      this.#run = new TextRun();
      this.services.scheduler.schedule(this);
    }
    this.#run.add(text);
    if (this.#run.byteLength >= WRITE_AT_ONCE) this.flush();
    return true;
  }

  #addPassed(text: string): void {
    if (this.ws.readyState === OPEN) this.#addText(text);
  }

  /** Lets ws write something behind what waits. */
  #writeByWs(data: WsData, options: RawSendOptions, done?: SendCallback): void {
    this.flush();
    this.writer.send(data, options, done);
    this.#checkBudget();
    if (options.fin === false) this.#behindFragments ??= [];
    else this.#releaseBehindFragments();
  }

  #writeBinary(text: string): void {
    const bytes = Buffer.from(text);
    if (this.#behindFragments) this.#behindFragments.push(bytes);
    else this.#writeByWs(bytes, {});
  }

  /** Sends what waited for the end of a fragmented message. */
  #releaseBehindFragments(): void {
    const messages = this.#behindFragments;
    this.#behindFragments = null;
    for (const message of messages ?? []) {
      if ('bytes' in message) this.sendFrame(message);
      else this.#writeByWs(message, {});
    }
  }

  /** The steps of this outbox, which end with the connection. */
  #openSteps(): OutboundSteps {
    if (this.#steps) return this.#steps;
    const steps = (this.#steps = new OutboundSteps());
    this.ws.once('close', () => steps.forget());
    return steps;
  }

  #pass(steps: OutboundSteps, text: string, deliver: (passed: string) => void): boolean {
    if (this.isEnding) return false;
    steps.push(text, deliver);
    this.#checkBudget();
    return true;
  }

  /** Sends a text through the steps; bytes pass none, but wait for what was sent before them. */
  #sendThrough(steps: OutboundSteps, data: WsData, options: RawSendOptions, done?: SendCallback): void {
    if (options.fin === false) throw new WsError('CONFLICT', 'With an outboundTransformer a message is sent whole.');
    const text = textOf(data, options);
    const tell = (isTaken: boolean): void => {
      if (done) steps.after(() => done(isTaken && this.ws.readyState === OPEN ? undefined : new NotSentError()));
    };
    if (text !== null) {
      tell(this.sendText(text));
    } else if (typeof data === 'string') {
      tell(this.sendBinary(data));
    } else {
      steps.after(() => this.#sendBytes(steps, data, options, done), sizeOf(data));
      this.#checkBudget();
    }
  }

  /** Writes bytes that have waited, and refuses them if the client was encrypted meanwhile: they are in clear. */
  #sendBytes(steps: OutboundSteps, data: WsData, options: RawSendOptions, done?: SendCallback): void {
    if (!steps.isSealed) {
      this.#writeByWs(data, options, done);
      return;
    }
    const error = new ClearSendError();
    if (done) done(error);
    else
      this.services.errors.report('What was sent by a socket itself has not left.', error, this.ws.session?.clientId);
  }

  #closeAfter(steps: OutboundSteps, code: number | undefined, reason: string | Buffer): void {
    const close = (): void => {
      timer.cancel();
      try {
        this.#closeNow(code, reason);
      } catch {
        this.ws.terminate(); // ws does not send this code, and the caller of `close` is not there to be told
      }
    };
    const timer = this.services.runtime.timeout(STEPS_PATIENCE, close);
    steps.after(close);
  }

  #closeNow(code?: number, reason: string | Buffer = ''): void {
    this.flush();
    // ws calls this for a peer's close frame as well, with the peer's own code.
    const isOpen = this.ws.readyState === OPEN;
    this.writer.close(code, reason);
    if (isOpen) limitClosing(this, this.services.runtime);
    if (isOpen && code !== undefined) this.#closedWith ??= { code, reason: reason.toString() };
    if (this.ws.isPaused) this.ws.resume(); // else the peer's close frame is never read
  }

  #checkBudget(): void {
    const { slowConsumers } = this.services;
    if (this.bufferedAmount > slowConsumers.budget) slowConsumers.check(this);
  }

  /** Whether a frame is sent though the socket is over its budget; else it waits or is dropped. */
  #passesOverBudget(held: HeldFrames, frame: SharedFrame, isVolatile: boolean): boolean {
    const { slowConsumers } = this.services;
    const { counts } = slowConsumers;
    if (slowConsumers.policy === 'dropOldest' && (isVolatile || !held.isEmpty)) {
      counts.droppedOldest += held.push(frame, isVolatile);
      slowConsumers.check(this);
      return false;
    }
    if (!held.dropsAll && !isVolatile) return true;
    counts.dropped++;
    return false;
  }

  /** Whether a message of the application is dropped for the byte budget, and counts it. */
  #drops(): boolean {
    if (!this.#held?.dropsAll) return false;
    this.services.slowConsumers.counts.dropped++;
    return true;
  }

  /** Waits for the event `drain`, and looks by itself where there is none. */
  #lookForDrain(callback: () => void): void {
    const { services, writer, ws } = this;
    const lookLater = (): RuntimeTimer =>
      services.runtime.timeout(writer.isCompressing ? COMPRESSING : LOOK_AGAIN, look);
    const look = (): void => {
      if (ws.readyState !== OPEN) {
        endWait();
      } else if (this.#held || writer.bufferedAmount <= DRAINED) {
        endWait();
        this.whenDrained(callback);
      } else timer = lookLater();
    };
    let timer = lookLater();
    const endWait = writer.whenDrained(() => {
      timer.cancel();
      this.whenDrained(callback);
    });
  }

  #relieveWhenDrained(): void {
    const { slowConsumers } = this.services;
    this.writer.whenDrained(() => {
      if (!this.#held) return;
      if (this.unsentBytes - this.#held.bytes <= slowConsumers.budget) slowConsumers.relieve(this);
      else this.#relieveWhenDrained();
    });
  }
}

function sizeOfAll(messages: readonly (SharedFrame | Buffer)[]): number {
  return messages.reduce((sum, message) => sum + ('bytes' in message ? message.bytes : message).length, 0);
}
