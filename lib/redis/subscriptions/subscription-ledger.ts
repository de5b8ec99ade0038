/** What to tell Redis next. */
export interface SubscriptionBatch {
  readonly verb: 'subscribe' | 'unsubscribe';
  readonly channels: readonly string[];
}

/** The books of a connection's subscriptions: what is wanted, what is live, and so what is to be done. Knows no Redis. */
export class SubscriptionLedger {
  readonly #wanted = new Map<string, number>();
  /** Confirmed, and not about to be unsubscribed. */
  readonly #live = new Set<string>();
  /** Wanted and to be subscribed: not live, or in doubt. */
  readonly #missing = new Set<string>();
  /** Not wanted, and to be unsubscribed: live, or in doubt. */
  readonly #unneeded = new Set<string>();

  get counts(): { readonly wanted: number; readonly live: number } {
    return { wanted: this.#wanted.size, live: this.#live.size };
  }

  isLive(channel: string): boolean {
    return this.#live.has(channel);
  }

  /** Wants the channel once more. */
  want(channel: string): void {
    const count = this.#wanted.get(channel) ?? 0;
    this.#wanted.set(channel, count + 1);
    if (count > 0) return;
    this.#unneeded.delete(channel);
    if (!this.#live.has(channel)) this.#missing.add(channel);
  }

  /**
   * Wants the channel once less.
   *
   * @returns whether nobody wants it now
   */
  release(channel: string): boolean {
    const count = this.#wanted.get(channel) ?? 0;
    if (count > 1) this.#wanted.set(channel, count - 1);
    if (count !== 1) return false;
    this.#wanted.delete(channel);
    this.#missing.delete(channel);
    return true;
  }

  /** Unsubscribes what nobody wants of the channels. */
  drop(channels: Iterable<string>): void {
    for (const channel of channels) {
      if (this.#live.has(channel) && !this.#wanted.has(channel)) this.#unneeded.add(channel);
    }
  }

  /** The next batch of at most so many channels: what is unsubscribed is not live any more. */
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

  /** Redis confirmed the subscriptions. */
  confirm(channels: readonly string[]): void {
    for (const channel of channels) {
      this.#live.add(channel);
      this.#missing.delete(channel);
    }
    this.drop(channels);
  }

  /** Subscribes what is still wanted of the channels, again. */
  retry(channels: Iterable<string>): void {
    for (const channel of channels) {
      if (this.#wanted.has(channel) && !this.#live.has(channel)) this.#missing.add(channel);
    }
  }

  /**
   * Redis has ended some subscriptions, nobody knows which: what is live is subscribed again, which does no harm. What
   * nobody wants is given up at once: wanted again, it must not be taken for live.
   */
  doubt(): void {
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

  /** The connection is another one: nothing is live any more. */
  reset(): void {
    this.#live.clear();
    this.#unneeded.clear();
    this.retry(this.#wanted.keys());
  }
}
