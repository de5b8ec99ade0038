import type { SharedFrame } from '../../clients/session/client-outbox.interface.js';

interface Held {
  readonly frame: SharedFrame;
  readonly isVolatile: boolean;
}

/** Frames that wait, in order, while their socket is over its byte budget. Of the volatile ones only the newest are kept. */
export class HeldFrames {
  /** Whether the outbox drops every new frame, since the policy `drop` was applied. */
  dropsAll = false;
  /** Called once the socket is back under its budget, or closed. */
  readonly released: (() => void)[] = [];
  #frames: Held[] = [];
  #bytes = 0;
  #volatileBytes = 0;

  /** @param volatileLimit bytes of volatile frames that are kept */
  constructor(private readonly volatileLimit: number) {}

  /** Bytes of all frames that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#frames.length === 0;
  }

  /** Keeps a frame; returns how many older ones were dropped for it. */
  push(frame: SharedFrame, isVolatile: boolean): number {
    this.#frames.push({ frame, isVolatile });
    this.#bytes += frame.bytes.length;
    if (isVolatile) this.#volatileBytes += frame.bytes.length;
    let dropped = 0;
    while (this.#volatileBytes > this.volatileLimit) {
      const [oldest] = this.#frames.splice(
        this.#frames.findIndex((held) => held.isVolatile),
        1,
      );
      if (!oldest) break;
      this.#bytes -= oldest.frame.bytes.length;
      this.#volatileBytes -= oldest.frame.bytes.length;
      dropped++;
    }
    return dropped;
  }

  /** Takes everything out. */
  take(): SharedFrame[] {
    const frames = this.#frames.map(({ frame }) => frame);
    this.#frames = [];
    this.#bytes = 0;
    this.#volatileBytes = 0;
    return frames;
  }
}
