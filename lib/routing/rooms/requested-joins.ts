import { Inject, Injectable } from '@nestjs/common';
import type { ClientSession } from '../../clients/session/client-session.js';
import type { AckSource } from '../../clients/session/route.interface.js';
import { WsError } from '../../errors/ws.error.js';
import {
  ROOM_HISTORY,
  type ReplayRequest,
  type ReplayVerdict,
  type RoomHistory,
} from '../../history/room-history.interface.js';
import { checkState, isSameState } from '../../presence/member-state.js';
import { PresenceAudience } from '../../presence/presence-audience.js';
import { ROOM_PRESENCE, type RoomPresence } from '../../presence/room-presence.interface.js';
import type { RequestId } from '../../protocol/messages.js';
import { JoinClaim } from '../../rooms/join-claims.js';
import { ClientRooms } from '../../rooms/client-rooms.js';
import { Memberships } from '../../rooms/memberships.js';
import { RoomRules } from '../../rooms/room-rules.js';
import { has, NONE, withItem, type Few } from '../../runtime/few.js';
import type { Awaitable } from '../../runtime/thenable.js';
import { Admissions } from './admissions.js';
import { readReplay, type ReplayFields } from './replay-fields.js';

/** How a client wants to join a room. */
export interface RequestedJoin extends ReplayFields, PresenceFields {
  readonly username: string | undefined;
}

/** What a client has written about a room with presence, as it came. */
export interface PresenceFields {
  /** True: the answer has the list of members, and the client is told of the differences. */
  readonly presence?: unknown;
  /** Its own state. */
  readonly state?: unknown;
}

/** A room that was joined. */
export interface Joined {
  readonly key: string;
  /** Undefined for a room without history. */
  readonly verdict: ReplayVerdict | undefined;
}

/** The joins that clients ask for. */
@Injectable()
export class RequestedJoins {
  readonly #services: JoinServices;

  constructor(
    rooms: ClientRooms,
    memberships: Memberships,
    rules: RoomRules,
    audience: PresenceAudience,
    @Inject(ROOM_PRESENCE) presence: RoomPresence,
    @Inject(ROOM_HISTORY) history: RoomHistory,
  ) {
    this.#services = { rooms, memberships, rules, audience, presence, history };
  }

  /** @param id the message's; without one nobody could tell what an answer is about, so nothing is replayed */
  of(session: ClientSession, id: RequestId | undefined, exchange: AckSource): JoinRequest {
    return new JoinRequest(this.#services, session, id !== undefined, exchange);
  }
}

interface JoinServices {
  readonly rooms: ClientRooms;
  readonly memberships: Memberships;
  readonly rules: RoomRules;
  readonly audience: PresenceAudience;
  readonly presence: RoomPresence;
  readonly history: RoomHistory;
}

/** The joins of one message. Unless they are confirmed in time, they are taken back. */
export class JoinRequest {
  readonly #claims: JoinClaim[] = [];
  /** The keys of the rooms of which the client wants to know who is there. */
  #shown: Few<string> = NONE;
  readonly #admissions: Admissions;
  /** The bytes of the lists of members that the answer has, where they are counted. */
  #listed = 0;

  constructor(
    private readonly services: JoinServices,
    private readonly session: ClientSession,
    private readonly isAnswered: boolean,
    private readonly exchange: AckSource,
  ) {
    const { history } = services;
    this.#admissions = new Admissions(history, session, exchange);
  }

  /**
   * Puts the client into a room, and decides what it gets of the room's history.
   *
   * @throws WsError, also at the call, FORBIDDEN where clients do not join by themselves, BAD_MESSAGE, CONFLICT when the client
   * has left meanwhile, UNAVAILABLE, and as {@link ClientRooms.join} and {@link Memberships.join}; the client is where it was then
   * @param isAlone the message asks for no other room: a join that is done at once is final, without {@link confirm}
   */
  join(roomName: string, wish: RequestedJoin, isAlone = false): Awaitable<Joined> {
    const { session, services, exchange } = this;
    if (!services.rules.isOpenTo(session)) throw new WsError('FORBIDDEN', 'Clients cannot join rooms by themselves.');
    const claim = new JoinClaim();
    this.#claims.push(claim);
    const joined = services.rooms.join(session, roomName, (key) => this.#join(key, wish, claim, isAlone));
    if (joined instanceof Promise) exchange.whenGivenUp(() => this.withdraw());
    return joined;
  }

  /**
   * Who is in a room that was joined, as fields of a JSON object, for an answer that follows in this turn. What is told of the room
   * from now on follows the answer.
   *
   * @returns undefined where the client has not asked for it, or the room has no presence
   */
  membersOf(key: string): string | undefined {
    if (!has(this.#shown, key)) return undefined;
    const { session, exchange } = this;
    const list = this.services.audience.add(session, key, exchange, this.#listed);
    if (list !== undefined && session.options.limits.maxPushBytes !== false) this.#listed += Buffer.byteLength(list);
    return list;
  }

  /** Takes back what was joined, unless somebody else has asked for it too. */
  withdraw(): void {
    for (const claim of this.#claims) this.services.memberships.withdraw(claim);
  }

  /** The client is about to be told: what it has joined stays. */
  confirm(): void {
    for (const claim of this.#claims) this.services.memberships.confirm(claim);
  }

  #join(key: string, wish: RequestedJoin, claim: JoinClaim, isAlone: boolean): Awaitable<Joined> {
    const { username } = wish;
    const replay = this.#read(key, wish);
    const setState = this.#readPresence(key, wish);
    const settings = { username, isRequest: true, claim, isFinalAtOnce: isAlone && !replay };
    const joined = this.services.memberships.begin(this.session, key, settings);
    const entered = (isMember: boolean): Awaitable<Joined> => this.#entered(key, isMember, replay, setState, claim);
    return joined instanceof Promise ? joined.then(entered) : entered(joined);
  }

  #entered(
    key: string,
    isMember: boolean,
    replay: ReplayRequest | undefined,
    setState: (() => void) | undefined,
    claim: JoinClaim,
  ): Awaitable<Joined> {
    const { session } = this;
    // The server itself has put the client in meanwhile: it has to learn where it goes on.
    const isThere = isMember || (replay !== undefined && session.rooms.has(key));
    // Another request may keep the client in the room that this one was given up for.
    if (!isThere || claim.isWithdrawn) throw hasLeft();
    setState?.();
    this.#admissions.entered(key);
    if (!replay) return { key, verdict: undefined };
    return this.#admit(key, replay, claim).then((verdict) => ({ key, verdict }));
  }

  /** @returns undefined for a room without history: there the fields have no meaning */
  #read(key: string, fields: ReplayFields): ReplayRequest | undefined {
    const { history } = this.services;
    if (!this.isAnswered || !history.isOn || !history.retentionOf(key)) return undefined;
    return readReplay(fields);
  }

  /**
   * @returns sets the state, once the client is in the room; undefined where it has given none, or the room has no presence
   * @throws WsError BAD_MESSAGE
   */
  #readPresence(key: string, { presence: isShown, state }: PresenceFields): (() => void) | undefined {
    const { presence } = this.services;
    if (!presence.isOn || !presence.rulesOf(key)) return undefined;
    if (isShown !== undefined && typeof isShown !== 'boolean') {
      throw new WsError('BAD_MESSAGE', 'presence is neither true nor false.');
    }
    // Without an id nobody could tell what the list is about.
    if (isShown === true && this.isAnswered) this.#shown = withItem(this.#shown, key);
    if (state === undefined) return undefined;
    checkState(state);
    return () => {
      // In one-room mode a later room of the same list has taken the place of this one.
      if (!this.session.rooms.has(key)) return;
      // A client that comes back says once more what it has said, which is nothing new.
      if (isSameState(presence.stateOf(this.session, key), state)) return;
      presence.setState(this.session, key, state);
    };
  }

  async #admit(key: string, replay: ReplayRequest, claim: JoinClaim): Promise<ReplayVerdict | undefined> {
    try {
      const verdict = await this.#admissions.decide(key, replay);
      if (!claim.isWithdrawn && this.session.rooms.has(key)) return verdict;
    } catch (error) {
      this.services.memberships.withdraw(claim);
      throw error;
    }
    throw hasLeft();
  }
}

function hasLeft(): WsError {
  return new WsError('CONFLICT', 'The room was left while it was being joined.');
}
