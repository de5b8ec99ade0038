import { Inject, Injectable } from '@nestjs/common';
import { ClientMirror } from '../clients/client-mirror.js';
import { ClientRegistry } from '../clients/client-registry.js';
import type { MirroredClient } from '../clients/remote-client.js';
import { toUser } from '../clients/user-identity.js';
import type { ClientEnd } from '../clients/client-listener.interface.js';
import type { ClientSession } from '../clients/session/client-session.js';
import { encodeMessage } from '../clients/encode-message.js';
import { codeOf } from '../errors/code-of.js';
import { WsError } from '../errors/ws.error.js';
import { RefusalCounters } from '../limits/refusal-counters.js';
import type { WsRoomLeftReason } from '../protocol/presence.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import type { Awaitable } from '../runtime/thenable.js';
import { workerOf } from '../runtime/client-id.js';
import { NONE, sizeOf } from '../runtime/few.js';
import { AskedRooms } from './asked-rooms.js';
import { ClaimedMemberships, type JoinClaim } from './join-claims.js';
import type { AddClientToRoomOptions, JoinSettings } from './join-options.js';
import type { WsRoomUser } from '../ws-client/client-entry.js';
import type { MemberProfile } from './membership.js';
import { OwnRooms } from './own-rooms.js';
import { PendingJoins, type PendingJoin } from './pending-joins.js';
import { ROOM_INTEREST, type WsRoomInterest } from './room-interest.interface.js';
import { RoomNames } from './room-names.js';
import { RoomRegistry } from './room-registry.js';
import { RoomRules } from './room-rules.js';

/** How a join is done, with the defaults filled in. */
type Join = Pick<PendingJoin, 'username' | 'broadcast' | 'isRequest' | 'claims'>;

/** What the rules have answered, once the join is ready. */
interface Preparation {
  profile: MemberProfile | undefined;
}

/**
 * Brings clients of this worker into rooms and out of them; the rooms are named by their keys. A join first asks the
 * application's rules, then waits until what is sent to the room reaches this worker; only then the client is a member. Until
 * then the join is pending.
 */
@Injectable()
export class Memberships {
  readonly #pending = new PendingJoins();
  readonly #claimed = new ClaimedMemberships();
  readonly #own: OwnRooms;
  readonly #names: RoomNames;

  constructor(
    private readonly rooms: RoomRegistry,
    private readonly clients: ClientRegistry,
    mirror: ClientMirror,
    private readonly rules: RoomRules,
    private readonly asked: AskedRooms,
    @Inject(ROOM_INTEREST) private readonly interest: WsRoomInterest,
    private readonly counters: RefusalCounters,
    @Inject(PXL_WS_OPTIONS) options: ResolvedOptions,
  ) {
    this.#names = RoomNames.of(options);
    this.#own = new OwnRooms(options, (clientId) => clients.has(clientId) || mirror.has(clientId));
  }

  /**
   * Puts a client into a room.
   *
   * @returns true once the client receives what is sent to the room; false when it is gone, and when it left the room, or
   * the claim was withdrawn, before that
   * @throws WsError INVALID_ROOM, ROOM_LIMIT, FORBIDDEN, CONFLICT for a second room that the client would call the same, or
   * UNAVAILABLE and TIMEOUT when the room cannot be made live
   */
  async join(client: ClientSession, roomName: string, settings?: JoinSettings): Promise<boolean> {
    return this.begin(client, roomName, settings);
  }

  /** {@link join}, whose outcome is there at once where nothing has to be waited for. It throws at the call, too. */
  begin(client: ClientSession, roomName: string, settings: JoinSettings = {}): Awaitable<boolean> {
    const { username, broadcast = true, isRequest = false, claim, isFinalAtOnce = false } = settings;
    this.#names.check(roomName, client.options.limits.roomName, this.counters);
    if (!this.clients.holds(client) || claim?.isWithdrawn) return false;
    claim?.joins.push([client, roomName]);
    if (client.rooms.has(roomName)) {
      this.#claimed.join(client, roomName, isFinalAtOnce ? undefined : claim);
      if (!isRequest) this.asked.note(client, roomName, isRequest);
      this.rooms.describe(client, roomName, { username });
      this.#leaveOthers(client, roomName, broadcast);
      return true;
    }
    if (isRequest) this.#own.check(client, this.#names.nameOf(roomName));
    if (this.#names.areSpaced) this.#checkAlike(client, roomName);
    const same = this.#pending.find(client, roomName);
    if (same && !isRequest && same.isRequest) {
      same.cancelled = true; // the server itself puts the client in: no rule is asked about that
    } else if (same) {
      // Asked for again while the first join is pending, maybe after leaving it.
      same.claims = claimsOf(claim, same);
      Object.assign(same, { cancelled: false, broadcast, username: username ?? same.username });
      this.#pending.add(client, roomName, same);
      return same.done;
    }
    this.#checkRoomLimit(client);
    const preparation: Preparation = { profile: undefined };
    const ready = this.#prepare(client, roomName, isRequest, preparation);
    if (ready) {
      const claims = claim ? new Set([claim]) : null;
      return this.#joinWhenReady(client, roomName, { username, broadcast, isRequest, claims }, preparation, ready);
    }
    const claims = claim && !isFinalAtOnce ? new Set([claim]) : null;
    this.#enter(client, roomName, { username, broadcast, isRequest, claims }, undefined);
    return true;
  }

  /**
   * {@link join} as the application asks for it: with the user that it names. Returns false when the bus is down, too.
   *
   * @throws WsError INVALID_ROOM, ROOM_LIMIT; CONFLICT for an identity that contradicts the client's own, and as {@link join};
   * BAD_MESSAGE for a user type without a user
   */
  async admit(
    client: ClientSession,
    { roomName, user, broadcast }: Omit<AddClientToRoomOptions, 'clientId' | 'namespace'>,
    claim?: JoinClaim,
  ): Promise<boolean> {
    this.#names.check(roomName, client.options.limits.roomName);
    if (!this.clients.holds(client)) return false;
    if (user) this.#assign(client, user);
    try {
      return await this.join(client, roomName, { username: user?.username, broadcast, claim });
    } catch (error) {
      if (isBusDown(error)) return false;
      throw error;
    }
  }

  /**
   * Takes a client out of a room that it leaves itself, or whose join is taken back, and cancels its pending join.
   *
   * @returns false when it was not in the room
   */
  leave(client: ClientSession, roomName: string, broadcast = true): boolean {
    const pending = this.#pending.find(client, roomName);
    if (pending) pending.cancelled = true;
    if (!this.rooms.holds(client, roomName)) return false;
    client.roomSet.delete(roomName);
    if (client.roomName === roomName) client.roomName = [...client.rooms].at(-1) ?? null;
    this.#exit(client, roomName, broadcast);
    return true;
  }

  /** Takes a client out of a room, or out of joining it, which it does not leave by itself: a member is told the reason. */
  remove(client: ClientSession, roomName: string, reason: WsRoomLeftReason, broadcast = true): void {
    if (!this.leave(client, roomName, broadcast)) return;
    const message = { type: 'room', action: 'left', data: { roomName: this.#names.nameOf(roomName), reason } };
    client.sendText(encodeMessage(client.codec, message));
  }

  /** {@link remove} from every room. */
  removeFromAll(client: ClientSession): void {
    this.#pending.cancelAll(client);
    for (const roomName of [...client.rooms]) this.remove(client, roomName, 'removed');
  }

  /** Takes a client out of those of these rooms, or out of joining them, that it has asked for by itself. */
  removeAsked(client: ClientSession, isOut: (roomName: string) => boolean): void {
    for (const [roomName] of this.requestsOf(client)) if (isOut(roomName)) this.leave(client, roomName);
    for (const roomName of this.asked.of(client)) if (isOut(roomName)) this.remove(client, roomName, 'rule');
  }

  /** The key of a room that the application names. @throws WsError BAD_MESSAGE */
  keyOf(roomName: string, namespace: unknown): string {
    return this.#names.keyOf('roomName', roomName, namespace);
  }

  /**
   * Takes back the joins of a claim: pending ones are cancelled, and rooms that were joined are left. A join that somebody
   * else has asked for too stays.
   */
  withdraw(claim: JoinClaim): void {
    claim.isWithdrawn = true;
    for (const [client, roomName] of claim.joins.splice(0)) {
      const pending = this.#pending.find(client, roomName);
      if (pending?.claims?.delete(claim) && pending.claims.size === 0) pending.cancelled = true;
      if (this.#claimed.withdraw(client, roomName, claim)) this.leave(client, roomName);
    }
  }

  /** Makes the joins of a claim final: they cannot be taken back any more. */
  confirm(claim: JoinClaim): void {
    for (const [client, roomName] of claim.joins.splice(0)) this.#claimed.confirm(client, roomName, claim);
  }

  /**
   * Puts a client into its own room, which is called like the client. Clients leave it that had joined it at their own
   * request before there was a client of that id.
   *
   * @throws WsError UNAVAILABLE and TIMEOUT when the room cannot be made live; what `rooms.profile` throws
   */
  async joinOwn(client: ClientSession): Promise<void> {
    const { clientId } = client;
    // A name in the form of the module's client ids is reserved always; an id that an application has given only from now on.
    const isReserved = workerOf(clientId) !== undefined;
    if (!isReserved) this.rooms.reserve(clientId);
    await this.join(client, clientId, { broadcast: false });
    // By now the other workers know the client; until then one of theirs may have asked for the room.
    if (!isReserved) this.rooms.reserve(clientId);
  }

  /** Takes the clients of this worker out of a room, or out of joining it, that have asked for it by themselves. */
  vacate(roomName: string): void {
    this.#pending.cancelRequests(roomName);
    for (const client of [...(this.rooms.localOf(roomName) ?? [])]) {
      if (this.asked.find(client, roomName)) this.remove(client, roomName, 'rule');
    }
  }

  /** The joins that a client has asked for, while they are under way. */
  requestsOf(client: ClientSession): [roomName: string, done: Promise<boolean>][] {
    return this.#pending.requestsOf(client);
  }

  /** The same for a room. */
  requestsFor(roomName: string): [client: ClientSession, done: Promise<boolean>][] {
    return this.#pending.requestsFor(roomName);
  }

  /** Another worker's client has joined a room. */
  enterRemote(client: MirroredClient, roomName: string, username: string | undefined): void {
    this.rooms.enterRemote(client, roomName, username);
    // Its worker has told the others to vacate it; that message may have been lost.
    if (this.#own.isReservedFor(client, roomName)) this.vacate(roomName);
  }

  /**
   * Ends the memberships of a client that is gone. The client itself keeps its rooms, so that `handleDisconnect` can still
   * read them.
   */
  drop(client: ClientSession, end: ClientEnd): void {
    this.#claimed.forgetAll(client);
    this.#pending.cancelAll(client);
    for (const roomName of client.rooms) {
      if (this.rooms.holds(client, roomName)) this.#exit(client, roomName, true, end);
    }
  }

  #assign(client: ClientSession, { userId = client.user?.userId, userType, payload }: WsRoomUser): void {
    if (userId === undefined && userType === undefined) return;
    this.clients.assign(client, toUser({ userId, userType, payload }));
  }

  /** Asks the rules, then acquires the interest in the room; undefined when neither has to be waited for. */
  #prepare(
    client: ClientSession,
    roomName: string,
    isRequest: boolean,
    preparation: Preparation,
  ): Promise<void> | undefined {
    const asked = this.rules.ask(client, roomName, isRequest);
    if (!asked) return this.#acquire(client, roomName);
    return asked.then((profile) => {
      preparation.profile = profile;
      return this.#acquire(client, roomName);
    });
  }

  #acquire(client: ClientSession, roomName: string): Promise<void> | undefined {
    // While the bus is down a client is no worse off in its own room than without it.
    const hasMembers = this.#own.isOf(client, roomName) || sizeOf(this.rooms.localOf(roomName) ?? NONE) > 0;
    return this.interest.acquireRoom(roomName, hasMembers);
  }

  #joinWhenReady(
    client: ClientSession,
    roomName: string,
    join: Join,
    preparation: Preparation,
    ready: Promise<void>,
  ): Promise<boolean> {
    const enter = (): boolean => {
      const isWanted = !pending.cancelled && this.clients.holds(client);
      if (isWanted) this.#enter(client, roomName, pending, preparation.profile);
      else this.interest.releaseRoom(roomName);
      this.#pending.remove(client, roomName, pending);
      return isWanted;
    };
    const fail = (error: unknown): never => {
      this.#pending.remove(client, roomName, pending);
      throw error;
    };
    const pending: PendingJoin = { ...join, cancelled: false, done: ready.then(enter, fail) };
    this.#pending.add(client, roomName, pending);
    return pending.done;
  }

  /** What is sent to two rooms that a client calls the same it could not tell apart, and leave neither of them for sure. */
  #checkAlike(client: ClientSession, roomName: string): void {
    const name = this.#names.nameOf(roomName);
    for (const other of [...client.rooms, ...this.#pending.wantedBy(client)]) {
      if (other === roomName || this.#names.nameOf(other) !== name) continue;
      throw new WsError('CONFLICT', 'The client is in another room that it calls by this name.');
    }
  }

  #checkRoomLimit(client: ClientSession): void {
    const { limits, rooms } = client.options;
    const limit = limits.roomsPerClient;
    if (limit === false || !rooms.clientCanJoinMultipleRooms) return;
    if (client.rooms.size + this.#pending.countOf(client) >= limit) {
      this.counters.count('roomsPerClient');
      throw new WsError('ROOM_LIMIT', `A client can be in ${limit} rooms at most.`);
    }
  }

  #enter(
    client: ClientSession,
    roomName: string,
    { username, broadcast, isRequest, claims }: Join,
    profile: MemberProfile | undefined,
  ): void {
    this.#claimed.begin(client, roomName, claims);
    this.asked.note(client, roomName, isRequest);
    this.rooms.enter(roomName, { client, username, profile, broadcast, isRequest });
    this.#leaveOthers(client, roomName, broadcast);
  }

  /** In one-room mode: leaves the old room, only now that the new one is live, and cancels the joins asked for before. */
  #leaveOthers(client: ClientSession, roomName: string, broadcast: boolean): void {
    const { clientCanJoinMultipleRooms, defaults } = client.options.rooms;
    if (clientCanJoinMultipleRooms) return;
    const stays = (name: string): boolean => defaults.includes(name) || this.#own.isOf(client, name);
    if (stays(roomName)) return;
    this.#pending.cancelBefore(client, roomName, stays);
    for (const other of [...client.rooms]) {
      if (other !== roomName && !stays(other)) this.remove(client, other, 'replaced', broadcast);
    }
  }

  #exit(client: ClientSession, roomName: string, broadcast: boolean, end?: ClientEnd): void {
    this.#claimed.forget(client, roomName);
    this.asked.forget(client, roomName);
    this.interest.releaseRoom(roomName);
    this.rooms.exit(client, roomName, broadcast, end);
  }
}

/** Whether a join has failed because the bus is down. */
export function isBusDown(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'UNAVAILABLE' || code === 'TIMEOUT';
}

/** The claims of a pending join that is asked for once more. */
function claimsOf(claim: JoinClaim | undefined, { claims, cancelled }: PendingJoin): PendingJoin['claims'] {
  if (!claim) return null;
  // The join had been left: nobody but this caller waits for it.
  if (cancelled) return new Set([claim]);
  return claims?.add(claim) ?? null;
}
