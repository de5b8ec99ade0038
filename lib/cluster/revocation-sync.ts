import { Inject, Injectable } from '@nestjs/common';
import { PXL_WS_REVOCATIONS, type Revocation, type Revocations } from '../auth/revocations.interface.js';
import { TokenRevocation } from '../auth/token-revocation.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import { CLUSTER_REDIS, type ClusterRedis } from './cluster-redis.js';
import { RedisRevocations } from './redis.revocations.js';

/** Brings the revocations of the cluster to this worker: at its start, and whenever it has not heard Redis for a while. */
@Injectable()
export class RevocationSync {
  /** Settles once this worker knows what was revoked before its start. */
  readonly loaded: Promise<void>;

  constructor(
    private readonly revocation: TokenRevocation,
    private readonly errors: ErrorReporter,
    @Inject(CLUSTER_REDIS) redis: ClusterRedis | null,
    @Inject(PXL_WS_REVOCATIONS) revocations: Revocations,
  ) {
    if (!redis || !(revocations instanceof RedisRevocations)) {
      this.loaded = Promise.resolve();
      return;
    }
    revocations.enforceWith((missed) => void this.#enforce(missed));
    this.loaded = new Promise((resolve) => {
      redis.link.onReady(() => void this.#load(revocations).then(resolve));
    });
  }

  async #load(revocations: RedisRevocations): Promise<void> {
    try {
      await revocations.load();
    } catch (error) {
      this.errors.report('The revocations of the cluster could not be read.', error);
    }
  }

  async #enforce(missed: Revocation): Promise<void> {
    try {
      await this.revocation.enforce(missed);
    } catch (error) {
      this.errors.report('A revocation could not be kept long enough.', error);
    }
  }
}
