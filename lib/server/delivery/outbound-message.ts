import { encodeMessage } from '../../clients/encode-message.js';
import type { Codec } from '../../protocol/codec.interface.js';
import { pxlCodec } from '../../protocol/pxl.codec.js';
import { TextFrame } from '../../transport/outbox/text-frame.js';

/** A message on its way to many clients: encoded and framed once per codec that one of them speaks. */
export class OutboundMessage {
  readonly #frame: TextFrame;
  /** Made when a recipient speaks another codec than the first. */
  #others: Map<Codec, TextFrame> | null = null;

  /**
   * @param read what the text says, for those who speak another codec
   * @param translate how it is written in another codec, where that is not by what it says
   */
  private constructor(
    private readonly codec: Codec,
    text: string,
    private readonly read: () => unknown,
    private readonly translate: ((codec: Codec) => string) | null = null,
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
    let whole: unknown;
    return new OutboundMessage(pxlCodec, text, () => (whole ??= JSON.parse(text)));
  }

  /** The message with the room that it is sent to; itself where it is a value without a name. */
  inRoom(roomName: string): OutboundMessage {
    const whole = this.read();
    if (!isMessage(whole)) return this;
    const name = 'room' in whole ? replaceRoom : addRoom;
    const named = (codec: Codec): string => name(this.frameFor(codec).text, roomName);
    return new OutboundMessage(this.codec, named(this.codec), this.read, named);
  }

  frameFor(codec: Codec): TextFrame {
    if (codec === this.codec) return this.#frame;
    const frames = (this.#others ??= new Map<Codec, TextFrame>());
    let frame = frames.get(codec);
    if (!frame) frames.set(codec, (frame = new TextFrame(this.#write(codec))));
    return frame;
  }

  #write(codec: Codec): string {
    return this.translate ? this.translate(codec) : encodeMessage(codec, this.read());
  }
}

/** Whether that is a message of either shape, and no other JSON value. */
function isMessage(whole: unknown): whole is object {
  if (typeof whole !== 'object' || whole === null) return false;
  const { type, action, event } = whole as Record<string, unknown>;
  return type === undefined ? typeof event === 'string' : typeof type === 'string' && typeof action === 'string';
}

/** A `toJSON` of the application's may have made anything of its message. */
function addRoom(text: string, room: string): string {
  return !text.startsWith('{"') ? text : `${text.slice(0, -1)},"room":${JSON.stringify(room)}}`;
}

function replaceRoom(text: string, room: string): string {
  return !text.startsWith('{"') ? text : JSON.stringify({ ...(JSON.parse(text) as object), room });
}
