import { WsError } from '../errors/ws.error.js';

// What is sent often comes from a job, whose data nobody has checked.

/** @throws WsError BAD_MESSAGE for what is no message */
export function checked<Message extends object>(message: Message): Message {
  const given: unknown = message;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw refusal('A message is an object');
  return message;
}

/** @throws WsError BAD_MESSAGE for what cannot be the id of a client, or the name of a room */
export function readName(field: 'clientId' | 'room', name: unknown): string {
  if (typeof name !== 'string' || name === '') throw refusal(`${field} is a text that is not empty`);
  return name;
}

/** @throws WsError BAD_MESSAGE for what cannot be the id of a user */
export function readUserId(userId: unknown): string {
  if (typeof userId === 'number' && Number.isFinite(userId)) return String(userId);
  if (typeof userId !== 'string' || userId === '') throw refusal('userId is a number, or a text that is not empty');
  return userId;
}

/** @throws WsError BAD_MESSAGE for what is no list of texts */
export function readExclude(exclude: unknown): readonly string[] {
  if (exclude === undefined) return [];
  if (!Array.isArray(exclude) || !exclude.every(isText)) throw refusal("exclude is a list of clients' ids");
  return exclude;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function refusal(rule: string): WsError {
  return new WsError('BAD_MESSAGE', `${rule}.`);
}
