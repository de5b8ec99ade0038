import type { ClientChange, ClientRecord, SharedMembership } from './client-record.js';

/** A change of a client that has connected before. */
export type KnownClientChange = Exclude<ClientChange, { kind: 'connected' | 'disconnected' }>;

/** The close code and reason of a connection. */
export interface ConnectionEnd {
  readonly code: number;
  readonly reason: string;
}

/** The end of a connection that was not announced, because its worker died (RFC 6455, 7.4.1). */
export const LOST: ConnectionEnd = { code: 1006, reason: '' };

/** The id of the client that a change is about. */
export function clientIdOf(change: ClientChange): string {
  return change.kind === 'connected' ? change.record.clientId : change.clientId;
}

/** The record after a change: the same object if the change makes no difference. */
export function applyChange(record: ClientRecord, change: KnownClientChange): ClientRecord {
  switch (change.kind) {
    case 'identified':
      return isSame(record.user, change.user) ? record : { ...record, user: change.user };
    case 'joined':
      return isMember(record, change.membership.roomName)
        ? record
        : // A spread list would have room for sixteen more.
          { ...record, rooms: record.rooms.concat([change.membership]) };
    case 'described':
      return describedAnew(record, change.membership);
    case 'left':
      return isMember(record, change.membership.roomName)
        ? { ...record, rooms: record.rooms.filter(({ roomName }) => roomName !== change.membership.roomName) }
        : record;
    case 'updated':
      return isSame(record.metadata[change.key], change.data)
        ? record
        : { ...record, metadata: { ...record.metadata, [change.key]: change.data } };
  }
}

/** The changes that lead from one record of a client to a later one. */
export function changesBetween(before: ClientRecord, after: ClientRecord): KnownClientChange[] {
  const { clientId, user, metadata } = after;
  const changes: KnownClientChange[] = [];
  if (user && !isSame(before.user, user)) changes.push({ kind: 'identified', clientId, user });
  for (const membership of before.rooms) {
    if (!isMember(after, membership.roomName)) changes.push(left(before, membership));
  }
  for (const membership of after.rooms) {
    const former = membershipOf(before, membership.roomName);
    if (!former) changes.push(joined(after, membership));
    else if (!isSameMember(former, membership)) changes.push(described(after, membership));
  }
  for (const [key, data] of Object.entries(metadata)) {
    if (!isSame(before.metadata[key], data)) changes.push({ kind: 'updated', clientId, key, data });
  }
  return changes;
}

/** The changes that tell of a client from its beginning, its memberships last. */
export function beginningOf(record: ClientRecord): ClientChange[] {
  const joins = record.rooms.map((membership) => joined(record, membership));
  return [{ kind: 'connected', record: { ...record, rooms: [] } }, ...joins];
}

/**
 * The changes that tell of a client's end, its memberships first.
 *
 * @param stays until when the client stays in a room
 */
export function endOf(
  record: ClientRecord,
  { code, reason }: ConnectionEnd,
  stays: (roomName: string) => number | undefined,
): ClientChange[] {
  const { clientId, user, rooms } = record;
  const leaves = rooms.map((membership) => ({ ...left(record, membership), until: stays(membership.roomName) }));
  return [...leaves, { kind: 'disconnected', clientId, userId: user?.userId, code, reason }];
}

function joined({ clientId, user }: ClientRecord, membership: SharedMembership): KnownClientChange {
  return { kind: 'joined', clientId, userId: user?.userId, membership };
}

function described({ clientId, user }: ClientRecord, membership: SharedMembership): KnownClientChange {
  return { kind: 'described', clientId, userId: user?.userId, membership };
}

function left(
  { clientId, user }: ClientRecord,
  { roomName, username, isAnnounced }: SharedMembership,
): KnownClientChange & { kind: 'left' } {
  return { kind: 'left', clientId, userId: user?.userId, membership: { roomName, username, isAnnounced } };
}

/** A client's membership in a room. */
export function membershipOf({ rooms }: ClientRecord, name: string): SharedMembership | undefined {
  return rooms.find(({ roomName }) => roomName === name);
}

function isMember(record: ClientRecord, name: string): boolean {
  return membershipOf(record, name) !== undefined;
}

function describedAnew(record: ClientRecord, membership: SharedMembership): ClientRecord {
  const former = membershipOf(record, membership.roomName);
  if (!former || isSameMember(former, membership)) return record;
  return { ...record, rooms: record.rooms.map((one) => (one === former ? membership : one)) };
}

/** Whether the members of a room with presence see the same in two memberships. In other rooms nobody is told of a difference. */
function isSameMember(a: SharedMembership, b: SharedMembership): boolean {
  const [one, other] = [a.presence, b.presence];
  if (!one || !other) return one === other;
  const { joinedAt, memberId, took, describedAt, stateAt } = one;
  if (a.username !== b.username || joinedAt !== other.joinedAt || memberId !== other.memberId) return false;
  if (took !== other.took || describedAt !== other.describedAt || stateAt !== other.stateAt) return false;
  return isSame(one.profile, other.profile) && isSame(one.state, other.state);
}

/** Both come from JSON that one worker wrote, so equal values have equal texts. */
function isSame(a: unknown, b: unknown): boolean {
  try {
    return a === b || JSON.stringify(a) === JSON.stringify(b);
  } catch {
    // The application on this worker has put something without a JSON form into the client.
    return false;
  }
}
