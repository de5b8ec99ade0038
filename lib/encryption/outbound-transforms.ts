import { Inject, Injectable } from '@nestjs/common';
import type { WsClient } from '../clients/ws-client.js';
import { FrameEvent } from '../protocol/frame-event.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { checkEvent, FrameCallbacks, type FrameCallback } from './frame-callbacks.js';

const TRANSFORMER: FrameCallback = { option: 'outboundTransformer', limit: 'outboundTransformer' };

/** The option `outboundTransformer`: has every frame to a client pass it. */
@Injectable()
export class OutboundTransforms {
  constructor(
    private readonly callbacks: FrameCallbacks,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** From now on; does nothing without the option. */
  begin(client: WsClient): void {
    const { outboundTransformer, batchLimit } = this.options.outbound;
    if (!outboundTransformer) return;
    client.transform(batchLimit, (text) => {
      const frame = new FrameEvent(client.codec, text);
      const { event, data } = frame;
      return this.callbacks.ask(
        TRANSFORMER,
        client,
        () => outboundTransformer({ client, event, data }),
        (answer) => {
          const changed = checkEvent(answer);
          return changed && (frame.rewrite(changed.event, changed.data) ?? null);
        },
      );
    });
  }
}
