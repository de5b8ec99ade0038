import { Exclusion } from '../clients/exclusion.js';
import type { SharedFrame } from '../clients/session/client-outbox.interface.js';
import { TextFrame } from '../clients/session/text-frame.js';
import { encodeMessage } from '../clients/encode-message.js';
import type { Codec } from '../protocol/codec.interface.js';
import { pxlCodec } from '../protocol/pxl.codec.js';
import type { WsNumberedMessage } from './room-store.interface.js';

/** A numbered message as frames: made once for each codec that a member uses. */
export class NumberedMessage {
  /** Who does not get it; undefined: everybody gets it. */
  readonly exclusion: Exclusion | undefined;
  #codec: Codec | null = null;
  #frame: SharedFrame | null = null;
  /** The frames of other codecs than the first; null until a member needs one. */
  #others: Map<Codec, SharedFrame> | null = null;

  /** @param roomText the room's name as JSON */
  constructor(
    private readonly message: WsNumberedMessage,
    private readonly roomText: string,
    readonly offset: number,
  ) {
    this.exclusion = Exclusion.of(message);
  }

  frameFor(codec: Codec): SharedFrame {
    if (this.#frame && codec === this.#codec) return this.#frame;
    if (!this.#frame) {
      this.#codec = codec;
      return (this.#frame = new TextFrame(this.#textFor(codec)));
    }
    const others = (this.#others ??= new Map<Codec, SharedFrame>());
    let frame = others.get(codec);
    if (!frame) others.set(codec, (frame = new TextFrame(this.#textFor(codec))));
    return frame;
  }

  #textFor(codec: Codec): string {
    const { text, copy } = this.message;
    const own = codec === pxlCodec ? text : encodeMessage(codec, JSON.parse(text));
    const marks = `"room":${this.roomText},"offset":${this.offset}`;
    // The text is that of an object, and has none of these fields: that was checked when it was sent.
    return `${own.slice(0, -1)},${marks}${copy === undefined ? '' : `,"copy":${JSON.stringify(copy)}`}}`;
  }
}

/** The frame of a numbered message for another codec than the one that it was framed for. */
export function translateFrame({ text }: SharedFrame, codec: Codec): SharedFrame {
  const { room, offset, copy, ...message } = JSON.parse(text) as Record<string, unknown>;
  const marks = JSON.stringify({ room, offset, copy });
  return new TextFrame(`${encodeMessage(codec, message).slice(0, -1)},${marks.slice(1)}`);
}
