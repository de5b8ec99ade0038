/** By which of two connections that hear the same a message has come. */
type Way = 'old' | 'new';

/**
 * Takes one copy of each message that comes by two connections, whichever is the first. Equal messages are counted, so that
 * what was published twice is taken twice. For the short time in which one connection takes the place of the other.
 */
export class DoubledMessages {
  /** How many more of a message have come by the old way than by the new one. */
  readonly #leads = new Map<string, number>();

  /** Whether this is a message of its own, not the copy of one that has come by the other way. */
  isFirst(way: Way, channel: string, payload: Buffer): boolean {
    const key = `${channel}\n${payload.toString('latin1')}`;
    const lead = this.#leads.get(key) ?? 0;
    const step = way === 'old' ? 1 : -1;
    if (lead + step === 0) this.#leads.delete(key);
    else this.#leads.set(key, lead + step);
    return lead * step >= 0;
  }
}
