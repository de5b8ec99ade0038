import { Inject, Injectable } from '@nestjs/common';
import { PXL_WS_REVOCATIONS, type Revocation, type Revocations } from '../auth/revocations.interface.js';
import { TokenRevocation } from '../auth/token-revocation.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import { Runtime, type RuntimeTimer } from '../runtime/runtime.js';
import { CLUSTER_REDIS, type ClusterRedis } from './cluster-redis.js';
import { RedisRevocations } from './redis.revocations.js';

/** Milliseconds between two exchanges, so that nothing stays wrong for good; and after one that has failed. */
const PERIOD = 30_000;
const RETRY = 1_000;

/**
 * Brings the revocations of the cluster to this worker, and this one's to Redis: at its start, whenever it has not heard
 * Redis for a while, and now and then.
 */
@Injectable()
export class RevocationSync {
  /** Resolves once this worker knows what was revoked before its start: until then it must take nobody. */
  readonly loaded: Promise<void>;
  #timer: RuntimeTimer | null = null;
  #isBusy = false;

  constructor(
    private readonly revocation: TokenRevocation,
    private readonly errors: ErrorReporter,
    private readonly runtime: Runtime,
    @Inject(CLUSTER_REDIS) redis: ClusterRedis | null,
    @Inject(PXL_WS_REVOCATIONS) revocations: Revocations,
  ) {
    if (!redis || !(revocations instanceof RedisRevocations)) {
      this.loaded = Promise.resolve();
      return;
    }
    revocations.enforceWith((missed) => void this.#enforce(missed));
    this.loaded = new Promise((resolve) => {
      redis.link.onReady(() => void this.#exchange(redis, revocations, resolve));
    });
  }

  async #exchange(redis: ClusterRedis, revocations: RedisRevocations, loaded: () => void): Promise<void> {
    // While Redis is away there is nothing to do: the link tells when it is back.
    if (this.#isBusy || !redis.link.isReady) return;
    this.#isBusy = true;
    this.#timer?.cancel();
    let pause = PERIOD;
    try {
      await revocations.exchange();
      loaded();
    } catch (error) {
      pause = RETRY;
      this.errors.report('The revocations of the cluster could not be read and written.', error);
    }
    this.#isBusy = false;
    this.#timer = this.runtime.timeout(pause, () => void this.#exchange(redis, revocations, loaded));
  }

  async #enforce(missed: Revocation): Promise<void> {
    try {
      await this.revocation.enforce(missed);
    } catch (error) {
      this.errors.report('A revocation could not be kept long enough.', error);
    }
  }
}
