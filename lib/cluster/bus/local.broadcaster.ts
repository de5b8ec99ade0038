import { Inject, Injectable, Optional } from '@nestjs/common';
import type {
  WsAppend,
  WsAppended,
  WsHistoryPage,
  WsHistoryRange,
  WsPosition,
} from '../../history/room-store.interface.js';
import type { WsRetention } from '../../options/rooms/history.options.js';
import { Runtime } from '../../runtime/runtime.js';
import type { WsBroadcaster, WsBusHealth } from './broadcaster.interface.js';
import { LocalRoomStore } from './local.room-store.js';

/** The bus of an application of one process: there are no other workers. */
@Injectable()
export class WsLocalBroadcaster implements WsBroadcaster {
  readonly isAlone: boolean = true;
  readonly isReady = true;
  readonly health: WsBusHealth = { connected: false, probeMs: null, lastError: null };

  readonly #history: LocalRoomStore;

  constructor(@Optional() @Inject(Runtime) runtime?: Runtime) {
    this.#history = new LocalRoomStore(runtime ?? new Runtime());
  }

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

  append(message: WsAppend): Promise<WsAppended> {
    return this.#history.append(message);
  }

  read(roomName: string, range: WsHistoryRange, retention: WsRetention): Promise<WsHistoryPage> {
    return this.#history.read(roomName, range, retention);
  }

  top(roomName: string, retention: WsRetention): Promise<WsPosition> {
    return this.#history.top(roomName, retention);
  }

  clear(roomName: string, retention: WsRetention, youngest?: number): Promise<WsPosition> {
    return this.#history.clear(roomName, retention, youngest);
  }

  stop(): Promise<void> {
    this.#history.stop();
    return Promise.resolve();
  }
}
