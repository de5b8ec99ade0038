import { Inject, Injectable } from '@nestjs/common';
import { ClientManager } from '../clients/client-manager.js';
import { toUser, type GivenUser } from '../clients/user-identity.js';
import type { RemoteClient } from '../clients/remote-client.js';
import type { WsClient } from '../clients/ws-client.js';
import { codeOf } from '../errors/code-of.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import { ModuleLogger } from '../errors/module-logger.js';
import { WsError } from '../errors/ws.error.js';
import { RefusalCounters } from '../limits/refusal-counters.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { workerOf } from '../runtime/client-id.js';
import type { RemoteMembers } from './remote-members.interface.js';
import { ClaimedMemberships } from './claimed-memberships.js';
import type { JoinClaim } from './join-claim.js';
import { MemberDetails } from './member-details.js';
import { PendingJoins, type PendingJoin } from './pending-joins.js';
import { OwnRooms } from './own-rooms.js';
import { ROOM_INTEREST, type RoomInterest } from './room-interest.interface.js';
import type { Membership, MemberProfile, RoomListener } from './room-listener.interface.js';
import { checkRoomName, longestRoomName } from './room-name.js';
import { Room } from './room.js';

/** How a join is done. */
export interface JoinSettings {
  /** What the member is called in this room: a label for the other members, never an identity. */
  readonly username?: string | undefined;
  /** False: the client list is not pushed for it. */
  readonly broadcast?: boolean | undefined;
  /** True: the client itself asks, so that `rooms.authorize` decides. */
  readonly isRequest?: boolean | undefined;
  /** Who can take the join back, see {@link RoomManager.withdraw}. */
  readonly claim?: JoinClaim | undefined;
}

/** What has to be asked before a join. */
interface Rules {
  ask(client: WsClient, roomName: string, isRequest: boolean): Promise<MemberProfile | undefined> | undefined;
}

/** What the rules have said of a join, once it is ready. */
interface Preparation {
  profile: MemberProfile | undefined;
}

/** Who joins: what the client's credentials leave open of its identity, and its label in the room. */
export interface RoomUser extends Partial<GivenUser> {
  username?: string | undefined;
}

/** What {@link RoomManager.addClientToRoom} takes. */
export interface AddClientToRoomOptions {
  clientId: string;
  user?: RoomUser | null;
  roomName: string;
  /** False: the client list, where it is enabled, is not pushed for it. Default: true. */
  broadcast?: boolean;
}

/** Which client of any worker is in which room. A room exists while it has members; its name is any text. */
@Injectable()
export class RoomManager {
  readonly #rooms = new Map<string, Room>();
  readonly #pending = new PendingJoins();
  readonly #claimed = new ClaimedMemberships();
  readonly #details = new MemberDetails();
  readonly #listeners: RoomListener[] = [];
  readonly #logger = new ModuleLogger();
  readonly #own: OwnRooms;
  #rules: Rules | null = null;
  #remote: RemoteMembers | null = null;

  constructor(
    private readonly clientManager: ClientManager,
    @Inject(ROOM_INTEREST) private readonly interest: RoomInterest,
    private readonly counters: RefusalCounters,
    private readonly errors: ErrorReporter,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {
    this.#own = new OwnRooms(options, (clientId) => clientManager.getClient({ clientId }) !== undefined);
    clientManager.lookUpRoomsIn(this);
  }

  /** Every room that has members, with their client ids. */
  get rooms(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#rooms;
  }

  /**
   * Puts a client into a room.
   *
   * @returns true once the client receives what is sent to the room; false when it is gone, when it left while it joined,
   * and when the bus is down
   * @throws WsError for wrong arguments: INVALID_ROOM, ROOM_LIMIT, CONFLICT for an identity that contradicts the client's own,
   * BAD_MESSAGE for a user type without a user
   */
  addClientToRoom(join: AddClientToRoomOptions): Promise<boolean> {
    return this.errors.watch('RoomManager.addClientToRoom', () => this.#addClient(join));
  }

  /** @internal {@link addClientToRoom} that can be taken back. */
  addClaimed(join: AddClientToRoomOptions, claim: JoinClaim): Promise<boolean> {
    return this.#addClient(join, claim);
  }

  async #addClient(
    { clientId, user, roomName, broadcast }: AddClientToRoomOptions,
    claim?: JoinClaim,
  ): Promise<boolean> {
    const client = this.clientManager.local.get(clientId);
    // Another worker's client is checked there, by its endpoint.
    checkRoomName(roomName, client ? client.options.limits.roomName : longestRoomName(this.options));
    try {
      if (!client) return (await this.#remote?.join({ clientId, user, roomName, broadcast })) ?? false;
      if (user) this.#assign(client, user);
      return await this.join(client, roomName, { username: user?.username, broadcast, claim });
    } catch (error) {
      const code = codeOf(error);
      if (code === 'UNAVAILABLE' || code === 'TIMEOUT') return false; // the bus is down
      throw error;
    }
  }

  /**
   * Takes a client out of a room, or out of joining it; does nothing when it is not there.
   *
   * @param broadcast false: the client list, where it is enabled, is not pushed for it
   */
  removeClientFromRoom(leave: { roomName: string; clientId: string; broadcast?: boolean }): void {
    const { roomName, clientId, broadcast } = leave;
    const client = this.clientManager.local.get(clientId);
    if (client) this.leave(client, roomName, broadcast);
    else this.#remote?.leave(clientId, [roomName], broadcast);
  }

  /** Takes a client out of every room. */
  removeClientFromAllRooms({ clientId }: { clientId: string }): void {
    const client = this.clientManager.local.get(clientId);
    if (client) this.leaveAll(client);
    else this.#remote?.leave(clientId, 'all');
  }

  isClientInRoom({ clientId, roomName }: { clientId: string; roomName: string }): boolean {
    return this.#rooms.get(roomName)?.has(clientId) ?? false;
  }

  /** The ids of a room's members; empty when there is no such room. */
  getRoomClients({ roomName }: { roomName: string }): string[] {
    return [...(this.#rooms.get(roomName) ?? [])];
  }

  /** Logs every room with its members. */
  printRooms(): void {
    // A name is any text: as JSON it cannot forge lines of the log.
    const lines = [...this.#rooms].map(
      ([name, members]) => `  ${JSON.stringify(name)} (${members.size}): ${[...members].join(', ')}`,
    );
    this.#logger.log([`Rooms: ${this.#rooms.size}`, ...lines].join('\n'));
  }

  /** Takes every client of this worker out of every room, and out of joining one. */
  cleanup(): void {
    for (const client of this.clientManager.local.values()) this.leaveAll(client);
  }

  /** @internal The clients of this worker in a room. */
  localOf(roomName: string): ReadonlySet<WsClient> | undefined {
    return this.#rooms.get(roomName)?.clients;
  }

  /** @internal The ids of a room's members on all workers. */
  membersOf(roomName: string): ReadonlySet<string> | undefined {
    return this.#rooms.get(roomName);
  }

  /** @internal What a client is called: in the room it joined last, else in the one where it got a name last. */
  usernameOf(client: WsClient): string | undefined {
    return this.#details.usernameIn(client, client.roomName) ?? this.#details.usernamesOf(client).at(-1);
  }

  /** @internal What a client is called in one of its rooms. */
  usernameIn(client: WsClient, roomName: string): string | undefined {
    return this.#details.usernameIn(client, roomName);
  }

  /** @internal The memberships of one of this worker's clients. */
  *membershipsOf(client: WsClient): Generator<Omit<Membership, 'broadcast'>> {
    for (const roomName of client.rooms) {
      const { username, profile } = this.#details.of(client, roomName);
      yield { client, roomName, username, profile };
    }
  }

  /** @internal Tells `listener` of every membership that begins or ends, in order. */
  listen(listener: RoomListener): void {
    this.#listeners.push(listener);
  }

  /** @internal Another worker's client is in the room from now on. */
  enterRemote(client: RemoteClient, roomName: string, username: string | undefined): void {
    client.enter(roomName, username);
    this.#roomOf(roomName).add(client.clientId);
    // Its worker has said so already, where the bus was there.
    if (this.#own.isKeptFor(client, roomName)) this.vacate(roomName);
  }

  /** @internal Another worker's client is no longer in the room. */
  exitRemote(client: RemoteClient, roomName: string): void {
    client.exit(roomName);
    const room = this.#rooms.get(roomName);
    room?.delete(client.clientId);
    if (room?.size === 0) this.#rooms.delete(roomName);
  }

  /** @internal Who reaches the members on other workers. */
  controlRemoteWith(remote: RemoteMembers): void {
    this.#remote = remote;
  }

  /** @internal Who is asked before joins. */
  ruleWith(rules: Rules): void {
    this.#rules = rules;
  }

  /**
   * @internal {@link addClientToRoom} for a client at hand.
   * @throws WsError INVALID_ROOM, ROOM_LIMIT, FORBIDDEN, or UNAVAILABLE and TIMEOUT when the room cannot be made live
   */
  async join(client: WsClient, roomName: string, settings: JoinSettings = {}): Promise<boolean> {
    const { username, broadcast = true, isRequest = false, claim } = settings;
    checkRoomName(roomName, client.options.limits.roomName, this.counters);
    if (!this.#isConnected(client) || claim?.isWithdrawn) return false;
    claim?.joins.push([client, roomName]);
    if (client.rooms.has(roomName)) {
      this.#claimed.join(client, roomName, claim);
      if (!isRequest) this.#own.note(client, roomName, isRequest);
      this.#details.add(client, roomName, { username });
      this.#leaveOthers(client, roomName, broadcast);
      return true;
    }
    if (isRequest) this.#own.check(client, roomName);
    const same = this.#pending.find(client, roomName);
    if (same && !isRequest && same.isRequest) {
      same.cancelled = true; // the server itself puts the client in: no rule is asked about that
    } else if (same) {
      // Asked for again before the room was live, maybe after leaving it.
      same.claims = claimsOf(claim, same);
      Object.assign(same, { cancelled: false, broadcast, username: username ?? same.username });
      this.#pending.add(client, roomName, same);
      return same.done;
    }
    this.#checkRoomLimit(client);
    const preparation: Preparation = { profile: undefined };
    const ready = this.#prepare(client, roomName, isRequest, preparation);
    const claims = claim ? new Set([claim]) : null;
    if (ready) {
      return this.#joinWhenReady(client, roomName, { username, broadcast, isRequest, claims }, preparation, ready);
    }
    this.#enter(client, roomName, { username, broadcast, isRequest, claims, profile: undefined });
    return true;
  }

  /**
   * @internal Takes joins back that were asked for with a claim: those under way are undone, and those that are done are
   * left again. One that somebody else has asked for too stays.
   */
  withdraw(claim: JoinClaim): void {
    claim.isWithdrawn = true;
    for (const [client, roomName] of claim.joins.splice(0)) {
      const pending = this.#pending.find(client, roomName);
      if (pending?.claims?.delete(claim) && pending.claims.size === 0) pending.cancelled = true;
      if (this.#claimed.withdraw(client, roomName, claim)) this.leave(client, roomName);
    }
  }

  /** @internal What was asked for with a claim is not taken back any more. */
  confirm(claim: JoinClaim): void {
    for (const [client, roomName] of claim.joins.splice(0)) this.#claimed.confirm(client, roomName, claim);
  }

  /**
   * @internal Puts a client into the room that is called like it. Those leave it who have got in by asking before there was
   * a client of that id.
   * @throws WsError UNAVAILABLE and TIMEOUT when the room cannot be made live; what `rooms.profile` throws
   */
  async joinOwn(client: WsClient): Promise<void> {
    const { clientId } = client;
    // Of an id that an application has given nobody knew that it would be one.
    const isKeptFree = workerOf(clientId) !== undefined;
    if (!isKeptFree) this.#vacateEverywhere(clientId);
    await this.join(client, clientId, { broadcast: false });
    // By now the other workers know the client; until then somebody else may have asked there.
    if (!isKeptFree) this.#vacateEverywhere(clientId);
  }

  /** @internal Takes those clients of this worker out of a room, and out of joining it, who have asked for it by themselves. */
  vacate(roomName: string): void {
    this.#pending.cancelRequests(roomName);
    for (const client of [...(this.localOf(roomName) ?? [])]) {
      if (this.#own.hasAsked(client, roomName)) this.leave(client, roomName);
    }
  }

  /** @internal {@link removeClientFromRoom} for a client at hand. */
  leave(client: WsClient, roomName: string, broadcast = true): void {
    const pending = this.#pending.find(client, roomName);
    if (pending) pending.cancelled = true;
    const room = this.#rooms.get(roomName);
    if (!room?.clients.has(client)) return;
    client.roomSet.delete(roomName);
    if (client.roomName === roomName) client.roomName = [...client.rooms].at(-1) ?? null;
    this.#exit(client, roomName, room, broadcast);
  }

  /** @internal {@link removeClientFromAllRooms} for a client at hand. */
  leaveAll(client: WsClient): void {
    this.#pending.cancelAll(client);
    for (const roomName of [...client.rooms]) this.leave(client, roomName);
  }

  /**
   * @internal Ends the memberships of a client that is gone. The client itself keeps its rooms, so that
   * `handleDisconnect` can still read them.
   */
  drop(client: WsClient): void {
    this.#claimed.forgetAll(client);
    this.#pending.cancelAll(client);
    for (const roomName of client.rooms) {
      const room = this.#rooms.get(roomName);
      if (room?.clients.has(client)) this.#exit(client, roomName, room, true);
    }
  }

  #vacateEverywhere(roomName: string): void {
    this.vacate(roomName);
    this.#remote?.vacate(roomName);
  }

  #assign(client: WsClient, { userId = client.user?.userId, userType, payload }: RoomUser): void {
    if (userId === undefined && userType === undefined) return;
    this.clientManager.assign(client, toUser({ userId, userType, payload }));
  }

  /** The rules first, then the interest in the room; undefined when both are there at once. */
  #prepare(
    client: WsClient,
    roomName: string,
    isRequest: boolean,
    preparation: Preparation,
  ): Promise<void> | undefined {
    const asked = this.#rules?.ask(client, roomName, isRequest);
    if (!asked) return this.#acquire(client, roomName);
    return asked.then((profile) => {
      preparation.profile = profile;
      return this.#acquire(client, roomName);
    });
  }

  #acquire(client: WsClient, roomName: string): Promise<void> | undefined {
    // While the bus is away a client is no worse off in its own room than without it.
    const hasMembers = this.#own.isOf(client, roomName) || (this.localOf(roomName)?.size ?? 0) > 0;
    return this.interest.acquireRoom(roomName, hasMembers);
  }

  #joinWhenReady(
    client: WsClient,
    roomName: string,
    settings: Pick<PendingJoin, 'username' | 'broadcast' | 'isRequest' | 'claims'>,
    preparation: Preparation,
    ready: Promise<void>,
  ): Promise<boolean> {
    const enter = (): boolean => {
      const wanted = !pending.cancelled && this.#isConnected(client);
      if (wanted) this.#enter(client, roomName, { ...pending, profile: preparation.profile });
      else this.interest.releaseRoom(roomName);
      this.#pending.remove(client, roomName, pending);
      return wanted;
    };
    const fail = (error: unknown): never => {
      this.#pending.remove(client, roomName, pending);
      throw error;
    };
    const pending: PendingJoin = { ...settings, cancelled: false, done: ready.then(enter, fail) };
    this.#pending.add(client, roomName, pending);
    return pending.done;
  }

  #checkRoomLimit(client: WsClient): void {
    const { limits, rooms } = client.options;
    const limit = limits.roomsPerClient;
    if (limit === false || !rooms.clientCanJoinMultipleRooms) return;
    if (client.rooms.size + this.#pending.countOf(client) >= limit) {
      this.counters.count('roomsPerClient');
      throw new WsError('ROOM_LIMIT', `A client can be in ${limit} rooms at most.`);
    }
  }

  #isConnected(client: WsClient): boolean {
    return this.clientManager.local.get(client.clientId) === client;
  }

  #enter(
    client: WsClient,
    roomName: string,
    {
      username,
      broadcast,
      isRequest,
      claims,
      profile,
    }: Pick<PendingJoin, 'username' | 'broadcast' | 'isRequest' | 'claims'> & Pick<Preparation, 'profile'>,
  ): void {
    this.#claimed.begin(client, roomName, claims);
    this.#own.note(client, roomName, isRequest);
    this.#roomOf(roomName).enter(client);
    client.roomSet.add(roomName);
    client.roomName = roomName;
    this.#details.add(client, roomName, { username, profile });
    for (const listener of this.#listeners) listener.joined({ client, roomName, username, profile, broadcast });
    this.#leaveOthers(client, roomName, broadcast);
  }

  #roomOf(roomName: string): Room {
    let room = this.#rooms.get(roomName);
    if (!room) this.#rooms.set(roomName, (room = new Room()));
    return room;
  }

  /** One-room mode: the old room is left only now that the new one is live, and older joins are overtaken. */
  #leaveOthers(client: WsClient, roomName: string, broadcast: boolean): void {
    const { clientCanJoinMultipleRooms, defaults } = client.options.rooms;
    const stays = (name: string): boolean => defaults.includes(name) || this.#own.isOf(client, name);
    if (clientCanJoinMultipleRooms || stays(roomName)) return;
    this.#pending.cancelBefore(client, roomName, stays);
    for (const other of [...client.rooms]) {
      if (other !== roomName && !stays(other)) this.leave(client, other, broadcast);
    }
  }

  #exit(client: WsClient, roomName: string, room: Room, broadcast: boolean): void {
    this.#claimed.forget(client, roomName);
    this.#own.forget(client, roomName);
    room.exit(client);
    if (room.size === 0) this.#rooms.delete(roomName);
    this.interest.releaseRoom(roomName);
    const { username, profile } = this.#details.take(client, roomName);
    for (const listener of this.#listeners) listener.left({ client, roomName, username, profile, broadcast });
  }
}

/** Who may take a join back that is under way, now that it is asked for once more. */
function claimsOf(claim: JoinClaim | undefined, { claims, cancelled }: PendingJoin): PendingJoin['claims'] {
  if (!claim) return null;
  // Nobody waits any more for what was left meanwhile.
  if (cancelled) return new Set([claim]);
  return claims?.add(claim) ?? null;
}
