import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { parse } from 'node:querystring';

/** The parameters of a path by their names, percent-decoded: any texts that are not empty. */
export type WsRequestParams = Readonly<Record<string, string>>;

/** The parameters of a query by their names, decoded; one that stands there several times is the list of its values. */
export type WsRequestQuery = Readonly<Record<string, string | readonly string[]>>;

/** What an endpoint knows of its requests beside what they say. */
export interface RequestDetails {
  /** The address of the client. Default: the peer's. */
  readonly ip?: string;
  /** Default: none. */
  readonly params?: WsRequestParams;
  /** The names in the query that belong to the library. Default: none. */
  readonly ownNames?: ReadonlySet<string>;
}

/** The parameters of a path that has none. */
export const NO_PARAMS: WsRequestParams = Object.freeze(Object.create(null) as Record<string, string>);

/**
 * What is kept of the upgrade request for the life of a connection: its url, headers and the client's address. The
 * request itself is released, since it refers to the HTTP parser's objects.
 */
export class WsRequest {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** The address of the client: of the peer, or what trusted proxies say (`trustProxy`). */
  readonly ip: string;
  readonly #params: WsRequestParams;
  readonly #ownNames: ReadonlySet<string> | undefined;
  #query: WsRequestQuery | null = null;

  constructor(request: IncomingMessage, { ip, params = NO_PARAMS, ownNames }: RequestDetails = {}) {
    this.url = request.url ?? '/';
    this.headers = request.headers;
    this.ip = ip ?? request.socket.remoteAddress ?? '';
    this.#params = params;
    this.#ownNames = ownNames;
  }

  /**
   * The parameters of the endpoint's path, percent-decoded once: `{ tenant: 'acme' }` at `/ws/acme` for `/ws/:tenant`. They
   * are whatever the client wrote, also with a slash that came as `%2F`. The object has no prototype.
   */
  get params(): WsRequestParams {
    return this.#params;
  }

  /**
   * The query of the url, as HTTP controllers have it: a name that stands there twice has a list. What belongs to the library
   * is not in it: the token where `auth` reads it there, the key of an encryption, the secret of a member that comes back.
   * The object has no prototype.
   */
  get query(): WsRequestQuery {
    return (this.#query ??= queryOf(this.url, this.#ownNames));
  }
}

function queryOf(url: string, ownNames: ReadonlySet<string> | undefined): WsRequestQuery {
  const query = Object.create(null) as Record<string, string | readonly string[]>;
  const begin = url.indexOf('?');
  if (begin < 0) return Object.freeze(query);
  for (const [name, value] of Object.entries(parse(url.slice(begin + 1)))) {
    // Pipes that rid their data of `__proto__` would fail on a frozen object that has it.
    if (value === undefined || name === '__proto__' || ownNames?.has(name)) continue;
    query[name] = typeof value === 'string' ? value : Object.freeze(value);
  }
  return Object.freeze(query);
}
