import type { SharedFrame } from '../../clients/session/client-outbox.interface.js';

/** Chains up to this size are joined into one buffer even for a single socket: cheaper than one write per frame. */
const JOIN_ALWAYS = 16_384;

/**
 * A chain of frames, named by its last one. Appending the same frame to the same chain gives the same object, so sockets
 * with the same pending frames share one chain, whose bytes are joined once for all of them.
 */
export class PendingFrames {
  readonly byteLength: number;
  /** How many frames it has. */
  readonly length: number;
  readonly #hasKeys: boolean;
  #next: PendingFrames | null = null;
  #newest: PendingFrames | null = null;
  #joined: Buffer | null = null;
  #texts: readonly string[] | null = null;
  #writers = 0;

  /** @param conflate see {@link FrameTerms} */
  constructor(
    private readonly previous: PendingFrames | null,
    private readonly frame: SharedFrame,
    readonly conflate?: string,
  ) {
    this.length = (previous?.length ?? 0) + 1;
    this.byteLength = (previous?.byteLength ?? 0) + frame.bytes.length;
    this.#hasKeys = conflate !== undefined || (previous !== null && previous.#hasKeys);
  }

  /** The chain with one more frame at its end. */
  append(frame: SharedFrame, conflate?: string): PendingFrames {
    if (this.#next?.frame !== frame || this.#next.conflate !== conflate) {
      this.#next = new PendingFrames(this, frame, conflate);
    }
    return this.#next;
  }

  /** The chain without the frames that a newer one with the same key makes needless; itself when there are none. */
  newest(): PendingFrames {
    return this.#hasKeys ? (this.#newest ??= this.#conflated()) : this;
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

  /** Looks for needless frames once for all of them: to look at each new frame would cost as much for every one. */
  #conflated(): PendingFrames {
    const lastOf = new Map<string, PendingFrames>();
    const nodes = this.#nodes();
    for (const node of nodes) if (node.conflate !== undefined) lastOf.set(node.conflate, node);
    const kept = nodes.filter((node) => node.conflate === undefined || lastOf.get(node.conflate) === node);
    if (kept.length === nodes.length) return this;
    let chain: PendingFrames | null = null;
    for (const { frame, conflate } of kept) chain = new PendingFrames(chain, frame, conflate);
    return chain ?? this;
  }

  #nodes(): PendingFrames[] {
    const nodes: PendingFrames[] = [this];
    for (let node = this.previous; node; node = node.previous) nodes.push(node);
    return nodes.reverse();
  }
}
