import type { WsClient } from '../clients/ws-client.js';
import type { InboundMessage, ProtocolError } from '../protocol/messages.js';
import { ENCRYPTED, EVENT_TYPE, SYSTEM_TYPE } from '../protocol/route-key.js';
import type { Cipher, Eventually } from './cipher.interface.js';
import { OrderedSteps } from '../runtime/ordered-steps.js';

/** What an encrypted client sends: encrypted frames, each the next one, and nothing else. They are read in their order. */
export class SecureChannel {
  /** An opened frame's text; false for what could not be opened. */
  readonly #frames: OrderedSteps<unknown, string | false>;
  #isHeldBack = false;

  /**
   * @param batchLimit frames that are opened at once; as many may wait before the socket is not read any more
   * @param onBreach ends the connection, whose last frame was not the next encrypted one
   */
  constructor(
    private readonly client: WsClient,
    private readonly cipher: Cipher,
    private readonly batchLimit: number,
    private readonly onBreach: () => void,
  ) {
    this.#frames = new OrderedSteps(batchLimit, (data) => this.#open(data));
  }

  /** Takes a frame of the client. */
  receive(message: InboundMessage | ProtocolError): void {
    if ('problem' in message || message.type !== SYSTEM_TYPE || message.action !== ENCRYPTED) {
      this.onBreach();
    } else if (this.cipher.open) {
      this.#frames.push(message.data, 0, this.#deliver);
      if (this.#frames.length >= 2 * this.batchLimit) this.#holdBack(true);
    } else {
      this.client.receiveOpened({ ...message, type: EVENT_TYPE });
    }
  }

  /** Calls back once all frames are opened that have been received. */
  whenOpened(callback: () => void): void {
    this.#frames.after(callback);
  }

  /** Gives up the frames that are not opened yet. */
  forget(): void {
    this.#frames.forget();
    this.#holdBack(false);
  }

  /** Null, which would only be passed over, becomes false. */
  #open(data: unknown): Eventually<string | false> {
    const text = this.cipher.open?.(data) ?? null;
    return text instanceof Promise ? text.then((opened) => opened ?? false) : (text ?? false);
  }

  readonly #deliver = (text: string | false): void => {
    if (this.#frames.length <= this.batchLimit) this.#holdBack(false);
    if (text !== false) {
      this.client.receiveOpened(this.client.codec.decode(text));
      return;
    }
    this.forget();
    this.onBreach();
  };

  #holdBack(isHeldBack: boolean): void {
    if (this.#isHeldBack === isHeldBack) return;
    this.#isHeldBack = isHeldBack;
    this.client.setReading(!isHeldBack);
  }
}
