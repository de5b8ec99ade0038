import type { WsRequest } from '../ws-client/ws-request.js';
import type { WsUser } from '../ws-client/client-entry.js';
import { brand } from '../runtime/brand.js';

/** A client that asks to be let in: what `context.switchToWs().getClient()` gives a connection guard. */
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
  ) {}
}
