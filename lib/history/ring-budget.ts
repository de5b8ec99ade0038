import type { FrameRing } from './frame-ring.js';

/** Bytes that the rings of all rooms have together. */
const MOST = 16_777_216;

/** Bounds the bytes of all rings together: the rooms that were written to longest ago lose their oldest frames first. */
export class RingBudget {
  /** In the order of their last growth. */
  readonly #rings = new Map<FrameRing, number>();
  /** Rings that somebody is about to read. */
  readonly #pins = new Map<FrameRing, number>();
  #bytes = 0;

  /** Bytes of all rings. */
  get bytes(): number {
    return this.#bytes;
  }

  /** To be called when a ring has grown or shrunk. */
  note(ring: FrameRing): void {
    this.#bytes += ring.bytes - (this.#rings.get(ring) ?? 0);
    this.#rings.delete(ring);
    this.#rings.set(ring, ring.bytes);
    if (this.#bytes > MOST) this.#shrink();
  }

  /** The ring keeps what it has until `unpin`. */
  pin(ring: FrameRing): void {
    this.#pins.set(ring, (this.#pins.get(ring) ?? 0) + 1);
  }

  unpin(ring: FrameRing): void {
    const pins = (this.#pins.get(ring) ?? 1) - 1;
    if (pins > 0) this.#pins.set(ring, pins);
    else this.#pins.delete(ring);
    if (this.#bytes > MOST) this.#shrink();
  }

  remove(ring: FrameRing): void {
    this.#bytes -= this.#rings.get(ring) ?? 0;
    this.#rings.delete(ring);
  }

  #shrink(): void {
    for (const ring of this.#rings.keys()) {
      if (this.#pins.has(ring)) continue;
      while (this.#bytes > MOST) {
        const freed = ring.dropOldest();
        this.#bytes -= freed;
        if (freed === 0) break;
      }
      // Rings that are empty have no place in the order until they grow again.
      if (ring.bytes > 0) this.#rings.set(ring, ring.bytes);
      else this.#rings.delete(ring);
      if (this.#bytes <= MOST) return;
    }
  }
}
