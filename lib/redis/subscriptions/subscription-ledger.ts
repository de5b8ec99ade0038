/** The channels of the next command. */
export interface SubscriptionBatch {
  readonly verb: 'subscribe' | 'unsubscribe';
  readonly channels: readonly string[];
}

/** The bookkeeping of a connection's subscriptions: which channels are wanted, which are live, and what has to change. */
export class SubscriptionLedger {
  readonly #wanted = new Map<string, number>();
  /** Confirmed by Redis, and not being unsubscribed. */
  readonly #live = new Set<string>();
  /** Wanted channels that have to be subscribed: not live, or suspect. */
  readonly #missing = new Set<string>();
  /** Unwanted channels that have to be unsubscribed: live, or suspect. */
  readonly #unneeded = new Set<string>();

  get counts(): { readonly wanted: number; readonly live: number } {
    return { wanted: this.#wanted.size, live: this.#live.size };
  }

  isLive(channel: string): boolean {
    return this.#live.has(channel);
  }

  /** Counts one more holder of the channel. */
  want(channel: string): void {
    const count = this.#wanted.get(channel) ?? 0;
    this.#wanted.set(channel, count + 1);
    if (count > 0) return;
    this.#unneeded.delete(channel);
    if (!this.#live.has(channel)) this.#missing.add(channel);
  }

  /**
   * Counts one holder less.
   *
   * @returns whether that was the last one
   */
  release(channel: string): boolean {
    const count = this.#wanted.get(channel) ?? 0;
    if (count > 1) this.#wanted.set(channel, count - 1);
    if (count !== 1) return false;
    this.#wanted.delete(channel);
    this.#missing.delete(channel);
    return true;
  }

  /** Unsubscribes those of the channels that are not wanted. */
  drop(channels: Iterable<string>): void {
    for (const channel of channels) {
      if (this.#live.has(channel) && !this.#wanted.has(channel)) this.#unneeded.add(channel);
    }
  }

  /** The next batch of at most `most` channels. Channels that are to be unsubscribed are not live any more. */
  next(most: number): SubscriptionBatch | null {
    const isMissing = this.#missing.size > 0;
    const due = isMissing ? this.#missing : this.#unneeded;
    const channels: string[] = [];
    for (const channel of due) {
      if (channels.length === most) break;
      channels.push(channel);
      due.delete(channel);
      if (!isMissing) this.#live.delete(channel);
    }
    return channels.length === 0 ? null : { verb: isMissing ? 'subscribe' : 'unsubscribe', channels };
  }

  /** Redis has confirmed the subscriptions. */
  confirm(channels: readonly string[]): void {
    for (const channel of channels) {
      this.#live.add(channel);
      this.#missing.delete(channel);
    }
    this.drop(channels);
  }

  /** Subscribes those of the channels again that are still wanted. */
  retry(channels: Iterable<string>): void {
    for (const channel of channels) {
      if (this.#wanted.has(channel) && !this.#live.has(channel)) this.#missing.add(channel);
    }
  }

  /**
   * Redis has ended some subscriptions without saying which. All wanted channels are subscribed again, which does no harm, and
   * count as live meanwhile. Unwanted channels are unsubscribed at once: wanted again, they must not count as live.
   */
  suspect(): void {
    for (const channel of this.#live) {
      if (this.#wanted.has(channel)) {
        this.#missing.add(channel);
      } else {
        this.#live.delete(channel);
        this.#unneeded.add(channel);
      }
    }
  }

  /**
   * Redis has refused a subscription.
   *
   * @returns whether the channel had been live
   */
  lose(channel: string): boolean {
    this.#unneeded.delete(channel);
    return this.#live.delete(channel);
  }

  /** A new connection: no channel is live any more. */
  reset(): void {
    this.#live.clear();
    this.#unneeded.clear();
    this.retry(this.#wanted.keys());
  }
}
