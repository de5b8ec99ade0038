import type { RequestId } from './messages.js';
import { MAX_NAME_LENGTH } from './route-key.js';
import { RawJson } from './raw-json.js';

/** The error for an id that {@link isRequestId} refuses. */
export const ID_PROBLEM = 'The id is neither a string of at most 64 characters nor a safe integer.';

/** Returns the fields of a frame's JSON object, or a sentence about what is wrong with the frame. */
export function readFields(text: string): Record<string, unknown> | string {
  let whole: unknown;
  try {
    whole = JSON.parse(text);
  } catch {
    return 'The message is not JSON.';
  }
  const isObject = typeof whole === 'object' && whole !== null && !Array.isArray(whole);
  return isObject ? (whole as Record<string, unknown>) : 'The message is not an object.';
}

/** Whether the value can be a type or an action. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME_LENGTH;
}

/** Whether the value is a valid id of a request. */
export function isRequestId(value: unknown): value is RequestId {
  return typeof value === 'string' ? value.length <= MAX_NAME_LENGTH : Number.isSafeInteger(value);
}

/** Encodes a response. A value without a JSON form (undefined, a function, a symbol) becomes null. */
export function responseText(response: unknown): string {
  if (response instanceof RawJson) return response.text;
  const text = JSON.stringify(response) as string | undefined;
  return text ?? 'null';
}
