import type { ClientMetadata, WsUser } from '../ws-client/client-entry.js';
import type { WsTokenInfo } from '../options/authenticator.js';

/** The checked identity of a connection. */
export interface Identity {
  /** Null for an anonymous client. */
  readonly user: WsUser | null;
  readonly metadata?: ClientMetadata | undefined;
  readonly token?: WsTokenInfo | undefined;
}

/** An anonymous client of which nothing is known. */
export const ANONYMOUS: Identity = { user: null };
