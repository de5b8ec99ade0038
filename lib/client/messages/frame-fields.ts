import type { WelcomeHeartbeat, WelcomeLimits, WelcomeRooms } from '../../protocol/welcome-terms.js';

/** The fields of a frame, whose values are unknown until they are checked. */
export type Fields = Partial<Record<string, unknown>>;

/** Parses JSON; returns undefined, which is no JSON value, when the text is not JSON. */
export function parse(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}

/** Whether the value is an object. Its fields are not checked here; the client checks each one that it uses. */
export function isObject(value: unknown): value is Fields & WelcomeHeartbeat & WelcomeLimits & WelcomeRooms {
  return typeof value === 'object' && value !== null;
}

/** The fields of an object; an empty object for any other value. */
export function fieldsOf(value: unknown): Fields {
  return isObject(value) ? value : {};
}

/** The objects in a list of the server, whose fields are not checked here. */
export function rowsOf<Row extends object = Fields>(value: unknown): Row[];
export function rowsOf(value: unknown): Fields[] {
  return Object.values(fieldsOf(value)).map(fieldsOf);
}

/** The value if it is a string, else undefined. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Whether the value is a number that a message of a room with history can have; 0: before the first one. */
export function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
