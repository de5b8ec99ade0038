import type { SharedFrame } from '../../clients/session/client-outbox.interface.js';

/** Chains up to this size are joined into one buffer even for a single socket: cheaper than one write per frame. */
const JOIN_ALWAYS = 16_384;

/**
 * A chain of frames, named by its last one. Appending the same frame to the same chain gives the same object, so sockets
 * with the same pending frames share one chain, whose bytes are joined once for all of them.
 */
export class PendingFrames {
  readonly byteLength: number;
  /** Whether this frame has taken the place of one with the same key. */
  readonly isReplacing: boolean;
  #next: PendingFrames | null = null;
  #joined: Buffer | null = null;
  #texts: readonly string[] | null = null;
  #writers = 0;

  /** @param conflate see {@link FrameTerms} */
  constructor(
    private readonly previous: PendingFrames | null,
    private readonly frame: SharedFrame,
    private readonly conflate?: string,
    isReplacing = false,
  ) {
    this.isReplacing = isReplacing;
    this.byteLength = (previous?.byteLength ?? 0) + frame.bytes.length;
  }

  /** The chain with one more frame at its end, in place of the one that waits with the same key. */
  append(frame: SharedFrame, conflate?: string): PendingFrames {
    if (this.#next?.frame !== frame) {
      const before = conflate === undefined ? this : this.#without(conflate);
      this.#next = new PendingFrames(before, frame, conflate, before !== this);
    }
    return this.#next;
  }

  /**
   * What a socket writes: one buffer where joining is worth it (the chain is short, or another socket has written it
   * before), else the single frames.
   */
  chunks(): Buffer | Buffer[] {
    if (!this.previous) return this.frame.bytes;
    if (this.#joined) return this.#joined;
    if (this.byteLength > JOIN_ALWAYS && this.#writers++ === 0) return this.#nodes().map(({ frame }) => frame.bytes);
    return (this.#joined = Buffer.concat(
      this.#nodes().map(({ frame }) => frame.bytes),
      this.byteLength,
    ));
  }

  texts(): readonly string[] {
    return (this.#texts ??= this.#nodes().map(({ frame }) => frame.text));
  }

  /** The chain without the frame with this key; itself when there is none. */
  #without(conflate: string): PendingFrames | null {
    const nodes = this.#nodes();
    const at = nodes.findIndex((node) => node.conflate === conflate);
    if (at < 0) return this;
    return nodes
      .slice(at + 1)
      .reduce<PendingFrames | null>(
        (chain, { frame, conflate: key }) => new PendingFrames(chain, frame, key),
        nodes[at]?.previous ?? null,
      );
  }

  #nodes(): PendingFrames[] {
    const nodes: PendingFrames[] = [this];
    for (let node = this.previous; node; node = node.previous) nodes.push(node);
    return nodes.reverse();
  }
}
