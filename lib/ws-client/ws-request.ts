import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/**
 * What is kept of the upgrade request for the life of a connection: its url, headers and the client's address. The
 * request itself is released, since it refers to the HTTP parser's objects.
 */
export class WsRequest {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** The address of the client: of the peer, or what trusted proxies say (`trustProxy`). */
  readonly ip: string;

  constructor(request: IncomingMessage, ip = request.socket.remoteAddress ?? '') {
    this.url = request.url ?? '/';
    this.headers = request.headers;
    this.ip = ip;
  }
}
