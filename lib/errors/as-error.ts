import { isNativeError } from 'node:util/types';

/** Whether it is an error, of this realm or another (Jest's vm, a worker), whose errors are no instance of ours. */
export function isError(value: unknown): value is Error {
  return value instanceof Error || isNativeError(value);
}

/** What was thrown, as an error. */
export function asError(thrown: unknown): Error {
  if (isError(thrown)) return thrown;
  try {
    return new Error(String(thrown));
  } catch {
    return new Error('What was thrown has no text.');
  }
}
