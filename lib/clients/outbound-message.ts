import { encodeMessage, isMessage } from './encode-message.js';
import type { Codec } from '../protocol/codec.interface.js';
import { CODECS } from '../protocol/codecs.js';
import { pxlCodec } from '../protocol/pxl.codec.js';
import { TextFrame } from './session/text-frame.js';

/** Bytes that a message for a room may have more: `,"room":,"offset":,"copy":""` with the longest offset and copy. */
const ROOM_MARKS = 60;
/** The same where the room keeps it: with the frame of a page that has this message alone. */
export const KEPT_MARKS = 512;

/** A message for many clients: encoded and framed once for each codec that one of them uses. */
export class OutboundMessage {
  readonly #frame: TextFrame;
  /** The frames of other codecs than the first; null until a recipient needs one. */
  #others: Map<Codec, TextFrame> | null = null;

  /**
   * @param read returns the message, to encode it for another codec
   * @param translate writes the text of another codec, where it does not follow from the message alone
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
   * @param codec the codec that most recipients are likely to use
   * @throws WsError BAD_MESSAGE when the message has no JSON form
   */
  static of(message: unknown, codec: Codec): OutboundMessage {
    return new OutboundMessage(codec, encodeMessage(codec, message), () => message);
  }

  /** @param text the text of a `pxl.v1` frame */
  static ofText(text: string): OutboundMessage {
    let whole: unknown;
    return new OutboundMessage(pxlCodec, text, () => (whole ??= JSON.parse(text)));
  }

  /** The message with the name of the room that it is sent to. A JSON value that is not a message stays as it is. */
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

  /**
   * The bytes of the longest frame text that a client may get of it: by either codec, with the longest of these names.
   *
   * @param marks what else a message for a room may have
   */
  bytesIn(roomNames: readonly string[], marks = ROOM_MARKS): number {
    const texts = Object.values(CODECS).map((codec) => this.frameFor(codec).text);
    const names = roomNames.map((roomName) => Buffer.byteLength(JSON.stringify(roomName)) + marks);
    return Math.max(...texts.map((text) => Buffer.byteLength(text))) + Math.max(0, ...names);
  }

  #write(codec: Codec): string {
    return this.translate ? this.translate(codec) : encodeMessage(codec, this.read());
  }
}

/** Adds the room to a text. A `toJSON` of the application may have made it something else than an object: then it stays. */
function addRoom(text: string, room: string): string {
  return !text.startsWith('{"') ? text : `${text.slice(0, -1)},"room":${JSON.stringify(room)}}`;
}

function replaceRoom(text: string, room: string): string {
  return !text.startsWith('{"') ? text : JSON.stringify({ ...(JSON.parse(text) as object), room });
}
