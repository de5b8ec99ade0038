import type { WsRequest } from '../ws-client/ws-request.js';

const HEADER = 'x-pxl-public-key';
const PARAMETER = 'publicKey';

/** What a client brings to an exchange of keys. */
export interface KeyOffer {
  readonly publicKey?: string | undefined;
}

/** What an upgrade offers: browsers set no headers, so the key may stand in the query too. */
export function readOffer({ headers, url }: WsRequest): KeyOffer {
  const header = headers[HEADER];
  if (typeof header === 'string') return { publicKey: header };
  const query = url.indexOf('?');
  if (query < 0) return {};
  return { publicKey: new URLSearchParams(url.slice(query)).get(PARAMETER) ?? undefined };
}
