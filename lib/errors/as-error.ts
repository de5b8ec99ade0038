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
  return isError(thrown) && isReadable(thrown) ? thrown : new Error(textsOf(thrown).message);
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

/** What the log tells of something thrown. Never throws, also where a getter answers once and throws later. */
export function textsOf(thrown: unknown): { readonly message: string; readonly stack: string | undefined } {
  const isOne = isError(thrown);
  const message = textOf(() => (isOne ? thrown.message : undefined)) ?? textOf(() => String(thrown));
  return {
    message: message ?? 'What was thrown has no text.',
    stack: textOf(() => (isOne ? thrown.stack : undefined)),
  };
}

function textOf(read: () => unknown): string | undefined {
  try {
    const value = read();
    return isText(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
