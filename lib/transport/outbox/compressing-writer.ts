import type { WebSocket } from 'ws';
import { WsWriter } from './ws-writer.js';
import type { SendCallback, RawSendOptions, WsData } from './ws-send.js';

/** What ws keeps of permessage-deflate for a connection; not in its types. The only place that knows of it. */
interface Deflating {
  readonly _extensions?: { readonly [NAME]?: Deflate };
}

interface Deflate {
  readonly params?: { readonly server_no_context_takeover?: boolean };
  _deflate?: { close(): void } | null;
}

const NAME = 'permessage-deflate';

/** Whether the compressor of a socket keeps nothing of one message that the next one needs. */
export function isCompressorForgetful(ws: WebSocket & Deflating): boolean {
  return ws._extensions?.[NAME]?.params?.server_no_context_takeover === true;
}

/**
 * Writes by ws and frees the compressor afterwards, which ws makes anew for the next message: it holds 100 to 270 KB, and
 * without context takeover ws only resets it, and keeps it as long as the connection lives.
 */
export class CompressingWriter extends WsWriter {
  override send(data: WsData, options: RawSendOptions, done?: SendCallback): void {
    const written: SendCallback = (error) => {
      this.#freeCompressor();
      done?.(error);
    };
    super.send(data, options, done ? written : this.#freeCompressor);
  }

  readonly #freeCompressor = (): void => {
    // What ws counts beside the network socket is being compressed, or waits for that.
    if (this.bufferedAmount === this.stream?.writableLength) freeCompressor(this.ws);
  };
}

function freeCompressor(ws: WebSocket & Deflating): void {
  const extension = ws._extensions?.[NAME];
  if (!extension?._deflate) return;
  extension._deflate.close();
  extension._deflate = null;
}
