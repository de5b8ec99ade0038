import type { WebSocket } from 'ws';
import type { WsMetadataOf, WsUserPayload, WebSocketContract } from '../protocol/contract.js';

/** Who a client is, from its verified credentials and nothing else. */
export interface WsUser<Payload = Record<string, unknown>> {
  readonly userId: string;
  readonly userType?: string;
  /** What the authenticator returned beside the ids: a token's claims, for example. */
  readonly payload: Payload;
}

/** The user that an application says a client is. */
export interface WsGivenUser {
  /** A number means its decimal string. */
  userId: string | number;
  userType?: string | undefined;
  payload?: Record<string, unknown> | undefined;
}

/** Who joins a room: what the client's credentials leave open of its identity, and its label in the room. */
export interface WsRoomUser extends Partial<WsGivenUser> {
  username?: string | undefined;
}

/** Data of the application's own, kept with a client. */
export type ClientMetadata = Record<string, unknown>;

/**
 * One client of the registry. Of another worker's user it has the claims that `cluster.shareUser` names. An entry of this
 * worker is the `WsClient` itself.
 */
export interface ClientEntry<C extends WebSocketContract = WebSocketContract> {
  readonly clientId: string;
  /** The socket, for reading its state and events; null when the client is connected to another worker. */
  readonly ws: WebSocket | null;
  /** When the client last sent something, in ms since 1970. */
  readonly lastActivity: number;
  readonly user: WsUser<Partial<WsUserPayload<C>>> | null;
  /** The room that was joined last and is still joined, or null. With `rooms.namespace` by its key, see `readRoomKey`. */
  readonly roomName: string | null;
  /** With `rooms.namespace` by their keys. */
  readonly rooms: ReadonlySet<string>;
  /** When the connection was accepted, in ms since 1970. */
  readonly connectedAt: number;
  readonly workerId: string;
  readonly metadata: Readonly<WsMetadataOf<C>>;
}
