import { Inject, Injectable } from '@nestjs/common';
import { Tracing } from '../../tracing/tracing.js';
import { PXL_WS_BROADCASTER, type WsBroadcaster } from './broadcaster.interface.js';
import { spanOf } from './envelope-spans.js';
import type { WsEnvelope } from './envelope.js';

/** Sends envelopes to the other workers, and with each the trace that it belongs to. */
@Injectable()
export class BusSender {
  constructor(
    @Inject(PXL_WS_BROADCASTER) private readonly bus: WsBroadcaster,
    private readonly tracing: Tracing,
  ) {}

  /** Whether there are no other workers and never will be. */
  get isAlone(): boolean {
    return this.bus.isAlone === true;
  }

  /** Whether other workers can be reached. */
  get isReady(): boolean {
    return this.bus.isReady;
  }

  /**
   * What a span causes is a span of its trace. What the library sends by itself is in none.
   *
   * @throws WsError UNAVAILABLE when the bus is down; the envelope is not delivered later
   */
  publish(envelope: WsEnvelope): Promise<void> {
    const { tracing } = this;
    // An answer ends in the span of its call.
    if (!tracing.isOn || this.isAlone || envelope.content.kind === 'answer' || !tracing.isInside) {
      return this.bus.publish(envelope);
    }
    const { name, start } = spanOf('publish', envelope.target);
    return tracing.within(name, start, (span) => this.bus.publish({ ...envelope, trace: span.carried }));
  }
}
