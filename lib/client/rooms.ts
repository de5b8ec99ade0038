import { EVENT_TYPE, SYSTEM_TYPE } from '../protocol/route-key.js';
import { bytesOf } from './allowance.js';
import type { ClientMessage } from './client-codec.interface.js';
import type { ClientEventMap, RequestOptions } from './client-options.interface.js';
import type { ClientTimer } from './client-runtime.js';
import type { ConnectionServices } from './connection.js';
import { fieldsOf } from './frame-fields.js';
import type { AskOptions, Outbound } from './outbound.js';
import { readError } from './server-frame.js';
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

/** The least wait before a room is tried again that was not to be had just now, in ms; at most twice that. */
const RETRY = 2_000;
/** How many rooms the server takes in one list. */
const MOST = 1_024;
/** More bytes than a list has beside its rooms. */
const AROUND = 99;

interface Membership {
  username: string | undefined;
  /** The joins that were not left. Those of handles are last: who leaves without one takes another one back. */
  holds: Hold[];
  /** What the server told when it let the client in. */
  joined?: JoinedRoom | undefined;
  /** The client is in the room on this connection, or may be: nobody has waited for the answer. */
  isIn?: boolean;
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
  #userId: string | undefined;

  constructor(services: ConnectionServices, outbound: Outbound, refused: OnRefused) {
    this.#services = services;
    this.#outbound = outbound;
    this.#refused = refused;
  }

  /** Joins a room, which is remembered once the server has let the client in. */
  async join(roomName: string, { username, ...options }: JoinOptions, own?: Hold): Promise<JoinedRoom> {
    const membership: Membership = this.#memberships.get(roomName) ?? { username, holds: [] };
    this.#memberships.delete(roomName);
    this.#memberships.set(roomName, membership);
    const hold = own ?? {};
    const { joined, isIn } = membership;
    if (own) membership.holds.push(hold);
    // What onConnected joins each time, before the room is joined again, is one join.
    else if (!joined || isIn || membership.joining || !this.#welcome) membership.holds.unshift(hold);
    const mayShare = membership.username === username && !options.signal;
    let joining = mayShare && membership.joining;
    if (!joining) {
      const abandoned = (): void => {
        if (!membership.joined) membership.isIn = true;
      };
      const answer = this.#ask('join', roomName, options, { abandoned }, username);
      joining = this.#enter(roomName, membership, answer, username);
      if (mayShare) membership.joining = joining;
    }
    try {
      const answer = await joining;
      hold.isJoined = true;
      return answer;
    } catch (error) {
      membership.holds = membership.holds.filter((other) => other !== hold);
      throw error;
    } finally {
      this.#settle(roomName, membership);
    }
  }

  /** Takes a join back; with the last one, the room is forgotten, and left where the client may be in it. */
  async leave(roomName: string, { all, ...options }: LeaveOptions, own?: Hold): Promise<void> {
    const membership = this.#memberships.get(roomName);
    const welcome = this.#welcome;
    const { holds = [] } = membership ?? {};
    const at = own ? holds.indexOf(own) : 0;
    if (at < 0) return;
    holds.splice(at, all ? Infinity : 1);
    if (holds.length) return;
    this.#memberships.delete(roomName);
    if (membership) membership.isIn = false;
    // A join that waits for a connection is followed by its leave; else there is nothing to leave between two.
    if (!welcome) return;
    await this.#ask('leave', roomName, options, { isBound: true }).catch((error: unknown) => {
      // With its connection, the client has left.
      if (this.#welcome === welcome) throw error;
    });
  }

  /** A connection stands: its server knows nothing of the client's rooms, which were those of its user alone. */
  connected(welcome: Welcome): void {
    this.#welcome = welcome;
    if (welcome.userId === this.#userId) return;
    this.#userId = welcome.userId;
    for (const membership of this.#memberships.values()) {
      membership.holds = membership.holds.filter(({ isJoined }) => !isJoined);
      membership.joined = undefined;
    }
  }

  /** The connection is gone. */
  disconnected(): void {
    this.#welcome = null;
    this.#retry?.cancel();
    this.#retry = undefined;
    for (const membership of this.#memberships.values()) membership.isIn = false;
  }

  /** Joins the rooms again that the client is not in, with as few requests as the server allows. */
  rejoin(): void {
    const { limits, rooms } = this.#welcome ?? {};
    const isListed = limits && !rooms?.ownJoin;
    let chunk: [string, Membership][] = [];
    let size = AROUND;
    const send = (): void => {
      const [first] = chunk;
      if (!first) return;
      const how = { isFirst: true, isBound: true };
      const answer = isListed
        ? this.#outbound.ask(
            { type: this.#services.options.codec.ownType, action: 'join', data: { rooms: chunk.map(entryOf) } },
            {},
            how,
          )
        : this.#ask('join', first[0], {}, how, first[1].username);
      for (const [roomName, membership] of chunk) {
        membership.joining = this.#enter(roomName, membership, answer, membership.username);
        const settle = (): void => this.#settle(roomName, membership);
        membership.joining.then(settle, settle);
      }
      chunk = [];
      size = AROUND;
    };
    for (const entry of this.#memberships) {
      const [, { joined, isIn, joining }] = entry;
      if (!joined || isIn || joining) continue;
      const bytes = bytesOf(JSON.stringify(entryOf(entry))) + 1;
      // An older server knows no labels in lists.
      if (!isListed || chunk.length === MOST || this.#services.allowance.sizeOf(size + bytes) > limits.maxPayload / 2)
        send();
      chunk.push(entry);
      size += bytes;
    }
    send();
  }

  /** Takes the server's answer, which lets the client in, or refuses it as one of the two envelopes does. */
  async #enter(
    roomName: string,
    membership: Membership,
    answer: Promise<unknown>,
    username: string | undefined,
  ): Promise<JoinedRoom> {
    const welcome = this.#welcome;
    try {
      const { refused, data } = fieldsOf(await answer);
      for (const refusal of Object.values(fieldsOf(refused)).map(fieldsOf)) {
        if (refusal.room === roomName) throw readError(refusal);
      }
      membership.isIn = true;
      membership.username = username;
      return (membership.joined = { ...membership.joined, ...fieldsOf(data), roomName });
    } catch (error) {
      const { retryable, code } = fieldsOf(error);
      // It is in as before, was left, or is to be joined on the next connection.
      if (membership.isIn || !membership.joined || !welcome || this.#welcome !== welcome) throw error;
      if (retryable !== false) {
        this.#retry ??= this.#services.runtime.timeout(RETRY * (1 + this.#services.runtime.random()), () => {
          this.#retry = undefined;
          this.rejoin();
        });
        // Another room has taken its place, where a client is in one at a time: as when it was joined.
      } else if (code === 'CONFLICT') membership.isIn = true;
      else if (this.#memberships.get(roomName) === membership) {
        this.#memberships.delete(roomName);
        this.#refused({ roomName, error }, membership.holds);
      }
      throw error;
    }
  }

  /** A request has been answered, or given up: a room that nobody wants is left. */
  #settle(roomName: string, membership: Membership): void {
    membership.joining = undefined;
    if (this.#memberships.get(roomName) === membership && !membership.holds.length) this.#memberships.delete(roomName);
    if (this.#welcome && membership.isIn && !this.#memberships.has(roomName)) {
      membership.isIn = false;
      this.#outbound.send(this.#message('leave', roomName), true);
    }
  }

  #ask(
    action: 'join' | 'leave',
    roomName: string,
    options: RequestOptions,
    how: AskOptions,
    username?: string,
  ): Promise<unknown> {
    return this.#outbound.ask(this.#message(action, roomName, username), options, { ...how, isTold: true });
  }

  /** The request for one room. Where an event is the application's own, or has no place for the label, it is another one. */
  #message(action: 'join' | 'leave', roomName: string, username?: string): ClientMessage {
    const { codec } = this.#services.options;
    return codec.beats && (codec.isOther || (username === undefined && !this.#welcome?.rooms.ownJoin))
      ? { type: EVENT_TYPE, action, data: { rooms: [roomName] } }
      : { type: SYSTEM_TYPE, action: `${action}Room`, data: { roomName, username } };
  }
}

/** A room as it stands in a list. */
function entryOf([room, { username }]: readonly [string, Membership]): unknown {
  return username === undefined ? room : { room, username };
}
