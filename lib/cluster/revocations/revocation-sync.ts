import { Inject, Injectable } from '@nestjs/common';
import { PXL_WS_REVOCATIONS, type Revocation, type Revocations } from '../../auth/tokens/revocations.interface.js';
import { TokenRevocation } from '../../auth/tokens/token-revocation.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import type { RedisLink } from '../../redis/link/redis-link.js';
import { Runtime, type RuntimeTimer } from '../../runtime/runtime.js';
import { ClusterCalls } from '../calls/cluster-calls.js';
import { CLUSTER_REDIS, type ClusterRedis } from '../bus/cluster-redis.js';
import type { WsTarget } from '../bus/envelope.js';
import { RedisRevocations } from './redis.revocations.js';
import { PXL_WS_REGISTRY, type ClusterRegistry } from '../registry/cluster-registry.interface.js';
import { RedisRegistry } from '../registry/redis.registry.js';

/** Milliseconds between two exchanges, so that nothing stays wrong for good; and after one that has failed. */
const PERIOD = 30_000;
const RETRY = 1_000;

const EVERYBODY: WsTarget = { kind: 'everybody' };

/**
 * Brings the revocations of the cluster to this worker, and this one's to Redis: at its start, whenever it has not heard
 * Redis for a while, when Redis has lost its data, and now and then.
 *
 * What Redis holds may be less than what the others know: it has restarted empty, evicted the key, or a replica took over
 * that lacks the last writes. So a worker that starts first has the others write what they know, and it has each one that it
 * meets later do so: one that was not back in the registry by then.
 */
@Injectable()
export class RevocationSync {
  readonly #link: RedisLink | null = null;
  readonly #revocations: RedisRevocations | null = null;
  #timer: RuntimeTimer | null = null;
  /** The exchange under way. */
  #present: Promise<boolean> | null = null;
  /** The one after it. */
  #next: Promise<boolean> | null = null;
  /** Whether the others were asked at the start. */
  #hasBegun = false;
  #whenRead: (() => void) | null = null;

  constructor(
    private readonly revocation: TokenRevocation,
    private readonly calls: ClusterCalls,
    private readonly errors: ErrorReporter,
    private readonly runtime: Runtime,
    @Inject(CLUSTER_REDIS) redis: ClusterRedis | null,
    @Inject(PXL_WS_REGISTRY) registry: ClusterRegistry,
    @Inject(PXL_WS_REVOCATIONS) revocations: Revocations,
  ) {
    if (!redis || !(revocations instanceof RedisRevocations)) return;
    this.#link = redis.link;
    this.#revocations = revocations;
    revocations.enforceWith((missed) => void this.#enforce(missed));
    redis.link.onReady(() => void this.exchange());
    if (!(registry instanceof RedisRegistry)) return;
    registry.watch({
      lost: () => void this.exchange(),
      met: (workerId) => void this.#meet(workerId),
    });
  }

  /** Resolves once this worker knows what was revoked before its start: until then it must take nobody. Never rejects. */
  async load(): Promise<void> {
    if (!this.#revocations) return;
    this.#hasBegun = true;
    await this.#haveShared(EVERYBODY);
    if (await this.exchange()) return;
    // A later one comes.
    await new Promise<void>((resolve) => (this.#whenRead = resolve));
  }

  /**
   * Reads what Redis knows, and writes what it does not know, in an exchange that begins now, or after the one under way.
   *
   * @returns whether Redis let it; never rejects
   */
  exchange(): Promise<boolean> {
    return (this.#next ??= this.#exchangeAfter(this.#present));
  }

  async #exchangeAfter(present: Promise<boolean> | null): Promise<boolean> {
    await present;
    this.#next = null;
    this.#present = this.#exchange();
    return this.#present;
  }

  async #exchange(): Promise<boolean> {
    // While Redis is away there is nothing to do: the link tells when it is back.
    if (!this.#revocations || !this.#link?.isReady) return false;
    this.#timer?.cancel();
    const isDone = await this.#run(this.#revocations);
    this.#timer = this.runtime.timeout(isDone ? PERIOD : RETRY, () => void this.exchange());
    if (isDone) this.#whenRead?.();
    return isDone;
  }

  async #run(revocations: RedisRevocations): Promise<boolean> {
    try {
      await revocations.exchange();
      return true;
    } catch (error) {
      this.errors.report('The revocations of the cluster could not be read and written.', error);
      return false;
    }
  }

  async #meet(workerId: string): Promise<void> {
    // Those that are known at the start are asked together.
    if (!this.#hasBegun) return;
    await this.#haveShared({ kind: 'workers', workerIds: [workerId] });
    await this.exchange();
  }

  /** Has others write what they know. Who is silent is dead, or writes it by itself once it is back; never rejects. */
  async #haveShared(target: WsTarget): Promise<void> {
    await this.calls.ask(target, { name: 'shareRevocations', data: null }).catch(() => undefined);
  }

  async #enforce(missed: Revocation): Promise<void> {
    try {
      await this.revocation.enforce(missed);
    } catch (error) {
      this.errors.report('A revocation could not be kept long enough.', error);
    }
  }
}
