import { PxlWebSocketOptionsError } from '../errors/start-up.errors.js';
import type { WsProtocolName } from '../protocol/codec.interface.js';
import type { WsOrigins } from './access.options.js';
import type { WsAuthOptions } from './auth.options.js';
import type { WsDeliveryOptions } from './delivery.options.js';
import { noSuchName } from './checks/nearest-name.js';
import { isGroup } from './checks/option-checks.js';
import { problemOfPath } from './checks/path-pattern.js';
import { ENDPOINT_LIMITS, type WsEndpointLimitOptions, type WsLimitOptions } from './limits.options.js';
import type { WsRoomOptions } from './rooms/rooms.options.js';

/** Of `rooms` what holds for all endpoints. */
const OF_ALL = ['history', 'presence', 'filters'] as const;

/** The options that endpoints may have of their own. */
export interface WsEndpointOptions {
  protocol?: WsProtocolName | undefined;
  auth?: WsAuthOptions | undefined;
  origins?: WsOrigins | undefined;
  limits?: WsEndpointLimitOptions | undefined;
  rooms?: Omit<WsRoomOptions, (typeof OF_ALL)[number]> | undefined;
  delivery?: WsDeliveryOptions | undefined;
}

/** Of the module's options those that matter here: which endpoints there are, and what they can replace. */
interface WithEndpoints extends WsEndpointOptions {
  rooms?: WsRoomOptions | undefined;
  limits?: WsLimitOptions | undefined;
  endpoints?: Record<string, WsEndpointOptions> | undefined;
}

const GROUPS: readonly (keyof WsEndpointOptions)[] = ['protocol', 'auth', 'origins', 'limits', 'rooms', 'delivery'];

/**
 * The options of each path in `endpoints`: the module's own, with what is given for the path in their place.
 *
 * @throws PxlWebSocketOptionsError for what is no path, or cannot differ between endpoints
 */
export function optionsOfEndpoints<Options extends WithEndpoints>(given: Options): Map<string, Options> {
  const endpoints: unknown = given.endpoints ?? {};
  if (!isGroup(endpoints)) throw new PxlWebSocketOptionsError('The option endpoints is an object: options by path.');
  return new Map(
    Object.entries(endpoints).map(([path, own]) => {
      check(path, own);
      return [path, merge(given, own)];
    }),
  );
}

function check(path: string, own: unknown): asserts own is WsEndpointOptions {
  const name = `endpoints[${JSON.stringify(path)}]`;
  const problem = path.startsWith('/') ? problemOfPath(path) : 'it does not begin with a slash';
  if (problem !== undefined) {
    throw new PxlWebSocketOptionsError(
      `The option ${name} is named by a path like '/admin' or '/ws/:tenant': ${problem}.`,
    );
  }
  if (!isGroup(own)) throw new PxlWebSocketOptionsError(`The option ${name} is an object.`);
  refuseOthers(own, GROUPS, name);
  for (const option of OF_ALL) {
    if (!isGroup(own.rooms) || own.rooms[option] === undefined) continue;
    throw new PxlWebSocketOptionsError(
      `The option ${name}.rooms has no ${option}: rooms.${option} holds for all endpoints.`,
    );
  }
  if (isGroup(own.limits)) refuseOthers(own.limits, ENDPOINT_LIMITS, `${name}.limits`);
}

function refuseOthers(given: Record<string, unknown>, known: readonly string[], name: string): void {
  const other = Object.keys(given).find((option) => !known.includes(option));
  if (other === undefined) return;
  throw new PxlWebSocketOptionsError(noSuchName('option', `${name}.${other}`, known));
}

function merge<Options extends WithEndpoints>(given: Options, own: WsEndpointOptions): Options {
  return {
    ...given,
    endpoints: undefined,
    protocol: own.protocol ?? given.protocol,
    origins: own.origins ?? given.origins,
    auth: own.auth === undefined ? given.auth : { ...given.auth, ...own.auth },
    limits: own.limits === undefined ? given.limits : { ...given.limits, ...own.limits },
    rooms: own.rooms === undefined ? given.rooms : { ...given.rooms, ...own.rooms },
    delivery: own.delivery === undefined ? given.delivery : { ...given.delivery, ...own.delivery },
  };
}
