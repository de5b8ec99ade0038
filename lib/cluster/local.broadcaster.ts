import { Injectable } from '@nestjs/common';
import type { Broadcaster } from './broadcaster.interface.js';

/** The bus of an application that is one process: there are no other workers to reach. */
@Injectable()
export class LocalBroadcaster implements Broadcaster {
  readonly isReady = true;

  start(): Promise<void> {
    return Promise.resolve();
  }

  publish(): Promise<void> {
    return Promise.resolve();
  }

  acquireRoom(): Promise<void> | undefined {
    return undefined;
  }

  releaseRoom(): void {}

  stop(): Promise<void> {
    return Promise.resolve();
  }
}
