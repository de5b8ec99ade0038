import { WsError } from '../errors/ws.error.js';
import type { ClientEntry } from '../ws-client/client-entry.js';

/** The fields of an entry that a path may begin with. */
const FIELDS = ['clientId', 'connectedAt', 'lastActivity', 'metadata', 'roomName', 'user', 'workerId'] as const;

type Field = (typeof FIELDS)[number];

/**
 * Reads one field of entries by its path, like `user.payload.email` or `metadata.theme`. Only own properties count: a
 * path through a prototype leads nowhere.
 *
 * @throws WsError BAD_MESSAGE when the path begins with no field of an entry
 */
export function fieldReader(path: string): (client: ClientEntry) => unknown {
  const [field, ...names] = path.split('.');
  if (!isField(field)) {
    throw new WsError('BAD_MESSAGE', `A client is found by a key that begins with ${FIELDS.join(', ')}.`);
  }
  return (client) => names.reduce<unknown>(ownProperty, client[field]);
}

/** The claim that a path reads; undefined for any other field. */
export function claimOf(path: string): string | undefined {
  const [field, name, claim] = path.split('.');
  return field === 'user' && name === 'payload' ? claim : undefined;
}

function isField(name: string | undefined): name is Field {
  return (FIELDS as readonly (string | undefined)[]).includes(name);
}

/** What an object holds under a name of its own; undefined for one that it inherits, and in what is no object. */
export function ownProperty(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}
