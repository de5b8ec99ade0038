/** Which of one sender's numbered messages (0, 1, 2, …) one receiver has got. */
export class Receipts {
  #next = 0;
  /** One bit for each number. */
  #bits = new Uint32Array(1);

  /**
   * Notes that a message has come.
   *
   * @returns how many more are missing by now: 0 for the next one, `n` where it has left out `n`, -1 where it is one of those that
   * others have overtaken; null for one that had come before
   */
  take(number: number): number | null {
    const word = number >>> 5;
    const bit = 1 << (number & 31);
    if (word >= this.#bits.length) this.#grow(word + 1);
    const bits = this.#bits[word] ?? 0;
    if (bits & bit) return null;
    this.#bits[word] = bits | bit;
    if (number < this.#next) return -1;
    const leftOut = number - this.#next;
    this.#next = number + 1;
    return leftOut;
  }

  has(number: number): boolean {
    return ((this.#bits[number >>> 5] ?? 0) & (1 << (number & 31))) !== 0;
  }

  #grow(words: number): void {
    const bits = new Uint32Array(Math.max(words, 2 * this.#bits.length));
    bits.set(this.#bits);
    this.#bits = bits;
  }
}
