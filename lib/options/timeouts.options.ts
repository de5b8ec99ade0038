import type { OptionChecks } from './checks/option-checks.js';

export interface WsTimeoutOptions {
  /** Milliseconds that the hooks of a connection may take together; then it is closed with 1011. Default: 10 000. */
  hook?: number | undefined;
  /** Milliseconds for one handler; then its client is answered TIMEOUT. Default: false, no limit. */
  handler?: number | false | undefined;
  /** Milliseconds that `WsClient.call` waits for the client's answer. Default: 10 000. */
  call?: number | undefined;
  /**
   * Milliseconds that a subscriber has for one event, its middleware included; then this is logged, and the next
   * subscriber has its turn. Default: 30 000.
   */
  subscriber?: number | undefined;
}

export interface ResolvedTimeouts {
  readonly hook: number;
  readonly handler: number | false;
  readonly call: number;
  readonly subscriber: number;
}

export function resolveTimeouts(timeouts: OptionChecks): ResolvedTimeouts {
  return {
    hook: timeouts.integer('hook', 10_000, 1),
    handler: timeouts.limit('handler', false, 1),
    call: timeouts.integer('call', 10_000, 1),
    subscriber: timeouts.integer('subscriber', 30_000, 1),
  };
}
