import type { ClientEntry, WsUser } from './client-entry.js';

/** The JSON form of a client, the same on its own worker and on every other. */
export interface ClientJson extends Omit<ClientEntry, 'ws' | 'rooms'> {
  readonly rooms: readonly string[];
}

/**
 * @param shareUser the claims that other workers see; undefined: all claims
 * @param rooms the client's rooms
 */
export function clientJson(
  client: ClientEntry,
  shareUser?: readonly string[],
  rooms: Iterable<string> = client.rooms,
): ClientJson {
  const { clientId, workerId, connectedAt, lastActivity, user, roomName, metadata } = client;
  return {
    ...{ clientId, workerId, connectedAt, lastActivity, roomName },
    user: user && (shareUser ? sharedUser(user, shareUser) : user),
    rooms: [...rooms],
    metadata: jsonPartOf(metadata),
  };
}

/** A user without the claims that stay on its own worker. */
export function sharedUser({ userId, userType, payload }: WsUser, shareUser: readonly string[]): WsUser {
  const shared = shareUser.filter((claim) => Object.hasOwn(payload, claim)).map((claim) => [claim, payload[claim]]);
  return { userId, userType, payload: jsonPartOf(Object.fromEntries(shared) as Record<string, unknown>) };
}

/** The values that have a JSON form. The others cannot leave this process. */
export function jsonPartOf(values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (hasJsonForm(values)) return values;
  return Object.fromEntries(Object.entries(values).filter(([, value]) => hasJsonForm(value)));
}

function hasJsonForm(value: unknown): boolean {
  try {
    JSON.stringify(value);
    return true;
  } catch {
    return false;
  }
}
