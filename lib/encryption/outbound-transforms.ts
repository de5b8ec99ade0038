import { Inject, Injectable } from '@nestjs/common';
import type { ClientSession } from '../clients/session/client-session.js';
import { FrameEvent } from '../protocol/frame-event.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { checkEvent, FrameCallbacks, type FrameCallback } from './frame-callbacks.js';

const TRANSFORMER: FrameCallback = { option: 'outboundTransformer', limit: 'outboundTransformer' };

/** Passes every frame to a client through the option `outboundTransformer`. */
@Injectable()
export class OutboundTransforms {
  constructor(
    private readonly callbacks: FrameCallbacks,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Transforms the client's frames from now on; does nothing without the option. */
  begin(session: ClientSession): void {
    const { outboundTransformer, batchLimit } = this.options.outbound;
    if (!outboundTransformer) return;
    session.transform(batchLimit, (text) => {
      const frame = new FrameEvent(session.codec, text);
      const { event, data } = frame;
      return this.callbacks.ask(
        TRANSFORMER,
        session,
        () => outboundTransformer({ client: session.client, event, data }),
        (answer) => {
          const changed = checkEvent(answer);
          return changed && (frame.rewrite(changed.event, changed.data) ?? null);
        },
      );
    });
  }
}
