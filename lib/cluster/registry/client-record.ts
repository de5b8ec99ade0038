import { isObject, readObject } from '../bus/json-text.js';

/** What a worker shares of one of its clients. Of the token's claims only those named in `cluster.shareUser`. */
export interface ClientRecord {
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
}

/** A change of one client, as its worker tells the others. `userId` is for workers that keep no mirror. */
export type ClientChange =
  | { readonly kind: 'connected'; readonly record: ClientRecord }
  | (ChangeOf & { readonly kind: 'disconnected'; readonly code: number; readonly reason: string })
  | { readonly kind: 'identified'; readonly clientId: string; readonly user: SharedUser }
  | (ChangeOfMembership & { readonly kind: 'joined' | 'left' })
  | { readonly kind: 'updated'; readonly clientId: string; readonly key: string; readonly data: unknown };

interface ChangeOf {
  readonly clientId: string;
  readonly userId?: string | undefined;
}

/** A membership that begins or ends. */
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
    case 'left':
      return isMembership(value.membership);
    case 'updated':
      return typeof value.key === 'string';
    default:
      return false;
  }
}

/** Whether a value from the bus is a record; checks the fields on which readers rely. */
export function isRecord(value: unknown): value is ClientRecord {
  if (!isObject(value)) return false;
  const { clientId, connectedAt, user, metadata, rooms } = value;
  if (typeof clientId !== 'string' || typeof connectedAt !== 'number' || !isObject(metadata)) return false;
  return (user === null || isUser(user)) && Array.isArray(rooms) && rooms.every(isMembership);
}

function isUser(value: unknown): boolean {
  return isObject(value) && typeof value.userId === 'string' && isObject(value.payload);
}

function isMembership(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { roomName, username } = value;
  return typeof roomName === 'string' && (username === undefined || typeof username === 'string');
}
