import type { OptionChecks } from './checks/option-checks.js';

export interface WsShutdownOptions {
  /**
   * Milliseconds for running handlers, closing handshakes and plain HTTP requests when the application stops.
   * Default: 10 000.
   */
  timeout?: number | undefined;
  /**
   * Milliseconds over which the clients of a stopping worker reconnect to the other workers of its cluster: each is told
   * a time of its own (close code 1012; 1001 when no other worker is alive). Default: 5 000.
   */
  reconnectSpread?: number | undefined;
}

export interface ResolvedShutdown {
  readonly timeout: number;
  readonly reconnectSpread: number;
}

export function resolveShutdown(shutdown: OptionChecks): ResolvedShutdown {
  return {
    timeout: shutdown.integer('timeout', 10_000, 0),
    reconnectSpread: shutdown.integer('reconnectSpread', 5_000, 0),
  };
}
