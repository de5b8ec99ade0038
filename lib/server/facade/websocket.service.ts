import { Injectable } from '@nestjs/common';
import type { WsRevokeOptions } from '../../auth/tokens/token-revocation.js';
import {
  badMessage,
  checkMessage,
  checkNames,
  readExclude,
  readFlag,
  readName,
  readNames,
  readUserId,
  readUserIds,
} from '../../clients/verb-checks.js';
import type { WsExclude } from '../../clients/exclusion.interface.js';
import { readConflate } from '../../clients/conflate.js';
import { readWhere, type WsWhere } from '../../clients/where.js';
import { applicationClose } from '../../clients/close-reason.js';
import { ClusterEvents } from '../../cluster/events/cluster-events.js';
import type { WsTarget } from '../../cluster/bus/envelope.js';
import { checkPublishable } from '../../cluster/events/publishable-channel.js';
import { asError, isError, isInstanceOf } from '../../errors/as-error.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { toErrorPayload } from '../../errors/exception-mapper.js';
import { WsError } from '../../errors/ws.error.js';
import { WsRoomsError } from '../../errors/ws-rooms.error.js';
import type { WsPosition } from '../../protocol/room-position.js';
import type { ClientEntry } from '../../ws-client/client-entry.js';
import type { WsNamespaced } from '../../ws-client/room-key.js';
import type { WsLimitName } from '../../limits/refusal-counters.js';
import type {
  DataArgument,
  IfGiven,
  SentAction,
  SentArguments,
  SentData,
  SentEvent,
  SentEventData,
  SentMessage,
  SentType,
  WebSocketContract,
} from '../../protocol/contract.js';
import type { WsEventMessage } from '../../protocol/messages.js';
import type { MembershipSubject } from '../../rooms/reauthorizations.js';
import type { WebSocketMetric } from '../../runtime/metrics/metrics.js';
import type { ClientQuery } from '../../cluster/calls/cluster-call.js';
import { ClusterCommands } from '../coordination/cluster-commands.js';
import { Directory } from '../coordination/directory.js';
import type { WsPresenceChange, WsPresentMembers } from '../coordination/room-members.js';
import type { MembersQuery } from '../../presence/room-presence.interface.js';
import type { WsHistoryQuery, WsKeptMessages } from '../../history/kept-messages.js';
import { readIdempotencyKey } from '../../history/numbered-checks.js';
import { KeptMessages } from '../coordination/kept-messages.js';
import type { Mailing } from '../delivery/delivery.js';
import { RoomMessages } from '../delivery/room-messages.js';
import type { WebSocketHealth } from '../monitoring/health.js';
import { Monitor } from '../monitoring/monitor.js';
import { RoomMoves, type RoomMove } from '../coordination/room-moves.js';
import { targetOf, type WsSendDestination } from './destinations.js';

/** The options of every send of {@link WebSocketService}. */
export interface WsSendOptions {
  /**
   * Who does not get the message: ids of clients, or `{ clients, users, rooms }`. Users are left out on all their devices; of
   * `rooms` those who are in one of them when the message is delivered. Default: nobody.
   */
  exclude?: WsExclude;
  /** True: a client that is over its `limits.maxBufferedBytes` may miss the message. Default: false. */
  volatile?: boolean;
  /**
   * A text of 1 to 128 characters that says what the message is the newest state of, such as a price or a cursor. Of the messages
   * with one key to the same room, or of the same kind of send, that still wait for a client (in a `delivery.window`, or since it is
   * over its `limits.maxBufferedBytes`), only the newest is sent. Not for rooms with history, unless volatile. Default: none, all
   * are sent.
   */
  conflate?: string;
}

/** The options of {@link WebSocketService.sendToRooms}. The namespace holds for the rooms of `exclude` too. */
export interface WsRoomSendOptions extends WsSendOptions, WsNamespaced {
  /**
   * Only members get the message for whom a function of `rooms.filters` says yes: its name, and its arguments, JSON of at most
   * 1 KiB. Not for rooms with history. On a worker that has no function of this name nobody gets it. Default: all members.
   */
  where?: WsWhere;
  /**
   * A text of 1 to 128 characters that identifies the message, for rooms with history (`rooms.history`): a room that has got
   * a message with this key within the last five minutes does not get it again. For a send that is tried again after an
   * error. Rooms without history get it each time, once all those with history have it. Default: none.
   */
  idempotencyKey?: string;
}

/** What {@link WebSocketService.send} takes. */
export interface WsSendRequest<Topic extends string = string, Data = unknown> extends WsSendOptions {
  destination?: WsSendDestination;
  /** An event name with its data, which can be anything but undefined. */
  payload: { topic: Topic; data: Data };
  /** Called once the message has been sent. */
  cb?: () => void;
}

/** How {@link WebSocketService} closes connections. */
export interface WsCloseOptions {
  /** 1000 or 3000–4999. Default: 4506, after which clients do not reconnect by themselves. */
  code?: number;
  /** For people, cut to 123 bytes. */
  reason?: string;
}

/**
 * The messaging facade that an application injects anywhere. Sends are cluster-wide and reach this worker's own clients
 * before the call returns; the promises tell whether the other workers were reached. In rooms with history it is otherwise:
 * see {@link WebSocketService.sendToRooms}.
 *
 * Every send rejects with BAD_MESSAGE, and sends nothing, when the message has no JSON form or no name (`type` and `action`,
 * or `event`), and for unknown or wrong options; with TOO_LARGE over `limits.maxPushBytes`. It rejects with UNAVAILABLE when other workers cannot be reached. Unknown
 * clients, users and rooms are not an error. A rejection that nobody handles, as of a send that is not awaited, goes to the
 * log and `events.onError`; it does not end the process.
 *
 * @typeParam C the contract with the clients, as in `constructor(sockets: WebSocketService<Chat>)`: sends then take the
 * contract's messages only; without one they take any message
 */
@Injectable()
export class WebSocketService<C extends WebSocketContract = WebSocketContract> {
  constructor(
    private readonly messages: RoomMessages,
    private readonly events: ClusterEvents,
    private readonly moves: RoomMoves,
    private readonly commands: ClusterCommands,
    private readonly directory: Directory,
    private readonly kept: KeptMessages,
    private readonly monitor: Monitor,
    private readonly errors: ErrorReporter,
  ) {}

  /** Sends to every client. */
  broadcast<
    Type extends SentType<C> = never,
    Action extends SentAction<C, Type> = never,
    Event extends SentEvent<C> = never,
  >(...message: SentArguments<C, Type, Action, Event, [options?: WsSendOptions]>): Promise<void>;
  broadcast(message: unknown, options?: WsSendOptions): Promise<void> {
    return this.#send('broadcast', { kind: 'everybody' }, message, options);
  }

  /** Sends to the clients with these ids, to each once. */
  sendToClients<
    Type extends SentType<C> = never,
    Action extends SentAction<C, Type> = never,
    Event extends SentEvent<C> = never,
  >(
    clientIds: readonly string[],
    message: SentMessage<C, Type, Action, Event>,
    options?: WsSendOptions,
  ): Promise<void> {
    return this.#watch('sendToClients', () =>
      this.#deliver({ kind: 'clients', clientIds: readNames('clientIds', clientIds) }, message, options),
    );
  }

  /** Sends to every session of these users. */
  sendToUsers<
    Type extends SentType<C> = never,
    Action extends SentAction<C, Type> = never,
    Event extends SentEvent<C> = never,
  >(
    userIds: readonly (string | number)[],
    message: SentMessage<C, Type, Action, Event>,
    options?: WsSendOptions,
  ): Promise<void> {
    return this.#watch('sendToUsers', () =>
      this.#deliver({ kind: 'users', userIds: readUserIds(userIds) }, message, options),
    );
  }

  /**
   * Sends to the members of these rooms; a client in several of them gets the message once.
   *
   * In rooms with history (`rooms.history`) the message gets the room's next number, unless it is volatile. The promise
   * resolves once Redis has it, and the members of this worker too get it no sooner. With several such rooms each gets it
   * under a number of its own: a client in two of them gets two frames, of which the library's client handles the first.
   * Subscribers get no event of messages.
   *
   * @throws WsError BAD_MESSAGE for a `where` that this worker's `rooms.filters` does not have. Where rooms have history:
   * BAD_MESSAGE for a `where`, for a `conflate` without `volatile`, for a message with a field `room`, `offset` or `copy`, for over 32
   * such rooms, and for an `idempotencyKey` where none has history or with `volatile`; INVALID_ROOM for a name that no client
   * can join; UNAVAILABLE when the message is not kept, nor will be, unless only Redis' answer was lost. Of several rooms some
   * may have it then: `WsRoomsError` names them, and the same call with the same `idempotencyKey` completes it
   */
  sendToRooms<
    Type extends SentType<C> = never,
    Action extends SentAction<C, Type> = never,
    Event extends SentEvent<C> = never,
  >(
    roomNames: readonly string[],
    message: SentMessage<C, Type, Action, Event>,
    options?: WsRoomSendOptions,
  ): Promise<void> {
    return this.#watch('sendToRooms', () =>
      this.#deliver({ kind: 'rooms', roomNames: readNames('roomNames', roomNames) }, message, options, OF_ROOMS),
    );
  }

  /** Sends `{ type: 'user', action, data }` to every client. */
  sendUserMessage<Action extends SentAction<C, 'user'>>(
    action: Action,
    ...rest: DataArgument<SentData<C, 'user', Action>>
  ): Promise<void>;
  sendUserMessage(action: string, data?: unknown): Promise<void> {
    return this.#send('sendUserMessage', { kind: 'everybody' }, { type: 'user', action, data });
  }

  /** Sends `{ type: 'system', action, data }` to every client. */
  sendSystemMessage<Action extends SentAction<C, 'system'>>(
    action: Action,
    ...rest: DataArgument<SentData<C, 'system', Action>>
  ): Promise<void>;
  sendSystemMessage(action: string, data?: unknown): Promise<void> {
    return this.#send('sendSystemMessage', { kind: 'everybody' }, { type: 'system', action, data });
  }

  /** Sends `{ type: 'error', action, data }` to every client. Of an Error only message and code are sent, never its stack. */
  sendErrorMessage(action: string, error: unknown): Promise<void> {
    const data = isError(error) ? describe(error) : error;
    return this.#send('sendErrorMessage', { kind: 'everybody' }, { type: 'error', action, data });
  }

  /**
   * Sends the event `topic` to a destination; without one to every client. To a room with history it is sent as by
   * {@link sendToRooms}.
   *
   * @throws WsError BAD_MESSAGE without a topic or data, and for an invalid destination
   */
  send<Event extends SentEvent<C>>(
    request: IfGiven<C, 'pushes', WsSendRequest<Event, SentEventData<C, Event>>, WsSendRequest>,
  ): Promise<void>;
  send(request: WsSendRequest): Promise<void> {
    return this.#watch('send', async () => {
      checkNames('option', request, ['destination', 'payload', 'cb', ...OF_ALL]);
      const { destination, payload, cb, exclude, volatile: isVolatile, conflate } = request;
      const message = eventOf(payload);
      await this.#deliver(
        targetOf(destination, (text) => this.directory.clients.isClientId(text), this.messages.names),
        message,
        { exclude, volatile: isVolatile, conflate },
      );
      cb?.();
    });
  }

  /**
   * Publishes an event to the subscribers of every worker, this one included. Clients do not get it.
   *
   * @param channel a name of the application's own of 1 to 128 characters, or an event that verbs publish (`custom`)
   * @throws WsError BAD_MESSAGE for any other name, such as the library's own events of clients and users
   */
  publish(channel: string, message: unknown): Promise<void> {
    return this.#watch('publish', async () => {
      checkPublishable(channel);
      await this.events.publish(channel, message);
    });
  }

  /**
   * Reads the messages that a room's history (`rooms.history`) keeps: from any worker, whether it has members there or not.
   *
   * @typeParam Kept the contract of the messages, the service's own
   * @example
   * const { messages, position, more } = await sockets.getHistory('tea', { limit: 50, reverse: true });
   * @throws WsError BAD_MESSAGE for wrong arguments; NOT_FOUND for a room without history; UNAVAILABLE when Redis cannot be
   * reached
   */
  getHistory<Kept extends WebSocketContract = C>(
    room: string,
    query: WsHistoryQuery = {},
  ): Promise<WsKeptMessages<Kept>> {
    return this.#watch('getHistory', () => this.kept.read<Kept>(room, query));
  }

  /**
   * Removes the messages of a room's history. The room begins a new epoch: members are told by `room.lost`, and whoever
   * returns with an earlier position by `recovered: false`.
   *
   * @returns the room's new position
   * @throws WsError as {@link getHistory} does
   */
  clearHistory(room: string, options: WsNamespaced = {}): Promise<WsPosition> {
    return this.#watch('clearHistory', () => this.kept.clear(room, options));
  }

  /**
   * Puts clients into rooms. Resolves once they receive what is sent there.
   *
   * @throws WsError INVALID_ROOM, before any join, for a name that no endpoint allows; INVALID_ROOM, ROOM_LIMIT, UNAVAILABLE
   * or TIMEOUT when one of the joins failed, after all of them were tried
   */
  joinRooms(move: RoomMove): Promise<void> {
    return this.#watch('joinRooms', () => this.moves.join(move));
  }

  /** Takes clients out of rooms. */
  leaveRooms(move: RoomMove): Promise<void> {
    return this.#watch('leaveRooms', () => this.moves.leave(move));
  }

  /**
   * Asks `rooms.authorize` again about memberships that clients have asked for themselves: all of a user, or all of a room, on
   * every worker. Who may not be there any more is taken out, and told so (`room.left`, `rule`); an answer that is an object is
   * the member's profile from now on. Where the rule fails or is late, the member stays, and that is reported. At most 16
   * questions run at once on a worker. Clients that the server has put into a room stay.
   *
   * Resolves once this worker has asked, and the others have been told to.
   *
   * @example
   * await this.members.revoke(board, userId);
   * await this.sockets.reauthorize({ userId });
   * @throws WsError BAD_MESSAGE unless exactly one of `userId` and `room` is given; UNAVAILABLE when the others cannot be told
   */
  reauthorize(memberships: { userId: string | number } | (WsNamespaced & { room: string })): Promise<void> {
    return this.#watch('reauthorize', () => {
      checkNames('option', memberships, ['userId', 'room', 'namespace']);
      return this.commands.reauthorize(this.#subjectOf(memberships));
    });
  }

  /**
   * Closes the connections of these clients.
   *
   * @throws WsError BAD_MESSAGE for a code that an application cannot close with, and for unknown options
   */
  disconnectClients(close: WsCloseOptions & { clientIds: readonly string[] }): Promise<void> {
    return this.#watch('disconnectClients', () => {
      checkNames('option', close, ['clientIds', ...CLOSE]);
      return this.#disconnect({ kind: 'clients', clientIds: readNames('clientIds', close.clientIds) }, close);
    });
  }

  /** Closes every session of a user; otherwise like {@link disconnectClients}. */
  disconnectUser(close: WsCloseOptions & { userId: string | number }): Promise<void> {
    return this.#watch('disconnectUser', () => {
      checkNames('option', close, ['userId', ...CLOSE]);
      return this.#disconnect({ kind: 'users', userIds: [readUserId(close.userId)] }, close);
    });
  }

  /** Closes the connection of every member of a room; otherwise like {@link disconnectClients}. */
  disconnectRoom(close: WsCloseOptions & WsNamespaced & { room: string }): Promise<void> {
    return this.#watch('disconnectRoom', () => {
      checkNames('option', close, ['room', 'namespace', ...CLOSE]);
      return this.#disconnect({ kind: 'rooms', roomNames: [this.#keyOf(close)] }, close);
    });
  }

  /**
   * The clients of all workers. Every worker is asked, so the answer does not depend on the mirror.
   *
   * @returns `partial`: true when a worker did not answer within a second, so that its clients are missing
   */
  fetchClients(query: ClientQuery = {}): Promise<{ clients: ClientEntry[]; partial: boolean }> {
    return this.#watch('fetchClients', () => this.directory.clients.fetch(this.#checkedQuery(query)));
  }

  /** The number of clients of all workers; otherwise like {@link fetchClients}, and cheaper. */
  countClients(query: ClientQuery = {}): Promise<{ count: number; partial: boolean }> {
    return this.#watch('countClients', () => this.directory.clients.count(this.#checkedQuery(query)));
  }

  /**
   * The members of a room with presence (`rooms.presence`) on all workers, as this one knows them, in the order of their ids: those
   * who have lost their connection too, for their grace. Other workers are not asked.
   *
   * @param query `limit`: the most of them, default: all; `after`: those behind the member with this id, its `clientId`, or its
   * `userId` where it has no `clientId`
   * @returns `members`, each with its present `clientIds`; `count`: how many the room has; `partial`: true while this worker
   * does not know the clients of the others
   * @throws WsError NOT_FOUND for a room without presence; BAD_MESSAGE for wrong arguments
   */
  getMembers(room: string, query: MembersQuery & WsNamespaced = {}): Promise<WsPresentMembers> {
    return this.#watch('getMembers', () => Promise.resolve(this.directory.members.list(room, query)));
  }

  /** How many members a room with presence has; otherwise like {@link getMembers}. */
  countMembers(room: string, options: WsNamespaced = {}): Promise<{ count: number; partial: boolean }> {
    return this.#watch('countMembers', () => Promise.resolve(this.directory.members.count(room, options)));
  }

  /**
   * Sets what the other members of a room with presence see as the state of a client, or of all clients of a user, there. Clients
   * that are not in the room stay as they are.
   *
   * @example
   * await sockets.setPresence({ userId: 'ada', room: 'tea', state: 'in a call' });
   * @throws WsError BAD_MESSAGE for wrong options, and for a state without a JSON form or of over 256 bytes; NOT_FOUND for a room
   * without presence; UNAVAILABLE when other workers cannot be reached
   */
  setPresence(change: WsPresenceChange): Promise<void> {
    return this.#watch('setPresence', () => this.directory.members.setState(change));
  }

  /**
   * Whether a user has a session on any worker. Every worker is asked unless this one has a session; a user whose connections
   * are lost is not online, also while the grace of `rooms.presence` runs.
   *
   * @returns `partial`: true when it is false and a worker did not answer within a second
   */
  isUserOnline(userId: string | number): Promise<{ online: boolean; partial: boolean }> {
    return this.#watch('isUserOnline', () => this.directory.users.isOnline(readUserId(userId)));
  }

  /**
   * The rooms that a user's sessions are in, on all workers: each once, in order. Every worker is asked.
   *
   * @returns `partial`: true when a worker did not answer within a second, so that its rooms are missing
   */
  getUserRooms(userId: string | number): Promise<{ rooms: string[]; partial: boolean }> {
    return this.#watch('getUserRooms', () => this.directory.users.roomsOf(readUserId(userId)));
  }

  /**
   * When the last session of a user has ended, on any worker, if that is not longer ago than `cluster.lastSeen`.
   *
   * @returns `at`: ms since 1970; the present time while the user has a session, null when it is not known. `partial`: true when
   * a worker did not answer within a second, or Redis cannot be reached
   */
  lastSeen(userId: string | number): Promise<{ at: number | null; partial: boolean }> {
    return this.#watch('lastSeen', () => this.directory.users.lastSeen(readUserId(userId)));
  }

  /** The state of this worker. It is read without waiting, so a probe can ask at any rate. */
  getWebSocketHealth(): WebSocketHealth {
    return this.monitor.health();
  }

  /**
   * Revokes a user's tokens, or one token: closes their connections with 4506, and refuses the tokens until they have
   * expired. Tokens have their time of issue in whole seconds: a token that is issued in the same second is revoked too.
   *
   * @throws WsError BAD_MESSAGE unless exactly one of `userId` and `jti` is given, and for an invalid time; UNAVAILABLE when
   * Redis cannot store the revocation: it holds on this worker then, and perhaps on others
   */
  revoke(options: WsRevokeOptions): Promise<void> {
    return this.#watch('revoke', async () => {
      checkNames('option', options, ['userId', 'jti', 'before', 'until']);
      await this.commands.revoke(options);
    });
  }

  /** This worker's counters and gauges, as a metrics system takes them. They are read without waiting. */
  getMetrics(): WebSocketMetric[] {
    return this.monitor.metrics();
  }

  /** How often each limit of this worker has refused something since its start; limits that never have are not listed. */
  getRefusals(): Partial<Record<WsLimitName, number>> {
    return this.monitor.refusals();
  }

  #send(verb: string, target: WsTarget, message: unknown, options?: WsSendOptions): Promise<void> {
    return this.#watch(verb, () => this.#deliver(target, message, options));
  }

  #deliver(
    target: WsTarget,
    message: unknown,
    options: WsRoomSendOptions = NONE,
    known: readonly string[] = OF_ALL,
  ): Promise<void> {
    checkMessage(message);
    if (options !== NONE) checkNames('send option', options, known);
    const { exclude, excludeUsers, excludeRooms } = readExclude(options.exclude);
    const where = readWhere(options.where);
    const isVolatile = readFlag('volatile', options.volatile);
    const conflate = readConflate(options.conflate);
    const mailing = { target, exclude, excludeUsers, excludeRooms, where, message, isVolatile, conflate };
    const idempotencyKey = readIdempotencyKey(options.idempotencyKey);
    const { namespace } = options;
    return namespace === undefined
      ? this.messages.send(mailing, idempotencyKey)
      : this.#deliverIn(namespace, mailing, idempotencyKey);
  }

  /** Where everything is in one namespace, so are the rooms that are left out. */
  async #deliverIn(namespace: unknown, mailing: Mailing, idempotencyKey: string | undefined): Promise<void> {
    const { names } = this.messages;
    const { target, excludeRooms } = mailing;
    const spaced: Mailing = {
      ...mailing,
      target:
        target.kind === 'rooms'
          ? { ...target, roomNames: names.keysOf('roomNames', target.roomNames, namespace) }
          : target,
      excludeRooms: excludeRooms && names.keysOf('exclude.rooms', excludeRooms, namespace),
    };
    try {
      await this.messages.send(spaced, idempotencyKey);
    } catch (error) {
      if (!isInstanceOf(error, WsRoomsError)) throw error;
      throw WsRoomsError.of(
        error.cause,
        error.rooms.map((key) => names.nameOf(key)),
      );
    }
  }

  #keyOf({ room, namespace }: { room?: unknown; namespace?: unknown }): string {
    return this.messages.names.keyOf('room', readName('room', room), namespace);
  }

  #checkedQuery(query: ClientQuery): ClientQuery {
    checkNames('query', query, ['room', 'userId', 'namespace']);
    const { room, userId, namespace } = query;
    if (userId !== undefined) readUserId(userId);
    if (namespace !== undefined && room === undefined) throw badMessage('Only a room has a namespace');
    return room === undefined ? query : { userId, room: this.#keyOf(query) };
  }

  #subjectOf(of: { userId?: unknown; room?: unknown; namespace?: unknown }): MembershipSubject {
    const { userId, room, namespace } = of;
    if (userId !== undefined && room === undefined && namespace === undefined) {
      return { kind: 'user', userId: readUserId(userId) };
    }
    if (room !== undefined && userId === undefined) return { kind: 'room', roomName: this.#keyOf(of) };
    throw new WsError('BAD_MESSAGE', 'Name the memberships: userId or room, one of them.');
  }

  #disconnect(target: WsTarget, close: WsCloseOptions): Promise<void> {
    return this.commands.send(target, { name: 'disconnect', ...applicationClose(close.code, close.reason) });
  }

  /** Makes one promise of what the work returns or throws: no verb throws at the call, and none has to be awaited. */
  #watch<T>(verb: string, work: () => Promise<T>): Promise<T> {
    return this.errors.watch(`WebSocketService.${verb}`, work);
  }
}

const NONE: WsRoomSendOptions = {};
const OF_ALL = ['exclude', 'volatile', 'conflate'] as const;
const OF_ROOMS = [...OF_ALL, 'where', 'idempotencyKey', 'namespace'] as const;
const CLOSE = ['code', 'reason'] as const;

function eventOf(payload: Partial<WsSendRequest['payload']> | undefined): WsEventMessage {
  const { topic, data } = payload ?? {};
  if (typeof topic !== 'string' || topic === '') throw new WsError('BAD_MESSAGE', 'The topic is an event name.');
  if (data === undefined) throw new WsError('BAD_MESSAGE', 'There is no data to send.');
  return { event: topic, data };
}

function describe(given: Error): { error: string; code: unknown } {
  const error = asError(given);
  return { error: error.message, code: codeOf(error) ?? toErrorPayload(error).code };
}

function codeOf(error: Error & { code?: unknown }): unknown {
  try {
    return error.code;
  } catch {
    return undefined;
  }
}
