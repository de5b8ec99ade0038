import { textOfFrame } from '../../clients/session/text-frame.js';

/** Chains up to this size are joined into one buffer even for a single socket: cheaper than one write per frame. */
const JOIN_ALWAYS = 16_384;

/**
 * A chain of frames, named by its last one. Appending the same frame to the same chain gives the same object, so sockets
 * with the same pending frames share one chain, whose bytes are joined once for all of them.
 */
export class PendingFrames {
  readonly byteLength: number;
  #next: PendingFrames | null = null;
  #joined: Buffer | null = null;
  #writers = 0;

  constructor(
    private readonly previous: PendingFrames | null,
    private readonly frame: Buffer,
  ) {
    this.byteLength = (previous?.byteLength ?? 0) + frame.length;
  }

  append(frame: Buffer): PendingFrames {
    if (this.#next?.frame !== frame) this.#next = new PendingFrames(this, frame);
    return this.#next;
  }

  /**
   * What a socket writes: one buffer where joining is worth it (the chain is short, or another socket has written it
   * before), else the single frames.
   */
  chunks(): Buffer | Buffer[] {
    if (!this.previous) return this.frame;
    if (this.#joined) return this.#joined;
    if (this.byteLength > JOIN_ALWAYS && this.#writers++ === 0) return this.#list();
    return (this.#joined = Buffer.concat(this.#list(), this.byteLength));
  }

  texts(): string[] {
    return this.#list().map(textOfFrame);
  }

  #list(): Buffer[] {
    const frames = [this.frame];
    for (let node = this.previous; node; node = node.previous) frames.push(node.frame);
    return frames.reverse();
  }
}
