import type { Runtime, RuntimeTimer } from '../../runtime/runtime.js';
import type { Backoff } from '../link/backoff.js';

/** Channels that were refused, and are all tried again together after a delay. */
export class RefusedChannels {
  readonly #channels = new Set<string>();
  #timer: RuntimeTimer | null = null;

  /**
   * @param delay the delays before the attempts
   * @param retry takes the channels that are to be tried again
   */
  constructor(
    private readonly runtime: Runtime,
    private readonly delay: Backoff,
    private readonly retry: (channels: string[]) => void,
  ) {}

  get isEmpty(): boolean {
    return this.#channels.size === 0;
  }

  has(channel: string): boolean {
    return this.#channels.has(channel);
  }

  /**
   * Adds a channel; it is tried again together with the others.
   *
   * @returns whether it is the first one
   */
  add(channel: string): boolean {
    this.#channels.add(channel);
    if (this.#timer) return false;
    this.#timer = this.runtime.timeout(this.delay.next(), () => {
      const channels = [...this.#channels];
      this.clear();
      this.retry(channels);
    });
    return true;
  }

  delete(channel: string): void {
    this.#channels.delete(channel);
  }

  /** All attempts were made: without new refusals the next delay is short again. */
  settle(): void {
    if (!this.#timer) this.delay.reset();
  }

  /** Forgets all channels, and tries none of them again. */
  clear(): void {
    this.#channels.clear();
    this.#timer?.cancel();
    this.#timer = null;
  }
}
