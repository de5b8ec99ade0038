/** The longest `type` and the longest `action`, in characters. */
export const MAX_NAME_LENGTH = 64;

/** The type of event names without a colon. */
export const EVENT_TYPE = 'event';

/** The type of the library's own requests. */
export const SYSTEM_TYPE = 'system';

/** The type of what a member says to the other members of a room without a handler of the application. */
export const WHISPER_TYPE = 'whisper';

/** The action, and the event name, of a frame that contains an encrypted one. */
export const ENCRYPTED = 'encrypted';

/** Ignis' own events, which have the type `system` here. */
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

/** The types that the library has names of its own in: a fallback does not get them. */
export const RESERVED_TYPES: readonly string[] = [SYSTEM_TYPE, 'auth', 'error', 'room', WHISPER_TYPE];

/** Those of which applications may route the other names. */
const SHARED_TYPES: readonly string[] = ['auth', 'room'];

/** What the library itself pushes under them. */
const OWN_PUSHES: readonly string[] = [
  'auth:authenticated',
  'auth:expiring',
  'room:joined',
  'room:left',
  'room:lost',
  'room:memberJoined',
  'room:memberLeft',
  'room:position',
  'room:presence',
];

/**
 * The key of a route: `type:action`. A type has no colon, so the key is unambiguous.
 */
export function routeKey(type: string, action: string): string {
  return `${type}:${action}`;
}

/** The pair of names of an event: split at the first colon; without one, the pair is `('event', name)`. */
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

/** What of a route belongs to the library, so that an application cannot have it; undefined for nothing. */
export function ownPartOf(type: string, action: string): string | undefined {
  if (!SHARED_TYPES.includes(type)) return RESERVED_TYPES.includes(type) ? `the type "${type}"` : undefined;
  // An answer to one of them without an `id` would look like the library's own push.
  const key = routeKey(type, action);
  return OWN_PUSHES.includes(key) ? `the name "${key}"` : undefined;
}

/** Whether the event belongs to the library in `event.v1`. */
export function isSystemEvent(event: string): boolean {
  return SYSTEM_EVENTS.includes(event);
}
