import type { WebSocket } from 'ws';

/** What ws keeps of permessage-deflate for a connection; not in its types. The only place that knows of it. */
interface Deflating {
  readonly _extensions?: { readonly [NAME]?: Deflate };
}

interface Deflate {
  readonly params?: { readonly server_no_context_takeover?: boolean };
  _deflate?: { close(): void } | null;
}

const NAME = 'permessage-deflate';

/** Whether a compressor that has done its message keeps nothing that the next message needs. */
export function isCompressorForgetful(ws: WebSocket & Deflating): boolean {
  return ws._extensions?.[NAME]?.params?.server_no_context_takeover === true;
}

/**
 * Frees what zlib holds for what was sent, 100 to 270 KB: ws makes it anew for the next message. Without context takeover
 * ws only resets it, and keeps it as long as the connection lives. To be called while nothing is being compressed.
 */
export function freeCompressor(ws: WebSocket & Deflating): void {
  const extension = ws._extensions?.[NAME];
  if (!extension?._deflate) return;
  extension._deflate.close();
  extension._deflate = null;
}
