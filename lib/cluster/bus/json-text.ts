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

/** What a text of the bus holds; null when it is no JSON: somebody else writes to our channels. */
export function readJson(text: string): { readonly value: unknown } | null {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return null;
  }
}

/** The object that a text of the bus holds; null for everything else. */
export function readObject(text: string): Record<string, unknown> | null {
  const value = readJson(text)?.value;
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
}
