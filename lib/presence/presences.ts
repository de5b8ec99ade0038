import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { ClientEnd } from '../clients/client-listener.interface.js';
import type { ClientSession } from '../clients/session/client-session.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import { WsError } from '../errors/ws.error.js';
import type { WsPresenceRules } from '../options/rooms/presence.options.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import type { Membership, MembershipChange, RoomListener } from '../rooms/membership.js';
import { RoomNames } from '../rooms/room-names.js';
import { CLUSTER_CLOCK, type ClusterClock } from '../runtime/cluster-clock.js';
import { Runtime, type RuntimeTimer } from '../runtime/runtime.js';
import { graceAfter } from './grace.js';
import { digestOf, KnownClients, type KnownClient } from './known-clients.js';
import { memberIdOf } from './member.js';
import { checkState, isSameState } from './member-state.js';
import type { AbsentClient, PresenceEntry, SharedPresence, SharedReturn } from './presence-entry.js';
import { pushFrame } from './presence-push.js';
import { PresenceRoom } from './presence-room.js';
import { newPlace, takePlace, type Newcomer } from './place.js';
import type {
  Greeting,
  MembersQuery,
  PresenceListener,
  PresentMember,
  RoomPresence,
} from './room-presence.interface.js';

/** The random bytes of a client's secret. */
const SECRET_BYTES = 16;

/** Who is in the rooms with presence, on all workers, as far as this one knows. */
@Injectable()
export class Presences implements RoomPresence, RoomListener, OnApplicationShutdown {
  readonly #rooms = new Map<string, PresenceRoom>();
  readonly #clients = new KnownClients();
  /** Until the grace of each lost connection is over. */
  readonly #graces = new Map<PresenceEntry, RuntimeTimer>();
  readonly #listeners: PresenceListener[] = [];
  readonly #names: RoomNames;
  #stamped = 0;

  constructor(
    private readonly runtime: Runtime,
    private readonly errors: ErrorReporter,
    @Inject(CLUSTER_CLOCK) private readonly clock: ClusterClock,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {
    this.#names = RoomNames.of(options);
  }

  get isOn(): boolean {
    return this.options.rooms.presence !== undefined;
  }

  rulesOf(roomName: string): WsPresenceRules | null {
    try {
      return this.options.rooms.presence?.of(roomName) ?? null;
    } catch (error) {
      // Whoever joins the room, or sends to it, is not to blame.
      this.errors.report('The function rooms.presence failed.', error);
      return null;
    }
  }

  /** What is known of a room; undefined while it has no members, and for a room without presence. */
  roomOf(roomName: string): PresenceRoom | undefined {
    return this.#rooms.get(roomName);
  }

  listen(listener: PresenceListener): void {
    this.#listeners.push(listener);
  }

  greet({ clientId, user }: ClientSession, secret: string | undefined): Greeting {
    if (!this.isOn) return {};
    const resume = this.runtime.randomId(SECRET_BYTES);
    const userId = user?.userId;
    const former = secret === undefined ? undefined : this.#clients.former(secret, userId);
    this.#know(clientId, userId, { resume: digestOf(resume), resumed: former?.clientId }, true);
    if (former && !former.isGone) this.#tell((listener) => listener.replaced?.(former.clientId));
    return { resume, resumed: secret === undefined ? undefined : former !== undefined };
  }

  returnOf({ clientId }: ClientSession): SharedReturn {
    const { resume, resumed } = this.#clients.get(clientId) ?? {};
    return { resume, resumed };
  }

  sharedOf({ clientId }: ClientSession, roomName: string): SharedPresence | undefined {
    return this.#rooms.get(roomName)?.entryOf(clientId)?.shared;
  }

  untilOf(clientId: string, roomName: string): number | undefined {
    return this.#rooms.get(roomName)?.entryOf(clientId)?.until;
  }

  absentOf(clientId: string): AbsentClient | undefined {
    const client = this.#clients.get(clientId);
    if (!client) return undefined;
    const rooms = client.rooms.flatMap((roomName) => {
      const { username, shared, until } = this.#rooms.get(roomName)?.entryOf(clientId) ?? {};
      return shared && until !== undefined ? [{ roomName, username, shared, until }] : [];
    });
    return rooms.length > 0 ? { clientId, userId: client.userId, resume: client.resume, rooms } : undefined;
  }

  joined({ client, roomName, username, profile }: MembershipChange): void {
    const rules = this.rulesOf(roomName);
    if (!rules) return;
    const { clientId, user } = client;
    const userId = user?.userId;
    const known = this.#clients.get(clientId) ?? this.#know(clientId, userId, {}, true);
    const room = this.#rooms.get(roomName);
    const place = room?.placeFor(userId, this.#clients.formersOf(known));
    const newcomer: Newcomer = {
      username,
      profile,
      at: this.#stamp(),
      // Whoever comes back before its loss is noticed is there without a break.
      since: room?.joinedAtOf(userId),
    };
    const isClient = rules.by === 'client' || userId === undefined;
    const shared = place ? takePlace(place, newcomer, isClient) : newPlace(newcomer);
    this.#put(known, roomName, { clientId, userId, username, shared });
  }

  left({ client, roomName, end }: MembershipChange): void {
    // As the room has begun: its rules are asked for no more, which may fail.
    const rules = this.#rooms.get(roomName)?.rules;
    if (rules) this.#end(client.clientId, roomName, end && this.#untilAfter(client.clientId, end, rules));
  }

  described({ client, roomName, username, profile }: Membership): void {
    const entry = this.#presentOf(client.clientId, roomName);
    if (!entry) return;
    const shared = { ...entry.shared, profile, describedAt: this.#stamp() };
    this.#change({ ...entry, username, shared }, client, roomName, 'description');
  }

  connected(clientId: string, userId: string | undefined, shared: SharedReturn): void {
    if (!this.isOn) return;
    const known = this.#clients.get(clientId);
    // Its worker was taken for dead, and the client stays for its grace.
    this.#know(clientId, userId, shared, false).rooms = known?.rooms ?? [];
  }

  entered(clientId: string, roomName: string, username: string | undefined, shared: SharedPresence): void {
    if (!this.rulesOf(roomName)) return;
    const known = this.#clients.get(clientId) ?? this.#know(clientId, undefined, {}, false);
    this.#put(known, roomName, { clientId, userId: known.userId, username, shared });
  }

  exited(clientId: string, roomName: string, until: number | undefined): void {
    const rules = this.#rooms.get(roomName)?.rules;
    if (rules) this.#end(clientId, roomName, until ?? this.#untilTaken(clientId, rules));
  }

  identified(clientId: string, userId: string): void {
    const client = this.#clients.get(clientId);
    if (!client || client.userId === userId) return;
    client.userId = userId;
    for (const roomName of client.rooms) {
      const entry = this.#entryOf(clientId, roomName);
      if (entry) this.#put(client, roomName, { ...entry, userId });
    }
  }

  disconnected(clientId: string): void {
    const client = this.#clients.get(clientId);
    if (!client) return;
    client.isGone = true;
    this.#clients.settle(client);
  }

  absent({ clientId, userId, resume, rooms }: AbsentClient): void {
    if (!this.isOn || this.#clients.get(clientId)) return;
    // Nobody else may be left to remove it from Redis.
    const known = this.#know(clientId, userId, { resume }, true);
    known.isGone = known.isFound = true;
    for (const { roomName, username, shared, until } of rooms) {
      if (!this.rulesOf(roomName)) continue;
      this.#put(known, roomName, { clientId, userId, username, shared });
      this.#end(clientId, roomName, until);
    }
    this.#settle(known);
  }

  members(roomName: string, query: MembersQuery = {}): { members: PresentMember[]; more: boolean } {
    this.checkRoom(roomName);
    return this.#rooms.get(roomName)?.read(query) ?? { members: [], more: false };
  }

  count(roomName: string): number {
    this.checkRoom(roomName);
    return this.#rooms.get(roomName)?.count ?? 0;
  }

  memberOf(roomName: string, key: string): PresentMember | undefined {
    return this.#rooms.get(roomName)?.memberOf(key)?.describe();
  }

  memberIdOf({ clientId }: ClientSession, roomName: string): string {
    const entry = this.#entryOf(clientId, roomName);
    return entry ? memberIdOf(entry) : clientId;
  }

  stateOf({ clientId }: ClientSession, roomName: string): unknown {
    return this.#entryOf(clientId, roomName)?.shared.state;
  }

  setState(client: ClientSession, roomName: string, state: unknown): void {
    this.checkRoom(roomName);
    const own = checkState(state);
    const entry = this.#presentOf(client.clientId, roomName);
    if (!entry) throw new WsError('FORBIDDEN', 'Only members have a state in a room.');
    const shown = this.#rooms.get(roomName)?.stateOf(entry);
    // Another client of the user may have set another one since.
    if (isSameState(entry.shared.state, own) && isSameState(shown, own)) return;
    const shared = { ...entry.shared, state: own, stateAt: this.#stamp() };
    this.#change({ ...entry, shared }, client, roomName, 'state');
  }

  /** @throws WsError NOT_FOUND for a room without presence */
  checkRoom(roomName: string): void {
    if (!this.rulesOf(roomName)) throw new WsError('NOT_FOUND', 'The room has no presence.');
  }

  onApplicationShutdown(): void {
    for (const timer of this.#graces.values()) timer.cancel();
  }

  #know(clientId: string, userId: string | undefined, shared: SharedReturn, isOwn: boolean): KnownClient {
    const { resume, resumed } = shared;
    return this.#clients.add({ clientId, userId, resume, resumed, isOwn, isFound: false, isGone: false, rooms: [] });
  }

  #entryOf(clientId: string, roomName: string): PresenceEntry | undefined {
    return this.#rooms.get(roomName)?.entryOf(clientId);
  }

  /** The time of a change, in ms: later than that of the change before, though both are of the same millisecond. */
  #stamp(): number {
    const now = this.clock.now();
    this.#stamped = now > this.#stamped ? now : Math.round(1_000 * this.#stamped + 1) / 1_000;
    return this.#stamped;
  }

  /** The entry of a client that is connected. */
  #presentOf(clientId: string, roomName: string): PresenceEntry | undefined {
    const entry = this.#entryOf(clientId, roomName);
    return entry?.until === undefined ? entry : undefined;
  }

  /** The bytes that the list of a room may have, for the frame around it not to be larger than `limits.maxPushBytes`. */
  #bytesOf(roomName: string): number | undefined {
    const { maxPushBytes } = this.options.limits;
    return maxPushBytes === false ? undefined : maxPushBytes - pushFrame(this.#names.nameOf(roomName));
  }

  #put(client: KnownClient, roomName: string, entry: PresenceEntry): void {
    let room = this.#rooms.get(roomName);
    if (!room) {
      const rules = this.rulesOf(roomName);
      if (!rules) return;
      this.#rooms.set(roomName, (room = new PresenceRoom(roomName, rules, this.#bytesOf(roomName))));
    }
    if (!client.rooms.includes(roomName)) client.rooms = [...client.rooms, roomName];
    const before = room.entryOf(entry.clientId);
    if (before) this.#endGrace(before);
    const isNew = !before || room.keyOf(before) !== room.keyOf(entry);
    if (before && isNew) this.#tellEnd(client, room, before);
    room.put(entry);
    if (isNew && isCounted(client)) this.#tell((listener) => listener.began?.(roomName, room.keyOf(entry)));
    const { took } = entry.shared;
    if (took !== undefined && room.entryOf(took)?.until !== undefined) this.#remove(took, room, client.isOwn);
    this.#tell((listener) => listener.changed?.(roomName));
  }

  #change(entry: PresenceEntry, client: ClientSession, roomName: string, what: 'description' | 'state'): void {
    const known = this.#clients.get(entry.clientId);
    if (!known) return;
    this.#put(known, roomName, entry);
    this.#tell((listener) => listener.described?.(client, roomName, what));
  }

  /** A membership has ended; the member stays until a time in the future. */
  #end(clientId: string, roomName: string, until: number | undefined): void {
    const room = this.#rooms.get(roomName);
    const entry = room?.entryOf(clientId);
    const client = this.#clients.get(clientId);
    if (!room || !entry || !client) return;
    const wait = (until ?? 0) - this.clock.now();
    if (until === undefined || wait <= 0 || room.isTaken(clientId)) {
      this.#remove(clientId, room, client.isOwn);
    } else {
      const absent = { ...entry, until };
      this.#put(client, roomName, absent);
      const over = (): void => this.#remove(clientId, room, client.isOwn);
      this.#graces.set(absent, this.runtime.timeout(Math.min(wait, LONGEST_TIMER), over));
    }
    this.#tell((listener) => listener.changed?.(roomName));
  }

  /** @param isOwn whether this worker answers for what is in Redis about the client */
  #remove(clientId: string, room: PresenceRoom, isOwn: boolean): void {
    const entry = room.entryOf(clientId);
    const client = this.#clients.get(clientId);
    if (entry) this.#endGrace(entry);
    if (entry && client) this.#tellEnd(client, room, entry);
    room.remove(clientId);
    if (room.isEmpty) this.#rooms.delete(room.name);
    if (client) {
      client.rooms = client.rooms.filter((roomName) => roomName !== room.name);
      this.#settle(client, isOwn);
    }
    this.#tell((listener) => listener.changed?.(room.name));
  }

  #tellEnd(client: KnownClient, room: PresenceRoom, entry: PresenceEntry): void {
    if (!isCounted(client)) return;
    const { clientId, until } = entry;
    this.#tell((listener) => listener.ended?.(room.name, room.keyOf(entry), until, room.isTaken(clientId)));
  }

  #settle(client: KnownClient, isOwn = client.isOwn): void {
    if (isOwn && client.isGone && client.rooms.length === 0)
      this.#tell((listener) => listener.forgotten?.(client.clientId));
    this.#clients.settle(client);
  }

  #endGrace(entry: PresenceEntry): void {
    this.#graces.get(entry)?.cancel();
    this.#graces.delete(entry);
  }

  #untilAfter(clientId: string, end: ClientEnd, rules: WsPresenceRules): number | undefined {
    const ms = graceAfter(end, rules.grace, this.options.shutdown.reconnectSpread);
    return ms === undefined ? this.#untilTaken(clientId, rules) : this.clock.now() + ms;
  }

  /** A client that has come back may not have joined its rooms again yet: however its former connection ends, its places stay. */
  #untilTaken(clientId: string, { grace }: WsPresenceRules): number | undefined {
    return this.#clients.isResumed(clientId) ? this.clock.now() + grace : undefined;
  }

  #tell(call: (listener: PresenceListener) => void): void {
    for (const listener of this.#listeners) call(listener);
  }
}

/** The longest time of a timer, in ms: the longest grace, and the longest wait that a restart asks for, are far below it. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Whether this worker counts a client for its member: it is, or was, connected here. */
function isCounted({ isOwn, isFound }: KnownClient): boolean {
  return isOwn && !isFound;
}
