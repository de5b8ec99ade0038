/** Parts the texts of a list: a byte that UTF-8 never has. PROTOCOL.md "Sealed lists". */
const SEPARATOR = 0xff;
/** Bytes of clear text in one list: sealed, and in the envelope of either codec, they are fewer than 16 KiB. */
const LIST_BYTES = 12_000;
/** Bytes up to which the last flush is kept for the next client. */
const KEPT_BYTES = 65_536;

/**
 * The clear text of encrypted frames, in UTF-8. What the clients of a room are sent in one turn is one array for all of them:
 * its clear text is made for the first one, and kept until another client is sent something else.
 */
export class ClearFrames {
  #texts: readonly string[] = [];
  #frames: readonly Buffer[] = [];

  /** @param write makes the clear text of one or more encrypted frames */
  constructor(private readonly write: (texts: readonly string[]) => readonly Buffer[]) {}

  /**
   * The clear text of the encrypted frames that are sent in the place of these.
   *
   * @param texts does not change any more
   */
  of(texts: readonly string[]): readonly Buffer[] {
    if (texts === this.#texts) return this.#frames;
    const frames = this.write(texts);
    const isKept = frames.reduce((sum, { length }) => sum + length, 0) <= KEPT_BYTES;
    this.#texts = isKept ? texts : [];
    this.#frames = isKept ? frames : [];
    return frames;
  }
}

/** One encrypted frame for each text. */
export function framesOfEach(texts: readonly string[]): readonly Buffer[] {
  return texts.map((text) => Buffer.from(text));
}

/** As many texts in each encrypted frame as have place in it. A text that is too long for any has one of its own. */
export function framesOfLists(texts: readonly string[]): readonly Buffer[] {
  const lists: Buffer[] = [];
  let begin = 0;
  let size = 0;
  texts.forEach((text, at) => {
    const length = Buffer.byteLength(text);
    if (at > begin && size + 1 + length > LIST_BYTES) {
      lists.push(listOf(texts, begin, at, size));
      begin = at;
    }
    size = at === begin ? length : size + 1 + length;
  });
  if (texts.length > 0) lists.push(listOf(texts, begin, texts.length, size));
  return lists;
}

function listOf(texts: readonly string[], begin: number, end: number, size: number): Buffer {
  const list = Buffer.allocUnsafe(size);
  let at = 0;
  for (let n = begin; n < end; n++) {
    if (n > begin) list[at++] = SEPARATOR;
    at += list.write(texts[n] ?? '', at);
  }
  return list;
}
