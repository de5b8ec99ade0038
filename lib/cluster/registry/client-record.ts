import type { SharedPresence, SharedReturn } from '../../presence/presence-entry.js';
import { isObject, readObject } from '../bus/json-text.js';

/** What a worker shares of one of its clients. Of the token's claims only those named in `cluster.shareUser`. */
export interface ClientRecord extends SharedReturn {
  readonly clientId: string;
  /** In ms since 1970. */
  readonly connectedAt: number;
  readonly user: SharedUser | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Its rooms in the order in which it joined them. */
  readonly rooms: readonly SharedMembership[];
}

/** A user as other workers see it. */
export interface SharedUser {
  readonly userId: string;
  readonly userType?: string;
  /** The claims named in `cluster.shareUser`. */
  readonly payload: Readonly<Record<string, unknown>>;
}

/** A membership as other workers see it. */
export interface SharedMembership {
  readonly roomName: string;
  readonly username?: string | undefined;
  /** Whether the other members are told of joins and leaves (`rooms.announce`). */
  readonly isAnnounced?: true | undefined;
  /** In a room with presence. Workers that do not know presence leave it out. */
  readonly presence?: SharedPresence | undefined;
}

/**
 * A change of one client, as its worker tells the others. `userId` is for workers that keep no mirror. `described` is not
 * told as a change, which former workers would refuse: it follows from the fields of a {@link Hint} beside the changes.
 */
export type ClientChange =
  | { readonly kind: 'connected'; readonly record: ClientRecord }
  | (ChangeOf & { readonly kind: 'disconnected'; readonly code: number; readonly reason: string })
  | { readonly kind: 'identified'; readonly clientId: string; readonly user: SharedUser }
  | (ChangeOfMembership & { readonly kind: 'joined' | 'described' })
  | (ChangeOfMembership & {
      readonly kind: 'left';
      /** Until when the member stays in a room with presence, in ms since 1970. Default: it is gone at once. */
      readonly until?: number | undefined;
    })
  | { readonly kind: 'updated'; readonly clientId: string; readonly key: string; readonly data: unknown };

interface ChangeOf {
  readonly clientId: string;
  readonly userId?: string | undefined;
}

/** A membership that begins, is described anew, or ends. */
export interface ChangeOfMembership extends ChangeOf {
  readonly membership: SharedMembership;
}

/** Reads a record from its JSON; null when it is none: anybody may write to Redis. */
export function readRecord(text: string): ClientRecord | null {
  const value: unknown = readObject(text);
  return isRecord(value) ? value : null;
}

/** Whether a value from the bus is a change; checks the fields on which readers rely. */
export function isChange(value: unknown): value is ClientChange {
  if (!isObject(value)) return false;
  if (value.kind === 'connected') return isRecord(value.record);
  if (typeof value.clientId !== 'string') return false;
  switch (value.kind) {
    case 'disconnected':
      return typeof value.code === 'number' && typeof value.reason === 'string';
    case 'identified':
      return isUser(value.user);
    case 'joined':
      return isMembership(value.membership);
    case 'left':
      return isMembership(value.membership) && isOptional(value.until, 'number');
    case 'updated':
      return typeof value.key === 'string';
    default:
      return false;
  }
}

/** Whether a value from the bus is a record; checks the fields on which readers rely. */
export function isRecord(value: unknown): value is ClientRecord {
  if (!isObject(value)) return false;
  const { clientId, connectedAt, user, metadata, rooms, resume, resumed } = value;
  if (typeof clientId !== 'string' || typeof connectedAt !== 'number' || !isObject(metadata)) return false;
  if (!isOptional(resume, 'string') || !isOptional(resumed, 'string')) return false;
  return (user === null || isUser(user)) && Array.isArray(rooms) && rooms.every(isMembership);
}

function isUser(value: unknown): boolean {
  return isObject(value) && typeof value.userId === 'string' && isObject(value.payload);
}

/** Whether a value from the bus is a membership; checks the fields on which readers rely. */
export function isMembership(value: unknown): value is SharedMembership {
  if (!isObject(value)) return false;
  const { roomName, username, presence } = value;
  if (typeof roomName !== 'string' || !isOptional(username, 'string')) return false;
  return presence === undefined || isPresence(presence);
}

/** Whether a value from the bus tells of a member; checks the fields on which readers rely. */
export function isPresence(value: unknown): value is SharedPresence {
  if (!isObject(value)) return false;
  const { joinedAt, memberId, took, profile, describedAt, stateAt } = value;
  if (typeof joinedAt !== 'number' || !(profile === undefined || isObject(profile))) return false;
  if (!isOptional(memberId, 'string') || !isOptional(took, 'string')) return false;
  return isOptional(describedAt, 'number') && isOptional(stateAt, 'number');
}

/** Whether a value from the bus is missing or of a type. */
export function isOptional(value: unknown, type: 'string' | 'number'): boolean {
  return value === undefined || typeof value === type;
}
