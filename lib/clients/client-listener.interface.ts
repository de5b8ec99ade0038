import type { WsUser } from '../ws-client/client-entry.js';
import type { WsClient } from './ws-client.js';

/** What a connection was closed with. */
export interface ClientEnd {
  readonly code: number;
  readonly reason: string;
}

/** What other parts of the module hear of the registry. */
export interface ClientListener {
  /** A client was accepted; its welcome is not written yet. */
  registered?(client: WsClient): void;
  /** An anonymous client has become a user's. */
  identified?(client: WsClient): void;
  /** A client's user, with the same id, has got a type or other claims. */
  renewed?(client: WsClient, before: WsUser): void;
  /** A client is gone from the registry, once for each. */
  unregistered?(client: WsClient, end: ClientEnd): void;
  /** One key of a client's metadata has another value. */
  updated?(client: WsClient, key: string, data: unknown): void;
  /** The application wants a client disconnected, whether it is known here or not. */
  disconnecting?(clientId: string, end: Partial<ClientEnd>): void;
  /** The application wants the client list pushed. */
  listWanted?(event: string | undefined): void;
}
