import type { OptionChecks } from './checks/option-checks.js';

export interface WsInboundOptions {
  /** Messages of one client that are handled at once. Default: 1, so that each waits for the one before. */
  concurrency?: number | undefined;
  /**
   * Messages of one client that may wait. When there are more, its socket is not read until half of them have been
   * handled. Default: 64.
   */
  queue?: number | undefined;
  /**
   * True: a client may send its messages in binary frames, which are read as UTF-8 text; answers stay text frames.
   * Default: false, a binary frame is answered BAD_MESSAGE, and its content is not read.
   */
  binary?: boolean | undefined;
}

export interface ResolvedInbound {
  readonly concurrency: number;
  readonly queue: number;
  readonly binary: boolean;
}

export function resolveInbound(inbound: OptionChecks): ResolvedInbound {
  return {
    concurrency: inbound.integer('concurrency', 1, 1),
    queue: inbound.integer('queue', 64, 1),
    binary: inbound.boolean('binary', false),
  };
}
