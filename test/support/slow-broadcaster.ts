import type { WsBroadcaster, WsBusHealth } from '../../lib/cluster/bus/broadcaster.interface.js';
import { Diary } from './diary.js';

interface Waiting {
  readonly roomName: string;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A bus of one process on which a room becomes live when the test says so. */
export class SlowBroadcaster implements WsBroadcaster {
  isReady = true;
  readonly health: WsBusHealth = { connected: true, probeMs: 1, lastError: null };
  /** `acquire <room>` and `release <room>`, in order. */
  readonly diary = new Diary();
  readonly #waiting: Waiting[] = [];

  start(): Promise<void> {
    return Promise.resolve();
  }

  publish(): Promise<void> {
    return Promise.resolve();
  }

  acquireUser(): undefined {}

  releaseUser(): void {}

  acquireEvents(): undefined {}

  acquireAllEvents(): undefined {}

  onChange(): void {}

  stop(): Promise<void> {
    return Promise.resolve();
  }

  acquireRoom(roomName: string): Promise<void> {
    const live = new Promise<void>((resolve, reject) => this.#waiting.push({ roomName, resolve, reject }));
    this.diary.write(`acquire ${roomName}`);
    return live;
  }

  releaseRoom(roomName: string): void {
    this.diary.write(`release ${roomName}`);
  }

  /** The room is live now for everyone who waits for it; with an error it cannot be. */
  settle(roomName: string, error?: Error): void {
    for (const waiting of this.#waiting.splice(0)) {
      if (waiting.roomName !== roomName) this.#waiting.push(waiting);
      else if (error) waiting.reject(error);
      else waiting.resolve();
    }
  }
}
