import { Injectable } from '@nestjs/common';
import type { ClusterRegistry, ClusterWorker } from './cluster-registry.interface.js';

/** The registry of an application of one process: there are no other workers. */
@Injectable()
export class LocalRegistry implements ClusterRegistry {
  readonly workers: ReadonlyMap<string, ClusterWorker> = new Map();
  readonly isShared = false;
  readonly mayHaveOthers = false;
  readonly isReady = true;

  start(): Promise<void> {
    return Promise.resolve();
  }

  record(): void {}

  describe(): void {}

  keepAbsent(): void {}

  forgetAbsent(): void {}

  whenTold(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}
