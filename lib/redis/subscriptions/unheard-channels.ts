import type { Runtime } from '../../runtime/runtime.js';
import { Deadlines } from '../link/deadlines.js';
import { SETTLING } from '../topology/slot-map.js';

/**
 * Sharded channels whose slot has moved, and that are not live at any node at present. Publishers take the detour for such
 * channels, but only for a limited time; after half of it the channel counts as a gap.
 */
export class UnheardChannels {
  readonly #waiting: Deadlines<string>;
  readonly #overdue = new Set<string>();
  #gaps = 0;

  /** @param changed called when channels have become overdue, or when an overdue one is live again */
  constructor(
    runtime: Runtime,
    private readonly changed: () => void,
  ) {
    this.#waiting = new Deadlines(runtime, SETTLING / 2, (channels) => {
      this.#gaps += channels.length;
      for (const channel of channels) this.#overdue.add(channel);
      this.changed();
    });
  }

  /** How often a channel was not live for so long that messages may be lost. */
  get gaps(): number {
    return this.#gaps;
  }

  get hasOverdue(): boolean {
    return this.#overdue.size > 0;
  }

  add(channel: string): void {
    if (!this.#overdue.has(channel)) this.#waiting.add(channel);
  }

  /** The channel is live again, or no longer wanted. */
  delete(channel: string): void {
    this.#waiting.delete(channel);
    if (this.#overdue.delete(channel)) this.changed();
  }

  stop(): void {
    this.#waiting.takeAll();
  }
}
