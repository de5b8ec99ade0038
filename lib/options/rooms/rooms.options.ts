import type { Type } from '@nestjs/common';
import type { WsClient } from '../../ws-client/ws-client.js';
import type { WsProtocolName } from '../../protocol/codec.interface.js';
import { PxlWebSocketOptionsError } from '../../errors/start-up.errors.js';
import { CLIENT_ID_LENGTH } from '../../runtime/client-id.js';
import { isClass, isClassWith, lackOf } from '../checks/class-checks.js';
import { isGroup, OptionChecks } from '../checks/option-checks.js';
import type { ResolvedCluster } from '../cluster.options.js';
import { resolvePresence, type ResolvedPresence, type WsPresenceOption } from './presence.options.js';
import { resolveHistory, type ResolvedHistory, type WsHistoryOption } from './history.options.js';
import type { ResolvedLimits } from '../limits.options.js';
import type { WsRoomName } from '../../ws-client/room-key.js';

/** A client that wants to join a room. */
export interface WsRoomRequest extends WsRoomName {
  readonly client: WsClient;
}

/**
 * Whether the client may join. An object means yes, and is what the other members see as its `profile`. Any other value
 * refuses: a list, a returned error or an Observable is also logged.
 */
export type WsRoomVerdict = boolean | Readonly<Record<string, unknown>>;

/**
 * The namespace of the rooms that a client asks for: 1 to 128 characters without U+001F. Undefined, null and false: it has
 * none, and can join no room by itself.
 */
export type WsNamespaceOfClient = (client: WsClient) => NamespaceVerdict | Promise<NamespaceVerdict>;

type NamespaceVerdict = string | undefined | null | false;

/** Decides about one request of a client to join a room. */
export type WsAuthorizeRoom = (request: WsRoomRequest) => WsRoomVerdict | Promise<WsRoomVerdict>;

/** The same as a class, with dependencies. */
export interface WsRoomAuthorizer {
  authorize(request: WsRoomRequest): WsRoomVerdict | Promise<WsRoomVerdict>;
}

/** A client that is about to enter a room. */
export interface WsRoomEntrant extends WsRoomRequest {
  /** Null for an anonymous client. */
  readonly userId: string | null;
}

type Profile = Readonly<Record<string, unknown>>;

/** What the other members see of an entrant as its `profile`. */
export type WsProfileOfMember = (entrant: WsRoomEntrant) => Profile | Promise<Profile>;

/** The same as a class, with dependencies. */
export interface WsMemberProfiler {
  profile(entrant: WsRoomEntrant): Profile | Promise<Profile>;
}

/** The two rules as an option takes them: a function, or a class that Nest provides or can make. */
export type WsRoomAuthorizeOption = WsAuthorizeRoom | Type<WsRoomAuthorizer>;
export type WsRoomProfileOption = WsProfileOfMember | Type<WsMemberProfiler>;

/** A client that wants to read messages of a room from before its join. */
export interface WsReadRequest extends WsRoomName {
  readonly client: WsClient;
}

/** Whether the client may: true, false, or how many of the newest messages it may read. */
export type WsMayRead = (request: WsReadRequest) => boolean | number | Promise<boolean | number>;

/** Whether a member may whisper: speak to the other members of a room without a handler of the application. */
export type WsMayWhisper = (request: WsRoomRequest) => boolean;

/** A member of a room as the functions of `rooms.filters` see it. */
export interface WsFilteredMember extends WsRoomRequest {
  /** Null for an anonymous client. */
  readonly userId: string | null;
  /** What it is called in this room. */
  readonly username: string | undefined;
  /** What `rooms.authorize` and `rooms.profile` show of it. */
  readonly profile: Profile | undefined;
  /** Its own state in a room with presence (`rooms.presence`). */
  readonly state: unknown;
}

/** Whether a member gets a message that was sent with `where: [name, args]`. Called on the member's worker, for each member. */
export type WsRoomFilter = (member: WsFilteredMember, args: unknown) => boolean;

export interface WsRoomOptions {
  /** False: a client that joins a room leaves the one before, once the new one is live. Default: true. */
  clientCanJoinMultipleRooms?: boolean | undefined;
  /**
   * True: clients may ask to join rooms by themselves (`system.joinRoom`). Default: false, so that only the server puts
   * them in; true where there is an `authorize`.
   */
  open?: boolean | undefined;
  /**
   * Whose rooms a client asks for, as in `(client) => client.user?.payload.tenant`: what two clients of different namespaces
   * call `lobby` are two rooms, and none of them can name the other's. It is asked for each join, and has `timeouts.hook` to
   * answer. The server names rooms by `{ roomName, namespace }`; without a namespace its names are literal, those of
   * `rooms.defaults` and `rooms.own` too. All workers have the same. Default: none, every client calls a room the same.
   */
  namespace?: WsNamespaceOfClient | undefined;
  /**
   * Decides whether a client may join a room that it asks for. False refuses; an object means yes, and is what the other
   * members see as its `profile`. It has `timeouts.hook` to answer. Default: none, every room is open.
   */
  authorize?: WsRoomAuthorizeOption | undefined;
  /**
   * What the other members of a room see of a member as its `profile`, whoever put it there. Its fields replace those of
   * the same name that `authorize` has answered. It has `timeouts.hook` to answer. Default: none.
   */
  profile?: WsRoomProfileOption | undefined;
  /** True: the other members are told who joins and leaves (`room.memberJoined`, `room.memberLeft`). Default: false. */
  announce?: boolean | undefined;
  /**
   * True: what is sent to a room, announcements included, carries the room's name: `{ type, action, data, room }`,
   * `{ event, data, room }`. A client that is in several of the rooms of one send gets the first of them. The name replaces
   * a field `room` of the message itself; values that are a message of neither shape carry none. The client
   * library's `client.room(name).on(...)` needs it. Default: false.
   */
  named?: boolean | undefined;
  /**
   * Rooms that every client is put into once it is authenticated: within `limits.roomName` and `limits.roomsPerClient`.
   * Default: `[]`; event: `['ws-default', 'ws-notification']`.
   */
  defaults?: readonly string[] | undefined;
  /**
   * True, where `protocol` is `'event'`: every client is put into a room named by its id before its `rooms.defaults`, as
   * Ignis does, so that sends to that room reach it (`sendToRooms([clientId])`, the emitter's `toRoom`,
   * `getClientsByRoom`). The room counts for `limits.roomName` and `limits.roomsPerClient`, and the client stays in it when
   * one-room mode leaves others. Subscribers are told of it (`clientJoinedRoom`), the client list is not. Other clients
   * cannot join it by asking, on any endpoint and whatever `authorize` answers; the server can put them in. Without
   * `cluster.mirror` a worker does not know the ids that an application has given to clients of other workers
   * (`addClient`): there `authorize` has to keep others out. Each client costs a subscription in Redis; where rooms are
   * `sharded`, workers with some hundred clients receive nearly all rooms' messages. Default: false, clients and rooms are
   * two name spaces.
   */
  own?: boolean | undefined;
  /**
   * Numbers and keeps what is sent to rooms, so that a client that was away gets exactly what it missed. For all rooms
   * alike, or by a function of the room's name. The module's own option: the rooms are those of all endpoints.
   * Default: none.
   */
  history?: WsHistoryOption | undefined;
  /**
   * Decides what a member may read of the time before its join: everything, nothing, or so many of the newest messages.
   * It has `timeouts.hook` to answer. Default: none, everything.
   */
  mayRead?: WsMayRead | undefined;
  /**
   * Shows who is in a room, as a list and its differences. For all rooms alike, or by a function of the room's name. The module's
   * own option: the rooms are those of all endpoints. Needs `cluster.mirror`. Default: none.
   */
  presence?: WsPresenceOption | undefined;
  /**
   * True: members may speak to the other members of a room without a handler (`system.whisper`), for what nobody has to keep, such
   * as "is typing". Or a function that decides for each whisper. Default: false.
   */
  whisper?: boolean | WsMayWhisper | undefined;
  /**
   * Functions by which a send to rooms chooses among the members (`where: [name, args]`), by name. The module's own option: all
   * workers have the same. Default: none.
   */
  filters?: Record<string, WsRoomFilter> | undefined;
}

export interface ResolvedRooms {
  readonly clientCanJoinMultipleRooms: boolean;
  readonly open: boolean;
  readonly announce: boolean;
  readonly named: boolean;
  readonly defaults: readonly string[];
  readonly own: boolean;
  readonly namespace: WsNamespaceOfClient | undefined;
  readonly authorize: WsRoomAuthorizeOption | undefined;
  readonly profile: WsRoomProfileOption | undefined;
  /** Undefined: no room has history. */
  readonly history: ResolvedHistory | undefined;
  readonly mayRead: WsMayRead | undefined;
  /** Undefined: no room has presence. */
  readonly presence: ResolvedPresence | undefined;
  readonly whisper: boolean | WsMayWhisper;
  readonly filters: ReadonlyMap<string, WsRoomFilter>;
}

/**
 * @param defaults the default rooms where the application names none
 * @param areSpaced whether `rooms.namespace` is given for any endpoint
 */
export function resolveRooms(
  rooms: OptionChecks,
  protocol: WsProtocolName,
  defaults: readonly string[],
  areSpaced: boolean,
): ResolvedRooms {
  return {
    clientCanJoinMultipleRooms: rooms.boolean('clientCanJoinMultipleRooms', true),
    // An application with a rule for joins wants clients to ask.
    open: rooms.boolean('open', rooms.raw('authorize') !== undefined),
    announce: rooms.boolean('announce', false),
    named: rooms.boolean('named', false),
    defaults: Object.freeze([...rooms.texts('defaults', defaults)]),
    own: resolveOwnRooms(rooms, protocol),
    namespace: rooms.callback('namespace') as WsNamespaceOfClient | undefined,
    authorize: resolveRule(rooms, 'authorize') as WsRoomAuthorizeOption | undefined,
    profile: resolveRule(rooms, 'profile') as WsRoomProfileOption | undefined,
    history: resolveHistory(rooms, areSpaced),
    mayRead: rooms.callback('mayRead') as WsMayRead | undefined,
    presence: resolvePresence(rooms, areSpaced),
    whisper: resolveWhisper(rooms),
    filters: resolveFilters(rooms),
  };
}

function resolveWhisper(rooms: OptionChecks): boolean | WsMayWhisper {
  return typeof rooms.raw('whisper') === 'function'
    ? (rooms.callback('whisper') as WsMayWhisper)
    : rooms.boolean('whisper', false);
}

function resolveFilters(rooms: OptionChecks): ReadonlyMap<string, WsRoomFilter> {
  const given = rooms.raw('filters');
  if (given === undefined) return new Map();
  if (!isGroup(given)) rooms.refuse('filters', 'an object with functions');
  const filters = new OptionChecks(`${rooms.name}.filters`, given);
  const named = new Map<string, WsRoomFilter>();
  for (const name of Object.keys(given)) {
    const filter = filters.callback(name);
    if (filter) named.set(name, filter as WsRoomFilter);
  }
  return named;
}

/** @throws PxlWebSocketOptionsError when every client would be refused its own room or one of its default rooms */
export function checkFirstRooms(rooms: ResolvedRooms, { roomName, roomsPerClient }: ResolvedLimits): void {
  const refuse = (allowed: string, given: number): never => {
    throw new PxlWebSocketOptionsError(`The option rooms.defaults is ${allowed}, not ${given}.`);
  };
  if (rooms.own && roomName !== false && roomName < CLIENT_ID_LENGTH) {
    const least = `The option limits.roomName is at least ${CLIENT_ID_LENGTH} where rooms.own is true`;
    throw new PxlWebSocketOptionsError(`${least}, since clients' ids have so many characters, not ${roomName}.`);
  }
  const longest = Math.max(0, ...rooms.defaults.map((name) => name.length));
  if (roomName !== false && longest > roomName) {
    refuse(`a list of names of at most limits.roomName (${roomName}) characters`, longest);
  }
  const { size } = new Set(rooms.defaults);
  if (roomsPerClient === false || !rooms.clientCanJoinMultipleRooms) return;
  const most = roomsPerClient - Number(rooms.own);
  if (size <= most) return;
  const reason = rooms.own ? `${roomsPerClient}, and rooms.own takes one` : roomsPerClient;
  refuse(`a list of at most limits.roomsPerClient (${reason}) rooms`, size);
}

/**
 * Default rooms are in no namespace, so that their members would get to know each other across namespaces.
 *
 * @throws PxlWebSocketOptionsError where they would without the application deciding about it
 */
export function checkDefaultRooms({ namespace, defaults, announce, whisper, presence }: ResolvedRooms): void {
  const meeting = [announce && 'announce', whisper === true && 'whisper', presence?.isOfAll && 'presence'].find(
    Boolean,
  );
  if (!namespace || defaults.length === 0 || !meeting) return;
  throw new PxlWebSocketOptionsError(
    `The option rooms.defaults is an empty list where there are rooms.namespace and rooms.${meeting}: default rooms are in no ` +
      'namespace, so that clients of all namespaces would meet there.',
  );
}

/** @throws PxlWebSocketOptionsError for presence on a worker that does not know the clients of the others */
export function checkPresence({ presence }: ResolvedRooms, { mirror }: ResolvedCluster): void {
  if (!presence || mirror) return;
  throw new PxlWebSocketOptionsError(
    'The option cluster.mirror is true where there is rooms.presence, since members are on all workers.',
  );
}

/** Clients of `pxl.v1` do not expect rooms of their own: in PXL clients and rooms are two name spaces. */
function resolveOwnRooms(rooms: OptionChecks, protocol: WsProtocolName): boolean {
  const own = rooms.boolean('own', false);
  if (own && protocol !== 'event') rooms.refuse('own', "false, except where protocol is 'event'");
  return own;
}

/** A function, or a class with a method of the option's name; undefined when none was given. */
function resolveRule(rooms: OptionChecks, option: string): unknown {
  const given = rooms.raw(option);
  if (isClassWith(option, given)) return given;
  const allowed = `a function, or a class with a method ${option}`;
  if (isClass(given)) rooms.refuse(option, allowed, lackOf(given, [option]));
  if (given !== undefined && typeof given !== 'function') rooms.refuse(option, allowed);
  return rooms.callback(option);
}
