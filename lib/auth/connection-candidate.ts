import type { IncomingHttpHeaders } from 'node:http';
import { brand } from '../runtime/brand.js';
import type { ClientMetadata, WsUser } from '../ws-client/client-entry.js';
import type { WsRequest } from '../ws-client/ws-request.js';

/** A client that asks to be let in: what `context.switchToWs().getClient()` gives the guards and pipes of a connection. */
export class ConnectionCandidate {
  static {
    brand(this, 'ConnectionCandidate');
  }

  constructor(
    /** The id that the connection will have. */
    readonly clientId: string,
    /** The upgrade request: `url`, `headers`, `ip`, `params`, `query`. */
    readonly request: WsRequest,
    /** The verified user; null for an anonymous one. */
    readonly user: WsUser | null,
    /** What its authenticator has given the client, as `client.metadata` will have it. */
    readonly metadata: Readonly<ClientMetadata> = {},
  ) {}

  /** The address of the client, as `WsClient.ip`. */
  get ip(): string {
    return this.request.ip;
  }

  /** The headers of the upgrade request, as `WsClient.headers`. */
  get headers(): IncomingHttpHeaders {
    return this.request.headers;
  }
}
