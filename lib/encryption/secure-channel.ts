import type { ClientSession, SessionChannel } from '../clients/session/client-session.js';
import type { InboundMessage, ProtocolError } from '../protocol/messages.js';
import { ENCRYPTED, EVENT_TYPE, SYSTEM_TYPE } from '../protocol/route-key.js';
import type { Cipher, Eventually } from './cipher.interface.js';
import { OrderedSteps } from '../runtime/ordered-steps.js';

/** Opens the frames of an encrypted client, in their order. Any frame but the next encrypted one is a breach. */
export class SecureChannel implements SessionChannel {
  /** Gives the text of each frame; false for one that could not be opened. */
  readonly #frames: OrderedSteps<unknown, string | false>;
  #isHeld = false;

  /**
   * @param batchLimit frames that are opened at once; as many more may wait before the socket is not read any more
   * @param onBreach called when a frame is not the next encrypted one; ends the connection
   */
  constructor(
    private readonly session: ClientSession,
    private readonly cipher: Cipher,
    private readonly batchLimit: number,
    private readonly onBreach: () => void,
  ) {
    this.#frames = new OrderedSteps(batchLimit, (data) => this.#open(data));
  }

  receive(message: InboundMessage | ProtocolError): void {
    if ('problem' in message || message.type !== SYSTEM_TYPE || message.action !== ENCRYPTED) {
      this.onBreach();
    } else if (this.cipher.open) {
      this.#frames.push(message.data, 0, this.#opened);
      if (this.#frames.length >= 2 * this.batchLimit) this.#hold();
    } else {
      this.#handOn({ ...message, type: EVENT_TYPE });
    }
  }

  whenOpened(callback: () => void): void {
    this.#frames.after(callback);
  }

  forget(): void {
    this.#frames.forget();
    this.#release();
  }

  /** Turns null into false, since OrderedSteps drops null silently. */
  #open(data: unknown): Eventually<string | false> {
    const text = this.cipher.open?.(data) ?? null;
    return text instanceof Promise ? text.then((opened) => opened ?? false) : (text ?? false);
  }

  readonly #opened = (text: string | false): void => {
    if (this.#frames.length <= this.batchLimit) this.#release();
    if (text !== false) {
      this.#handOn(this.session.codec.decode(text));
      return;
    }
    this.forget();
    this.onBreach();
  };

  #handOn(message: InboundMessage | ProtocolError): void {
    this.session.endpoint.intake.take(this.session, message);
  }

  #hold(): void {
    if (this.#isHeld) return;
    this.#isHeld = true;
    this.session.holdReading();
  }

  #release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.session.releaseReading();
  }
}
