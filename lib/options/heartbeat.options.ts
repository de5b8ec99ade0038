import { isGroup, type OptionChecks } from './checks/option-checks.js';
import type { ProtocolDefaults } from './protocol.options.js';

export interface WsHeartbeatOptions {
  /** Milliseconds between two pings to a client, at least 100. Default: 15 000. */
  interval?: number | undefined;
  /**
   * Milliseconds that a client has for its pong once the ping has left, at most `interval`; then it is closed with 4002.
   * A ping waits behind what was sent before it. When nothing of that leaves for as long, the client is closed too.
   * Default: 10 000.
   */
  timeout?: number | undefined;
}

export interface WsInactiveClientsOptions {
  /** True: clients that send no message for `inactiveTime` are disconnected. Default: false; event: true. */
  enabled?: boolean | undefined;
  /**
   * Milliseconds without a message, at least 100; pongs and the client library's own pings do not count as messages.
   * Default: 300 000; event: 90 000.
   */
  inactiveTime?: number | undefined;
  /** Milliseconds between two sweeps, at least 100. Default: 60 000; event: 30 000. */
  intervalCheckTime?: number | undefined;
  /** True: logs how many clients were disconnected. Default: false. */
  log?: boolean | undefined;
}

/** Null: clients are not pinged. */
export type ResolvedHeartbeat = { readonly interval: number; readonly timeout: number } | null;

export interface ResolvedInactiveClients {
  readonly enabled: boolean;
  readonly inactiveTime: number;
  readonly intervalCheckTime: number;
  readonly log: boolean;
}

export function resolveHeartbeat(options: OptionChecks): ResolvedHeartbeat {
  const given = options.raw('heartbeat');
  if (given === false) return null;
  if (given !== undefined && !isGroup(given)) options.refuse('heartbeat', 'an object or false');
  return options.inGroup('heartbeat', (heartbeat) => {
    const interval = heartbeat.time('interval', 15_000, 100);
    const timeout = heartbeat.time('timeout', Math.min(10_000, interval), 100);
    if (timeout > interval) heartbeat.refuse('timeout', `at most heartbeat.interval (${interval})`);
    return { interval, timeout };
  });
}

export function resolveInactiveClients(
  inactive: OptionChecks,
  usual: ProtocolDefaults['inactive'],
): ResolvedInactiveClients {
  return {
    enabled: inactive.boolean('enabled', usual.enabled),
    inactiveTime: inactive.time('inactiveTime', usual.inactiveTime, 100),
    intervalCheckTime: inactive.time('intervalCheckTime', usual.intervalCheckTime, 100),
    log: inactive.boolean('log', false),
  };
}
