import {
  checkMessage,
  checkNames,
  namespaceIn,
  readName,
  readNamespace,
  readExclude,
  readUserId,
} from '../clients/verb-checks.js';
import type { WsExclude } from '../clients/exclusion.interface.js';
import { readConflate } from '../clients/conflate.js';
import { readWhere, type WsWhere } from '../clients/where.js';
import { encodeMessage } from '../clients/encode-message.js';
import { OutboundMessage } from '../clients/outbound-message.js';
import { spanOf } from '../cluster/bus/envelope-spans.js';
import { ClusterChannels } from '../cluster/bus/cluster-channels.js';
import { EnvelopePublisher } from '../cluster/bus/envelope-publisher.js';
import type { WsEnvelope, WsTarget } from '../cluster/bus/envelope.js';
import { ignisServerId } from '../cluster/bus/ignis-wire.js';
import { toJson } from '../cluster/bus/json-text.js';
import { checkPublishable } from '../cluster/events/publishable-channel.js';
import { textsOf } from '../errors/as-error.js';
import { WsError } from '../errors/ws.error.js';
import type { WsHistoryQuery, WsKeptMessages } from '../history/kept-messages.js';
import type { WsPosition } from '../history/room-store.interface.js';
import { PushLimit } from '../limits/push-limit.js';
import { resolvePushBytes } from '../options/limits.options.js';
import { type WsRedisOption, resolveRedis } from '../options/redis.options.js';
import { type WsSecretOption, resolveIgnis, resolvePrefix, resolveSecrets } from '../options/cluster.options.js';
import { OptionChecks } from '../options/checks/option-checks.js';
import { resolveHistory, type WsHistoryOption } from '../options/rooms/history.options.js';
import { RoomNames } from '../rooms/room-names.js';
import type { WsNamespaced } from '../ws-client/room-key.js';
import type { IfGiven, SentAction, SentEvent, SentMessage, SentType, WebSocketContract } from '../protocol/contract.js';
import type { WebSocketMessage } from '../protocol/messages.js';
import { pxlCodec } from '../protocol/pxl.codec.js';
import { abandon } from '../redis/link/abandon.js';
import { FaultLog } from '../redis/link/fault-log.js';
import { RedisLink } from '../redis/link/redis-link.js';
import { Runtime } from '../runtime/runtime.js';
import type { WsTraceContext } from '../tracing/trace-context.js';
import { Tracing } from '../tracing/tracing.js';
import { WatchedPromise } from '../runtime/watched-promise.js';
import { EmittedRooms } from './emitted-rooms.js';

/** How long a send waits for the connection to open, in ms. */
const PATIENCE = 1_000;
/** How long a send may take, the wait for the connection included, in ms. */
const LIMIT = 1_200;
/** Milliseconds between two checks of the connection. */
const PROBE = 3_000;

/** The fields of a message, beside those that say whom it is for. */
const MESSAGE = ['event', 'type', 'action', 'data'] as const;
const OF_MANY = ['exclude', 'conflate'] as const;

/** The options of {@link WebSocketEmitter}. */
export interface WebSocketEmitterOptions {
  /** The Redis of the workers. An instance is duplicated, never used itself. */
  redis: WsRedisOption;
  /** The workers' own `prefix`. Default: `'pxl'`. */
  prefix?: string | undefined;
  /** The workers' own `cluster.secret` and `cluster.ignis`. Default: no secret, and false. */
  cluster?: { secret?: WsSecretOption | undefined; ignis?: boolean | undefined } | undefined;
  /** The workers' own `rooms.history`. Default: what is sent to rooms has no number, and members miss it while they are away. */
  rooms?:
    | {
        history?: WsHistoryOption | undefined;
        /** True: the workers have `rooms.namespace`, so that verbs take a `namespace`. Default: false. */
        namespace?: boolean | undefined;
      }
    | undefined;
  /** The workers' own `limits.maxPushBytes`: what is larger is not sent, and rejects with TOO_LARGE. Default: no limit. */
  limits?: { maxPushBytes?: number | false | undefined } | undefined;
  /** What the connection is called in `CLIENT LIST` and in the log. Default: `'WebSocketEmitter'`. */
  identifier?: string | undefined;
  /**
   * False: no spans of OpenTelemetry are made, and no trace goes to the workers. An SDK counts that is there when the emitter connects.
   * Default: true.
   */
  tracing?: boolean | undefined;
  /**
   * Gets lines about the connection, and about failed sends whose promise nobody took; a few lines a second at most.
   * Default: they are dropped.
   */
  log?: ((level: 'log' | 'warn', line: string) => void) | undefined;
}

/** What a message takes the place of. */
interface Conflated {
  /**
   * 1 to 128 characters: of the messages with one key to the same room, or of the same kind of send, that still wait for a client, only the
   * newest is sent; see `WsSendOptions`. Not for a room with history.
   */
  conflate?: string | undefined;
}

/** Of a message for many clients. */
interface ToMany extends Conflated {
  /** Ids of clients that do not get it; or `{ clients, users, rooms }`, see `WsSendOptions`. */
  exclude?: WsExclude | undefined;
}

/** Of a message for a room. The namespace holds for the rooms of `exclude` too. */
interface ToRoom extends ToMany, WsNamespaced {
  room: string;
  /**
   * For a room with history: a message that it got with this key within five minutes is not added again. 1 to 128
   * characters.
   */
  idempotencyKey?: string | undefined;
  /**
   * Only members get it for whom the function of this name in the workers' `rooms.filters` says yes; its arguments are JSON of
   * at most 1 KiB. Not for a room with history. A worker that has no such function brings it to nobody.
   */
  where?: WsWhere | undefined;
}

/** A message and whom it is for, as the argument of a verb. */
type Addressed<
  C,
  Type extends SentType<C>,
  Action extends SentAction<C, Type>,
  Event extends SentEvent<C>,
  To extends object,
> = IfGiven<C, 'pushes', [given: SentMessage<C, Type, Action, Event> & To], [given: WebSocketMessage & To]>;

/**
 * Reaches the clients and subscribers of all workers from a process that holds no sockets itself: a job's worker, a cron
 * task, a script. Needs neither Nest nor an HTTP server.
 *
 * Each send resolves once Redis has taken it, and rejects within 1.2 s: with BAD_MESSAGE when the message has no JSON
 * form, or an id, a room or `exclude` is not what it has to be; with TOO_LARGE over `limits.maxPushBytes`; with UNAVAILABLE when Redis cannot be reached; it is not
 * delivered later then. Unknown clients, users and rooms are no error. A rejection that nobody takes goes to `log`; it
 * does not end the process.
 *
 * @typeParam C the contract with the clients, as in `new WebSocketEmitter<Chat>(...)`; without one any message is allowed
 */
export class WebSocketEmitter<C extends WebSocketContract = WebSocketContract> {
  readonly #runtime = new Runtime();
  readonly #link: RedisLink;
  readonly #publisher: EnvelopePublisher;
  readonly #rooms: EmittedRooms;
  readonly #limit: PushLimit;
  readonly #names: RoomNames;
  readonly #log: FaultLog;
  readonly #tracing: Tracing;
  #connecting: Promise<void> | null = null;
  #isShut = false;

  /** @throws PxlWebSocketOptionsError in one sentence for options that cannot be used */
  constructor(options: WebSocketEmitterOptions) {
    const checks: OptionChecks = new OptionChecks('', options, 'WebSocketEmitter');
    const redis = resolveRedis(checks);
    const prefix = resolvePrefix(checks);
    if (!redis) checks.refuse('redis', "given: a url like 'redis://localhost:6379', for example");
    const cluster = checks.group('cluster');
    const secrets = resolveSecrets(cluster);
    const ignis = resolveIgnis(cluster, checks);
    cluster.finish();
    const rooms = checks.group('rooms');
    this.#names = new RoomNames(rooms.boolean('namespace', false));
    const history = resolveHistory(rooms, this.#names.areSpaced);
    rooms.finish();
    const limits = checks.group('limits');
    const limit = new PushLimit(resolvePushBytes(limits));
    limits.finish();
    const report = (checks.callback('log') ?? (() => undefined)) as (level: 'log' | 'warn', line: string) => void;
    const identifier = checks.raw('identifier') ?? 'WebSocketEmitter';
    if (typeof identifier !== 'string' || !/^[^\s\p{Cc}]+$/u.test(identifier)) {
      checks.refuse('identifier', 'a text without spaces');
    }
    this.#tracing = new Tracing({ enabled: checks.boolean('tracing', true), userIds: false });
    checks.finish();
    this.#log = new FaultLog(report, this.#runtime);
    const name = `${identifier}.${this.#runtime.randomId(6)}`;
    const onMessage = (): void => undefined;
    this.#link = new RedisLink({ redis, prefix, name, probe: PROBE, secrets, report, onMessage }, this.#runtime);
    const channels = new ClusterChannels(prefix, redis.isSharded);
    const ignisId = ignis ? ignisServerId(prefix, name) : null;
    this.#publisher = new EnvelopePublisher(this.#link, channels, null, ignisId, this.#runtime);
    this.#limit = limit;
    this.#rooms = new EmittedRooms({ history, limit, names: this.#names }, this.#link, channels, this.#runtime);
  }

  /**
   * Connects. Every send does that by itself; call it to learn at the start whether Redis can be reached.
   *
   * @throws WsError UNAVAILABLE when Redis cannot be reached within a second; the emitter keeps trying
   */
  configure(): Promise<void> {
    return this.#watch('configure', () => this.#ready());
  }

  /** To one client: `{ clientId, event, data }` or `{ clientId, type, action, data }`. */
  toClient<
    Type extends SentType<C> = never,
    Action extends SentAction<C, Type> = never,
    Event extends SentEvent<C> = never,
  >(...given: Addressed<C, Type, Action, Event, Conflated & { clientId: string }>): Promise<void>;
  toClient(given: Conflated & { clientId: string }): Promise<void> {
    return this.#watch('toClient', () => {
      checkNames('field', given, ['clientId', 'conflate', ...MESSAGE]);
      const { clientId, conflate, ...message } = given;
      return this.#send({ kind: 'clients', clientIds: [readName('clientId', clientId)] }, message, { conflate });
    });
  }

  /** To every session of a user. */
  toUser<
    Type extends SentType<C> = never,
    Action extends SentAction<C, Type> = never,
    Event extends SentEvent<C> = never,
  >(...given: Addressed<C, Type, Action, Event, ToMany & { userId: string | number }>): Promise<void>;
  toUser(given: ToMany & { userId: string | number }): Promise<void> {
    return this.#watch('toUser', () => {
      checkNames('field', given, ['userId', ...OF_MANY, ...MESSAGE]);
      const { userId, exclude, conflate, ...message } = given;
      return this.#send({ kind: 'users', userIds: [readUserId(userId)] }, message, { exclude, conflate });
    });
  }

  /**
   * To the members of a room. In one with history (the option `rooms.history`) it gets a number, and members that are away
   * get it when they return.
   */
  toRoom<
    Type extends SentType<C> = never,
    Action extends SentAction<C, Type> = never,
    Event extends SentEvent<C> = never,
  >(...given: Addressed<C, Type, Action, Event, ToRoom>): Promise<void>;
  toRoom(given: ToRoom): Promise<void> {
    return this.#watch('toRoom', () => {
      checkNames('field', given, ['room', 'namespace', 'where', 'idempotencyKey', ...OF_MANY, ...MESSAGE]);
      const { room, namespace, exclude: excluded, where, conflate, idempotencyKey, ...message } = given;
      const key = this.#keyOf(room, namespace);
      const target: WsTarget = { kind: 'rooms', roomNames: [key] };
      const exclude = this.#excludeIn(namespace, excluded);
      const numbered = this.#rooms.write(key, { message, exclude, where, conflate, idempotencyKey });
      if (!numbered) return this.#send(target, message, { exclude, where, conflate });
      return this.#onceReady(async () => {
        const isRepeated = await this.#traced('append', target, (trace) => this.#rooms.append({ ...numbered, trace }));
        if (!isRepeated) this.#publisher.tellIgnis(numbered);
      });
    });
  }

  /**
   * Reads what the history of a room keeps, a page at a time; see `WebSocketService.getHistory`.
   *
   * @typeParam Kept the contract of the messages, the emitter's own
   * @throws WsError NOT_FOUND for a room without history, BAD_MESSAGE for a wrong query, UNAVAILABLE
   */
  getHistory<Kept extends WebSocketContract = C>(
    room: string,
    query: WsHistoryQuery = {},
  ): Promise<WsKeptMessages<Kept>> {
    return this.#watch('getHistory', () => {
      const key = this.#keyOf(room, namespaceIn(query));
      return this.#onceReady(() => this.#rooms.read<Kept>(key, query));
    });
  }

  /**
   * Removes what the history of a room keeps. The room has a new epoch then: members are told that they lost what they had not
   * got yet.
   *
   * @returns the room's new position
   * @throws WsError NOT_FOUND for a room without history, UNAVAILABLE
   */
  clearHistory(room: string, options: WsNamespaced = {}): Promise<WsPosition> {
    return this.#watch('clearHistory', async () => {
      const key = this.#keyOf(room, readNamespace(options));
      const position = await this.#onceReady(() => this.#rooms.clear(key));
      const text = toJson({ name: 'checkHistory', roomName: key });
      const told = this.#post({
        target: { kind: 'rooms', roomNames: [key] },
        exclude: [],
        content: { kind: 'command', text },
      });
      await told.catch(() => undefined); // workers find the new epoch by themselves, if later
      return position;
    });
  }

  /** To every client. */
  broadcast<
    Type extends SentType<C> = never,
    Action extends SentAction<C, Type> = never,
    Event extends SentEvent<C> = never,
  >(...given: Addressed<C, Type, Action, Event, ToMany>): Promise<void>;
  broadcast(given: ToMany): Promise<void> {
    return this.#watch('broadcast', () => {
      checkNames('field', given, [...OF_MANY, ...MESSAGE]);
      const { exclude, conflate, ...message } = given;
      return this.#send({ kind: 'everybody' }, message, { exclude, conflate });
    });
  }

  /** To the subscribers of a channel on every worker; the channels are those of `WebSocketService.publish`. */
  publish(channel: string, message: unknown): Promise<void> {
    return this.#watch('publish', () => {
      checkPublishable(channel);
      const content = { kind: 'event', text: toJson(message) } as const;
      return this.#post({ target: { kind: 'subscribers', channel }, exclude: [], content });
    });
  }

  /** Ends the connection, so that the process can end; settles whatever Redis does. Later sends reject. */
  shutdown(): Promise<void> {
    return this.#watch('shutdown', () => {
      this.#isShut = true;
      this.#rooms.stop();
      return this.#link.stop();
    });
  }

  #keyOf(room: string, namespace: unknown): string {
    return this.#names.keyOf('room', readName('room', room), namespace);
  }

  #excludeIn(namespace: unknown, exclude: WsExclude | undefined): WsExclude | undefined {
    if (namespace === undefined) return exclude;
    const { exclude: clients, excludeUsers: users, excludeRooms: rooms } = readExclude(exclude);
    return { clients, users, rooms: rooms && this.#names.keysOf('exclude.rooms', rooms, namespace) };
  }

  /** A rejection that nobody takes goes to the option `log`. */
  #watch<T>(verb: string, work: () => Promise<T>): Promise<T> {
    return WatchedPromise.watch(work, (reason) => {
      const { message } = textsOf(reason);
      this.#log.report('warn', `WebSocketEmitter.${verb} failed, and nobody waited for it. ${message}`);
    });
  }

  async #send(
    target: WsTarget,
    message: object,
    options: Pick<ToRoom, 'exclude' | 'where' | 'conflate'>,
  ): Promise<void> {
    checkMessage(message);
    const { exclude, where, conflate } = options;
    const choice = { ...readExclude(exclude), where: readWhere(where), conflate: readConflate(conflate) };
    const text = encodeMessage(pxlCodec, message);
    if (this.#limit.bytes !== false) {
      const names = this.#names.namesOf(target.kind === 'rooms' ? target.roomNames : []);
      this.#limit.checkSize(OutboundMessage.ofText(text).bytesIn(names));
    }
    await this.#post({ target, ...choice, content: { kind: 'message', text } });
  }

  async #post(given: Omit<WsEnvelope, 'isVolatile'>): Promise<void> {
    const envelope: WsEnvelope = { ...given, isVolatile: false };
    await this.#onceReady(() =>
      this.#traced('publish', envelope.target, (trace) => this.#publisher.publish({ ...envelope, trace })),
    );
  }

  #traced<T>(
    operation: 'append' | 'publish',
    target: WsTarget,
    send: (trace?: WsTraceContext) => Promise<T>,
  ): Promise<T> {
    if (!this.#tracing.isOn) return send();
    const { name, start } = spanOf(operation, target);
    return this.#tracing.within(name, start, (span) => send(span.carried));
  }

  /** Waits for the connection; Redis has the rest of the time to answer. */
  async #onceReady<T>(work: () => Promise<T>): Promise<T> {
    if (this.#link.isReady) return work();
    const since = this.#runtime.monotonic();
    await this.#ready();
    const left = LIMIT - (this.#runtime.monotonic() - since);
    return this.#runtime.waitFor(left, work(), () => {
      this.#abandon();
      return new WsError('UNAVAILABLE', 'Redis did not answer in time.');
    });
  }

  /** Drops the connection with all commands on it: a rejected send must not be delivered when the network heals. */
  #abandon(): void {
    const abandoned = this.#link.run((redis) => {
      abandon(redis);
      return Promise.resolve();
    });
    abandoned.catch(() => undefined); // there is no connection to drop
  }

  #ready(): Promise<void> {
    if (this.#isShut) return Promise.reject(new WsError('UNAVAILABLE', 'The emitter was shut down.'));
    if (this.#link.isReady) return Promise.resolve();
    this.#connecting ??= this.#connect();
    return this.#connecting;
  }

  /** Waits for the first connection. Sends do not wait for one that was lost; they reject. */
  async #connect(): Promise<void> {
    const late = (): WsError => new WsError('UNAVAILABLE', this.#link.lastError ?? 'Redis cannot be reached.');
    const ready = new Promise<void>((resolve) => this.#link.onReady(resolve));
    const loaded = this.#tracing.load();
    this.#link.start();
    await this.#runtime.waitFor(PATIENCE, ready, late);
    await loaded;
  }
}
