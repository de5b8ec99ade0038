import { WsError } from '../errors/ws.error.js';
import { badMessage } from './verb-checks.js';

/** Bytes of the arguments as JSON: they go to every worker. */
const MOST_BYTES = 1_024;

/**
 * Which members get a message: the name of a function in `rooms.filters`, and what it is called with, JSON of at most
 * 1,024 bytes.
 */
export type WsWhere = readonly [name: string, args?: unknown];

/**
 * The arguments as every worker gets them, this one too: a date is a text.
 *
 * @throws WsError BAD_MESSAGE for anything but a name and, maybe, its arguments
 */
export function readWhere(where: unknown): WsWhere | undefined {
  if (where === undefined) return undefined;
  if (!Array.isArray(where) || where.length < 1 || where.length > 2) throw noWhere();
  const [name, args] = where as unknown[];
  if (typeof name !== 'string' || name === '') throw noWhere();
  if (args === undefined) return [name];
  const text = textOf(args);
  if (Buffer.byteLength(text) > MOST_BYTES)
    throw badMessage(`The arguments of where have more than ${MOST_BYTES} bytes`);
  return [name, JSON.parse(text)];
}

function textOf(args: unknown): string {
  let text: string | undefined;
  let cause: unknown;
  try {
    text = JSON.stringify(args);
  } catch (error) {
    cause = error;
  }
  if (text === undefined) throw new WsError('BAD_MESSAGE', 'The arguments of where have no JSON form.', { cause });
  return text;
}

function noWhere(): WsError {
  return badMessage('where is a list of two: the name of a filter and its arguments');
}
