import { Injectable } from '@nestjs/common';
import { Runtime } from './runtime.js';

/**
 * The id of this worker: random at each start of the process, and no slot number, since two hosts both have a worker 1.
 * Client ids carry it, so that a message to a client goes to one worker without a look-up.
 */
@Injectable()
export class WorkerIdentity {
  readonly workerId: string;

  constructor(private readonly runtime: Runtime) {
    this.workerId = runtime.randomId(6);
  }

  /** A new client's id: `<worker>.<random>`, opaque to users. */
  createClientId(): string {
    return `${this.workerId}.${this.runtime.randomId(12)}`;
  }
}
