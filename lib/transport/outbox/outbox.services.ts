import { Injectable } from '@nestjs/common';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { Timings } from '../../runtime/metrics/timings.js';
import { Runtime } from '../../runtime/runtime.js';
import { Tracing } from '../../tracing/tracing.js';
import { OutboxScheduler } from './outbox.scheduler.js';
import { SlowConsumers } from './slow-consumers.js';

/** What the outboxes of an application share. */
@Injectable()
export class OutboxServices {
  constructor(
    readonly scheduler: OutboxScheduler,
    readonly slowConsumers: SlowConsumers,
    readonly errors: ErrorReporter,
    readonly timings: Timings,
    readonly runtime: Runtime,
    readonly tracing: Tracing,
  ) {}
}
