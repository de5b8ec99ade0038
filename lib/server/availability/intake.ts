import { Inject, Injectable } from '@nestjs/common';
import { MessageDispatcher } from '../../routing/message.dispatcher.js';
import { UpgradeHandler } from '../../transport/upgrade/upgrade.handler.js';

/** Runs from the start until the shutdown, when clients may be connected. */
export interface BackgroundTask {
  start(): void;
  stop(): void;
}

/** The token of all of them. */
export const BACKGROUND_TASKS = Symbol('PXL_WS_BACKGROUND_TASKS');

/** Whether this worker takes connections and messages, and the tasks that run meanwhile. */
@Injectable()
export class Intake {
  constructor(
    private readonly upgrades: UpgradeHandler,
    private readonly dispatcher: MessageDispatcher,
    @Inject(BACKGROUND_TASKS) private readonly tasks: readonly BackgroundTask[],
  ) {}

  /** Connections are taken from now on. */
  open(): void {
    this.upgrades.open();
  }

  startTasks(): void {
    for (const task of this.tasks) task.start();
  }

  /** No connections and no messages are taken any more. */
  close(): void {
    this.upgrades.close();
    this.dispatcher.stop();
    for (const task of this.tasks) task.stop();
  }
}
