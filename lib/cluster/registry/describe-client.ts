import { sharedUser } from '../../ws-client/client-json.js';
import { jsonPartOf } from '../../ws-client/client-json.js';
import type { ClientSession } from '../../clients/session/client-session.js';
import type { ClientRecord, SharedMembership } from './client-record.js';

/**
 * The record of a client that is shared with other workers.
 *
 * @param shareUser names of the token's claims that are shared
 */
export function describeClient(
  client: ClientSession,
  shareUser: readonly string[],
  usernameIn: (roomName: string) => string | undefined,
): ClientRecord {
  const { clientId, connectedAt, user, metadata, rooms } = client;
  const memberships = [...rooms].map((roomName) => describeMembership(client, roomName, usernameIn(roomName)));
  return {
    clientId,
    connectedAt,
    user: user && sharedUser(user, shareUser),
    metadata: jsonPartOf(metadata),
    rooms: memberships,
  };
}

/** What is shared of a membership. */
export function describeMembership(
  { options }: ClientSession,
  roomName: string,
  username: string | undefined,
): SharedMembership {
  return { roomName, username, isAnnounced: options.rooms.announce || undefined };
}
