import { PxlWebSocketSetupError } from '../../errors/start-up.errors.js';
import type { Broadcaster } from './broadcaster.interface.js';

/** The methods that the library calls on every bus. */
const METHODS: readonly (keyof Broadcaster)[] = [
  ...(['start', 'stop', 'publish', 'onChange'] as const),
  ...(['acquireRoom', 'releaseRoom', 'acquireUser', 'releaseUser', 'acquireEvents', 'acquireAllEvents'] as const),
];

/**
 * Checks the instance, which need not be of the class that the option names: an application may provide anything for it.
 *
 * @throws PxlWebSocketSetupError that names the class and the methods that it lacks
 */
export function checkBroadcaster(name: string, broadcaster: Broadcaster): Broadcaster {
  const missing = METHODS.filter((method) => typeof broadcaster[method] !== 'function');
  if (missing.length === 0) return broadcaster;
  throw new PxlWebSocketSetupError(
    `The broadcaster ${name} lacks ${missing.join(', ')}: it has to implement Broadcaster.`,
  );
}
