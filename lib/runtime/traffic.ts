import { Injectable } from '@nestjs/common';
import { WS_ERROR_CODES } from '../protocol/error-codes.js';
import { BoundedCounts } from './metrics/bounded-counts.js';
import { RateMeter } from './rate-meter.js';
import { Runtime } from './runtime.js';

/** Counts what this worker's clients do. */
@Injectable()
export class Traffic {
  /** Frames that clients sent. */
  readonly messages: RateMeter;
  readonly connects: RateMeter;
  readonly disconnects: RateMeter;
  /** Errors that messages of clients were answered with, by their codes. */
  readonly errors = new BoundedCounts(Object.keys(WS_ERROR_CODES));

  constructor(runtime: Runtime) {
    this.messages = new RateMeter(runtime);
    this.connects = new RateMeter(runtime);
    this.disconnects = new RateMeter(runtime);
  }
}
