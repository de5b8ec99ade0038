/** The longest `type` and the longest `action`, in characters. */
export const MAX_NAME_LENGTH = 64;

/** The type that event names without a colon belong to. */
export const EVENT_TYPE = 'event';

/** The type of the library's own requests. */
export const SYSTEM_TYPE = 'system';

/** The action, and the event name, of a frame that holds an encrypted one. */
export const ENCRYPTED = 'encrypted';

/** The own events of Ignis: under these names its clients make, or hear of, what has the type `system` here. */
const SYSTEM_EVENTS: readonly string[] = [
  'authenticate',
  'connected',
  'disconnect',
  'join',
  'leave',
  'error',
  'heartbeat',
  ENCRYPTED,
];

/** The types that belong to the library: an application cannot route them. */
export const RESERVED_TYPES: readonly string[] = [SYSTEM_TYPE, 'auth', 'error', 'room'];

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

/** Whether the event belongs to the library where `event.v1` is spoken. */
export function isSystemEvent(event: string): boolean {
  return SYSTEM_EVENTS.includes(event);
}
