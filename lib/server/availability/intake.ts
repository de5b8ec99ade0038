import { Inject, Injectable } from '@nestjs/common';
import { MessageDispatcher } from '../../routing/message.dispatcher.js';
import { NEUTRAL_SCOPE } from '../../runtime/neutral-scope.js';
import { UpgradeHandler } from '../../transport/upgrade/upgrade.handler.js';

/** Work that runs from the start until the shutdown, while clients may be connected. */
export interface BackgroundTask {
  start(): void;
  stop(): void;
}

/**
 * Where this worker is in its life. `starting`: it takes no connections yet; `serving`; `draining`: it ends, from the begin of
 * `shutdown.delay` on, and new connections should go elsewhere.
 */
export type WsWorkerPhase = 'starting' | 'serving' | 'draining';

/** The token of the list of all background tasks. */
export const BACKGROUND_TASKS = Symbol('PXL_WS_BACKGROUND_TASKS');

/** Opens and closes this worker for connections and messages, and runs the background tasks meanwhile. */
@Injectable()
export class Intake {
  #isLeaving = false;

  constructor(
    private readonly upgrades: UpgradeHandler,
    private readonly dispatcher: MessageDispatcher,
    @Inject(BACKGROUND_TASKS) private readonly tasks: readonly BackgroundTask[],
  ) {}

  /** Whether connections are taken. */
  get isOpen(): boolean {
    return this.upgrades.isOpen;
  }

  get phase(): WsWorkerPhase {
    if (this.#isLeaving) return 'draining';
    return this.upgrades.isOpen ? 'serving' : 'starting';
  }

  /** From now on no new connections should come; those that do are taken. */
  announceEnd(): void {
    this.#isLeaving = true;
  }

  /** Connections are taken from now on. */
  open(): void {
    this.upgrades.open();
  }

  startTasks(): void {
    for (const task of this.tasks) NEUTRAL_SCOPE.runInAsyncScope(() => task.start());
  }

  /** No connections are taken any more; everything goes on for those that there are. */
  closeDoor(): void {
    this.#isLeaving = true;
    this.upgrades.close();
  }

  /** No connections and no messages are taken any more. */
  close(): void {
    this.closeDoor();
    this.dispatcher.stop();
    for (const task of this.tasks) task.stop();
  }
}
