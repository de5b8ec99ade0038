import type { Cluster, Redis } from 'ioredis';
import { isLateAtFailover, type ResolvedRedis, type WsRedisClient } from '../../options/redis.options.js';
import { counter, type MetricSource, type WebSocketMetric } from '../../runtime/metrics.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { ChannelSubscriptions, MessageListener } from '../subscriptions/channel-subscriptions.interface.js';
import { ClusterWatch } from '../topology/cluster-watch.js';
import { FaultLog, type FaultReport } from './fault-log.js';
import { keySlotOf } from '../topology/key-slot.js';
import { LinkState } from './link-state.js';
import { MessageSeal, type Secrets } from '../messages/message-seal.js';
import { MovableSubscriptions } from '../subscriptions/movable-subscriptions.js';
import { CLASSIC } from '../subscriptions/pub-sub.js';
import { isCluster } from './redis-client.js';
import { RedisClock } from './redis-clock.js';
import { RedisCommands } from './redis-commands.js';
import { bare, isReply, outOfStep, unavailable, unpublished } from './redis-failures.js';
import { RedisProbe } from './redis-probe.js';
import { nameOf, oneOf, RedisSource } from './redis-source.js';
import { RedisSubscriptions } from '../subscriptions/redis-subscriptions.js';
import { ShardedSubscriptions } from '../subscriptions/sharded-subscriptions.js';
import { SlotMap } from '../topology/slot-map.js';

const LATE_AT_FAILOVER =
  "ioredis' failoverDetector is off, as it was given: what is sent within ten seconds after a failover of Sentinel is lost.";

/** What a {@link RedisLink} needs. */
export interface RedisLinkOptions {
  readonly redis: ResolvedRedis;
  /** What all channels and keys begin with, without the colon. */
  readonly prefix: string;
  /** Who holds the link: names its connections and its probe's channel. A worker's id, or another random one. */
  readonly name: string;
  /** Milliseconds between two probes while all is well. */
  readonly probe: number;
  /** What is published is signed with the first one, and what is heard with any of them. Default: nothing is signed. */
  readonly secrets?: Secrets | undefined;
  /** Takes lines that say what happened to the link, at most five a second. They hold no secrets and no user's text. */
  readonly report: FaultReport;
  /** Hears every message of the channels that are subscribed, this process' own ones included. */
  readonly onMessage: MessageListener;
}

/**
 * The link of one process to Redis: one connection for commands, one for subscriptions, and a probe that decides whether
 * they work. It may be started before Redis, survives every fault of Redis and of the network, and comes back by itself.
 * It queues nothing: what cannot be sent now is rejected, and what was rejected is not sent later.
 */
export class RedisLink implements MetricSource {
  readonly #commands: RedisCommands;
  readonly #subscriptions: RedisSubscriptions | MovableSubscriptions | ShardedSubscriptions;
  readonly #source: RedisSource;
  readonly #watch: ClusterWatch;
  readonly #slots: SlotMap;
  readonly #probe: RedisProbe;
  readonly #probeChannel: string;
  readonly #shardChannels: string;
  readonly #clock: RedisClock;
  /** Null: whoever can publish to our channels is believed. */
  readonly #seal: MessageSeal | null;
  readonly #log: FaultLog;
  readonly #state: LinkState;
  /** How many probes were lost in a row. */
  #lostProbes = 0;
  #detours = 0;

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
    this.#seal = options.secrets ? new MessageSeal(options.secrets, this.#clock, this.#log, runtime) : null;
    const source = (this.#source = new RedisSource(options.redis.template, `${prefix}:${name}`, runtime));
    const listener = {
      up: (client: WsRedisClient) => this.#connected(client),
      down: (why: Error) => this.#lose(why),
      // What the network holds on its way to us was perhaps refused to its sender: it must not come later.
      doubt: (why: Error) => this.#subscriptions.renewAll(why),
    };
    this.#commands = new RedisCommands(() => source.commands(), this.#clock, listener, runtime);
    this.#slots = new SlotMap(runtime);
    const isDraining = (node: Redis): boolean => this.#slots.isDraining(nameOf(node));
    this.#watch = new ClusterWatch((cluster) => this.#followCluster(cluster), isDraining, runtime);
    this.#subscriptions = this.#subscribeBy(source);
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

  /** What this process hears. */
  get subscriptions(): ChannelSubscriptions {
    return this.#subscriptions;
  }

  /** Whether messages go out and come back, and all that was wanted has been subscribed. */
  get isReady(): boolean {
    return this.#state.isReady;
  }

  /** Milliseconds that the last probe took there and back; null while the link is not ready. */
  get probeMs(): number | null {
    return this.#state.probeMs;
  }

  /** What is wrong; null when nothing is. */
  get lastError(): string | null {
    return this.#state.lastError;
  }

  /** Whether Redis refuses or loses something of ours, though the link may be ready. */
  get isLimited(): boolean {
    return this.#state.isLimited;
  }

  /** Calls back each time the link becomes ready. The listener must not throw. */
  onReady(listener: () => void): void {
    this.#state.onReady(listener);
  }

  /** Calls back each time a ready link is lost. The listener must not throw. */
  onLost(listener: () => void): void {
    this.#state.onLost(listener);
  }

  /** Redis says no to something that the worker needs, and the rest goes on: for the log and {@link lastError}. */
  refused(what: string, why: Error): void {
    this.#state.trouble(what, `Redis refuses ${what}: ${why.message}`);
  }

  /** Something is wrong with what the worker needs, and the rest goes on: for the log and {@link lastError}. */
  troubled(what: string, sentence: string): void {
    this.#state.trouble(what, sentence);
  }

  /** What was {@link refused}, or {@link troubled}, works again. */
  settled(what: string): void {
    this.#state.settle(what);
  }

  /**
   * Whether something that the worker needs works, as a command has just shown: what Redis itself says no to counts as
   * {@link refused} until it works again.
   *
   * @param failure what the command failed with; undefined: it did not
   */
  outcome(what: string, failure?: unknown): void {
    if (failure === undefined) this.settled(what);
    else if (isReply(failure)) this.refused(what, bare(failure));
  }

  /** All connections are in doubt, though probes come back: opens others. */
  renew(why: Error): void {
    this.#commands.renew(why);
    this.#subscriptions.renewAll(why);
  }

  /** Begins to connect, and goes on until `stop`. */
  start(): void {
    if (isLateAtFailover(this.options.redis.template)) this.#log.report('warn', LATE_AT_FAILOVER);
    this.#subscriptions.want(this.#probeChannel);
    this.#commands.start();
    this.#subscriptions.start();
  }

  /** Lets calls that are out finish, takes no others, and closes everything; settles within 2 s whatever Redis does. */
  async stop(): Promise<void> {
    this.#state.close();
    this.#probe.stop();
    this.#watch.stop();
    await Promise.all([this.#commands.stop(), this.#subscriptions.stop()]);
  }

  /**
   * Runs commands; settles within 1 s, whatever Redis does.
   *
   * @param work gets the client of this moment: it must not be kept
   * @throws WsError UNAVAILABLE (retryable, with its cause) when Redis cannot be reached or does not answer in time;
   * what Redis itself answers (NOPERM, WRONGTYPE) as ioredis has it
   */
  run<T>(work: (redis: WsRedisClient) => Promise<T>): Promise<T> {
    return this.#commands.run(work);
  }

  /**
   * Publishes a message: one command, nothing queued; settles within 1 s, whatever Redis does. Where rooms are sharded, so
   * is what goes to a channel `<prefix>:shard:…`: while its slot goes to another node not all of its subscribers may have
   * followed, so that the message takes the detour.
   *
   * @param detour a channel that every subscriber hears too, and that is not sharded. One that the old node had a copy for
   * may get two
   * @throws WsError UNAVAILABLE, retryable, with its cause; what has not reached Redis by then never does
   */
  publish(channel: string, payload: string | Buffer, detour?: string): Promise<unknown> {
    return this.#isSharded(channel)
      ? this.#publishOrDetour(channel, payload, detour)
      : this.#commands.publish(channel, this.#sealedFor(channel, payload));
  }

  /** The text as a script of ours has to publish it on the channel; `publish` does it by itself. */
  sealed(channel: string, text: string): string {
    return this.#seal ? this.#seal.seal(channel, text) : text;
  }

  /** Until when a script may publish what is sealed now, for `IN_TIME`; `''`: whenever Redis comes to it. */
  get sealedUntil(): number | '' {
    return this.#seal ? this.#seal.punctualUntil : '';
  }

  *metrics(): Iterable<WebSocketMetric> {
    if (this.#seal) yield* this.#seal.metrics();
    if (!(this.#subscriptions instanceof ShardedSubscriptions)) return;
    // Messages for sharded rooms that went to all workers, since their slot was moving.
    yield counter('envelopes_detoured', this.#detours);
    // Times that a sharded channel was not heard for so long that messages may be lost.
    yield counter('channel_gaps', this.#subscriptions.gaps);
  }

  /** Redis' clock, estimated, in ms since 1970; this process' own clock before the first connection. */
  redisNow(): number {
    return this.#clock.now();
  }

  #subscribeBy(source: RedisSource): RedisSubscriptions | MovableSubscriptions | ShardedSubscriptions {
    const listener = {
      up: () => this.#proceed(),
      down: (why: Error) => this.#lose(why),
      message: (channel: string, payload: Buffer) => this.#hear(channel, payload),
      refused: (why: Error, _channel: string, isFirst: boolean) => {
        if (isFirst) this.refused('subscriptions', why);
      },
      allowed: () => this.settled('subscriptions'),
    };
    const connect = (node?: string): Redis | null => source.subscriber(this.#commands.client, node);
    if (!isCluster(this.options.redis.template)) {
      return new RedisSubscriptions(connect, CLASSIC, listener, this.runtime);
    }
    const connectToAny = (): Redis | null => {
      const { client } = this.#commands;
      const node = client && isCluster(client) ? oneOf(this.#steadyNodes(client), this.runtime) : undefined;
      return node ? connect(nameOf(node)) : null;
    };
    const classic = new MovableSubscriptions(connectToAny, listener, this.runtime);
    if (!this.options.redis.isSharded) return classic;
    const publish = (channel: string, payload: string): Promise<number | null> =>
      this.#publishAtOwner(channel, payload);
    const open = (channel: string, payload: Buffer): Buffer | null => this.#open(channel, payload);
    const probing = { channel: this.#probeChannel, period: this.options.probe, publish, open };
    const isSharded = (channel: string): boolean => this.#isSharded(channel);
    const astray = (): void => this.#commands.learnSlots();
    const serves = (node: string, channel: string): Promise<boolean | null> => this.#commands.serves(node, channel);
    return new ShardedSubscriptions(
      { classic, slots: this.#slots, isSharded, connect, probing, serves, listener: { ...listener, astray } },
      this.runtime,
    );
  }

  async #publishOrDetour(channel: string, payload: string | Buffer, detour: string | undefined): Promise<void> {
    const arrived = await this.#publishSharded(channel, payload, detour !== undefined).catch(throwUnpublished);
    if (arrived) return;
    if (detour === undefined) throw unavailable(new Error('The slot of the channel is moving.'));
    this.#detours++;
    await this.#commands.publish(detour, this.#sealedFor(detour, payload));
  }

  /** @returns false: not all of the channel's subscribers may have heard it */
  async #publishSharded(channel: string, payload: string | Buffer, hasDetour: boolean): Promise<boolean> {
    const slot = this.#slots.slotOf(channel);
    if (hasDetour && this.#slots.isMoving(slot)) return false;
    const receivers = await this.#publishAtOwner(channel, payload);
    if (receivers === null) this.#slots.moved(slot);
    else if (this.#slots.isHeard(slot, receivers)) return true;
    this.#commands.learnSlots();
    return receivers !== null && !hasDetour;
  }

  /** @returns how many heard it; null: it was not published, since the slot is elsewhere */
  #publishAtOwner(channel: string, payload: string | Buffer): Promise<number | null> {
    const owner = this.#slots.ownerOf(keySlotOf(channel));
    if (owner === undefined) return Promise.resolve(null);
    return this.#commands.publishAt(owner, channel, this.#sealedFor(channel, payload));
  }

  #sealedFor(channel: string, payload: string | Buffer): string | Buffer {
    return this.#seal ? this.#seal.seal(channel, payload) : payload;
  }

  #isSharded(channel: string): boolean {
    return this.options.redis.isSharded && channel.startsWith(this.#shardChannels);
  }

  #connected(client: WsRedisClient): void {
    if (isCluster(client)) this.#watch.follow(client);
    this.#proceed();
  }

  /**
   * The cluster has told which node serves which slots: what leads to a node without slots goes elsewhere.
   *
   * @returns whether some have moved
   */
  #followCluster(cluster: Cluster): boolean {
    const haveMoved = this.#slots.learn(cluster.slots);
    const steady = this.#steadyNodes(cluster);
    this.#source.remember(steady);
    this.#commands.stayWith(steady);
    if (this.#subscriptions instanceof RedisSubscriptions) return haveMoved;
    const names = new Set(steady.map(nameOf));
    this.#subscriptions.stayWith((node) => names.has(nameOf(node)));
    if (this.#subscriptions instanceof ShardedSubscriptions) this.#subscriptions.settle();
    return haveMoved;
  }

  /** The masters that are not about to leave, as it seems; where all of them are, all. */
  #steadyNodes(cluster: Cluster): Redis[] {
    const masters = cluster.nodes('master');
    const steady = masters.filter((node) => !this.#slots.isDraining(nameOf(node)));
    return steady.length > 0 ? steady : masters;
  }

  /** Something is up: once all is, the probe tells whether it works. */
  #proceed(): void {
    if (this.#commands.client && this.#subscriptions.isUp) this.#probe.start();
  }

  #lose(why: Error): void {
    this.#probe.stop();
    this.#state.fail(why);
  }

  #sendProbe(payload: string): Promise<unknown> {
    const sentAt = this.runtime.monotonic();
    const learn = (time: unknown): void => {
      if (!this.#clock.learn(sentAt, time)) this.#commands.renew(outOfStep());
    };
    // A server that does not let us read its clock leaves us with our own.
    this.#commands.run((redis) => redis.time()).then(learn, () => {});
    return this.#commands.publish(this.#probeChannel, this.sealed(this.#probeChannel, payload));
  }

  #open(channel: string, payload: Buffer): Buffer | null {
    return this.#seal ? this.#seal.open(channel, payload) : payload;
  }

  #hear(channel: string, heard: Buffer): void {
    try {
      const payload = this.#open(channel, heard);
      if (payload === null) return;
      if (channel === this.#probeChannel) this.#probe.heard(payload.toString());
      else this.options.onMessage(channel, payload);
    } catch {
      // ioredis would make it the end of the process.
      this.#log.report('warn', 'A message from Redis could not be handled.');
    }
  }

  #succeed(roundTrip: number): void {
    this.#lostProbes = 0;
    this.#commands.proven();
    this.#subscriptions.proven();
    this.#state.succeed(roundTrip);
  }

  /** The connections lead nowhere, whatever they say: after a failover, to a server that nobody else is connected to. */
  #loseProbe(): void {
    const why = new Error('A probe did not come back.');
    this.#subscriptions.renew(why);
    if (++this.#lostProbes > 1) this.#commands.renew(why);
  }
}

function throwUnpublished(failure: unknown): never {
  throw unpublished(failure);
}
