import { WsError } from '../errors/ws.error.js';
import type { RefusalCounters } from '../limits/refusal-counters.js';
import type { ClientMetadata } from '../ws-client/client-entry.js';
import { jsonPartOf } from '../ws-client/client-json.js';

const PROTOTYPE_NAMES: readonly string[] = ['__proto__', 'constructor', 'prototype'];

/**
 * Puts one value into a client's metadata: a copy, as JSON carries it to other workers.
 *
 * @param limit bytes of the whole metadata as JSON
 * @throws WsError BAD_MESSAGE for a key that is empty or a prototype's name, a value without a JSON form, and metadata
 * that would become larger than `limit`; nothing is changed then
 * @returns the copy
 */
export function setMetadata(
  metadata: ClientMetadata,
  key: string,
  data: unknown,
  limit: number | false,
  counters: RefusalCounters,
): unknown {
  if (typeof key !== 'string' || key === '' || PROTOTYPE_NAMES.includes(key)) {
    throw new WsError('BAD_MESSAGE', 'A metadata key is a text that is not empty and no name of a prototype.');
  }
  const value = copyOf(data);
  const size = limit === false ? 0 : Buffer.byteLength(JSON.stringify({ ...jsonPartOf(metadata), [key]: value }));
  if (limit !== false && size > limit) {
    counters.count('metadataBytes');
    throw new WsError('BAD_MESSAGE', `The metadata of a client is at most ${limit} bytes of JSON.`);
  }
  metadata[key] = value;
  return value;
}

function copyOf(data: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(data)); // what JSON.stringify leaves undefined, JSON.parse refuses
  } catch (cause) {
    throw new WsError('BAD_MESSAGE', 'The value has no JSON form.', { cause });
  }
}
