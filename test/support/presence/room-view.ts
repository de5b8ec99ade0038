import type { WsMember, WsMemberList, WsPresencePush } from '../../../lib/protocol/presence.js';

/** What a client knows of who is in a room: nothing, how many, or each member. */
export type Knowledge = 'nothing' | 'count' | 'members';

/** The fields that a member may have in a push. */
const FIELDS = new Set(['userId', 'clientId', 'username', 'profile', 'state', 'joinedAt']);
const PUSH_FIELDS = new Set(['roomName', 'joined', 'left', 'updated', 'members', 'count', 'partial']);

/** What one client was told of who is in one room, over one connection; and what was wrong with that, in sentences. */
export class RoomView {
  readonly faults: string[] = [];
  /** How often each member was said to leave. */
  readonly leaves = new Map<string, number>();
  /** What came, in its order. */
  readonly notes: string[] = [];
  knows: Knowledge = 'nothing';
  count = 0;
  pushes = 0;
  /** Bytes of these pushes. */
  bytes = 0;
  readonly #members = new Map<string, string>();

  /** The members by their keys, as texts with sorted fields. */
  get members(): ReadonlyMap<string, string> {
    return this.#members;
  }

  /** The answer to a join, or to `system.members`, with `presence: true`. */
  listed(list: Partial<WsMemberList>): void {
    this.notes.push(`list ${JSON.stringify(list)}`);
    if (!Array.isArray(list.members) || typeof list.count !== 'number') {
      this.#fault(`an answer without members: ${JSON.stringify(list)}`);
      return;
    }
    if (this.knows === 'members' && list.partial !== true) this.#isTheSame(list.members);
    this.#begin(list as WsMemberList, list.partial === true);
  }

  pushed(push: WsPresencePush, bytes: number): void {
    this.notes.push(JSON.stringify(push));
    this.pushes++;
    this.bytes += bytes;
    if (this.knows === 'nothing') {
      this.#fault(`a push before the list, or after the end: ${JSON.stringify(push)}`);
      return;
    }
    const unknown = Object.keys(push).filter((field) => !PUSH_FIELDS.has(field));
    if (unknown.length > 0) this.#fault(`a push with ${unknown.join()}`);
    if (push.partial === true) this.#counted(push);
    else if (push.members) this.#begin(push as WsMemberList, false);
    else this.#differs(push);
  }

  /** It hears no more of the room. */
  ended(): void {
    this.notes.push('end');
    this.knows = 'nothing';
    this.#members.clear();
  }

  /** A quiet point: what was told before was right. */
  rest(): void {
    this.notes.push('-- quiet');
    this.leaves.clear();
  }

  #begin({ members, count }: WsMemberList, isPartial: boolean): void {
    this.#members.clear();
    for (const member of members) {
      const key = keyOf(member);
      if (typeof member.clients !== 'number') this.#fault(`a list whose member ${key} has no number of clients`);
      if (this.#members.has(key)) this.#fault(`${key} is twice in a list`);
      this.#look(member, 'clients');
      this.#members.set(key, textOf(toldOf(member)));
    }
    this.knows = isPartial ? 'count' : 'members';
    this.count = count;
    if (isPartial) this.#members.clear();
    else if (count !== members.length) this.#fault(`a list of ${members.length} that counts ${count}`);
  }

  #counted({ joined, left, updated, members, count }: WsPresencePush): void {
    if (joined ?? left ?? updated ?? members) this.#fault('a partial push with members');
    if (this.knows === 'count' && count === this.count) this.#fault(`the count ${count} is told again`);
    this.#members.clear();
    this.knows = 'count';
    this.count = count;
  }

  #differs({ joined = [], left = [], updated = [], count }: WsPresencePush): void {
    if (this.knows === 'count') this.#fault('differences for somebody who knows the count only');
    const keys = [...joined, ...left, ...updated].map(keyOf);
    if (keys.length === 0) this.#fault('a push that says nothing');
    if (new Set(keys).size < keys.length) this.#fault(`a member is in a push twice: ${keys.join()}`);
    for (const member of [...joined, ...left, ...updated]) this.#look(member);
    for (const member of joined) {
      const key = keyOf(member);
      if (this.#members.has(key)) this.#fault(`${key} joins, and is there`);
      this.#members.set(key, textOf(member));
    }
    for (const member of updated) {
      const key = keyOf(member);
      const before = this.#members.get(key);
      if (before === undefined) this.#fault(`${key} is updated, and is not there`);
      if (before === textOf(member)) this.#fault(`${key} is updated, and is as before`);
      this.#members.set(key, textOf(member));
    }
    for (const member of left) {
      const key = keyOf(member);
      if (!this.#members.delete(key)) this.#fault(`${key} leaves, and is not there`);
      this.leaves.set(key, (this.leaves.get(key) ?? 0) + 1);
    }
    this.count = count;
    if (count !== this.#members.size) this.#fault(`a push counts ${count}, and there are ${this.#members.size}`);
  }

  /** A list for somebody who has had one, and the differences since: there is no gap. */
  #isTheSame(members: readonly WsMember[]): void {
    const listed = members.map((member) => textOf(toldOf(member))).sort();
    const known = [...this.#members.values()].sort();
    if (listed.join() !== known.join()) this.#fault(`a gap: the list is ${listed.join()}, and it knew ${known.join()}`);
  }

  /** @param also a field that it may have here besides */
  #look(member: WsMember, also?: string): void {
    const unknown = Object.keys(member).filter((field) => !FIELDS.has(field) && field !== also);
    if (unknown.length > 0) this.#fault(`members see ${unknown.join()} of ${keyOf(member)}`);
    if (new Date(member.joinedAt).toISOString() !== member.joinedAt) this.#fault(`joinedAt is ${member.joinedAt}`);
  }

  #fault(sentence: string): void {
    this.faults.push(sentence);
  }
}

/** A member with a client id is that client; one without is the user. */
export function keyOf({ clientId, userId }: WsMember): string {
  return clientId === undefined ? `user ${userId}` : `client ${clientId}`;
}

/** A member of a list as pushes have it. */
export function toldOf(member: WsMember): WsMember {
  return { ...member, clients: undefined };
}

/** The JSON of a value, its fields sorted at every depth. */
export function textOf(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
