import type { WsClient } from '../clients/ws-client.js';

/** What the rules of the application tell the other members of one. */
export type MemberProfile = Readonly<Record<string, unknown>>;

/** A membership that begins or ends. */
export interface Membership {
  readonly client: WsClient;
  readonly roomName: string;
  /** What the member is called in this room: a label for the other members, never an identity. */
  readonly username: string | undefined;
  readonly profile: MemberProfile | undefined;
  /** False: whoever changed it wants no push of the client list. */
  readonly broadcast: boolean;
}

/** What other parts of the module hear of memberships. */
export interface RoomListener {
  joined(membership: Membership): void;
  left(membership: Membership): void;
}
