import type { WsClient } from './ws-client.js';

/** What other parts of the module hear of the registry. */
export interface ClientListener {
  /** A client was accepted; its welcome is not written yet. */
  registered?(client: WsClient): void;
  /** An anonymous client has become a user's. */
  identified?(client: WsClient): void;
  /** A client is gone from the registry, once for each. */
  unregistered?(client: WsClient): void;
  /** The application wants the client list pushed. */
  listWanted?(event: string | undefined): void;
}
