import { Injectable } from '@nestjs/common';
import { Runtime } from './runtime.js';

/**
 * Who this worker is: a random id per start of the process, never a slot number (two hosts both have a worker 1).
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
