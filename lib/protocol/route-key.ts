/** The longest `type` and the longest `action`, in characters. */
export const MAX_NAME_LENGTH = 64;

/** The type that event names without a colon belong to. */
export const EVENT_TYPE = 'event';

/** The types that belong to the library: an application cannot route them. */
export const RESERVED_TYPES: readonly string[] = ['system', 'auth', 'error', 'room'];

/**
 * The key under which a route is kept: `type:action`. A type holds no colon, so the key is unambiguous.
 */
export function routeKey(type: string, action: string): string {
  return `${type}:${action}`;
}

/** The pair behind an event name: split at the first colon; without one, the pair is `('event', name)`. */
export function routeOfEvent(event: string): { type: string; action: string } {
  const colon = event.indexOf(':');
  return colon < 0
    ? { type: EVENT_TYPE, action: event }
    : { type: event.slice(0, colon), action: event.slice(colon + 1) };
}

/** The event name of a pair; `routeOfEvent` gives the same pair back. */
export function eventOfRoute(type: string, action: string): string {
  return type === EVENT_TYPE && !action.includes(':') ? action : `${type}:${action}`;
}
