import type { WebSocket } from 'ws';
import { OWN_SENDS } from '../../clients/session/own-sends.js';
import type { WsClient } from '../../clients/ws-client.js';
import type { Step } from '../../encryption/ordered-steps.js';
import { WsError } from '../../errors/ws.error.js';
import type { CloseReason } from '../../protocol/close-codes.js';
import { ClearSendError } from './clear-send.error.js';
import { closeAfterPending, NO_STATUS } from '../connection/close-after-pending.js';
import { sendDirectly, type DirectSocket } from './direct-send.js';
import { NotSentError } from './not-sent.error.js';
import { OutboundPassage } from './outbound-passage.js';
import type { Data, SendCallback, SendOptions } from './outbox.socket.js';
import type { OutboxServices } from './outbox.services.js';
import { refuseClearSend } from './refuse-clear-send.js';
import type { BudgetedSocket } from './slow-consumers.js';
import { networkSocketOf, sentBytesOf, unsentBytesOf } from './write-progress.js';
import { OPEN } from '../../runtime/socket-state.js';

/**
 * What goes to a socket that another ws server has accepted: one write each, by ws' own methods, within the byte budget.
 * With `dropOldest` it is the newest volatile frames that a slow reader misses.
 */
export class AdoptedOutbox implements BudgetedSocket, DirectSocket {
  client: WsClient | null = null;
  readonly #passage = new OutboundPassage();
  readonly #send: (data: Data, options: SendOptions, done?: SendCallback) => void;
  readonly #close: (code?: number, reason?: string | Buffer) => void;
  /** What it will be closed with, once everything sent before has passed. */
  #endsWith: CloseReason | null = null;
  #isFragmenting = false;
  #isOverBudget = false;
  #isDropping = false;

  /** @param ws as it was accepted: its methods may be replaced from then on */
  constructor(
    private readonly ws: WebSocket,
    private readonly services: OutboxServices,
  ) {
    this.#send = ws.send.bind(ws);
    this.#close = ws.close.bind(ws);
    ws.once('close', () => this.#passage.forget());
  }

  get readyState(): number {
    return this.ws.readyState;
  }

  get bufferedAmount(): number {
    return this.ws.bufferedAmount + this.#passage.bytes;
  }

  get sentBytes(): number {
    return sentBytesOf(networkSocketOf(this.ws), this.ws.bufferedAmount);
  }

  get unsentBytes(): number {
    return unsentBytesOf(networkSocketOf(this.ws), this.ws.bufferedAmount) + this.#passage.bytes;
  }

  get endsWith(): CloseReason | null {
    return this.#endsWith;
  }

  sendText(text: string, isVolatile = false): boolean {
    return this.#pass(text, isVolatile, (passed) => this.#write(passed, {}));
  }

  sendBinary(text: string): boolean {
    return this.#pass(text, false, (passed) => this.#write(Buffer.from(passed), {}));
  }

  sendBytes(data: Data, options: SendOptions, done?: SendCallback): void {
    if (this.#passage.isSealed) refuseClearSend(this.services.errors, this.client, done);
    else this.#write(data, options, done);
  }

  /** What the application sends by the socket itself. */
  send(data: Data, options: SendOptions, done?: SendCallback): void {
    if (this.client?.encrypted) throw new ClearSendError();
    if (this.client) OWN_SENDS.note(this.client);
    const isWhole = !this.#isFragmenting && options.fin !== false;
    if (isWhole && this.readyState === OPEN && this.#drops(false)) {
      done?.(new NotSentError());
    } else if (!this.#passage.hasSteps || this.#isFragmenting || this.readyState !== OPEN) {
      this.#write(data, options, done);
      this.#isFragmenting = options.fin === false;
    } else {
      sendDirectly(this, this.#passage, data, options, done);
    }
    this.#checkBudget();
  }

  transform(limit: number, step: Step<string, string>): void {
    this.#passage.add(limit, step);
  }

  encrypt(limit: number, cipher: Step<string, string>, lastInClear?: string): void {
    if (this.#isFragmenting) throw new WsError('CONFLICT', 'A fragmented message of the application is unfinished.');
    if (lastInClear !== undefined) this.#write(lastInClear, {});
    this.#passage.seal(limit, cipher);
  }

  close(code?: number, reason: string | Buffer = ''): void {
    if (this.#passage.isEmpty) {
      this.#close(code, reason);
    } else if (!this.#endsWith) {
      this.#endsWith = { code: code ?? NO_STATUS, reason: reason.toString() };
      closeAfterPending(this, this.#passage, this.services.runtime, () => this.#close(code, reason));
    }
  }

  terminate(): void {
    this.ws.terminate();
  }

  once(event: 'close', listener: () => void): void {
    this.ws.once(event, listener);
  }

  setOverBudget(isOver: boolean): void {
    this.#isOverBudget = isOver;
    this.#isDropping = false;
    if (this.client) this.client.backpressured = isOver;
  }

  startDropping(): void {
    this.#isDropping = true;
  }

  #pass(text: string, isVolatile: boolean, deliver: (passed: string) => void): boolean {
    if (this.readyState !== OPEN || this.#endsWith || this.#drops(isVolatile)) return false;
    this.#passage.push(text, deliver);
    this.#checkBudget();
    return true;
  }

  #write(data: Data, options: SendOptions, done?: SendCallback): void {
    this.#send(data, options, done);
    this.#checkBudget();
  }

  #drops(isVolatile: boolean): boolean {
    if (!this.#isDropping && !(isVolatile && this.#isOverBudget)) return false;
    this.services.slowConsumers.counts.dropped++;
    return true;
  }

  #checkBudget(): void {
    const { slowConsumers } = this.services;
    if (this.bufferedAmount > slowConsumers.budget) slowConsumers.check(this);
  }
}
