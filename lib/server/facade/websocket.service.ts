import { Injectable } from '@nestjs/common';
import { TokenRevocation, type RevokeOptions } from '../../auth/tokens/token-revocation.js';
import {
  checkMessage,
  checkNames,
  readExclude,
  readFlag,
  readName,
  readNames,
  readUserId,
  readUserIds,
} from '../../clients/verb-checks.js';
import { applicationClose } from '../../clients/close-reason.js';
import { ClusterEvents } from '../../cluster/events/cluster-events.js';
import type { WsTarget } from '../../cluster/bus/envelope.js';
import { checkPublishable } from '../../cluster/events/publishable-channel.js';
import { asError, isError } from '../../errors/as-error.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { toErrorPayload } from '../../errors/exception-mapper.js';
import { WsError } from '../../errors/ws.error.js';
import type { ClientEntry } from '../../ws-client/client-entry.js';
import { RefusalCounters, type LimitName } from '../../limits/refusal-counters.js';
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
import type { EventMessage } from '../../protocol/messages.js';
import { Metrics, type WebSocketMetric } from '../../runtime/metrics.js';
import type { ClientQuery } from '../../cluster/calls/cluster-call.js';
import { ClientQueries } from '../coordination/client-queries.js';
import { ClusterCommands } from '../coordination/cluster-commands.js';
import { Delivery } from '../delivery/delivery.js';
import { Health, type WebSocketHealth } from '../coordination/health.js';
import { RoomMoves, type RoomMove } from '../coordination/room-moves.js';
import { ClientManager } from './client-manager.js';
import { targetOf, type SendDestination } from './send-destination.js';

/** What every send of {@link WebSocketService} takes besides its message. */
export interface SendOptions {
  /** Ids of clients that do not get it. */
  exclude?: readonly string[];
  /** True: a client over its `limits.maxBufferedBytes` may miss it. Default: false. */
  volatile?: boolean;
}

/** What {@link WebSocketService.send} takes. */
export interface SendRequest<Topic extends string = string, Data = unknown> extends SendOptions {
  destination?: SendDestination;
  /** An event name with its data; anything but undefined. */
  payload: { topic: Topic; data: Data };
  /** Called once the message is on its way. */
  cb?: () => void;
}

/** How {@link WebSocketService} closes connections. */
export interface CloseOptions {
  /** 1000 or 3000–4999; default 4506, on which clients do not come back by themselves. */
  code?: number;
  /** For people, cut to 123 bytes. */
  reason?: string;
}

/**
 * The messaging facade that an application injects anywhere. Sends are cluster-wide and reach this worker's own clients
 * before the call returns; the promises tell whether the other workers were reached.
 *
 * Every send rejects with BAD_MESSAGE when the message has no JSON form or no name (`type` and `action`, or `event`), and
 * for options that there are not, or are of another type (nothing is sent then), and with UNAVAILABLE
 * when other workers cannot be reached. Unknown clients, users and rooms are no error. A rejection that nobody takes, as
 * of a send that is not awaited, goes to the log and `events.onError`; it does not end the process.
 *
 * @typeParam C the contract with the clients, as in `constructor(sockets: WebSocketService<Chat>)`: the sends that name a
 * message then know which there are; without one any message goes
 */
@Injectable()
export class WebSocketService<C extends WebSocketContract = WebSocketContract> {
  constructor(
    private readonly delivery: Delivery,
    private readonly events: ClusterEvents,
    private readonly clients: ClientManager,
    private readonly roomMoves: RoomMoves,
    private readonly commands: ClusterCommands,
    private readonly queries: ClientQueries,
    private readonly health: Health,
    private readonly revocation: TokenRevocation,
    private readonly refusals: RefusalCounters,
    private readonly metrics: Metrics,
    private readonly errors: ErrorReporter,
  ) {}

  /** To every client. */
  broadcast<
    Type extends SentType<C> = never,
    Action extends SentAction<C, Type> = never,
    Event extends SentEvent<C> = never,
  >(...message: SentArguments<C, Type, Action, Event, [options?: SendOptions]>): Promise<void>;
  broadcast(message: unknown, options?: SendOptions): Promise<void> {
    return this.#send('broadcast', { kind: 'everybody' }, message, options);
  }

  /** To the clients with these ids, each once. */
  sendToClients<
    Type extends SentType<C> = never,
    Action extends SentAction<C, Type> = never,
    Event extends SentEvent<C> = never,
  >(clientIds: readonly string[], message: SentMessage<C, Type, Action, Event>, options?: SendOptions): Promise<void> {
    return this.#watch('sendToClients', () =>
      this.#deliver({ kind: 'clients', clientIds: readNames('clientIds', clientIds) }, message, options),
    );
  }

  /** To every session of these users. */
  sendToUsers<
    Type extends SentType<C> = never,
    Action extends SentAction<C, Type> = never,
    Event extends SentEvent<C> = never,
  >(
    userIds: readonly (string | number)[],
    message: SentMessage<C, Type, Action, Event>,
    options?: SendOptions,
  ): Promise<void> {
    return this.#watch('sendToUsers', () =>
      this.#deliver({ kind: 'users', userIds: readUserIds(userIds) }, message, options),
    );
  }

  /** To the members of these rooms; a client in several of them gets it once. */
  sendToRooms<
    Type extends SentType<C> = never,
    Action extends SentAction<C, Type> = never,
    Event extends SentEvent<C> = never,
  >(roomNames: readonly string[], message: SentMessage<C, Type, Action, Event>, options?: SendOptions): Promise<void> {
    return this.#watch('sendToRooms', () =>
      this.#deliver({ kind: 'rooms', roomNames: readNames('roomNames', roomNames) }, message, options),
    );
  }

  /** To everybody, as `{ type: 'user', action, data }`. */
  sendUserMessage<Action extends SentAction<C, 'user'>>(
    action: Action,
    ...rest: DataArgument<SentData<C, 'user', Action>>
  ): Promise<void>;
  sendUserMessage(action: string, data?: unknown): Promise<void> {
    return this.#send('sendUserMessage', { kind: 'everybody' }, { type: 'user', action, data });
  }

  /** To everybody, as `{ type: 'system', action, data }`. */
  sendSystemMessage<Action extends SentAction<C, 'system'>>(
    action: Action,
    ...rest: DataArgument<SentData<C, 'system', Action>>
  ): Promise<void>;
  sendSystemMessage(action: string, data?: unknown): Promise<void> {
    return this.#send('sendSystemMessage', { kind: 'everybody' }, { type: 'system', action, data });
  }

  /** To everybody, as `{ type: 'error', action, data }`. Of an Error only message and code are sent, never its stack. */
  sendErrorMessage(action: string, error: unknown): Promise<void> {
    const data = isError(error) ? describe(error) : error;
    return this.#send('sendErrorMessage', { kind: 'everybody' }, { type: 'error', action, data });
  }

  /**
   * Sends the event `topic` to a destination, to everybody by default.
   *
   * @throws WsError BAD_MESSAGE without a topic or data, and for a destination that is none
   */
  send<Event extends SentEvent<C>>(
    request: IfGiven<C, 'pushes', SendRequest<Event, SentEventData<C, Event>>, SendRequest>,
  ): Promise<void>;
  send(request: SendRequest): Promise<void> {
    return this.#watch('send', async () => {
      checkNames('option', request, ['destination', 'payload', 'cb', 'exclude', 'volatile']);
      const { destination, payload, cb, exclude, volatile: isVolatile } = request;
      const message = eventOf(payload);
      await this.#deliver(targetOf(destination, this.clients), message, { exclude, volatile: isVolatile });
      cb?.();
    });
  }

  /**
   * Tells the subscribers of every worker, those of this one included; clients do not hear it.
   *
   * @param channel the application's own name of 1 to 128 characters, or an event that verbs publish (`custom`)
   * @throws WsError BAD_MESSAGE for any other name, among them those by which the library tells of clients and users
   */
  publish(channel: string, message: unknown): Promise<void> {
    return this.#watch('publish', async () => {
      checkPublishable(channel);
      await this.events.publish(channel, message);
    });
  }

  /**
   * Puts clients into rooms; resolves once they receive what is sent there.
   *
   * @throws WsError INVALID_ROOM before anything is done for a name that no endpoint allows; INVALID_ROOM, ROOM_LIMIT,
   * UNAVAILABLE or TIMEOUT when one of the joins failed, after all of them were tried
   */
  joinRooms(move: RoomMove): Promise<void> {
    return this.#watch('joinRooms', () => this.roomMoves.join(move));
  }

  /** Takes clients out of rooms. */
  leaveRooms(move: RoomMove): Promise<void> {
    return this.#watch('leaveRooms', () => this.roomMoves.leave(move));
  }

  /** @throws WsError BAD_MESSAGE for a code that an application cannot close with, and for options that there are not */
  disconnectClients(close: CloseOptions & { clientIds: readonly string[] }): Promise<void> {
    return this.#watch('disconnectClients', () => {
      checkNames('option', close, ['clientIds', ...CLOSE]);
      return this.#disconnect({ kind: 'clients', clientIds: readNames('clientIds', close.clientIds) }, close);
    });
  }

  /** Every session of a user; otherwise as {@link disconnectClients}. */
  disconnectUser(close: CloseOptions & { userId: string | number }): Promise<void> {
    return this.#watch('disconnectUser', () => {
      checkNames('option', close, ['userId', ...CLOSE]);
      return this.#disconnect({ kind: 'users', userIds: [readUserId(close.userId)] }, close);
    });
  }

  /** Every member of a room; otherwise as {@link disconnectClients}. */
  disconnectRoom(close: CloseOptions & { room: string }): Promise<void> {
    return this.#watch('disconnectRoom', () => {
      checkNames('option', close, ['room', ...CLOSE]);
      return this.#disconnect({ kind: 'rooms', roomNames: [readName('room', close.room)] }, close);
    });
  }

  /**
   * The clients of all workers, asked for now: who they are at this moment, not what the mirror has heard.
   *
   * @returns `partial`: true when a worker did not answer within a second, so that its clients are missing
   */
  fetchClients(query: ClientQuery = {}): Promise<{ clients: ClientEntry[]; partial: boolean }> {
    return this.#watch('fetchClients', () => this.queries.fetch(checkedQuery(query)));
  }

  /** How many there are; otherwise as {@link fetchClients}, and cheaper. */
  countClients(query: ClientQuery = {}): Promise<{ count: number; partial: boolean }> {
    return this.#watch('countClients', () => this.queries.count(checkedQuery(query)));
  }

  /** How this worker is. Waits for nothing, so that a probe may ask as often as it likes. */
  getWebSocketHealth(): WebSocketHealth {
    return this.health.read();
  }

  /**
   * Ends the connections of a user's tokens, or of one token, with 4506, and has these tokens refused until they have
   * expired by themselves. Tokens tell their time of issue in whole seconds: one of the same second is revoked too.
   *
   * @throws WsError BAD_MESSAGE unless exactly one of `userId` and `jti` is given, and for a time that is none; UNAVAILABLE
   * when Redis does not take it: it holds on this worker then, and perhaps on others
   */
  revoke(options: RevokeOptions): Promise<void> {
    return this.#watch('revoke', async () => {
      checkNames('option', options, ['userId', 'jti', 'before', 'until']);
      const { revocation, remembered } = this.revocation.revoke(options);
      // Neither waits for the other: who cannot write it for later workers can perhaps still tell those of now.
      const told = settle(() => this.commands.send({ kind: 'everybody' }, { name: 'revoke', ...revocation }));
      await Promise.all([remembered, told]);
    });
  }

  /** This worker's counters and gauges, as a metrics system takes them. Waits for nothing. */
  getMetrics(): WebSocketMetric[] {
    return this.metrics.read();
  }

  /** How often each limit of this worker has refused something since its start; those that have, by their names. */
  getRefusals(): Partial<Record<LimitName, number>> {
    return this.refusals.snapshot();
  }

  #send(verb: string, target: WsTarget, message: unknown, options?: SendOptions): Promise<void> {
    return this.#watch(verb, () => this.#deliver(target, message, options));
  }

  #deliver(target: WsTarget, message: unknown, options: SendOptions = NONE): Promise<void> {
    checkMessage(message);
    if (options !== NONE) checkNames('send option', options, ['exclude', 'volatile']);
    const exclude = readExclude(options.exclude);
    const isVolatile = readFlag('volatile', options.volatile);
    return this.delivery.send({ target, exclude, message, isVolatile });
  }

  #disconnect(target: WsTarget, close: CloseOptions): Promise<void> {
    return this.commands.send(target, { name: 'disconnect', ...applicationClose(close.code, close.reason) });
  }

  /** What the work returns or throws, as a promise: no verb throws at the call, and none has to be waited for. */
  #watch<T>(verb: string, work: () => Promise<T>): Promise<T> {
    return this.errors.watch(`WebSocketService.${verb}`, work);
  }
}

const NONE: SendOptions = {};
const CLOSE = ['code', 'reason'] as const;

function checkedQuery(query: ClientQuery): ClientQuery {
  checkNames('query', query, ['room', 'userId']);
  if (query.room !== undefined) readName('room', query.room);
  if (query.userId !== undefined) readUserId(query.userId);
  return query;
}

function eventOf(payload: Partial<SendRequest['payload']> | undefined): EventMessage {
  const { topic, data } = payload ?? {};
  if (typeof topic !== 'string' || topic === '') throw new WsError('BAD_MESSAGE', 'The topic is an event name.');
  if (data === undefined) throw new WsError('BAD_MESSAGE', 'There is no data to send.');
  return { event: topic, data };
}

async function settle<T>(work: () => Promise<T>): Promise<T> {
  return await work();
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
