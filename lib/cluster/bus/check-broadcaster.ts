import { PxlWebSocketSetupError } from '../../errors/start-up.errors.js';
import type { WsBroadcaster } from './broadcaster.interface.js';

/** The methods that the library calls on every bus. */
const METHODS: readonly (keyof WsBroadcaster)[] = [
  ...(['start', 'stop', 'publish', 'onChange'] as const),
  ...(['acquireRoom', 'releaseRoom', 'acquireUser', 'releaseUser', 'acquireEvents', 'acquireAllEvents'] as const),
];

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

function isBroadcaster(instance: object): instance is WsBroadcaster {
  return missingOf(instance).length === 0;
}

function missingOf(instance: object): string[] {
  return METHODS.filter((method) => typeof Reflect.get(instance, method) !== 'function');
}
