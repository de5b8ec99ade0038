import type {
  ClientOutbox,
  ClientSocket,
  OutboundCipher,
  SharedFrame,
} from '../../clients/session/client-outbox.interface.js';
import { AT_ONCE, type FrameTerms } from '../../clients/session/frame-terms.js';
import { OWN_SENDS } from '../../clients/session/own-sends.js';
import type { Step } from '../../runtime/ordered-steps.js';
import { WsError } from '../../errors/ws.error.js';
import type { CloseReason } from '../../protocol/close-codes.js';
import type { RuntimeTimer } from '../../runtime/runtime.js';
import { OPEN } from '../../runtime/socket-state.js';
import { limitClosing, NO_STATUS, STEPS_PATIENCE } from './closing.js';
import type { DeliveryWindow, WindowedOutbox, WindowTerms } from './delivery-window.js';
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
import { logSubject } from '../../clients/session/session-context.js';

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
 * What waits for one socket. Text frames wait for the end of the turn, or of a window, and leave in one write. Whatever else is
 * written (control frames, binary and fragmented messages) flushes the outbox first, so the order is kept whoever sends. When
 * they are flushed, texts may have to pass steps: transformers, a cipher. What is conflated or dropped for the byte budget never
 * gets there, so that a cipher never counts a frame that is not sent.
 */
export class Outbox implements ClientOutbox, BudgetedOutbox, WindowedOutbox {
  /** Frames that wait and that other sockets may share. */
  #shared: PendingFrames | null = null;
  /** Texts for this socket alone that wait, behind `#shared`. */
  #run: TextRun | null = null;
  /** Whether what waits leaves at the end of this turn. */
  #isDue = false;
  /** The window that runs since something left; null after a silence. */
  #window: DeliveryWindow | null = null;
  /** Of the frames that leave at the end of this turn those that open a window. */
  #opening: WindowTerms | null = null;
  /** For how many windows the network has been behind. */
  #windowsBehind = 0;
  /** Texts that have passed the steps and are not written yet. */
  #passed: TextRun | null = null;
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

  sendFrame(frame: SharedFrame, terms = AT_ONCE): boolean {
    if (this.ws.readyState !== OPEN) return false;
    if (this.#held && !this.#passesOverBudget(this.#held, frame, terms)) return false;
    if (this.#behindFragments) {
      this.#behindFragments.push(frame);
      return true;
    }
    if (this.isEnding) return false;
    this.#add(frame, terms);
    return true;
  }

  sendText(text: string): boolean {
    const isOrdinary = !this.#held && !this.#behindFragments && !this.isEnding;
    if (!isOrdinary || this.ws.readyState !== OPEN) return this.sendFrame(new TextFrame(text));
    this.#addText(text, AT_ONCE);
    return true;
  }

  sendBinary(text: string): boolean {
    if (this.ws.readyState !== OPEN || this.isEnding || this.#drops()) return false;
    if (this.#steps) {
      this.flush();
      this.#steps.push(text, (passed) => this.#writeBinary(passed));
      this.#checkBudget();
    } else this.#writeBinary(text);
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

  /** Writes what waits, or has it pass the steps first. */
  flush(): void {
    this.#isDue = false;
    this.#dropNeedless();
    const shared = this.#shared;
    const run = this.#run;
    this.#shared = null;
    this.#run = null;
    if (this.ws.readyState !== OPEN) return;
    if (this.#opening) this.#openWindow(this.#opening);
    const steps = this.#steps;
    if (steps) {
      this.#passed ??= new TextRun(); // what comes out at once leaves with this write
      const take = (text: string): void => this.#takePassed(text);
      if (shared) steps.pushAll(shared.texts(), take);
      if (run) steps.pushAll(run.texts(), take);
      this.#writePassed();
      if (shared ?? run) this.#checkBudget();
    } else if (shared) this.#write(shared, run);
    else if (run) this.#write(run);
  }

  windowEnded(window: DeliveryWindow): boolean {
    if (this.#window !== window) return false;
    if (!this.#shared && !this.#run) {
      this.#window = null; // a silence
      return false;
    }
    // To a socket that has not taken the last write, another one brings nothing: meanwhile less may be left to say.
    const isBehind = this.writer.bufferedAmount > 0;
    if (isBehind && ++this.#windowsBehind * window.window < window.maxWindow) return true;
    this.#windowsBehind = 0;
    this.flush();
    return true;
  }

  transform(limit: number, step: Step<string, string>): void {
    this.flush();
    this.#openSteps().add(limit, step);
  }

  encrypt(limit: number, cipher: OutboundCipher, lastInClear?: string): void {
    if (this.#behindFragments) throw new WsError('CONFLICT', 'A fragmented message of the application is unfinished.');
    const passed = this.#passed?.texts() ?? [];
    this.#passed = null;
    if (lastInClear !== undefined) this.#takePassed(lastInClear);
    const steps = this.#openSteps();
    steps.seal(limit, cipher);
    for (const text of passed) steps.pushLast(text, (sealed) => this.#takePassed(sealed));
  }

  /** Begins the closing handshake once all that was sent before has passed the steps, or has taken too long for them. */
  close(code?: number, reason: string | Buffer = ''): void {
    const steps = this.#steps;
    if (steps && !this.isEnding) {
      // From now on nothing is added, and no budget is checked that would close it once more.
      this.#closedWith = { code: code ?? NO_STATUS, reason: reason.toString() };
      this.flush();
      if (!steps.isEmpty) {
        this.#closeAfter(steps, code, reason);
        return;
      }
      this.#closedWith = null;
    } else if (steps && !steps.isEmpty) return;
    this.#closeNow(code, reason);
  }

  whenDrained(callback: () => void): void {
    if (this.#held) {
      this.#held.released.push(callback);
      return;
    }
    this.flush();
    if (this.#steps && !this.#steps.isEmpty) {
      this.#steps.after(() => this.whenDrained(callback));
    } else {
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
    let bytes = this.#unflushedBytes + (this.#passed?.byteLength ?? 0);
    if (this.#steps) bytes += this.#steps.bytes;
    if (this.#held) bytes += this.#held.bytes;
    if (this.#behindFragments) bytes += sizeOfAll(this.#behindFragments);
    return bytes;
  }

  get #unflushedBytes(): number {
    return (this.#shared?.byteLength ?? 0) + (this.#run?.byteLength ?? 0);
  }

  /** Lets a frame wait. */
  #add(frame: SharedFrame, terms: FrameTerms): void {
    const { scheduler } = this.services;
    if (this.#run) {
      if (frame.bytes.length <= FRAME_AGAIN) {
        this.#addText(frame.text, terms);
        return;
      }
      this.flush();
    }
    const { conflate } = terms;
    const waiting = this.#shared ? this.#shared.append(frame, conflate) : scheduler.beginChain(frame, conflate);
    this.#shared = waiting;
    // The way of most frames of a turn that has many.
    if (this.#isDue && terms.window === 0 && waiting.byteLength < WRITE_AT_ONCE) return;
    this.#await(terms);
  }

  /** Lets a text for this socket alone wait. */
  #addText(text: string, terms: FrameTerms): void {
    this.#run ??= new TextRun();
    if (this.#run.add(text, terms.conflate)) this.services.scheduler.conflated++;
    this.#await(terms);
  }

  /** Decides when it leaves what has just been added. */
  #await(terms: FrameTerms): void {
    const mayWait = terms.window > 0;
    if (mayWait && (this.#window?.window ?? Infinity) > terms.window) {
      if (!this.#opening || this.#opening.window > terms.window) this.#opening = terms;
      this.#schedule();
    } else if (!mayWait) this.#schedule();
    if (this.#unflushedBytes < WRITE_AT_ONCE) return;
    this.#dropNeedless();
    if (this.#unflushedBytes >= WRITE_AT_ONCE / 2) this.flush();
  }

  /** Takes out the frames that a newer one with the same key makes needless. */
  #dropNeedless(): void {
    if (!this.#shared) return;
    const newest = this.#shared.newest();
    this.services.scheduler.conflated += this.#shared.length - newest.length;
    this.#shared = newest;
  }

  #schedule(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.services.scheduler.schedule(this);
  }

  #openWindow(terms: WindowTerms): void {
    this.#opening = null;
    this.#window = this.services.scheduler.openWindow(this, terms);
  }

  #takePassed(text: string): void {
    if (this.ws.readyState !== OPEN) return;
    if (!this.#passed) {
      this.#passed = new TextRun();
      // Not by a flush: what waits in a window is not due for that.
      this.services.scheduler.schedule({ flush: () => this.#writePassed() });
    }
    this.#passed.add(text);
  }

  /** Writes what has passed the steps. */
  #writePassed(): void {
    const passed = this.#passed;
    this.#passed = null;
    if (passed && passed.byteLength > 0 && this.ws.readyState === OPEN) this.#write(passed);
  }

  #write(frames: WaitingFrames, behind?: WaitingFrames | null): void {
    this.writer.write(frames, behind);
    this.services.scheduler.sent += frames.length + (behind?.length ?? 0);
    // What waits elsewhere is checked where it begins to wait.
    const { slowConsumers } = this.services;
    if (this.writer.bufferedAmount > slowConsumers.budget) slowConsumers.check(this);
  }

  /** Lets ws write something behind what waits, or behind what has passed the steps. */
  #writeByWs(data: WsData, options: RawSendOptions, done?: SendCallback): void {
    if (this.#steps) this.#writePassed();
    else this.flush();
    this.writer.send(data, options, done);
    if (options.fin !== false && this.ws.readyState === OPEN) this.services.scheduler.sent++;
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

  /** Sends a text through the steps; bytes pass none, but wait for what was sent before them. */
  #sendThrough(steps: OutboundSteps, data: WsData, options: RawSendOptions, done?: SendCallback): void {
    if (options.fin === false) throw new WsError('CONFLICT', 'With an outboundTransformer a message is sent whole.');
    const text = textOf(data, options);
    const tell = (isTaken: boolean): void => {
      if (!done) return;
      this.flush();
      steps.after(() => done(isTaken && this.ws.readyState === OPEN ? undefined : new NotSentError()));
    };
    if (text !== null) {
      tell(this.sendText(text));
    } else if (typeof data === 'string') {
      tell(this.sendBinary(data));
    } else {
      this.flush();
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
    const { session } = this.ws;
    if (done) done(error);
    else
      this.services.errors.report(
        'What was sent by a socket itself has not left.',
        error,
        session ? logSubject(session) : {},
      );
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
    if (this.bufferedAmount > slowConsumers.budget && !this.isEnding) slowConsumers.check(this);
  }

  /** Whether a frame is sent though the socket is over its budget; else it waits or is dropped. */
  #passesOverBudget(held: HeldFrames, frame: SharedFrame, { isVolatile, conflate }: FrameTerms): boolean {
    const { slowConsumers, scheduler } = this.services;
    const { counts } = slowConsumers;
    const mayHold = !held.isEmpty || (isVolatile && slowConsumers.policy === 'dropOldest') || conflate !== undefined;
    const isNewer = conflate !== undefined && held.remove(conflate);
    if (isNewer) {
      scheduler.conflated++;
    } else if (held.dropsAll || (isVolatile && !mayHold)) {
      counts.dropped++;
      return false;
    }
    if (!mayHold) return true;
    counts.droppedOldest += held.push(frame, isVolatile, conflate);
    slowConsumers.check(this);
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
