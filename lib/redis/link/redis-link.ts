import type { Redis } from 'ioredis';
import { isLateAtFailover, type WsRedisClient, type ResolvedRedis } from '../../options/redis.options.js';
import { counter, type MetricSource, type WebSocketMetric } from '../../runtime/metrics/metrics.js';
import type { Runtime } from '../../runtime/runtime.js';
import { MessageSeal, type Secrets } from '../messages/message-seal.js';
import type { ChannelSubscriptions, MessageListener } from '../subscriptions/channel-subscriptions.interface.js';
import { RedisSubscriptions } from '../subscriptions/redis-subscriptions.js';
import { ShardedSubscriptions } from '../subscriptions/sharded-subscriptions.js';
import { ClusterWatch } from '../topology/cluster-watch.js';
import { SlotMap } from '../topology/slot-map.js';
import { FaultLog, type FaultReport } from './fault-log.js';
import { createSubscriptions, type LinkSubscriptions, type LinkSubscriptionsOptions } from './link-subscriptions.js';
import { LinkState } from './link-state.js';
import { isCluster } from './redis-client.js';
import { RedisClock } from './redis-clock.js';
import { RedisCommands } from './redis-commands.js';
import { bare, isReply, outOfStep } from './redis-failures.js';
import { Pace } from './pace.js';
import { RedisProbe } from './redis-probe.js';
import { nameOf, RedisSource } from './redis-source.js';
import { ShardedPublisher } from './sharded-publisher.js';

const LATE_AT_FAILOVER =
  "ioredis' failoverDetector is off, as it was given: what is sent within ten seconds after a failover of Sentinel is lost.";

/** What a {@link RedisLink} needs. */
export interface RedisLinkOptions {
  readonly redis: ResolvedRedis;
  /** What all channels and keys begin with, without the colon. */
  readonly prefix: string;
  /** Names the connections and the probe's channel: a worker's id, or another random name. */
  readonly name: string;
  /** Milliseconds between two probes while they pass. */
  readonly probe: number;
  /** Messages are signed with the first secret and accepted with any of them. Default: messages are not signed. */
  readonly secrets?: Secrets | undefined;
  /** Takes lines for the log, at most five a second. They contain no secrets and no user's text. */
  readonly report: FaultReport;
  /** Takes every message of the subscribed channels, including those that this process published. */
  readonly onMessage: MessageListener;
}

/**
 * The link of one process to Redis: a connection for commands, a connection for subscriptions, and a probe that decides
 * whether both work. It may start before Redis, and recovers from every fault of Redis and of the network. It queues nothing:
 * what cannot be sent now is rejected, and what was rejected is not sent later.
 */
export class RedisLink implements MetricSource {
  readonly #commands: RedisCommands;
  readonly #subscriptions: LinkSubscriptions;
  readonly #shardedPublisher: ShardedPublisher;
  readonly #source: RedisSource;
  readonly #watch: ClusterWatch;
  readonly #probe: RedisProbe;
  readonly #probeChannel: string;
  readonly #shardChannels: string;
  readonly #clock: RedisClock;
  /** Null: messages are not signed, and every message is accepted. */
  readonly #seal: MessageSeal | null;
  readonly #log: FaultLog;
  readonly #state: LinkState;
  readonly #pace: Pace;
  #isClockAsked = false;
  /** Lost probes in a row. */
  #lostProbes = 0;

  constructor(
    private readonly options: RedisLinkOptions,
    private readonly runtime: Runtime,
  ) {
    const { prefix, name, report } = options;
    this.#probeChannel = `${prefix}:probe:${name}`;
    this.#shardChannels = `${prefix}:shard:`;
    this.#log = new FaultLog(report, runtime);
    this.#state = new LinkState(this.#log);
    this.#clock = new RedisClock(runtime);
    this.#pace = new Pace(runtime);
    this.#seal = options.secrets ? new MessageSeal(options.secrets, this.#clock, this.#log, runtime) : null;
    const source = (this.#source = new RedisSource(options.redis.template, `${prefix}:${name}`, runtime));
    const listener = {
      up: (client: WsRedisClient) => this.#connected(client),
      down: (why: Error) => this.#lose(why),
      // The subscriber may still get messages that the network holds, and whose senders were told that they were refused.
      suspect: (why: Error) => this.#subscriptions.renewAll(why),
    };
    const commands = (this.#commands = new RedisCommands(
      () => source.commands(),
      this.#probeChannel,
      this.#clock,
      listener,
      runtime,
    ));
    const slots = new SlotMap(runtime);
    this.#watch = new ClusterWatch(slots, (steady) => this.#followNodes(steady), runtime);
    const publisher = new ShardedPublisher(commands, slots, (channel, payload) => this.#sealedFor(channel, payload));
    this.#shardedPublisher = publisher;
    this.#subscriptions = createSubscriptions(
      {
        redis: options.redis,
        source,
        commands,
        slots,
        listener: this.#subscriptionsListener(),
        isSharded: (channel) => this.#isSharded(channel),
        probing: {
          channel: this.#probeChannel,
          period: options.probe,
          publish: (channel, payload) => publisher.publishAtOwner(channel, payload),
          open: (channel, payload) => this.#open(channel, payload),
        },
      },
      runtime,
    );
    this.#probe = new RedisProbe(
      {
        send: (payload) => this.#sendProbe(payload),
        passed: (roundTrip) => this.#succeed(roundTrip),
        unsent: (why) => this.#state.fail(why.cause instanceof Error ? why.cause : why),
        lost: () => this.#loseProbe(),
      },
      options.probe,
      runtime,
    );
  }

  /** The channels of this process. */
  get subscriptions(): ChannelSubscriptions {
    return this.#subscriptions;
  }

  /** Whether messages go out and come back, and all wanted channels were subscribed. */
  get isReady(): boolean {
    return this.#state.isReady;
  }

  /** Milliseconds that the last probe took to Redis and back; null while the link is not ready. */
  get probeMs(): number | null {
    return this.#state.probeMs;
  }

  /** The present error; null when there is none. */
  get lastError(): string | null {
    return this.#state.lastError;
  }

  /** Whether Redis refuses or loses something that this process needs, though the link may be ready. */
  get isLimited(): boolean {
    return this.#state.isLimited;
  }

  /** Whether all keys of a command have to be in one slot. */
  get isCluster(): boolean {
    return isCluster(this.options.redis.template);
  }

  /**
   * Calls back when it is time for writes that nobody waits for: after a silence at the end of this turn of the event loop,
   * otherwise up to 20 ms later, in the order of the calls. `work` must not throw.
   */
  soon(work: () => void): void {
    this.#pace.soon(work);
  }

  /** Registers a listener that is called each time the link becomes ready. It must not throw. */
  onReady(listener: () => void): void {
    this.#state.onReady(listener);
  }

  /** Registers a listener that is called each time a ready link is lost. It must not throw. */
  onLost(listener: () => void): void {
    this.#state.onLost(listener);
  }

  /** Reports that Redis refuses `what`, while the link goes on: in the log and in {@link lastError}. */
  refused(what: string, why: Error): void {
    this.#state.trouble(what, `Redis refuses ${what}: ${why.message}`);
  }

  /** Reports a trouble named `what`, while the link goes on: in the log and in {@link lastError}. */
  troubled(what: string, sentence: string): void {
    this.#state.trouble(what, sentence);
  }

  /** What was reported by {@link refused} or {@link troubled} works again. */
  settled(what: string): void {
    this.#state.settle(what);
  }

  /**
   * Reports the outcome of a command for `what`: an error reply of Redis counts as {@link refused} until a command succeeds.
   *
   * @param failure the command's error; undefined: it succeeded
   */
  outcome(what: string, failure?: unknown): void {
    if (failure === undefined) this.settled(what);
    else if (isReply(failure)) this.refused(what, bare(failure));
  }

  /**
   * Resolves once what Redis had published for this process before this call has come, of a cluster what it had published by the
   * probe's node; at once while the link is not ready. Does not reject.
   */
  echo(): Promise<void> {
    return this.isReady ? this.#probe.echo() : Promise.resolve();
  }

  /** Replaces all connections, although probes come back. */
  renew(why: Error): void {
    this.#commands.renew(why);
    this.#subscriptions.renewAll(why);
  }

  /** Connects, and reconnects until `stop`. */
  start(): void {
    if (isLateAtFailover(this.options.redis.template)) this.#log.report('warn', LATE_AT_FAILOVER);
    this.#subscriptions.want(this.#probeChannel);
    this.#commands.start();
    this.#subscriptions.start();
  }

  /** Lets open calls finish, takes no others, and closes everything; settles within 2 s, whatever Redis does. */
  async stop(): Promise<void> {
    this.#state.close();
    this.#probe.stop();
    this.#watch.stop();
    await Promise.all([this.#commands.stop(), this.#subscriptions.stop()]);
  }

  /**
   * Runs commands; settles within 1 s, whatever Redis does.
   *
   * @param work gets the present client, which it must not keep
   * @throws WsError UNAVAILABLE (retryable, with its cause) when Redis cannot be reached or does not answer in time;
   * error replies of Redis (NOPERM, WRONGTYPE) as ioredis throws them
   */
  run<T>(work: (redis: WsRedisClient) => Promise<T>): Promise<T> {
    return this.#commands.run(work);
  }

  /**
   * Publishes a message with one command; settles within 1 s, whatever Redis does. With sharded rooms, channels that begin with
   * `<prefix>:shard:` are sharded: see {@link ShardedPublisher}.
   *
   * @param detour a channel that is not sharded, and that every subscriber of a sharded `channel` subscribes to as well. A
   * subscriber may get a message twice
   * @throws WsError UNAVAILABLE, retryable, with its cause; the message is not sent later. What had reached a Redis that stood still
   * it publishes when it goes on
   */
  publish(channel: string, payload: string | Buffer, detour?: string): Promise<unknown> {
    return this.#isSharded(channel)
      ? this.#shardedPublisher.publish(channel, payload, detour)
      : this.#commands.publish(channel, this.#sealedFor(channel, payload));
  }

  /** The text as a script has to publish it on the channel; {@link publish} signs by itself. */
  sealed(channel: string, text: string): string {
    return this.#seal ? this.#seal.seal(channel, text) : text;
  }

  /**
   * Whether a script that published on the channel has reached all of its subscribers; some may not have followed a sharded
   * channel yet whose slot has moved.
   *
   * @param receivers as PUBLISH or SPUBLISH returned it
   */
  isHeard(channel: string, receivers: number): boolean {
    return !this.#isSharded(channel) || this.#shardedPublisher.isHeard(channel, receivers);
  }

  /** Whether {@link sealed} signs. */
  get isSealing(): boolean {
    return this.#seal?.isSealing ?? false;
  }

  /** A text as {@link sealed} made it at any time, without its signature; null when it must not be accepted. */
  openKept(channel: string, text: string): string | null {
    return this.#seal ? this.#seal.openKept(channel, text) : text;
  }

  /** The deadline by which a script has to publish what is sealed now, for `IN_TIME`; `''`: none. */
  get sealedUntil(): number | '' {
    return this.#seal ? this.#seal.publishUntil : '';
  }

  *metrics(): Iterable<WebSocketMetric> {
    if (this.#seal) yield* this.#seal.metrics();
    if (!(this.#subscriptions instanceof ShardedSubscriptions)) return;
    // Messages for sharded rooms that went to all workers because their slot was moving.
    yield counter('envelopes_detoured', this.#shardedPublisher.detours);
    // How often a sharded channel was not live for so long that messages may be lost.
    yield counter('channel_gaps', this.#subscriptions.gaps);
  }

  /** Redis found a deadline over that should not be: its clock may have been set. Never rejects. */
  async setClock(): Promise<void> {
    if (this.#isClockAsked) return;
    this.#isClockAsked = true;
    this.#clock.forget();
    await this.#askTime();
    this.#isClockAsked = false;
  }

  /** Redis' clock, estimated, in ms since 1970; this process' own clock before the first connection. */
  redisNow(): number {
    return this.#clock.now();
  }

  /** As {@link redisNow}, and never ahead of Redis: for a deadline by which Redis has to refuse what was given up here. */
  redisAtLeast(): number {
    return this.#clock.atLeast();
  }

  #subscriptionsListener(): LinkSubscriptionsOptions['listener'] {
    return {
      up: () => this.#startProbe(),
      down: (why) => this.#lose(why),
      message: (channel, payload) => this.#take(channel, payload),
      refused: (why, _channel, isFirst) => {
        if (isFirst) this.refused('subscriptions', why);
      },
      allowed: () => this.settled('subscriptions'),
    };
  }

  #sealedFor(channel: string, payload: string | Buffer): string | Buffer {
    return this.#seal ? this.#seal.seal(channel, payload) : payload;
  }

  #isSharded(channel: string): boolean {
    return this.options.redis.isSharded && channel.startsWith(this.#shardChannels);
  }

  #connected(client: WsRedisClient): void {
    if (isCluster(client)) this.#watch.follow(client);
    this.#startProbe();
  }

  /** Moves connections away from nodes that have lost their slots. */
  #followNodes(steady: readonly Redis[]): void {
    this.#source.remember(steady);
    this.#commands.stayWith(steady);
    if (this.#subscriptions instanceof RedisSubscriptions) return;
    const names = new Set(steady.map(nameOf));
    this.#subscriptions.stayWith((node) => names.has(nameOf(node)));
    if (this.#subscriptions instanceof ShardedSubscriptions) this.#subscriptions.settle();
  }

  /** Once both connections are up, the probe decides whether they work. */
  #startProbe(): void {
    if (this.#commands.client && this.#subscriptions.isUp) this.#probe.start();
  }

  #lose(why: Error): void {
    this.#probe.stop();
    this.#state.fail(why);
  }

  #askTime(): Promise<void> {
    const sentAt = this.runtime.monotonic();
    const learn = (time: unknown): void => {
      if (!this.#clock.learn(sentAt, time)) this.#commands.renew(outOfStep());
    };
    // When TIME is not allowed, the clock of this process is used.
    return this.#commands.run((redis) => redis.time()).then(learn, () => {});
  }

  #sendProbe(payload: string): Promise<unknown> {
    void this.#askTime();
    return this.#commands.publish(this.#probeChannel, this.sealed(this.#probeChannel, payload));
  }

  #open(channel: string, payload: Buffer): Buffer | null {
    return this.#seal ? this.#seal.open(channel, payload) : payload;
  }

  #take(channel: string, sealed: Buffer): void {
    try {
      const payload = this.#open(channel, sealed);
      if (payload === null) return;
      if (channel === this.#probeChannel) this.#probe.received(payload.toString());
      else this.options.onMessage(channel, payload);
    } catch {
      // In an event of ioredis an error would end the process.
      this.#log.report('warn', 'A message from Redis could not be handled.');
    }
  }

  #succeed(roundTrip: number): void {
    this.#lostProbes = 0;
    this.#commands.proven();
    this.#subscriptions.proven();
    this.#state.succeed(roundTrip);
  }

  /** The connections look healthy but do not work: after a failover they may lead to a server that nobody else uses. */
  #loseProbe(): void {
    const why = new Error('A probe did not come back.');
    this.#subscriptions.renew(why);
    if (++this.#lostProbes > 1) this.#commands.renew(why);
  }
}
