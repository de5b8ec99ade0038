import { WebSocket } from 'ws';
import type { SharedFrame } from '../clients/client-socket.interface.js';
import type { Step } from '../encryption/ordered-steps.js';
import { WsError } from '../errors/ws.error.js';
import type { CloseReason } from '../protocol/close-codes.js';
import { ClearSendError } from './clear-send.error.js';
import type { ConnectionSocket } from './connection-socket.interface.js';
import { OutboundPassage } from './outbound-passage.js';
import { OutboxSocket, type Data, type SendCallback, type SendOptions } from './outbox.socket.js';
import { refuseClearSend } from './refuse-clear-send.js';
import { TextFrame } from './text-frame.js';

/** Milliseconds that a close waits for what is on its way through the steps: as long as ws waits for the peer's. */
const LAST_FRAMES = 30_000;
/** What the peer of a close without a code reads (RFC 6455, 7.1.5). */
const NO_STATUS = 1005;

/**
 * A socket whose texts may have to pass something before they are queued: transformers, a cipher. What the byte budget
 * drops it drops before, so that nothing is missing of what a cipher has counted.
 */
export class PassageSocket extends OutboxSocket implements ConnectionSocket {
  #passage: OutboundPassage | null = null;
  /** What it will be closed with, once everything sent before has passed. */
  #endsWith: CloseReason | null = null;

  override sendText(text: string): boolean {
    return this.#passage ? this.sendFrame(new TextFrame(text)) : super.sendText(text);
  }

  override sendBinary(text: string): boolean {
    if (!this.#passage) return super.sendBinary(text);
    return this.#pass(this.#passage, text, (passed) => super.sendRaw(Buffer.from(passed), {}));
  }

  override send(data: Data, options?: SendOptions | SendCallback, callback?: SendCallback): void {
    if (this.client?.encrypted) throw new ClearSendError();
    super.send(data, options, callback);
  }

  transform(limit: number, step: Step<string, string>): void {
    this.#passage ??= new OutboundPassage();
    this.#passage.add(limit, step);
  }

  encrypt(limit: number, cipher: Step<string, string>, lastInClear?: string): void {
    if (this.isFragmenting) throw new WsError('CONFLICT', 'A fragmented message of the application is unfinished.');
    const waiting = this.takeWaiting();
    if (lastInClear !== undefined) this.queueText(lastInClear);
    const passage = (this.#passage ??= new OutboundPassage());
    passage.seal(limit, cipher);
    for (const text of waiting) passage.pushLast(text, (passed) => this.#passed(passed));
  }

  get isEnding(): boolean {
    return this.#endsWith !== null;
  }

  override get closedWith(): CloseReason | null {
    return super.closedWith ?? this.#endsWith;
  }

  override close(code?: number, reason?: string | Buffer): void {
    if (!this.#passage || this.#passage.isEmpty) super.close(code, reason);
    else if (!this.isEnding) this.#closeBehind(this.#passage, code, reason);
  }

  protected override get waitingBytes(): number {
    return super.waitingBytes + (this.#passage?.bytes ?? 0);
  }

  protected override queue(frame: SharedFrame): boolean {
    if (!this.#passage) return super.queue(frame);
    return this.#pass(this.#passage, frame.text, (passed) => this.#passed(passed));
  }

  /** What the application sends by the socket itself keeps its place, and a text passes what all texts do. */
  protected override sendRaw(data: Data, settings: SendOptions, done?: SendCallback): void {
    const passage = this.#passage;
    if (!passage || this.isFragmenting || this.readyState !== WebSocket.OPEN) {
      super.sendRaw(data, settings, done);
    } else if (settings.fin === false) {
      throw new WsError('CONFLICT', 'With an outboundTransformer a message is sent whole.');
    } else if (typeof data === 'string') {
      if (settings.binary) this.sendBinary(data);
      else this.sendText(data);
      if (done) passage.after(done);
    } else {
      passage.after(() => this.#passedBy(passage, data, settings, done));
    }
  }

  /** What passes no step waits for those before it; encrypted meanwhile, its client must not get it. */
  #passedBy(passage: OutboundPassage, data: Data, settings: SendOptions, done?: SendCallback): void {
    if (!passage.isSealed) super.sendRaw(data, settings, done);
    else if (this.services) refuseClearSend(this.services.errors, this.client, done);
  }

  #pass(passage: OutboundPassage, text: string, deliver: (passed: string) => void): boolean {
    if (this.isEnding) return false;
    passage.push(text, deliver);
    const slowConsumers = this.services?.slowConsumers;
    if (slowConsumers && passage.bytes > slowConsumers.budget) slowConsumers.check(this);
    return true;
  }

  #passed(text: string): void {
    if (this.readyState === WebSocket.OPEN) this.queueText(text);
  }

  #closeBehind(passage: OutboundPassage, code?: number, reason: string | Buffer = ''): void {
    this.#endsWith = { code: code ?? NO_STATUS, reason: reason.toString() };
    const close = (): void => {
      timer?.cancel();
      try {
        super.close(code, reason);
      } catch {
        this.terminate(); // a code that ws does not send; its caller is not there any more
      }
    };
    const timer = this.services?.runtime.timeout(LAST_FRAMES, close);
    passage.after(close);
  }
}
