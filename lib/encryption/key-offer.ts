import type { WsRequest } from '../ws-client/ws-request.js';

const HEADER = 'x-pxl-public-key';
/** The name in the query of an upgrade. */
export const KEY_PARAMETER = 'publicKey';

/** The client's part of an exchange of keys. */
export interface KeyOffer {
  readonly publicKey?: string | undefined;
}

/** Reads the key of an upgrade from its header or, since browsers cannot set headers, from its query. */
export function readOffer({ headers, url }: WsRequest): KeyOffer {
  const header = headers[HEADER];
  if (typeof header === 'string') return { publicKey: header };
  const query = url.indexOf('?');
  if (query < 0) return {};
  return { publicKey: new URLSearchParams(url.slice(query)).get(KEY_PARAMETER) ?? undefined };
}
