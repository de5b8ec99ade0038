/** Which of two connections delivered a message. */
type Way = 'old' | 'new';

/**
 * Takes one copy of each message that two connections deliver, while one of them replaces the other. Equal messages are
 * counted, so that a text that was published twice is taken twice.
 */
export class ConnectionCopies {
  /** How many more copies of a message came by the old connection than by the new one. */
  readonly #leads = new Map<string, number>();

  /** Whether this is a new message, and not the copy of one that came by the other connection. */
  isFirst(way: Way, channel: string, payload: Buffer): boolean {
    const key = `${channel}\n${payload.toString('latin1')}`;
    const lead = this.#leads.get(key) ?? 0;
    const step = way === 'old' ? 1 : -1;
    if (lead + step === 0) this.#leads.delete(key);
    else this.#leads.set(key, lead + step);
    return lead * step >= 0;
  }
}

/**
 * Takes one copy of each message that comes by a channel and by a pattern. Redis sends the copy by the pattern directly
 * after the one by the channel.
 */
export class PatternCopies {
  /** The channel of the last message, unless that came by a pattern. */
  #lastChannel: string | null = null;

  /** A message came by its channel. */
  byChannel(channel: string): void {
    this.#lastChannel = channel;
  }

  /** A message came by a pattern. Returns whether it is new. */
  byPattern(channel: string): boolean {
    const isFirst = channel !== this.#lastChannel;
    this.#lastChannel = null;
    return isFirst;
  }

  /** The next message is not the copy of an earlier one. */
  reset(): void {
    this.#lastChannel = null;
  }
}
