import type { WsRequest } from '../ws-client/ws-request.js';

const KEY_HEADER = 'x-pxl-public-key';
const SEALED_HEADER = 'x-pxl-sealed';
/** The names in the query of an upgrade. */
export const KEY_PARAMETER = 'publicKey';
export const SEALED_PARAMETER = 'sealed';

/** The client's part of an exchange of keys. */
export interface KeyOffer {
  readonly publicKey?: string | undefined;
  /** What the client reads in encrypted frames beside single frames: `lists` of them, or something unknown here. */
  readonly sealed?: string | undefined;
}

/** Reads the offer of an upgrade from its headers or, since browsers cannot set headers, from its query. */
export function readOffer({ headers, url }: WsRequest): KeyOffer {
  const key = headers[KEY_HEADER];
  const sealed = headers[SEALED_HEADER];
  if (typeof key === 'string') return { publicKey: key, sealed: typeof sealed === 'string' ? sealed : undefined };
  const start = url.indexOf('?');
  if (start < 0) return {};
  const query = new URLSearchParams(url.slice(start));
  return { publicKey: query.get(KEY_PARAMETER) ?? undefined, sealed: query.get(SEALED_PARAMETER) ?? undefined };
}
