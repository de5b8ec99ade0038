import { Injectable } from '@nestjs/common';
import type { ClusterRegistry, ClusterWorker } from './cluster-registry.interface.js';

/** The registry of an application that is one process: there is nobody else. */
@Injectable()
export class LocalRegistry implements ClusterRegistry {
  readonly workers: ReadonlyMap<string, ClusterWorker> = new Map();
  readonly mayHaveOthers = false;
  readonly isReady = true;

  start(): Promise<void> {
    return Promise.resolve();
  }

  record(): void {}

  stop(): Promise<void> {
    return Promise.resolve();
  }
}
