import { frameSize, writeFrame } from '../../clients/session/text-frame.js';

/** Texts for one socket alone, framed together into the one buffer that is written. */
export class TextRun {
  readonly #texts: string[] = [];
  readonly #lengths: number[] = [];
  #byteLength = 0;

  /** Bytes of all frames together. */
  get byteLength(): number {
    return this.#byteLength;
  }

  add(text: string): void {
    const length = Buffer.byteLength(text);
    this.#texts.push(text);
    this.#lengths.push(length);
    this.#byteLength += frameSize(length);
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
}
