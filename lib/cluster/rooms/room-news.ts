import type { WsMember } from '../../protocol/presence.js';
import { isObject, isText, readObject } from '../bus/json-text.js';

/** A room has its first member or has lost the last one, or a member has come or gone: on all workers together. */
export type RoomNews = {
  /** The worker that has found out. */
  readonly workerId: string;
  readonly roomName: string;
} & (
  | { readonly event: 'roomOccupied' | 'roomVacated' }
  | { readonly event: 'presenceJoined' | 'presenceLeft'; readonly member: WsMember }
);

/** The cluster events that are told by {@link RoomNews}. */
export const ROOM_EVENTS = ['roomOccupied', 'roomVacated', 'presenceJoined', 'presenceLeft'] as const;

/** Reads news that came from Redis; null for a text that is none. */
export function readRoomNews(text: string): RoomNews | null {
  const { event, workerId, roomName, member } = readObject(text) ?? {};
  if (!isText(workerId) || !isText(roomName)) return null;
  if (event === 'roomOccupied' || event === 'roomVacated') return { event, workerId, roomName };
  if (event !== 'presenceJoined' && event !== 'presenceLeft') return null;
  return isMember(member) ? { event, workerId, roomName, member } : null;
}

function isMember(value: unknown): value is WsMember {
  return isObject(value) && isText(value.joinedAt) && (isText(value.userId) || isText(value.clientId));
}
