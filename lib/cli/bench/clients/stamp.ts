/** What a message of the tool says of itself: which one it is, and how late it was written. */
export interface Stamp {
  /** The number of its sender's stream: `Streams`. */
  readonly stream: number;
  /** The number of the message in it, from 0. */
  readonly number: number;
  /** From the moment for which it was planned until it was written, µs. */
  readonly lateness: number;
}

const NOTHING: Stamp = { stream: -1, number: -1, lateness: 0 };

/** Writes and reads the text by which a receiver knows a message of this run, wherever in a frame an application has put it. */
export class Stamps {
  readonly #mark: string;

  /** @param run letters and digits that no other run has: messages of others are not ours */
  constructor(run: string) {
    this.#mark = `pxl-bench-${run}:`;
  }

  /** A text of ASCII that needs no escapes in JSON; at most 64 characters, so that it can be the id of a request. */
  write(stream: number, number: number, lateness: number): string {
    return `${this.#mark}${stream}:${number}:${lateness};`;
  }

  /** The first stamp in a text; its stream is -1 where there is none. */
  read(text: string): Stamp {
    const start = text.indexOf(this.#mark);
    if (start < 0) return NOTHING;
    const from = start + this.#mark.length;
    const end = text.indexOf(';', from);
    const [stream = '', number = '', lateness = ''] = end < 0 ? [] : text.slice(from, end).split(':');
    return /^\d+$/.test(stream) && /^\d+$/.test(number) && /^\d+$/.test(lateness)
      ? { stream: Number(stream), number: Number(number), lateness: Number(lateness) }
      : NOTHING;
  }
}
