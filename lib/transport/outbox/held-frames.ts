import type { SharedFrame } from '../../clients/session/client-outbox.interface.js';

interface Held {
  readonly frame: SharedFrame;
  readonly isVolatile: boolean;
  readonly conflate: string | undefined;
}

/** Frames that wait, in order, while their socket is over its byte budget. Of the volatile ones only the newest are kept. */
export class HeldFrames {
  /** Whether the outbox drops every new frame, since the policy `drop` was applied. */
  dropsAll = false;
  /** Called once the socket is back under its budget, or closed. */
  readonly released: (() => void)[] = [];
  readonly #frames = new Set<Held>();
  readonly #volatile = new Set<Held>();
  readonly #byKey = new Map<string, Held>();
  #bytes = 0;
  #volatileBytes = 0;

  /** @param volatileLimit bytes of volatile frames that are kept */
  constructor(private readonly volatileLimit: number) {}

  /** Bytes of all frames that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#frames.size === 0;
  }

  /**
   * Keeps a frame; returns how many older ones were dropped for it.
   *
   * @param conflate its key, if it has one; no other frame waits with this key
   */
  push(frame: SharedFrame, isVolatile: boolean, conflate?: string): number {
    const held = { frame, isVolatile, conflate };
    this.#frames.add(held);
    this.#bytes += frame.bytes.length;
    if (conflate !== undefined) this.#byKey.set(conflate, held);
    if (!isVolatile) return 0;
    this.#volatile.add(held);
    this.#volatileBytes += frame.bytes.length;
    let dropped = 0;
    for (const oldest of this.#volatile) {
      if (this.#volatileBytes <= this.volatileLimit) break;
      this.#drop(oldest);
      dropped++;
    }
    return dropped;
  }

  /** Removes the frame with this key; whether there was one. */
  remove(conflate: string): boolean {
    const held = this.#byKey.get(conflate);
    if (held) this.#drop(held);
    return held !== undefined;
  }

  /** Takes everything out. */
  take(): SharedFrame[] {
    const frames = Array.from(this.#frames, ({ frame }) => frame);
    for (const held of this.#frames) this.#drop(held);
    return frames;
  }

  #drop(held: Held): void {
    const { frame, isVolatile, conflate } = held;
    this.#frames.delete(held);
    this.#bytes -= frame.bytes.length;
    if (conflate !== undefined) this.#byKey.delete(conflate);
    if (!isVolatile) return;
    this.#volatile.delete(held);
    this.#volatileBytes -= frame.bytes.length;
  }
}
