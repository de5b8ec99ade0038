import { WsError } from '../errors/ws.error.js';
import { noSuchName } from '../options/checks/nearest-name.js';
import type { WsExclusion } from './exclusion.interface.js';

// The arguments of verbs often come from a job or a request, which no compiler checks.

/** Socket.IO's name for `exclude`. */
const EXCEPT = 'except';

/**
 * Checks that an object has no other fields than these, since an unknown one would silently do nothing.
 *
 * @param what the name of such a field, as in "There is no send option except"
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

/**
 * @throws WsError BAD_MESSAGE for a message with neither `type` and `action` nor `event`: no handler of a client would
 * get it
 */
export function checkMessage(message: unknown): void {
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    throw badMessage('A message is an object with type and action, or with event');
  }
  const { type, action, event } = message as Record<string, unknown>;
  if (isText(event) || (isString(type) && isString(action))) return;
  throw badMessage('A message has the names type and action, or event; this one has neither');
}

/** @throws WsError BAD_MESSAGE for a value that cannot be the id of a client or the name of a room */
export function readName(field: string, name: unknown): string {
  if (!isText(name)) throw badMessage(`${field} is a text that is not empty`);
  return name;
}

/**
 * The texts may be any: a name that no client or room has reaches nobody.
 *
 * @throws WsError BAD_MESSAGE for anything but a list of texts
 */
export function readNames(field: string, names: unknown): readonly string[] {
  if (!Array.isArray(names) || !names.every(isString)) throw badMessage(`${field} is a list of texts`);
  return names;
}

/** @throws WsError BAD_MESSAGE for a value that cannot be the id of a user */
export function readUserId(userId: unknown): string {
  if (typeof userId === 'number' && Number.isFinite(userId)) return String(userId);
  if (!isText(userId)) throw badMessage('userId is a number, or a text that is not empty');
  return userId;
}

/** @throws WsError BAD_MESSAGE for anything but a list of user ids */
export function readUserIds(userIds: unknown, field = 'userIds'): readonly string[] {
  if (!Array.isArray(userIds)) throw badMessage(`${field} is a list of numbers and texts`);
  return userIds.map((userId: unknown) => (userId === '' ? '' : readUserId(userId)));
}

const NO_NAMES: readonly string[] = [];
const NOBODY: WsExclusion = { exclude: NO_NAMES };

/** @throws WsError BAD_MESSAGE for anything but a list of texts and an object with such lists */
export function readExclude(exclude: unknown): WsExclusion {
  if (exclude === undefined) return NOBODY;
  // A copy: it is kept with what a room with history gets, and the application may change its list.
  if (Array.isArray(exclude) && exclude.every(isString)) return { exclude: [...exclude] };
  // A set has none of the fields: nobody would be left out.
  if (!isPlainObject(exclude))
    throw badMessage("exclude is a list of clients' ids, or an object with clients, users or rooms");
  checkNames('field of exclude', exclude, ['clients', 'users', 'rooms']);
  const { clients = NO_NAMES, users, rooms } = exclude;
  return {
    exclude: [...readNames('exclude.clients', clients)],
    excludeUsers: users === undefined ? undefined : some(readUserIds(users, 'exclude.users')),
    excludeRooms: rooms === undefined ? undefined : some([...readNames('exclude.rooms', rooms)]),
  };
}

function some(names: readonly string[]): readonly string[] | undefined {
  return names.length > 0 ? names : undefined;
}

/**
 * The namespace among the options of a verb that has no others.
 *
 * @throws WsError BAD_MESSAGE for other options
 */
export function readNamespace(options: { readonly namespace?: unknown }): unknown {
  checkNames('option', options, ['namespace']);
  return options.namespace;
}

/** The namespace among the options of a verb, which it checks itself. */
export function namespaceIn(options: unknown): unknown {
  return typeof options === 'object' && options !== null && 'namespace' in options ? options.namespace : undefined;
}

/** @throws WsError BAD_MESSAGE for anything but true, false and undefined */
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

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return Object.prototype.toString.call(value) === '[object Object]';
}
