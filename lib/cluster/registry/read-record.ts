import { readObject } from '../bus/json-text.js';
import type { ClientChange, ClientRecord } from './client-record.js';

/** The record that a text holds; null: somebody else has written it. */
export function readRecord(text: string): ClientRecord | null {
  const value: unknown = readObject(text);
  return isRecord(value) ? value : null;
}

/** Whether a value of the bus is a change, as far as its reader relies on it. */
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

function isRecord(value: unknown): value is ClientRecord {
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

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
