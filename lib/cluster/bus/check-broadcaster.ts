import { PxlWebSocketSetupError } from '../../errors/start-up.errors.js';
import type { WsRoomStore } from '../../history/room-store.interface.js';
import type { WsBroadcaster } from './broadcaster.interface.js';
import { WsLocalBroadcaster } from './local.broadcaster.js';

/** The methods that the library calls on every bus. */
const METHODS: readonly (keyof WsBroadcaster)[] = [
  ...(['start', 'stop', 'publish', 'onChange'] as const),
  ...(['acquireRoom', 'releaseRoom', 'acquireUser', 'releaseUser', 'acquireEvents', 'acquireAllEvents'] as const),
];

/** What it needs beside for `rooms.history`. */
const STORE_METHODS: readonly (keyof WsRoomStore)[] = ['append', 'read', 'top', 'clear'];

/**
 * Checks the instance, and not its class, since a provider may give another object for the class.
 *
 * @throws PxlWebSocketSetupError that names the class and the methods that the instance lacks
 */
export function checkBroadcaster(name: string, instance: object): WsBroadcaster {
  if (isBroadcaster(instance)) return instance;
  throw new PxlWebSocketSetupError(
    `The broadcaster ${name} lacks ${missingOf(instance).join(', ')}: it has to implement WsBroadcaster.`,
  );
}

/**
 * The bus as the store of the rooms' history.
 *
 * @throws PxlWebSocketSetupError that names the class and the methods that the instance lacks
 */
export function checkRoomStore(name: string, bus: WsBroadcaster): WsRoomStore {
  if (isRoomStore(bus)) return bus;
  const missing = STORE_METHODS.filter((method) => !hasOwn(bus, method));
  throw new PxlWebSocketSetupError(
    `The broadcaster ${name} lacks ${missing.join(', ')}: with rooms.history it has to implement WsRoomStore as well.`,
  );
}

function isRoomStore(bus: WsBroadcaster): bus is WsBroadcaster & WsRoomStore {
  return STORE_METHODS.every((method) => hasOwn(bus, method));
}

/** What a bus between workers inherits from the one of a single process would number the messages of each worker apart. */
function hasOwn(bus: WsBroadcaster, method: keyof WsRoomStore): boolean {
  if (typeof bus[method] !== 'function') return false;
  return bus.isAlone === true || bus[method] !== WsLocalBroadcaster.prototype[method];
}

function isBroadcaster(instance: object): instance is WsBroadcaster {
  return missingOf(instance).length === 0;
}

function missingOf(instance: object): string[] {
  return METHODS.filter((method) => typeof Reflect.get(instance, method) !== 'function');
}
