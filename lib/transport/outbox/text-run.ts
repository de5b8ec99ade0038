import { frameHeader, frameSize, writeFrame } from '../../clients/session/text-frame.js';

/** Texts for one socket alone, framed together into the one piece that is written. */
export class TextRun {
  readonly #texts: string[] = [];
  /** Where the texts with a key are; null without any. */
  #keys: (string | undefined)[] | null = null;
  #byteLength = 0;
  /** Whether each character of the texts is one byte in UTF-8. */
  #isAscii = true;

  /** Bytes of all frames together. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** How many frames it has. */
  get length(): number {
    return this.#texts.length;
  }

  /**
   * @param conflate see {@link FrameTerms}
   * @returns whether it has taken the place of a text with the same key
   */
  add(text: string, conflate?: string): boolean {
    const isReplacing = conflate !== undefined && this.#remove(conflate);
    const length = Buffer.byteLength(text);
    if (length !== text.length) this.#isAscii = false;
    if (conflate !== undefined) (this.#keys ??= [])[this.#texts.length] = conflate;
    this.#texts.push(text);
    this.#byteLength += frameSize(length);
    return isReplacing;
  }

  texts(): readonly string[] {
    return this.#texts;
  }

  /** The frames as a string with one character for each byte (latin1); null where a text is not ASCII. */
  latin1(): string | null {
    if (!this.#isAscii) return null;
    let frames = '';
    for (const text of this.#texts) frames += frameHeader(text.length) + text;
    return frames;
  }

  chunks(): Buffer {
    const buffer = Buffer.allocUnsafe(this.#byteLength);
    let at = 0;
    for (const text of this.#texts) at = writeFrame(buffer, at, text, Buffer.byteLength(text));
    return buffer;
  }

  #remove(conflate: string): boolean {
    const at = this.#keys?.indexOf(conflate) ?? -1;
    if (at < 0) return false;
    this.#keys?.splice(at, 1);
    const [text = ''] = this.#texts.splice(at, 1);
    this.#byteLength -= frameSize(Buffer.byteLength(text));
    return true;
  }
}
