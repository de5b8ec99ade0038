import type { Step } from '../../runtime/ordered-steps.js';
import type { ClientOutbox, ClientSocket, OutboundCipher, SharedFrame } from '../session/client-outbox.interface.js';
import type { FrameTerms } from '../session/frame-terms.js';

/** An outbox that tells of each text before it is queued. It stands before a client's own while somebody looks at the client. */
export class TappedOutbox implements ClientOutbox {
  constructor(
    private readonly inner: ClientOutbox,
    private readonly tell: (text: string) => void,
  ) {}

  /** The outbox itself, where one of these stands before it. */
  static untapped(outbox: ClientOutbox): ClientOutbox {
    return outbox instanceof TappedOutbox ? outbox.inner : outbox;
  }

  get ws(): ClientSocket {
    return this.inner.ws;
  }

  get sentBytes(): number {
    return this.inner.sentBytes;
  }

  get bufferedAmount(): number {
    return this.inner.bufferedAmount;
  }

  get isOverBudget(): boolean {
    return this.inner.isOverBudget;
  }

  get isEnding(): boolean {
    return this.inner.isEnding;
  }

  sendFrame(frame: SharedFrame, terms?: FrameTerms): boolean {
    this.tell(frame.text);
    return this.inner.sendFrame(frame, terms);
  }

  sendText(text: string): boolean {
    this.tell(text);
    return this.inner.sendText(text);
  }

  sendBinary(text: string): boolean {
    this.tell(text);
    return this.inner.sendBinary(text);
  }

  whenDrained(callback: () => void): void {
    this.inner.whenDrained(callback);
  }

  transform(limit: number, step: Step<string, string>): void {
    this.inner.transform(limit, step);
  }

  encrypt(limit: number, cipher: OutboundCipher, lastInClear?: string): void {
    this.inner.encrypt(limit, cipher, lastInClear);
  }
}
