import { isNativeError } from 'node:util/types';

// Only this file reads values that applications have thrown: reading one may itself throw (a getter, a revoked proxy).

/** Whether the value is an error, also of another realm (Jest's vm, a worker), where `instanceof Error` is false. */
export function isError(value: unknown): value is Error {
  return isInstanceOf(value, Error) || isNativeError(value);
}

/** `instanceof` for a value that an application has thrown or returned; false when the check itself throws. */
export function isInstanceOf<T>(value: unknown, type: abstract new (...args: never[]) => T): value is T {
  try {
    return value instanceof type;
  } catch {
    return false;
  }
}

/** A thrown value as an error whose name, message and stack are texts. Never throws. */
export function asError(thrown: unknown): Error {
  return isError(thrown) && isReadable(thrown) ? thrown : new Error(textsOf(thrown).message);
}

/** Whether a thrown value has a text and, if it is an error, a name, message and stack. Never throws. */
export function isReadable(thrown: unknown): boolean {
  try {
    if (!isError(thrown)) return isText(String(thrown));
    const { name, message, stack }: { name: unknown; message: unknown; stack?: unknown } = thrown;
    return [name, message, stack ?? '', String(thrown)].every(isText);
  } catch {
    return false;
  }
}

/** The message and stack of a thrown value for the log. Never throws, even if a getter throws only at its second call. */
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
