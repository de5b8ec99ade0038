import { isNativeError } from 'node:util/types';

// What applications throw is looked at here and nowhere else: reading it may throw in its turn (a getter, a revoked proxy).

/** Whether it is an error, of this realm or another (Jest's vm, a worker), whose errors are no instance of ours. */
export function isError(value: unknown): value is Error {
  return isInstanceOf(value, Error) || isNativeError(value);
}

/** `instanceof` for what an application has thrown or returned: false where asking throws. */
export function isInstanceOf<T>(value: unknown, type: abstract new (...args: never[]) => T): value is T {
  try {
    return value instanceof type;
  } catch {
    return false;
  }
}

/** What was thrown, as an error whose name, message and stack are texts, and that has a text itself. Never throws. */
export function asError(thrown: unknown): Error {
  return isError(thrown) && isReadable(thrown) ? thrown : new Error(textOf(thrown));
}

/** Whether it has a text, and an error its name, message and stack. Never throws. */
export function isReadable(thrown: unknown): boolean {
  try {
    if (!isError(thrown)) return isText(String(thrown));
    const { name, message, stack }: { name: unknown; message: unknown; stack?: unknown } = thrown;
    return [name, message, stack ?? '', String(thrown)].every(isText);
  } catch {
    return false;
  }
}

/** The message of an error that lacks something else; the text of any other value. */
function textOf(thrown: unknown): string {
  try {
    const message: unknown = isError(thrown) ? thrown.message : undefined;
    return isText(message) ? message : String(thrown);
  } catch {
    return 'What was thrown has no text.';
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
