import { EVENT_TYPE, SYSTEM_TYPE } from '../protocol/route-key.js';
import type { ClientEventMap, RequestOptions } from './options/client-options.interface.js';
import type { ClientTimer } from './options/client-runtime.js';
import type { ConnectionServices } from './connection/connection.js';
import { fieldsOf } from './messages/frame-fields.js';
import type { Outbound } from './messages/outbound.js';
import type { OutgoingOptions } from './messages/outgoing.interface.js';
import { readError } from './messages/server-frame.js';
import type { Welcome } from './welcome.js';

/** How a client joins a room. */
export interface JoinOptions extends RequestOptions {
  /** The label that other members see, if the server shows labels. Default: none. */
  username?: string | undefined;
}

/** How a client leaves a room. */
export interface LeaveOptions extends RequestOptions {
  /** Whether all joins end at once. Default: false, the client leaves the room when the last join ends. */
  all?: boolean | undefined;
}

/** What the server tells about a room that the client has joined. */
export interface JoinedRoom {
  readonly roomName: string;
  readonly userId?: string | undefined;
  readonly userType?: string | undefined;
  readonly username?: string | undefined;
  /** ISO 8601. */
  readonly joinedAt?: string | undefined;
}

/** Called when the server does not let the client into a room again. */
type OnRefused = (room: ClientEventMap['onRoomRefused'], holds: readonly Hold[]) => void;

/** One join of a room. */
export interface Hold {
  /** Called when the server does not let the client in again. */
  readonly onRefused?: ((error: unknown) => void) | undefined;
  /** Whether the server has let the client in. */
  isJoined?: boolean;
}

interface Membership {
  readonly roomName: string;
  username: string | undefined;
  /** The joins that have not ended. Those of handles are last, so that `leave()` without a handle ends another one first. */
  holds: Hold[];
  /** The welcome of the last connection on which the client was, or may have been, in the room. */
  on?: Welcome | null | undefined;
  /** The join request that is under way; other joins share its answer. */
  joining?: Promise<JoinedRoom> | undefined;
}

/** The rooms of the client, which it joins again after a reconnect. */
export class Rooms {
  readonly #services: ConnectionServices;
  readonly #outbound: Outbound;
  readonly #refused: OnRefused;
  /** In the order of the joins. With a server that allows one room at a time, the client is in the last one. */
  readonly #memberships = new Map<string, Membership>();
  /** Runs until failed joins are tried again. */
  #retry: ClientTimer | undefined;
  /** The welcome of the present connection, which identifies it; null without a connection. */
  #welcome: Welcome | null = null;

  constructor(services: ConnectionServices, outbound: Outbound, refused: OnRefused) {
    this.#services = services;
    this.#outbound = outbound;
    this.#refused = refused;
  }

  /** Joins a room. It is remembered once the server has let the client in. */
  async join(roomName: string, { username, ...options }: JoinOptions, own?: Hold): Promise<JoinedRoom> {
    const membership: Membership = this.#memberships.get(roomName) ?? { roomName, username, holds: [] };
    this.#memberships.delete(roomName);
    this.#memberships.set(roomName, membership);
    const hold = own ?? {};
    const isMissing = !membership.joining && this.#isMissing(membership);
    if (own) membership.holds.push(hold);
    // A join that `onConnected` repeats on each connection, before the room is joined again, counts once.
    else if (!isMissing) membership.holds.unshift(hold);
    const mayShare = membership.username === username && !options.signal;
    const ask = (): Promise<JoinedRoom> => {
      const abandoned = (): void => void (membership.on ??= this.#welcome);
      return this.#enter(
        membership,
        this.#ask('join', roomName, options, { lane: isMissing ? 'first' : undefined, abandoned }, username),
      );
    };
    try {
      const answer = await (mayShare ? (membership.joining ??= ask()) : ask());
      membership.username = username;
      hold.isJoined = true;
      return answer;
    } catch (error) {
      membership.holds = membership.holds.filter((other) => other !== hold);
      throw error;
    } finally {
      // The join was left meanwhile.
      if (!this.#memberships.get(roomName)?.holds.length) {
        const { on } = membership;
        membership.on = undefined;
        this.#memberships.delete(roomName);
        if (on === this.#welcome) this.leave(roomName).catch(() => undefined);
      }
    }
  }

  /** Ends a join. With the last one the room is forgotten, and left if the client may be in it. */
  async leave(roomName: string, { all, ...options }: LeaveOptions = {}, own?: Hold): Promise<void> {
    const welcome = this.#welcome;
    const holds = this.#memberships.get(roomName)?.holds ?? [];
    const at = own ? holds.indexOf(own) : 0;
    if (at < 0) return;
    holds.splice(at, all ? Infinity : 1);
    if (holds.length) return;
    this.#memberships.delete(roomName);
    // Without a connection there is nothing to leave; a join that waits in the queue is followed by its leave.
    if (!welcome) return;
    await this.#ask('leave', roomName, options, { lane: 'inTurn' }).catch((error: unknown) => {
      // When the connection has ended, the client has left the room anyway.
      if (this.#welcome === welcome) throw error;
    });
  }

  /** Called for a new connection, which is in none of the rooms. Rooms of another user are forgotten. */
  connected(welcome: Welcome): void {
    this.#welcome = welcome;
    for (const membership of this.#memberships.values()) {
      if (membership.on?.userId === welcome.userId) continue;
      membership.holds = membership.holds.filter(({ isJoined }) => !isJoined);
      membership.on = undefined;
    }
  }

  /** Called when the connection has ended. */
  disconnected(): void {
    this.#welcome = null;
    this.#retry?.cancel();
  }

  /** Joins again the rooms that the client is not in, in lists. A list that is refused is divided in halves. */
  rejoin(
    missing = [...this.#memberships.values()].filter(
      (membership) => !membership.joining && this.#isMissing(membership),
    ),
  ): void {
    const { limits, rooms } = this.#welcome ?? {};
    /** The most rooms in one list; also more bytes than a frame has beside its list. */
    const most = 1_024;
    const around = 99;
    const [first] = missing;
    const half = missing.length >> 1;
    const list = missing.map(({ roomName: room, username }) => (username ? { room, username } : room));
    if (
      first &&
      missing.length <= most &&
      // Servers before the limits do not know labels in lists.
      limits &&
      !rooms?.ownJoin &&
      this.#services.allowance.sizeOf(JSON.stringify(list)) + around <= limits.maxPayload / 2
    ) {
      const message = { type: this.#services.options.codec.ownType, action: 'join', data: { rooms: list } };
      const answer = this.#outbound.ask(message, {}, { lane: 'first' });
      for (const membership of missing) {
        membership.joining = this.#enter(membership, answer);
        membership.joining.catch(() => undefined);
      }
    } else if (half) {
      this.rejoin(missing.slice(0, half));
      this.rejoin(missing.slice(half));
    } else if (first) this.join(first.roomName, first).catch(() => undefined);
  }

  /** Whether the room still has to be joined on this connection. */
  #isMissing({ on }: Membership): unknown {
    return on && this.#welcome && on !== this.#welcome;
  }

  /** Handles the server's answer to a join, which either envelope may express as a refusal. */
  async #enter(membership: Membership, answer: Promise<unknown>): Promise<JoinedRoom> {
    const { roomName } = membership;
    try {
      const { refused, data } = fieldsOf(await answer);
      for (const refusal of Object.values(fieldsOf(refused)).map(fieldsOf))
        if (refusal.room === roomName) throw readError(refusal);
      membership.on = this.#welcome;
      return { ...fieldsOf(data), roomName };
    } catch (error) {
      const { retryable, code } = fieldsOf(error);
      const { holds } = membership;
      // Otherwise the client is in the room as before, has left it, or joins it on the next connection.
      if (holds.length && this.#isMissing(membership)) {
        if (retryable !== false) {
          /** The shortest wait before another attempt, in ms; the longest is twice that. */
          const wait = 2_000;
          const { runtime } = this.#services;
          this.#retry?.cancel();
          this.#retry = runtime.timeout(wait * (1 + runtime.random()), () => this.rejoin());
          // The server allows one room at a time and another one has taken its place, as it would without a reconnect.
        } else if (code === 'CONFLICT') membership.on = this.#welcome;
        else {
          membership.holds = [];
          this.#memberships.delete(roomName);
          this.#refused({ roomName, error }, holds);
        }
      }
      throw error;
    } finally {
      membership.joining = undefined;
    }
  }

  /** Sends the request for one room, in the form that another server of events knows, if it is one. */
  #ask(
    action: 'join' | 'leave',
    roomName: string,
    options: RequestOptions,
    own: OutgoingOptions,
    username?: string,
  ): Promise<unknown> {
    const { codec } = this.#services.options;
    return this.#outbound.ask(
      codec.beats && codec.isOther
        ? { type: EVENT_TYPE, action, data: { rooms: [roomName] } }
        : { type: SYSTEM_TYPE, action: `${action}Room`, data: { roomName, username } },
      options,
      own,
    );
  }
}
