import { WsError } from '../errors/ws.error.js';

/** @throws WsError BAD_MESSAGE when the data of a request is not an object */
export function fieldsOf(data: unknown): Record<string, unknown> {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw new WsError('BAD_MESSAGE', 'The data is not an object.');
  }
  return data as Record<string, unknown>;
}
