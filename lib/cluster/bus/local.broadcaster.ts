import { Injectable } from '@nestjs/common';
import type { WsBroadcaster, WsBusHealth } from './broadcaster.interface.js';

/** The bus of an application of one process: there are no other workers. */
@Injectable()
export class WsLocalBroadcaster implements WsBroadcaster {
  readonly isAlone: boolean = true;
  readonly isReady = true;
  readonly health: WsBusHealth = { connected: false, probeMs: null, lastError: null };

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

  acquireUser(): Promise<void> | undefined {
    return undefined;
  }

  releaseUser(): void {}

  acquireEvents(): Promise<void> | undefined {
    return undefined;
  }

  acquireAllEvents(): Promise<void> | undefined {
    return undefined;
  }

  onChange(): void {}

  stop(): Promise<void> {
    return Promise.resolve();
  }
}
