import type { OptionChecks } from './checks/option-checks.js';

export interface WsShutdownOptions {
  /**
   * Milliseconds from the signal to stop until this worker refuses anybody. Meanwhile `ready` is false, so that load balancers
   * take it out of service, and everything goes on: upgrades that they still send are accepted. Comes before `timeout`.
   * Default: 0.
   */
  delay?: number | undefined;
  /**
   * Milliseconds for running handlers, closing handshakes and plain HTTP requests when the application stops.
   * Default: 10 000.
   */
  timeout?: number | undefined;
  /**
   * Milliseconds over which the clients of a stopping worker reconnect to the other workers of its cluster: each is told
   * a time of its own (close code 1012; 1001 when no other worker is alive). Those that do not read it (they do not offer
   * `pxl.refusals`) are closed one after the other over this time: 50 per second at least, and in half of `timeout` at most.
   * Default: 5 000.
   */
  reconnectSpread?: number | undefined;
}

export interface ResolvedShutdown {
  readonly delay: number;
  readonly timeout: number;
  readonly reconnectSpread: number;
}

export function resolveShutdown(shutdown: OptionChecks): ResolvedShutdown {
  return {
    delay: shutdown.integer('delay', 0, 0),
    timeout: shutdown.integer('timeout', 10_000, 0),
    reconnectSpread: shutdown.integer('reconnectSpread', 5_000, 0),
  };
}
