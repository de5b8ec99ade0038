import { encodeMessage } from '../clients/encode-message.js';
import type { Codec } from '../protocol/codec.interface.js';
import { TextFrame } from './text-frame.js';

/** A message on its way to many clients: encoded and framed once per codec. */
export class OutboundMessage {
  #codec: Codec;
  #frame: TextFrame;

  /**
   * @param codec the codec that most recipients are likely to speak
   * @throws WsError BAD_MESSAGE when the message has no JSON form
   */
  constructor(
    private readonly message: unknown,
    codec: Codec,
  ) {
    this.#codec = codec;
    this.#frame = new TextFrame(encodeMessage(codec, message));
  }

  frameFor(codec: Codec): TextFrame {
    if (codec !== this.#codec) {
      this.#codec = codec;
      this.#frame = new TextFrame(encodeMessage(codec, this.message));
    }
    return this.#frame;
  }
}
