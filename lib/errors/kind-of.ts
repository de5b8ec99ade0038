import { isObservable } from 'rxjs';
import { isError } from './as-error.js';

/**
 * What sort of thing a value is, as it stands in a sentence of the log. It tells nothing of what the value holds, and
 * cannot throw, whatever the value does when it is read.
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

/** The kind of an object that throws when it is looked at. */
export const UNREADABLE = 'an object that cannot be read';

/**
 * Whether a value is an object with fields: a plain one, or an instance of a class. Lists, dates, maps, buffers, errors and
 * Observables are none. Cannot throw.
 */
export function isRecord(value: unknown): value is Record<string, unknown> {
  try {
    const isObject = Object.prototype.toString.call(value) === '[object Object]';
    return isObject && kindOf(value) === 'an object';
  } catch {
    return false;
  }
}
