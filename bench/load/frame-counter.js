/** Counts the text and binary frames of a server as they end; reads headers only. */
export class FrameCounter {
  #header = Buffer.alloc(10);
  #headerBytes = 0;
  #payloadLeft = 0;
  #isMessage = false;

  /** How many messages end between `from` and `to`. */
  count(buffer, from, to) {
    let messages = 0;
    let at = from;
    while (at < to) {
      if (this.#payloadLeft === 0) {
        this.#header[this.#headerBytes++] = buffer[at++];
        if (!this.#readHeader()) continue;
      }
      const step = Math.min(this.#payloadLeft, to - at);
      this.#payloadLeft -= step;
      at += step;
      if (this.#payloadLeft === 0 && this.#isMessage) messages++;
    }
    return messages;
  }

  #readHeader() {
    if (this.#headerBytes < 2) return false;
    const short = this.#header[1] & 0x7f;
    const size = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (this.#headerBytes < size) return false;
    this.#headerBytes = 0;
    this.#isMessage = (this.#header[0] & 0x08) === 0;
    if (size === 2) this.#payloadLeft = short;
    else this.#payloadLeft = size === 4 ? this.#header.readUInt16BE(2) : Number(this.#header.readBigUInt64BE(2));
    return true;
  }
}
