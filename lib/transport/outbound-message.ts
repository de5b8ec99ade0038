import { encodeMessage } from '../clients/encode-message.js';
import type { Codec } from '../protocol/codec.interface.js';
import { pxlCodec } from '../protocol/pxl.codec.js';
import { TextFrame } from './text-frame.js';

/** A message on its way to many clients: encoded and framed once per codec that one of them speaks. */
export class OutboundMessage {
  readonly #frame: TextFrame;
  /** Made when a recipient speaks another codec than the first. */
  #others: Map<Codec, TextFrame> | null = null;

  /** @param read what the text says, for those who speak another codec */
  private constructor(
    private readonly codec: Codec,
    text: string,
    private readonly read: () => unknown,
  ) {
    this.#frame = new TextFrame(text);
  }

  /**
   * @param codec the codec that most recipients are likely to speak
   * @throws WsError BAD_MESSAGE when the message has no JSON form
   */
  static of(message: unknown, codec: Codec): OutboundMessage {
    return new OutboundMessage(codec, encodeMessage(codec, message), () => message);
  }

  /** @param text as it stands in a frame for those who speak `pxl.v1` */
  static ofText(text: string): OutboundMessage {
    return new OutboundMessage(pxlCodec, text, () => JSON.parse(text));
  }

  frameFor(codec: Codec): TextFrame {
    if (codec === this.codec) return this.#frame;
    const frames = (this.#others ??= new Map<Codec, TextFrame>());
    let frame = frames.get(codec);
    if (!frame) frames.set(codec, (frame = new TextFrame(encodeMessage(codec, this.read()))));
    return frame;
  }
}
