import type { ClientCodec } from './client-codec.interface.js';
import type { EncryptionSession } from './client-encryption.interface.js';
import { encodeMessage } from './client-message.js';
import { readFrame, type ServerFrame } from './server-frame.js';

/** Encrypts frames and decrypts them. Up to the welcome with the keys they are clear; then a clear one is a breach. */
export class SecureChannel {
  readonly #session: EncryptionSession;
  readonly #codec: ClientCodec;
  #isOpen = false;

  constructor(session: EncryptionSession, codec: ClientCodec) {
    this.#session = session;
    this.#codec = codec;
  }

  /** Whether both sides have agreed on keys. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The frame around a frame's text. */
  async seal(text: string): Promise<string> {
    const data = await this.#session.encrypt(text);
    return encodeMessage({ type: this.#codec.ownType, action: 'encrypted', data }, this.#codec);
  }

  /** The frame inside a frame. @throws Error when it is not as it has to be */
  async open(frame: ServerFrame): Promise<ServerFrame> {
    // A clear frame is none that can be decrypted either.
    if (this.#isOpen) {
      return readFrame(await this.#session.decrypt(String(frame.kind === 'encrypted' && frame.data)), this.#codec);
    }
    if (frame.kind === 'welcome' && frame.agreement) {
      await this.#session.agree(frame.agreement);
      this.#isOpen = true;
    }
    return frame;
  }
}
