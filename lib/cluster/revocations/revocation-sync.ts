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

/** Milliseconds until the next exchange: after one that succeeded, and after one that failed. */
const PERIOD = 30_000;
const RETRY = 1_000;

const EVERYBODY: WsTarget = { kind: 'everybody' };

/**
 * Exchanges revocations with Redis: reads the cluster's and writes this worker's own. It does so at the start, whenever the
 * link to Redis comes back, when Redis has lost its data, and every 30 s.
 *
 * Redis may know fewer revocations than the workers: it restarted empty, evicted the key, or failed over to a replica
 * without the last writes. So a starting worker first makes the others write what they know, and later does the same with
 * each worker that enters the registry.
 */
@Injectable()
export class RevocationSync {
  readonly #link: RedisLink | null = null;
  readonly #revocations: RedisRevocations | null = null;
  #timer: RuntimeTimer | null = null;
  /** The running exchange. */
  #present: Promise<boolean> | null = null;
  /** The exchange that follows the running one. */
  #next: Promise<boolean> | null = null;
  /** Whether the other workers were asked at the start. */
  #hasBegun = false;
  #whenRead: (() => void) | null = null;
  #isEnded = false;

  constructor(
    private readonly revocation: TokenRevocation,
    private readonly calls: ClusterCalls,
    private readonly errors: ErrorReporter,
    private readonly runtime: Runtime,
    @Inject(CLUSTER_REDIS) redis: ClusterRedis | null,
    @Inject(PXL_WS_REVOCATIONS) revocations: Revocations,
  ) {
    if (!redis || !(revocations instanceof RedisRevocations)) return;
    this.#link = redis.link;
    this.#revocations = revocations;
  }

  /** Resolves once this worker knows what was revoked before its start; until then it must admit no clients. Never rejects. */
  async load(): Promise<void> {
    if (!this.#revocations) return;
    this.#hasBegun = true;
    await this.#haveShared(EVERYBODY);
    if (await this.exchange()) return;
    // Retried by timer, and when the link comes back.
    await new Promise<void>((resolve) => (this.#whenRead = resolve));
  }

  /**
   * Reads what Redis knows and writes what it does not know, now or right after the running exchange.
   *
   * @returns whether it succeeded; never rejects
   */
  exchange(): Promise<boolean> {
    return (this.#next ??= this.#exchangeAfter(this.#present));
  }

  /** The bus ends: no exchange follows, and one that fails now is no failure. */
  end(): void {
    this.#isEnded = true;
    this.#timer?.cancel();
  }

  async #exchangeAfter(present: Promise<boolean> | null): Promise<boolean> {
    await present;
    this.#next = null;
    this.#present = this.#exchange();
    return this.#present;
  }

  async #exchange(): Promise<boolean> {
    // The link's onReady starts the next exchange.
    if (!this.#revocations || !this.#link?.isReady || this.#isEnded) return false;
    this.#timer?.cancel();
    const isDone = await this.#run(this.#revocations);
    this.#exchangeIn(isDone ? PERIOD : RETRY);
    if (isDone) this.#whenRead?.();
    return isDone;
  }

  #exchangeIn(ms: number): void {
    if (!this.#isEnded) this.#timer = this.runtime.timeout(ms, () => void this.exchange());
  }

  async #run(revocations: RedisRevocations): Promise<boolean> {
    try {
      await revocations.exchange((missed) => void this.#enforce(missed));
      return true;
    } catch (error) {
      if (!this.#isEnded) this.errors.report('The revocations of the cluster could not be read and written.', error);
      return false;
    }
  }

  /** Another worker has entered the registry: it writes what it knows, before this one reads. Never rejects. */
  async meet(workerId: string): Promise<void> {
    // At the start `load` asks all of them together.
    if (!this.#hasBegun) return;
    await this.#haveShared({ kind: 'workers', workerIds: [workerId] });
    await this.exchange();
  }

  /**
   * Makes other workers write the revocations that they know. A silent worker is dead, or will write them when its own link
   * comes back. Never rejects.
   */
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
