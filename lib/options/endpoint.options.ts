import { PxlWebSocketOptionsError } from '../errors/start-up.errors.js';
import type { EndpointOptions, PxlWebSocketModuleOptions } from '../interfaces/module-options.interface.js';
import { noSuchName } from './nearest-name.js';
import { isGroup } from './option-checks.js';

const GROUPS: readonly string[] = ['protocol', 'auth', 'origins', 'limits', 'rooms'];

/** The limits of single connections; all others count or bound what endpoints share. */
const LIMITS: readonly string[] = [
  'maxPayload',
  'fragments',
  'messagesPerSecond',
  'burst',
  'roomsPerClient',
  'roomName',
  'upgradeTimeout',
  'streamsPerClient',
];

/**
 * The options of each path in `endpoints`: the module's own, with what is given for the path in their place.
 *
 * @throws PxlWebSocketOptionsError for what is no path, or cannot differ between endpoints
 */
export function optionsOfEndpoints(given: PxlWebSocketModuleOptions): Map<string, PxlWebSocketModuleOptions> {
  const endpoints: unknown = given.endpoints ?? {};
  if (!isGroup(endpoints)) throw new PxlWebSocketOptionsError('The option endpoints is an object: options by path.');
  return new Map(
    Object.entries(endpoints).map(([path, own]) => {
      check(path, own);
      return [path, merge(given, own)];
    }),
  );
}

function check(path: string, own: unknown): asserts own is EndpointOptions {
  const name = `endpoints[${JSON.stringify(path)}]`;
  if (!/^\/[^?#\s]*$/.test(path)) {
    throw new PxlWebSocketOptionsError(`The option ${name} is named by a path like '/admin', without a query.`);
  }
  if (!isGroup(own)) throw new PxlWebSocketOptionsError(`The option ${name} is an object.`);
  refuseOthers(own, GROUPS, name);
  if (isGroup(own.limits)) refuseOthers(own.limits, LIMITS, `${name}.limits`);
}

function refuseOthers(given: Record<string, unknown>, known: readonly string[], name: string): void {
  const other = Object.keys(given).find((option) => !known.includes(option));
  if (other === undefined) return;
  throw new PxlWebSocketOptionsError(noSuchName('option', `${name}.${other}`, known));
}

function merge(given: PxlWebSocketModuleOptions, own: EndpointOptions): PxlWebSocketModuleOptions {
  return {
    ...given,
    endpoints: undefined,
    protocol: own.protocol ?? given.protocol,
    origins: own.origins ?? given.origins,
    auth: own.auth === undefined ? given.auth : { ...given.auth, ...own.auth },
    limits: own.limits === undefined ? given.limits : { ...given.limits, ...own.limits },
    rooms: own.rooms === undefined ? given.rooms : { ...given.rooms, ...own.rooms },
  };
}
