import type { WsPresenceRules } from '../options/rooms/presence.options.js';
import { Member, memberIdOf, type ToldMember } from './member.js';
import type { PresenceEntry } from './presence-entry.js';
import type { MembersQuery, PresentMember } from './room-presence.interface.js';

/** A room that had too many members for differences tells them again below this part of its limit. */
const SMALL_AGAIN = 0.8;

/**
 * Who is in one room, on all workers. What its members are told goes from cut to cut: a list is the state at the last cut, and a
 * cut's differences lead from the one before to this one, so that a list and what follows it have no gap.
 */
export class PresenceRoom {
  readonly #entries = new Map<string, PresenceEntry>();
  readonly #members = new Map<string, Member>();
  /** The clients whose place another one has taken, with that one: they count no more, however long their worker keeps them. */
  readonly #taken = new Map<string, string>();
  /** What was told at the last cut of each member that has changed since; null: nothing, it is new. Null: nobody is told. */
  #told: Map<string, ToldMember | null> | null = null;
  #toldCount = 0;
  /** Whether the room has too many members for lists and differences, or too large ones. */
  #isBig = false;
  #list: string | null = null;
  #order: string[] | null = null;

  /** @param bytes how many a list or a cut's differences may have; undefined: any number */
  constructor(
    readonly name: string,
    readonly rules: WsPresenceRules,
    private readonly bytes?: number,
  ) {}

  /** Whether nothing is known of the room any more. */
  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  get count(): number {
    return this.#members.size;
  }

  entryOf(clientId: string): PresenceEntry | undefined {
    return this.#entries.get(clientId);
  }

  /** What stands for the member of an entry, on all workers. */
  keyOf(entry: PresenceEntry): string {
    const { userId } = entry;
    return userId === undefined || this.rules.by === 'client' ? CLIENT + memberIdOf(entry) : userKey(userId);
  }

  memberOf(key: string): Member | undefined {
    return this.#members.get(key);
  }

  isTaken(clientId: string): boolean {
    return this.#taken.has(clientId);
  }

  /** What the members see as the state of the member that an entry belongs to. */
  stateOf(entry: PresenceEntry): unknown {
    return this.#members.get(this.keyOf(entry))?.state;
  }

  /** Since when a user is there, in ms; undefined: it is not, or each of its clients is a member by itself. */
  joinedAtOf(userId: string | undefined): number | undefined {
    if (userId === undefined || this.rules.by === 'client') return undefined;
    return this.#members.get(userKey(userId))?.joinedAt;
  }

  /**
   * The entry whose place a client takes that enters: that of a former connection, or one of its user that is lost.
   *
   * @param formers the ids of its former connections
   */
  placeFor(userId: string | undefined, formers: Iterable<string>): PresenceEntry | undefined {
    for (const clientId of formers) {
      const former = this.#entries.get(clientId);
      if (former && former.userId === userId && !this.#taken.has(clientId)) return former;
    }
    if (userId === undefined || this.rules.by === 'client') return undefined;
    return this.#members.get(userKey(userId))?.absent;
  }

  /** Adds an entry, or changes it. */
  put(entry: PresenceEntry): void {
    const { clientId, shared } = entry;
    const before = this.#entries.get(clientId);
    this.#entries.set(clientId, entry);
    if (shared.took !== undefined && shared.took !== before?.shared.took) this.#take(shared.took, clientId);
    if (this.#taken.has(clientId)) return;
    const key = this.keyOf(entry);
    if (before && this.keyOf(before) !== key) this.#exit(before);
    this.#change(key, (member) => member.set(entry));
  }

  /** Removes an entry. */
  remove(clientId: string): void {
    const entry = this.#entries.get(clientId);
    if (!entry) return;
    this.#entries.delete(clientId);
    if (!this.#taken.delete(clientId)) this.#exit(entry);
    const { took } = entry.shared;
    // Nobody will tell of a former connection that is not known here.
    if (took !== undefined && this.#taken.get(took) === clientId && !this.#entries.has(took)) this.#taken.delete(took);
  }

  /** Members are told from now on: the present state is the first cut. */
  begin(): void {
    this.#told ??= this.#startTelling();
  }

  /** Nobody is told any more. */
  end(): void {
    this.#told = this.#list = null;
  }

  /**
   * Ends the time since the last cut.
   *
   * @returns the fields of the push as JSON; null when there is nothing to tell
   */
  cut(): string | null {
    const told = this.#told;
    if (!told) return null;
    const [before, wasBig] = [this.#toldCount, this.#isBig];
    const count = this.#members.size;
    const changed = [...told];
    told.clear();
    this.#toldCount = count;
    this.#measure(wasBig ? SMALL_AGAIN : 1);
    if (this.#isBig) return wasBig && count === before ? null : this.standing;
    if (wasBig) return this.standing;
    const differences = this.#differences(changed);
    return differences === null || this.#fits(differences) ? differences : this.standing;
  }

  /** What was told at the last cut as a whole, as the fields of a push in JSON. */
  get standing(): string {
    return this.#isBig ? `"count":${this.#toldCount},"partial":true` : this.list;
  }

  /** The list as of the last cut, as the fields of an answer in JSON: its text is made once for all who ask. */
  get list(): string {
    return (this.#list ??= this.#writeList());
  }

  /** What is told in the place of a list that is too long for an answer: the list follows as a push. */
  get brief(): string {
    return `"members":[],"count":${this.#toldCount},"partial":true`;
  }

  /** The members in the order of their ids. */
  read({ limit = Infinity, after }: MembersQuery): { members: PresentMember[]; more: boolean } {
    const order = (this.#order ??= [...this.#members.keys()].sort(byId));
    let start = 0;
    if (after !== undefined) {
      const behind = order.findIndex((key) => idOf(key) > after);
      start = behind < 0 ? order.length : behind;
    }
    const keys = order.slice(start, start + limit);
    const members = keys.flatMap((key) => this.#members.get(key)?.describe() ?? []);
    return { members, more: start + keys.length < order.length };
  }

  #startTelling(): Map<string, ToldMember | null> {
    this.#toldCount = this.#members.size;
    this.#measure(1);
    return new Map<string, ToldMember | null>();
  }

  /** Finds out whether the room is big now: it has more than this part of the members and bytes that a list may have. */
  #measure(part: number): void {
    this.#list = null;
    this.#isBig = this.#members.size > part * this.rules.limit;
    if (this.#isBig || this.bytes === undefined) return;
    this.#isBig = !this.#fits(this.list, part);
    if (this.#isBig) this.#list = null;
  }

  #fits(fields: string, part = 1): boolean {
    return this.bytes === undefined || Buffer.byteLength(fields) <= part * this.bytes;
  }

  #take(clientId: string, by: string): void {
    const entry = this.#entries.get(clientId);
    const isNew = !this.#taken.has(clientId);
    this.#taken.set(clientId, by);
    if (entry && isNew) this.#exit(entry);
  }

  #exit(entry: PresenceEntry): void {
    this.#change(this.keyOf(entry), (member) => member.delete(entry.clientId));
  }

  #change(key: string, change: (member: Member) => void): void {
    const known = this.#members.get(key);
    if (this.#told && !this.#isBig && !this.#told.has(key)) {
      this.#told.set(key, known ? { text: known.text, clients: known.clients } : null);
    }
    const member = known ?? new Member(key.startsWith(USER));
    change(member);
    if (member.size > 0 === (known !== undefined)) return;
    this.#order = null;
    if (known) this.#members.delete(key);
    else this.#members.set(key, member);
  }

  #differences(changed: readonly (readonly [string, ToldMember | null])[]): string | null {
    const [joined, left, updated]: [string[], string[], string[]] = [[], [], []];
    for (const [key, told] of changed) {
      const member = this.#members.get(key);
      if (!told && member) joined.push(member.text);
      else if (told && !member) left.push(told.text);
      else if (told && member && told.text !== member.text) updated.push(member.text);
    }
    const parts = Object.entries({ joined, left, updated }).filter(([, members]) => members.length > 0);
    if (parts.length === 0) return null;
    const fields = parts.map(([name, members]) => `"${name}":[${members.join(',')}]`);
    return `${fields.join(',')},"count":${this.#toldCount}`;
  }

  #writeList(): string {
    if (this.#isBig) return this.brief;
    const members: string[] = [];
    for (const [key, member] of this.#members) {
      const told = this.#told?.get(key);
      if (told !== null) members.push(listed(told ?? member));
    }
    for (const [key, told] of this.#told ?? []) {
      if (told && !this.#members.has(key)) members.push(listed(told));
    }
    return `"members":[${members.join(',')}],"count":${members.length}`;
  }
}

/** How the keys of members begin: users and clients have name spaces of their own. */
const USER = 'u';
const CLIENT = 'c';

function userKey(userId: string): string {
  return USER + userId;
}

function idOf(key: string): string {
  return key.slice(1);
}

function byId(a: string, b: string): number {
  return idOf(a) < idOf(b) ? -1 : 1;
}

/** A member as lists have it. */
function listed({ text, clients }: ToldMember): string {
  return `{"clients":${clients},${text.slice(1)}`;
}
