import { WsError } from '../errors/ws.error.js';
import { noSuchName } from '../options/checks/nearest-name.js';

// What verbs are called with often comes from a job or a request, and is checked by no compiler.

/** What Socket.IO calls what is `exclude` here. */
const EXCEPT = 'except';

/**
 * Lets objects pass that have no other fields than these: what nobody reads would silently do nothing.
 *
 * @param what what the fields are, as in "There is no send option except"
 * @throws WsError BAD_MESSAGE for any other value
 */
export function checkNames(what: string, given: unknown, known: readonly string[]): asserts given is object {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw badMessage(`An object with ${known.join(', ')} was expected`);
  }
  for (const name in given) {
    if (known.includes(name) || (given as Record<string, unknown>)[name] === undefined) continue;
    const meant = name === EXCEPT ? known.find((candidate) => candidate.startsWith('exclude')) : undefined;
    throw new WsError('BAD_MESSAGE', noSuchName(what, name.slice(0, 64), known, meant));
  }
}

/** @throws WsError BAD_MESSAGE for what has neither `type` and `action` nor `event`, and could reach no handler of a client */
export function checkMessage(message: unknown): void {
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    throw badMessage('A message is an object with type and action, or with event');
  }
  const { type, action, event } = message as Record<string, unknown>;
  if (isText(event) || (isString(type) && isString(action))) return;
  throw badMessage('A message has the names type and action, or event; this one has neither');
}

/** @throws WsError BAD_MESSAGE for what cannot be the id of a client, or the name of a room */
export function readName(field: string, name: unknown): string {
  if (!isText(name)) throw badMessage(`${field} is a text that is not empty`);
  return name;
}

/**
 * Texts of any kind: what no client or room is called reaches nobody.
 *
 * @throws WsError BAD_MESSAGE for what is no list of texts
 */
export function readNames(field: string, names: unknown): readonly string[] {
  if (!Array.isArray(names) || !names.every(isString)) throw badMessage(`${field} is a list of texts`);
  return names;
}

/** @throws WsError BAD_MESSAGE for what cannot be the id of a user */
export function readUserId(userId: unknown): string {
  if (typeof userId === 'number' && Number.isFinite(userId)) return String(userId);
  if (!isText(userId)) throw badMessage('userId is a number, or a text that is not empty');
  return userId;
}

/** @throws WsError BAD_MESSAGE for what is no list of them */
export function readUserIds(userIds: unknown): readonly string[] {
  if (!Array.isArray(userIds)) throw badMessage('userIds is a list of numbers and texts');
  return userIds.map((userId: unknown) => (userId === '' ? '' : readUserId(userId)));
}

const NOBODY: readonly string[] = [];

/** @throws WsError BAD_MESSAGE for what is no list of texts */
export function readExclude(exclude: unknown): readonly string[] {
  if (exclude === undefined) return NOBODY;
  if (!Array.isArray(exclude) || !exclude.every(isString)) throw badMessage("exclude is a list of clients' ids");
  return exclude;
}

/** @throws WsError BAD_MESSAGE for what is neither true nor false */
export function readFlag(field: string, flag: unknown): boolean {
  if (flag === undefined || typeof flag === 'boolean') return flag ?? false;
  throw badMessage(`${field} is true or false`);
}

export function badMessage(rule: string): WsError {
  return new WsError('BAD_MESSAGE', `${rule}.`);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}
