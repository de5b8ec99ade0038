/** Takes a message. Must not throw. `payload` is a view of the read buffer: copy it to keep it for long. */
export type MessageListener = (channel: string, payload: Buffer) => void;

/**
 * The channels that this process subscribes to. Calls are counted per channel: each `want`, and each `acquire` that does not
 * reject, needs one `release`. Wanted channels are subscribed again after every loss of the connection.
 */
export interface ChannelSubscriptions {
  /**
   * Wants a channel and waits until it is live.
   *
   * @returns undefined when the channel is live already, otherwise a promise that resolves once it is. It rejects with
   * UNAVAILABLE at once while Redis is down or refuses the channel, and with TIMEOUT after 1 s. After a rejection the channel
   * is not wanted any more.
   */
  acquire(channel: string): Promise<void> | undefined;
  /** Wants a channel without waiting: it becomes live as soon as Redis is reachable and allows it. Never throws. */
  want(channel: string): void;
  /** Undoes one `acquire` or `want`. About a second after the last one the channel is unsubscribed, unless wanted again. */
  release(channel: string): void;
  /**
   * As `acquire`, for a pattern of constants and escaped text. No channel may match two patterns. A pattern stays wanted for
   * good.
   */
  acquirePattern(pattern: string): Promise<void> | undefined;
  /** As `want`, for such a pattern. */
  wantPattern(pattern: string): void;
  /** Whether messages to the channel arrive now. */
  isLive(channel: string): boolean;
  /** How many channels are wanted and how many are live. Channels stay live for a while after they were released. */
  readonly counts: { readonly wanted: number; readonly live: number };
}
