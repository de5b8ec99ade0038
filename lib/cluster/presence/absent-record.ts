import type { AbsentClient, AbsentMembership } from '../../presence/presence-entry.js';
import { isObject, readObject } from '../bus/json-text.js';
import { isOptional, isPresence, type ClientRecord } from '../registry/client-record.js';

/**
 * A client whose connection is lost, with the rooms where it stays.
 *
 * @param stays until when it stays in a room, in ms since 1970; undefined: it does not
 * @returns undefined when it stays in none
 */
export function absentOf(
  { clientId, connectedAt, user, resume, rooms }: ClientRecord,
  stays: (roomName: string) => number | undefined,
): AbsentClient | undefined {
  const memberships: AbsentMembership[] = [];
  for (const { roomName, username, presence = { joinedAt: connectedAt } } of rooms) {
    const until = stays(roomName);
    if (until !== undefined) memberships.push({ roomName, username, shared: presence, until });
  }
  return memberships.length > 0 ? { clientId, userId: user?.userId, resume, rooms: memberships } : undefined;
}

/** When a client is gone from all rooms, in ms since 1970. */
export function endOfAbsence({ rooms }: AbsentClient): number {
  return Math.max(0, ...rooms.map(({ until }) => until));
}

/** Reads an absent client from its JSON; null when it is none: anybody may write to Redis. */
export function readAbsent(text: string): AbsentClient | null {
  const value: unknown = readObject(text);
  return isAbsent(value) ? value : null;
}

function isAbsent(value: unknown): value is AbsentClient {
  if (!isObject(value)) return false;
  const { clientId, userId, resume, rooms } = value;
  if (typeof clientId !== 'string' || !isOptional(userId, 'string') || !isOptional(resume, 'string')) return false;
  return Array.isArray(rooms) && rooms.every(isAbsentMembership);
}

function isAbsentMembership(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { roomName, username, shared, until } = value;
  if (typeof roomName !== 'string' || !isOptional(username, 'string')) return false;
  return isPresence(shared) && typeof until === 'number';
}
