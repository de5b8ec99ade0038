import type { IncomingMessage } from 'node:http';
import type { WsTokenPlace } from '../../options/auth.options.js';

type Request = Pick<IncomingMessage, 'url' | 'headers'>;

/** One token, none, or several different ones. */
export type TokenFound =
  { readonly kind: 'token'; readonly token: string } | { readonly kind: 'none' } | { readonly kind: 'contradiction' };

const BEARER = /^bearer +(\S+) *$/i;
const PROTOCOL_PREFIX = 'bearer.';
const NONE: readonly string[] = [];
/** The name of the cookie and of the query parameter. */
export const TOKEN_NAME = 'token';

const READERS: Readonly<Record<WsTokenPlace, (request: Request) => readonly string[]>> = {
  header: ({ headers }) => {
    const token = headers.authorization === undefined ? undefined : BEARER.exec(headers.authorization)?.[1];
    return token === undefined ? NONE : [token];
  },
  protocol: ({ headers: { 'sec-websocket-protocol': names } }) =>
    names === undefined
      ? NONE
      : names
          .split(',')
          .map((name) => name.trim())
          .filter((name) => name.startsWith(PROTOCOL_PREFIX))
          .map((name) => name.slice(PROTOCOL_PREFIX.length)),
  cookie: ({ headers: { cookie } }) => (cookie === undefined ? NONE : cookie.split(';').flatMap(readCookie)),
  query: ({ url = '' }) => {
    const query = url.indexOf('?');
    return query < 0 ? NONE : new URLSearchParams(url.slice(query)).getAll(TOKEN_NAME);
  },
};

/**
 * Looks for the token of an upgrade request: `Authorization: Bearer`, `bearer.<token>` beside the codec in
 * `Sec-WebSocket-Protocol`, the cookie `token`, `?token=`. It may stand in several places if it is the same token; with
 * two different ones it would not be clear whose connection it is.
 */
export function findToken(request: Request, places: readonly WsTokenPlace[]): TokenFound {
  let token: string | undefined;
  for (const place of places) {
    for (const found of READERS[place](request)) {
      if (found === '' || found === token) continue;
      if (token !== undefined) return { kind: 'contradiction' };
      token = found;
    }
  }
  return token === undefined ? { kind: 'none' } : { kind: 'token', token };
}

/**
 * The token that an upgrade has brought, as `auth` looks for it: `Authorization: Bearer`, `bearer.<token>` beside the subprotocol,
 * the cookie `token`, `?token=`. For code that verifies tokens itself; `auth` does it before a connection is accepted, and then
 * `client.user` tells whose it is.
 *
 * @param request `client.request`, or an upgrade request
 * @returns the token, of which nothing is verified; undefined without one, and where there are different ones
 */
export function readWsToken(request: Request): string | undefined {
  const found = findToken(request, ALL_PLACES);
  return found.kind === 'token' ? found.token : undefined;
}

const ALL_PLACES: readonly WsTokenPlace[] = ['header', 'protocol', 'cookie', 'query'];

function readCookie(pair: string): string[] {
  const equals = pair.indexOf('=');
  if (equals < 0 || pair.slice(0, equals).trim() !== TOKEN_NAME) return [];
  const value = pair.slice(equals + 1).trim();
  return [value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value];
}
