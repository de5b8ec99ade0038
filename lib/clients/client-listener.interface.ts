import type { WsUser } from '../ws-client/client-entry.js';
import type { ClientSession } from './session/client-session.js';

/** The close code and reason that a connection ended with. */
export interface ClientEnd {
  readonly code: number;
  readonly reason: string;
}

/** What {@link ClientRegistry} tells other parts of the module. */
export interface ClientListener {
  /** A client was accepted; its welcome is not written yet. */
  registered?(client: ClientSession): void;
  /** An anonymous client has become a user's. */
  identified?(client: ClientSession): void;
  /** The user of a client, with the same id, has got a type or other claims. */
  renewed?(client: ClientSession, before: WsUser): void;
  /** A client has left the registry; called once for each. */
  unregistered?(client: ClientSession, end: ClientEnd): void;
  /** One key of a client's metadata has another value. */
  updated?(client: ClientSession, key: string, data: unknown): void;
}
