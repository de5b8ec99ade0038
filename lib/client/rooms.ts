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
  /** The label that the other members see, where the server shows labels. Default: none. */
  username?: string | undefined;
}

/** How a client leaves a room. */
export interface LeaveOptions extends RequestOptions {
  /** Leaves the room however many joins there are. Default: false, the room is left with the last of its joins. */
  all?: boolean | undefined;
}

/** What the server tells of a room that it let the client into. */
export interface JoinedRoom {
  readonly roomName: string;
  readonly userId?: string | undefined;
  readonly userType?: string | undefined;
  readonly username?: string | undefined;
  /** ISO 8601. */
  readonly joinedAt?: string | undefined;
}

/** Called when the client is not in a room any more that it was in. */
type OnRefused = (room: ClientEventMap['onRoomRefused'], holds: readonly Hold[]) => void;

/** One of the joins of a room. */
export interface Hold {
  /** Called when the server has not let the client in again. */
  readonly onRefused?: ((error: unknown) => void) | undefined;
  /** The server has let the client in. */
  isJoined?: boolean;
}

interface Membership {
  readonly roomName: string;
  username: string | undefined;
  /** The joins that were not left. Those of handles are last: who leaves without one takes another one back. */
  holds: Hold[];
  /** The welcome of the last connection on which the client was in the room, or may have been: nobody has waited for the answer. */
  on?: Welcome | null | undefined;
  /** The request that is under way, whose answer others can share. */
  joining?: Promise<JoinedRoom> | undefined;
}

/** The rooms that the client is in, so that it is in them again after a reconnect. */
export class Rooms {
  readonly #services: ConnectionServices;
  readonly #outbound: Outbound;
  readonly #refused: OnRefused;
  /** In the order in which they were joined: where a client is in one room at a time, the last one is the one. */
  readonly #memberships = new Map<string, Membership>();
  /** When what is not to be had just now is tried again. */
  #retry: ClientTimer | undefined;
  /** The welcome of the connection that the client is on, and stands for it; null between two. */
  #welcome: Welcome | null = null;

  constructor(services: ConnectionServices, outbound: Outbound, refused: OnRefused) {
    this.#services = services;
    this.#outbound = outbound;
    this.#refused = refused;
  }

  /** Joins a room, which is remembered once the server has let the client in. */
  async join(roomName: string, { username, ...options }: JoinOptions, own?: Hold): Promise<JoinedRoom> {
    const membership: Membership = this.#memberships.get(roomName) ?? { roomName, username, holds: [] };
    this.#memberships.delete(roomName);
    this.#memberships.set(roomName, membership);
    const hold = own ?? {};
    const isMissing = !membership.joining && this.#isMissing(membership);
    if (own) membership.holds.push(hold);
    // What onConnected joins each time, before the room is joined again, is one join.
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
      // Nobody wants to be in it any more.
      if (!this.#memberships.get(roomName)?.holds.length) {
        const { on } = membership;
        membership.on = undefined;
        this.#memberships.delete(roomName);
        if (on === this.#welcome) this.leave(roomName).catch(() => undefined);
      }
    }
  }

  /** Takes a join back; with the last one, the room is forgotten, and left where the client may be in it. */
  async leave(roomName: string, { all, ...options }: LeaveOptions = {}, own?: Hold): Promise<void> {
    const welcome = this.#welcome;
    const holds = this.#memberships.get(roomName)?.holds ?? [];
    const at = own ? holds.indexOf(own) : 0;
    if (at < 0) return;
    holds.splice(at, all ? Infinity : 1);
    if (holds.length) return;
    this.#memberships.delete(roomName);
    // A join that waits for a connection is followed by its leave; else there is nothing to leave between two.
    if (!welcome) return;
    await this.#ask('leave', roomName, options, { lane: 'inTurn' }).catch((error: unknown) => {
      // With its connection, the client has left.
      if (this.#welcome === welcome) throw error;
    });
  }

  /** A connection stands: its server knows nothing of the client's rooms, which were those of its user alone. */
  connected(welcome: Welcome): void {
    this.#welcome = welcome;
    for (const membership of this.#memberships.values()) {
      if (membership.on?.userId === welcome.userId) continue;
      membership.holds = membership.holds.filter(({ isJoined }) => !isJoined);
      membership.on = undefined;
    }
  }

  /** The connection is gone. */
  disconnected(): void {
    this.#welcome = null;
    this.#retry?.cancel();
  }

  /** Joins the rooms again that the client is not in, in lists; half by half, until the server takes them. */
  rejoin(
    missing = [...this.#memberships.values()].filter(
      (membership) => !membership.joining && this.#isMissing(membership),
    ),
  ): void {
    const { limits, rooms } = this.#welcome ?? {};
    /** How many rooms the server takes in one list, and more bytes than a list has beside them. */
    const most = 1_024;
    const around = 99;
    const [first] = missing;
    const half = missing.length >> 1;
    const list = missing.map(({ roomName: room, username }) => (username ? { room, username } : room));
    if (
      first &&
      missing.length <= most &&
      // An older server knows no labels in lists.
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

  /** Whether it is to be joined again on this connection, and is not yet. */
  #isMissing({ on }: Membership): unknown {
    return on && this.#welcome && on !== this.#welcome;
  }

  /** Takes the server's answer, which lets the client in, or refuses it as one of the two envelopes does. */
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
      // Otherwise it is in as before, was left, or is to be joined on the next connection.
      if (holds.length && this.#isMissing(membership)) {
        if (retryable !== false) {
          /** The least wait before it is tried again, in ms; at most twice that. */
          const wait = 2_000;
          const { runtime } = this.#services;
          this.#retry?.cancel();
          this.#retry = runtime.timeout(wait * (1 + runtime.random()), () => this.rejoin());
          // Another room has taken its place, where a client is in one at a time: as when it was joined.
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

  /** Asks for one room: another server of events knows its own events alone. */
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
