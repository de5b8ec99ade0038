import { Injectable } from '@nestjs/common';
import { RateMeter } from './rate-meter.js';
import { Runtime } from './runtime.js';

/** Counts what this worker's clients do. */
@Injectable()
export class Traffic {
  /** Frames that clients sent. */
  readonly messages: RateMeter;
  readonly connects: RateMeter;
  readonly disconnects: RateMeter;

  constructor(runtime: Runtime) {
    this.messages = new RateMeter(runtime);
    this.connects = new RateMeter(runtime);
    this.disconnects = new RateMeter(runtime);
  }
}
