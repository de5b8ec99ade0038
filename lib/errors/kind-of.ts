import { isObservable } from 'rxjs';
import { isError } from './as-error.js';

/**
 * The kind of a value as a phrase for the log. It shows nothing of the value's content, and never throws, even if reading
 * the value does.
 */
export function kindOf(value: unknown): string {
  try {
    if (value === null || value === undefined || typeof value === 'boolean') return String(value);
    if (typeof value === 'string') return value === '' ? 'an empty text' : 'a text';
    if (typeof value === 'number') return Number.isNaN(value) ? 'NaN' : 'a number';
    if (typeof value !== 'object') return `a ${typeof value}`;
    if (Array.isArray(value)) return 'a list';
    if (isError(value)) return 'an error';
    return isObservable(value) ? 'an Observable' : 'an object';
  } catch {
    return UNREADABLE;
  }
}

/** The kind of an object that throws when it is read. */
export const UNREADABLE = 'an object that cannot be read';

/**
 * Whether a value is an object with fields: a plain one, or an instance of a class, but no list, date, map, buffer, error
 * or Observable. Never throws.
 */
export function isRecord(value: unknown): value is Record<string, unknown> {
  try {
    const isObject = Object.prototype.toString.call(value) === '[object Object]';
    return isObject && kindOf(value) === 'an object';
  } catch {
    return false;
  }
}
