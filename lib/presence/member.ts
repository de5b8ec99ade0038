import type { PresentMember } from './room-presence.interface.js';
import type { PresenceEntry } from './presence-entry.js';

/** What members are told of a member: its JSON text without the number of its connections, which only lists have. */
export interface ToldMember {
  readonly text: string;
  readonly clients: number;
}

/** One member of a room: the entries of a user's clients, or that of a single client, folded into what the others see. */
export class Member implements ToldMember {
  /** Mostly one, so that a list costs less than a map. */
  #entries: readonly PresenceEntry[] = [];
  #text: string | null = null;

  /** @param isUser whether the member is a user, and not a single client */
  constructor(private readonly isUser: boolean) {}

  get size(): number {
    return this.#entries.length;
  }

  get clients(): number {
    let clients = 0;
    for (const { until } of this.#entries) if (until === undefined) clients++;
    return clients;
  }

  /** Since when the member is there, in ms. */
  get joinedAt(): number {
    return this.#entries.reduce((first, { shared }) => Math.min(first, shared.joinedAt), Infinity);
  }

  get text(): string {
    return (this.#text ??= JSON.stringify(this.#fold()));
  }

  get state(): unknown {
    const entries = this.#entries.filter(({ shared }) => shared.stateAt !== undefined);
    return latest(entries, ({ shared }) => shared.stateAt ?? 0)?.shared.state;
  }

  set(entry: PresenceEntry): void {
    this.delete(entry.clientId);
    this.#entries = [...this.#entries, entry];
  }

  delete(clientId: string): void {
    this.#entries = this.#entries.filter((entry) => entry.clientId !== clientId);
    this.#text = null;
  }

  /** The entry of a lost connection whose place the next client of the member takes: the one that is lost last. */
  get absent(): PresenceEntry | undefined {
    let latest: PresenceEntry | undefined;
    for (const entry of this.#entries) {
      if (entry.until !== undefined && entry.until > (latest?.until ?? 0)) latest = entry;
    }
    return latest;
  }

  describe(): PresentMember {
    const present = this.#entries.filter(({ until }) => until === undefined);
    return { ...this.#fold(), clients: present.length, clientIds: present.map(({ clientId }) => clientId) };
  }

  #fold(): Omit<PresentMember, 'clients' | 'clientIds'> {
    const entries = this.#entries;
    const [first] = entries;
    const described = (has: (entry: PresenceEntry) => unknown): PresenceEntry | undefined =>
      latest(entries.filter(has), ({ shared }) => shared.describedAt ?? shared.joinedAt);
    return {
      userId: first?.userId,
      clientId: this.isUser ? undefined : first && memberIdOf(first),
      username: described(({ username }) => username !== undefined)?.username,
      profile: described(({ shared }) => shared.profile)?.shared.profile,
      state: this.state ?? undefined,
      joinedAt: new Date(this.joinedAt).toISOString(),
    };
  }
}

/** The id by which members know a client that is a member by itself. */
export function memberIdOf({ clientId, shared }: PresenceEntry): string {
  return shared.memberId ?? clientId;
}

/** The entry with the latest time; of several, by the ids of their clients, so that all workers choose the same. */
function latest(
  entries: readonly PresenceEntry[],
  timeOf: (entry: PresenceEntry) => number,
): PresenceEntry | undefined {
  let best: PresenceEntry | undefined;
  for (const entry of entries) {
    if (!best || timeOf(entry) > timeOf(best) || (timeOf(entry) === timeOf(best) && entry.clientId > best.clientId)) {
      best = entry;
    }
  }
  return best;
}
