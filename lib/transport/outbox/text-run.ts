import { frameSize, writeFrame } from '../../clients/session/text-frame.js';

/** Texts for one socket alone, framed together into the one buffer that is written. */
export class TextRun {
  readonly #texts: string[] = [];
  readonly #lengths: number[] = [];
  /** Where the texts with a key are; null without any. */
  #keys: (string | undefined)[] | null = null;
  #byteLength = 0;

  /** Bytes of all frames together. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /**
   * @param conflate see {@link FrameTerms}
   * @returns whether it has taken the place of a text with the same key
   */
  add(text: string, conflate?: string): boolean {
    const isReplacing = conflate !== undefined && this.#remove(conflate);
    const length = Buffer.byteLength(text);
    if (conflate !== undefined) (this.#keys ??= [])[this.#texts.length] = conflate;
    this.#texts.push(text);
    this.#lengths.push(length);
    this.#byteLength += frameSize(length);
    return isReplacing;
  }

  texts(): readonly string[] {
    return this.#texts;
  }

  chunks(): Buffer {
    const buffer = Buffer.allocUnsafe(this.#byteLength);
    let at = 0;
    for (let n = 0; n < this.#texts.length; n++)
      at = writeFrame(buffer, at, this.#texts[n] ?? '', this.#lengths[n] ?? 0);
    return buffer;
  }

  #remove(conflate: string): boolean {
    const at = this.#keys?.indexOf(conflate) ?? -1;
    if (at < 0) return false;
    this.#keys?.splice(at, 1);
    this.#texts.splice(at, 1);
    const [length = 0] = this.#lengths.splice(at, 1);
    this.#byteLength -= frameSize(length);
    return true;
  }
}
