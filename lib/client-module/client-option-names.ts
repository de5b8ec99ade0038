import type {
  ClientEventMap,
  ClientHeartbeatOptions,
  QueueOptions,
  ReconnectOptions,
} from '../client/options/client-options.interface.js';
import { PxlWebSocketOptionsError } from '../errors/start-up.errors.js';
import { noSuchName } from '../options/checks/nearest-name.js';
import { isGroup } from '../options/checks/option-checks.js';
import type { PxlWebSocketClientModuleOptions } from './client-module-options.interface.js';

// Records make the compiler complain when an option is added to an interface and not to these lists.

const OPTIONS: Record<keyof PxlWebSocketClientModuleOptions, true> = {
  url: true,
  protocol: true,
  server: true,
  webSocket: true,
  getToken: true,
  tokenTo: true,
  tokenPatience: true,
  connectTimeout: true,
  reconnect: true,
  requestTimeout: true,
  queue: true,
  heartbeat: true,
  positions: true,
  events: true,
  encryption: true,
  waitForConnection: true,
  socketOptions: true,
  routing: true,
  shutdown: true,
};
const RECONNECT: Record<keyof ReconnectOptions, true> = { minDelay: true, maxDelay: true, attempts: true };
const QUEUE: Record<keyof QueueOptions, true> = { limit: true, policy: true };
const HEARTBEAT: Record<keyof ClientHeartbeatOptions, true> = { interval: true, timeout: true };
const EVENTS: Record<keyof ClientEventMap, true> = {
  onConnected: true,
  onDisconnected: true,
  onMessage: true,
  onError: true,
  onReconnecting: true,
  onReconnected: true,
  onReconnectFailed: true,
  onDropped: true,
  onRoomRefused: true,
  onRecovered: true,
  onRoomLeft: true,
};

/**
 * Refuses options that do not exist and suggests what might be meant. It checks the client's own options too, since the
 * client refuses unknown ones without a suggestion.
 *
 * @throws PxlWebSocketOptionsError
 */
export function checkOptionNames(given: PxlWebSocketClientModuleOptions): void {
  check(given, OPTIONS);
  const groups = { reconnect: RECONNECT, queue: QUEUE, heartbeat: HEARTBEAT, events: EVENTS };
  for (const [name, known] of Object.entries(groups)) check(given[name as keyof typeof groups], known, `${name}.`);
}

function check(given: unknown, known: object, prefix = ''): void {
  if (!isGroup(given)) return;
  const other = Object.keys(given).find((name) => !Object.hasOwn(known, name) && given[name] !== undefined);
  if (other !== undefined) throw new PxlWebSocketOptionsError(noSuchName('option', prefix + other, Object.keys(known)));
}
