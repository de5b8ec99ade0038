/** Hears a message. Must not throw. `payload` is a view of what was read: what keeps it for long copies it. */
export type MessageListener = (channel: string, payload: Buffer) => void;

/**
 * The channels that this process hears. Calls are counted per channel: each `want`, and each `acquire` that does not
 * reject, is undone by one `release`. What is wanted is subscribed again by itself after every loss of the connection.
 */
export interface ChannelSubscriptions {
  /**
   * Wants a channel, and waits for it.
   *
   * @returns undefined when the channel is live already; else a promise that resolves once it is. It rejects with
   * UNAVAILABLE at once while Redis is down or when Redis refuses the channel, and with TIMEOUT when it is not live within
   * 1 s; the channel is not wanted any more then.
   */
  acquire(channel: string): Promise<void> | undefined;
  /** Wants a channel and waits for nothing: it is live as soon as Redis is there and allows it. Never throws. */
  want(channel: string): void;
  /** Gives up one `acquire` or `want`. The last one unsubscribes about a second later, unless the channel is wanted again. */
  release(channel: string): void;
  /**
   * As `acquire` for a pattern, made of constants and escaped text, that fits no channel which another pattern fits. Stays
   * wanted for good.
   */
  acquirePattern(pattern: string): Promise<void> | undefined;
  /** As `want` for such a pattern. */
  wantPattern(pattern: string): void;
  /** Whether messages to the channel are heard now. */
  isLive(channel: string): boolean;
  /** How many channels are wanted, and how many are live: those that nobody wants any more stay so for a while. */
  readonly counts: { readonly wanted: number; readonly live: number };
}
