import { WebSocket } from 'ws';
import type { SharedFrame } from '../../clients/session/client-socket.interface.js';
import { OWN_SENDS } from '../../clients/session/own-sends.js';
import type { Step } from '../../encryption/ordered-steps.js';
import { WsError } from '../../errors/ws.error.js';
import type { CloseReason } from '../../protocol/close-codes.js';
import { ClearSendError } from './clear-send.error.js';
import { closeAfterPending, NO_STATUS } from '../connection/close-after-pending.js';
import type { ConnectionSocket } from '../connection/connection-socket.interface.js';
import { sendDirectly } from './direct-send.js';
import { OutboundPassage } from './outbound-passage.js';
import { OutboxSocket, type Data, type SendCallback, type SendOptions } from './outbox.socket.js';
import { refuseClearSend } from './refuse-clear-send.js';
import { TextFrame } from './text-frame.js';

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
    if (this.readyState !== WebSocket.OPEN || this.drops()) return false;
    return this.#pass(this.#passage, text, (passed) => super.sendRaw(Buffer.from(passed), {}));
  }

  override send(data: Data, options?: SendOptions | SendCallback, callback?: SendCallback): void {
    if (this.client?.encrypted) throw new ClearSendError();
    if (this.client) OWN_SENDS.note(this.client);
    super.send(data, options, callback);
  }

  /** @internal What the application sends past the steps, in its turn; encrypted by then, its client must not get it. */
  sendBytes(data: Data, settings: SendOptions, done?: SendCallback): void {
    if (!this.#passage?.isSealed) super.sendRaw(data, settings, done);
    else if (this.services) refuseClearSend(this.services.errors, this.client, done);
  }

  transform(limit: number, step: Step<string, string>): void {
    this.#openPassage().add(limit, step);
  }

  encrypt(limit: number, cipher: Step<string, string>, lastInClear?: string): void {
    if (this.isFragmenting) throw new WsError('CONFLICT', 'A fragmented message of the application is unfinished.');
    const waiting = this.takeWaiting();
    if (lastInClear !== undefined) this.queueText(lastInClear);
    const passage = this.#openPassage();
    passage.seal(limit, cipher);
    for (const text of waiting) passage.pushLast(text, (passed) => this.#passed(passed));
  }

  get isEnding(): boolean {
    return this.#endsWith !== null;
  }

  override get closedWith(): CloseReason | null {
    return super.closedWith ?? this.#endsWith;
  }

  override close(code?: number, reason: string | Buffer = ''): void {
    if (!this.#passage || this.#passage.isEmpty) {
      super.close(code, reason);
    } else if (!this.isEnding) {
      this.#endsWith = { code: code ?? NO_STATUS, reason: reason.toString() };
      closeAfterPending(this, this.#passage, this.services?.runtime, () => super.close(code, reason));
    }
  }

  protected override get waitingBytes(): number {
    return super.waitingBytes + (this.#passage?.bytes ?? 0);
  }

  protected override queue(frame: SharedFrame): boolean {
    if (!this.#passage) return super.queue(frame);
    return this.#pass(this.#passage, frame.text, (passed) => this.#passed(passed));
  }

  protected override sendRaw(data: Data, settings: SendOptions, done?: SendCallback): void {
    const passage = this.#passage;
    if (!passage || this.isFragmenting || this.readyState !== WebSocket.OPEN) {
      super.sendRaw(data, settings, done);
      return;
    }
    sendDirectly(this, passage, data, settings, done);
    this.#checkBudget(passage);
  }

  /** Nothing works for a client that is gone. */
  #openPassage(): OutboundPassage {
    if (this.#passage) return this.#passage;
    const passage = (this.#passage = new OutboundPassage());
    this.once('close', () => passage.forget());
    return passage;
  }

  #pass(passage: OutboundPassage, text: string, deliver: (passed: string) => void): boolean {
    if (this.isEnding) return false;
    passage.push(text, deliver);
    this.#checkBudget(passage);
    return true;
  }

  #checkBudget(passage: OutboundPassage): void {
    const slowConsumers = this.services?.slowConsumers;
    if (slowConsumers && passage.bytes > slowConsumers.budget) slowConsumers.check(this);
  }

  #passed(text: string): void {
    if (this.readyState === WebSocket.OPEN) this.queueText(text);
  }
}
