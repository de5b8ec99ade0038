import { WsError } from '../../errors/ws.error.js';
import type {
  WsAppend,
  WsAppended,
  WsHistoryPage,
  WsHistoryRange,
  WsPosition,
} from '../../history/room-store.interface.js';
import type { ResolvedHistory, WsRetention } from '../../options/rooms/history.options.js';
import type { RedisLink } from '../../redis/link/redis-link.js';
import { MAX_AGE, SeenIds, type Verdict } from '../../redis/messages/seen-ids.js';
import { counter, gauge, type MetricSource, type WebSocketMetric } from '../../runtime/metrics/metrics.js';
import type { Sending, Timings } from '../../runtime/metrics/timings.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { TraceSpan } from '../../tracing/trace-span.js';
import type { Tracing } from '../../tracing/tracing.js';
import type { WsBroadcaster, WsBusHealth, WsReceiver } from './broadcaster.interface.js';
import type { ClusterRedis } from './cluster-redis.js';
import type { ClusterChannels } from './cluster-channels.js';
import { EnvelopePublisher } from './envelope-publisher.js';
import { spanOf } from './envelope-spans.js';
import { readWsEnvelope } from './envelope-text.js';
import type { WsEnvelope, WsReceivedEnvelope } from './envelope.js';
import type { IgnisWire } from './ignis-wire.js';
import { RedisRoomStore } from './redis.room-store.js';
import { tryRoomStore } from './room-store-trial.js';

export interface RedisBroadcasterOptions {
  readonly workerId: string;
  /** Milliseconds that `start` waits for Redis. */
  readonly patience: number;
  /** True: while Redis is down clients may join rooms that this worker has not subscribed to yet. */
  readonly joinWhenDegraded: boolean;
  /** Undefined: no room has history. */
  readonly history?: ResolvedHistory | undefined;
}

/** The bus over Redis' pub/sub: one PUBLISH per channel of an envelope. */
export class WsRedisBroadcaster implements WsBroadcaster, MetricSource {
  /** Messages on the channels that are no envelopes. */
  #junk = 0;
  /** Envelopes that came over ten seconds late, or from a clock over ten seconds ahead. */
  #stale = 0;
  #losses = 0;
  #received = 0;
  readonly #seen = new SeenIds();
  readonly #changed: ((isReady: boolean) => void)[] = [];
  #receive: WsReceiver | null = null;

  readonly #link: RedisLink;
  readonly #channels: ClusterChannels;
  readonly #publisher: EnvelopePublisher;
  readonly #ignis: IgnisWire | null;
  readonly #history: RedisRoomStore;

  constructor(
    redis: ClusterRedis,
    private readonly options: RedisBroadcasterOptions,
    private readonly timings: Timings,
    private readonly runtime: Runtime,
    private readonly tracing: Tracing,
  ) {
    const { link } = redis;
    this.#link = link;
    this.#channels = redis.channels;
    this.#ignis = redis.ignis;
    this.#publisher = new EnvelopePublisher(
      link,
      redis.channels,
      options.workerId,
      redis.ignis?.serverId ?? null,
      runtime,
    );
    const seesFailover = options.history?.seesFailover ?? true;
    this.#history = new RedisRoomStore(link, redis.channels, { origin: options.workerId, seesFailover }, runtime);
    redis.listenToOthers((payload) => this.#take(payload));
    link.onReady(() => this.#tell(true));
    link.onLost(() => {
      this.#losses++;
      this.#tell(false);
    });
  }

  async start(receive: WsReceiver): Promise<void> {
    this.#receive = receive;
    const { subscriptions } = this.#link;
    subscriptions.want(this.#channels.everybody);
    subscriptions.want(this.#channels.worker(this.options.workerId));
    this.#ignis?.start();
    this.#link.start();
    const ready = new Promise<void>((resolve) => this.#link.onReady(resolve));
    await this.runtime.waitFor(this.options.patience, ready, unreachable).catch(() => undefined);
    if (this.options.history) await this.#tryHistory();
  }

  publish(envelope: WsEnvelope): Promise<void> {
    return this.#publisher.publish(envelope);
  }

  acquireRoom(roomName: string, hasMembers = false): Promise<void> | undefined {
    const { subscriptions } = this.#link;
    const channel = this.#channels.room(roomName);
    if (this.isReady || subscriptions.isLive(channel)) return subscriptions.acquire(channel);
    // Even if the subscriber's connection seems alive: the client would only wait for the timeout.
    if (!this.options.joinWhenDegraded && !hasMembers) return Promise.reject(unreachable());
    subscriptions.want(channel);
    return undefined;
  }

  releaseRoom(roomName: string): void {
    this.#link.subscriptions.release(this.#channels.room(roomName));
  }

  acquireUser(userId: string): Promise<void> | undefined {
    return this.#hear(this.#channels.user(userId));
  }

  releaseUser(userId: string): void {
    this.#link.subscriptions.release(this.#channels.user(userId));
  }

  acquireEvents(channel: string): Promise<void> | undefined {
    return this.#hear(this.#channels.event(channel));
  }

  acquireAllEvents(): Promise<void> | undefined {
    return this.#link.subscriptions.acquirePattern(this.#channels.everyEvent)?.catch(() => undefined);
  }

  append(message: WsAppend): Promise<WsAppended> {
    const appended = this.#append(message);
    if (this.#ignis) appended.then(({ isRepeated }) => isRepeated || this.#publisher.tellIgnis(message)).catch(nothing);
    return appended;
  }

  read(roomName: string, range: WsHistoryRange, retention: WsRetention): Promise<WsHistoryPage> {
    return this.#history.read(roomName, range, retention);
  }

  top(roomName: string, retention: WsRetention): Promise<WsPosition> {
    return this.#history.top(roomName, retention);
  }

  clear(roomName: string, retention: WsRetention, youngest?: number): Promise<WsPosition> {
    return this.#history.clear(roomName, retention, youngest);
  }

  get isReady(): boolean {
    return this.#link.isReady;
  }

  get health(): WsBusHealth {
    const { isReady: connected, probeMs, lastError, isLimited } = this.#link;
    return { connected, probeMs, lastError, isLimited };
  }

  *metrics(): Iterable<WebSocketMetric> {
    const { wanted, live } = this.#link.subscriptions.counts;
    yield* this.#publisher.metrics();
    yield counter('envelopes_received', this.#received);
    yield counter('envelopes_junk', this.#junk);
    yield counter('envelopes_stale', this.#stale);
    yield counter('envelope_ids_overflow', this.#seen.overflow);
    if (this.options.history) yield* this.#history.metrics();
    yield* this.#link.metrics();
    if (this.#ignis) yield* this.#ignis.metrics();
    yield counter('bus_losses', this.#losses);
    yield gauge('channels_wanted', wanted);
    yield gauge('channels_live', live);
  }

  onChange(changed: (isReady: boolean) => void): void {
    this.#changed.push(changed);
  }

  renew(why: Error): void {
    this.#link.renew(why);
  }

  stop(): Promise<void> {
    this.#history.stop();
    return this.#link.stop();
  }

  /** @throws PxlWebSocketSetupError when Redis is there and does not allow what rooms with history need */
  async #tryHistory(): Promise<void> {
    if (this.isReady) {
      try {
        await tryRoomStore(this.#history, this.#link);
      } catch (error) {
        // Its connections would keep the process alive.
        await this.#link.stop();
        throw error;
      }
      return;
    }
    let isTried = false;
    this.#link.onReady(() => {
      if (isTried) return;
      isTried = true;
      // What Redis refuses is logged by the link; the start is over.
      tryRoomStore(this.#history, this.#link).catch(nothing);
    });
  }

  #append(message: WsAppend): Promise<WsAppended> {
    if (!this.tracing.isOn || !this.tracing.isInside) return this.#history.append(message);
    const { name, start } = spanOf('append', { kind: 'rooms', roomNames: [message.roomName] });
    const append = (span: TraceSpan) => this.#history.append({ ...message, trace: span.carried });
    return this.tracing.within(name, start, append);
  }

  /** Takes a message of one of the channels, also this worker's own ones, which come back. */
  #take(payload: Buffer): void {
    const received = readWsEnvelope(payload.toString());
    if (!received) {
      this.#junk++;
      return;
    }
    const { origin, sentAt, id, envelope } = received;
    const isOwn = origin === this.options.workerId;
    // Numbered messages are delivered by their numbers only: when they come, and in which copy, does not matter.
    if (envelope.number) {
      this.#received++;
      // This worker's own is no delivery elsewhere.
      const isTracedHere = isOwn && envelope.trace !== undefined;
      this.#hand(isTracedHere ? { ...envelope, trace: undefined } : envelope, isOwn ? 'here' : 'bus', sentAt);
      return;
    }
    if (isOwn) return;
    this.#received++;
    switch (this.#judge(id, sentAt)) {
      case 'stale':
        this.#stale++;
        break;
      case 'new':
        this.#hand(envelope, 'bus', sentAt);
        break;
      case 'repeated':
        // Not counted: an envelope for several rooms comes in several copies.
        break;
    }
  }

  #hand(envelope: WsReceivedEnvelope, from: Sending['from'], sentAt: number): void {
    if (!this.timings.isOn) {
      this.#receive?.(envelope);
      return;
    }
    // By an estimate of another machine's clock.
    const latency = Math.max(0, this.#link.redisNow() - sentAt);
    if (from === 'bus') this.timings.received(latency);
    this.#receive?.({ ...envelope, sent: { from, at: this.runtime.monotonic() - latency } });
  }

  /** Workers of version 0.1, which may run beside this one, give an id only to envelopes on several channels. */
  #judge(id: string | undefined, sentAt: number): Verdict {
    const now = this.#link.redisNow();
    if (id !== undefined) return this.#seen.judge(id, sentAt, now);
    return Math.abs(now - sentAt) <= MAX_AGE ? 'new' : 'stale';
  }

  /** Subscribes to a channel for good: now, or as soon as Redis allows it. */
  #hear(channel: string): Promise<void> | undefined {
    const { subscriptions } = this.#link;
    subscriptions.want(channel);
    // `acquire` counts once more, only for the time of waiting.
    const release = (): void => subscriptions.release(channel);
    const live = subscriptions.acquire(channel);
    if (live) return live.then(release, () => undefined);
    release();
    return undefined;
  }

  #tell(isReady: boolean): void {
    for (const changed of this.#changed) changed(isReady);
  }
}

function nothing(): void {}

function unreachable(): WsError {
  return new WsError('UNAVAILABLE', 'Redis cannot be reached.');
}
