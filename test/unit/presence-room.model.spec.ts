import { describe, expect, it } from '@jest/globals';
import type { WsMember, WsPresencePush } from 'nestjs-pxl-websocket';
import type { WsPresenceRules } from '../../lib/options/rooms/presence.options.js';
import type { PresenceEntry, SharedPresence } from '../../lib/presence/presence-entry.js';
import { PresenceRoom } from '../../lib/presence/presence-room.js';
import { SeededRandom } from '../support/seeded-random.js';

const SEEDS = Number(process.env.PXL_STORIES ?? 12);
const FIRST = Number(process.env.PXL_SEED ?? 1);
const STEPS = 300;

type List = Pick<WsPresencePush, 'members' | 'count' | 'partial'>;

/** What a client that was told a list knows, as it applies what follows. Throws where an order rule is broken. */
class Watcher {
  readonly #members = new Map<string, WsMember>();
  #isBig: boolean;
  count: number;

  constructor(list: List) {
    this.#isBig = list.partial === true;
    this.count = list.count;
    this.#set(list.members ?? []);
  }

  take({ joined = [], left = [], updated = [], members, count, partial }: Omit<WsPresencePush, 'roomName'>): void {
    this.count = count;
    if (partial || members) {
      this.#isBig = partial === true;
      this.#set(members ?? []);
      return;
    }
    expect(this.#isBig).toBe(false);
    const ids = [...joined, ...left, ...updated].map(idOf);
    expect(new Set(ids).size).toBe(ids.length);
    for (const member of joined) expect(this.#members.has(idOf(member))).toBe(false);
    for (const member of [...left, ...updated]) expect(this.#members.has(idOf(member))).toBe(true);
    for (const member of left) expect(this.#members.get(idOf(member))).toEqual(member);
    for (const member of updated) expect(this.#members.get(idOf(member))).not.toEqual(member);
    for (const member of [...joined, ...updated]) this.#members.set(idOf(member), member);
    for (const member of left) this.#members.delete(idOf(member));
  }

  /** Undefined: only the count is known. */
  get members(): Map<string, WsMember> | undefined {
    return this.#isBig ? undefined : this.#members;
  }

  #set(members: readonly WsMember[]): void {
    this.#members.clear();
    for (const member of members) this.#members.set(idOf(member), shown(member));
  }
}

/** The entries as a list: who is in the room follows from it in the plainest way. */
class Truth {
  readonly entries = new Map<string, PresenceEntry>();
  readonly gone = new Set<string>();

  constructor(private readonly by: WsPresenceRules['by']) {}

  get members(): Map<string, WsMember> {
    const groups = new Map<string, PresenceEntry[]>();
    const taken = new Set([...this.entries.values()].flatMap(({ shared }) => shared.took ?? []));
    for (const entry of this.entries.values()) {
      if (taken.has(entry.clientId) || this.gone.has(entry.clientId)) continue;
      const isUser = this.by === 'user' && entry.userId !== undefined;
      const id = isUser ? `user ${entry.userId}` : `client ${entry.shared.memberId ?? entry.clientId}`;
      groups.set(id, [...(groups.get(id) ?? []), entry]);
    }
    return new Map([...groups].map(([id, entries]) => [id, this.#fold(entries, id.startsWith('user '))]));
  }

  #fold(entries: PresenceEntry[], isUser: boolean): WsMember {
    const newest = (time: (shared: SharedPresence) => number | undefined): PresenceEntry[] =>
      entries
        .filter(({ shared }) => time(shared) !== undefined)
        .sort((a, b) => time(b.shared)! - time(a.shared)! || (a.clientId < b.clientId ? 1 : -1));
    const described = newest(({ describedAt, joinedAt }) => describedAt ?? joinedAt);
    const joinedAt = Math.min(...entries.map(({ shared }) => shared.joinedAt));
    return plain({
      userId: entries[0]!.userId,
      clientId: isUser ? undefined : (entries[0]!.shared.memberId ?? entries[0]!.clientId),
      username: described.find(({ username }) => username !== undefined)?.username,
      profile: described.find(({ shared }) => shared.profile)?.shared.profile,
      state: newest(({ stateAt }) => stateAt)[0]?.shared.state,
      joinedAt: new Date(joinedAt).toISOString(),
    });
  }
}

function idOf({ userId, clientId }: WsMember): string {
  return clientId === undefined ? `user ${userId}` : `client ${clientId}`;
}

/** A member without what lists and the server have beside it. */
function shown({ userId, clientId, username, profile, state, joinedAt }: WsMember): WsMember {
  return plain({ userId, clientId, username, profile, state, joinedAt });
}

function plain(value: object): WsMember {
  return JSON.parse(JSON.stringify(value)) as WsMember;
}

function read(fields: string): Omit<WsPresencePush, 'roomName'> {
  return JSON.parse(`{${fields}}`) as Omit<WsPresencePush, 'roomName'>;
}

/** One story of joins, returns, losses, states and leaves, with watchers who come at any time. */
function tell(seed: number): void {
  const random = new SeededRandom(seed);
  const rules: WsPresenceRules = {
    by: random.pick(['user', 'client']),
    grace: 1,
    limit: 3 + random.below(10),
    interval: 1,
  };
  const bytes = random.pick([undefined, 150 + random.below(1_000)]);
  const [room, truth] = [new PresenceRoom('tea', rules, bytes), new Truth(rules.by)];
  const watchers: Watcher[] = [];
  let time = 0;
  let born = 0;
  const cut = (): void => {
    const fields = room.cut();
    if (fields === null) return;
    if (bytes !== undefined) expect(Buffer.byteLength(fields)).toBeLessThanOrEqual(bytes);
    for (const watcher of watchers) watcher.take(read(fields));
  };
  const put = (entry: PresenceEntry): void => {
    truth.entries.set(entry.clientId, entry);
    room.put(entry);
  };
  const remove = (clientId: string): void => {
    truth.entries.delete(clientId);
    room.remove(clientId);
  };
  const some = (): PresenceEntry | undefined => random.pick([undefined, ...truth.entries.values()]);
  for (let step = 0; step < STEPS; step++) {
    time++;
    const entry = some();
    switch (random.below(9)) {
      case 0:
      case 1: {
        const clientId = `c${++born}`;
        const userId = random.pick([undefined, 'ada', 'bob', 'eve', 'flo', 'gus', 'hal', 'ida']);
        const place = room.placeFor(userId, random.pick([[], entry ? [entry.clientId] : []]));
        const shared: SharedPresence = place
          ? {
              ...place.shared,
              took: place.clientId,
              memberId: place.shared.memberId ?? place.clientId,
              describedAt: time,
            }
          : { joinedAt: time, profile: random.pick([undefined, { n: born }]) };
        put({ clientId, userId, username: random.pick([undefined, `name ${born}`]), shared });
        // Its worker removes a lost one whose place is taken; one that looks alive ends later.
        if (place?.until !== undefined) remove(place.clientId);
        else if (place) truth.gone.add(place.clientId);
        break;
      }
      case 2:
        if (entry)
          put({ ...entry, shared: { ...entry.shared, state: random.pick([undefined, 'away', 1]), stateAt: time } });
        break;
      case 3:
        if (entry) put({ ...entry, username: `name at ${time}`, shared: { ...entry.shared, describedAt: time } });
        break;
      case 4:
        if (entry && !room.isTaken(entry.clientId)) put({ ...entry, until: time + 10 });
        break;
      case 5:
        if (entry) remove(entry.clientId);
        break;
      case 6:
        if (entry?.userId === undefined && entry) put({ ...entry, userId: random.pick(['ada', 'bob']) });
        break;
      case 7:
        room.begin();
        if (watchers.length < 6) watchers.push(new Watcher(read(room.list)));
        break;
      case 8:
        cut();
        break;
    }
    expect(room.count).toBe(truth.members.size);
  }
  cut();
  expect(watchers.length).toBeGreaterThan(0);
  for (const watcher of watchers) {
    expect(watcher.count).toBe(truth.members.size);
    if (watcher.members) expect(watcher.members).toEqual(truth.members);
  }
  const { members } = room.read({});
  expect(new Map(members.map((member) => [idOf(member), shown(member)]))).toEqual(truth.members);
}

describe('A room with presence', () => {
  it('brings whoever has its list to the truth by its differences', () => {
    for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
      try {
        tell(seed);
      } catch (error) {
        throw new Error(`PXL_SEED=${seed} PXL_STORIES=1`, { cause: error });
      }
    }
  });
});
