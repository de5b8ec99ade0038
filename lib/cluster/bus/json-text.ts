import { WsError } from '../../errors/ws.error.js';

/** @throws WsError BAD_MESSAGE when the value has no JSON form: undefined, functions, BigInt, cycles */
export function toJson(value: unknown): string {
  let text: string | undefined;
  let cause: unknown;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    cause = error;
  }
  if (text === undefined) throw new WsError('BAD_MESSAGE', 'The message has no JSON form.', { cause });
  return text;
}

/** Parses a text from the bus; null when it is not JSON, as anybody may publish on the channels. */
export function readJson(text: string): { readonly value: unknown } | null {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return null;
  }
}

/** Parses a text from the bus; null when it does not hold an object. */
export function readObject(text: string): Record<string, unknown> | null {
  const value = readJson(text)?.value;
  return isObject(value) ? value : null;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

export function isText(value: unknown): value is string {
  return typeof value === 'string';
}

export function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isText);
}
