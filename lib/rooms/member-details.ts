import type { WsClient } from '../clients/ws-client.js';
import type { MemberProfile } from './room-listener.interface.js';

/** What the other members of a room see of one: kept only where there is something to see. */
export interface MemberDetail {
  /** What the member is called in this room: a label, never an identity. */
  readonly username?: string | undefined;
  readonly profile?: MemberProfile | undefined;
}

/** The details of members, by client and room. */
export class MemberDetails {
  readonly #byClient = new WeakMap<WsClient, Map<string, MemberDetail>>();

  /** Lays the detail over what is known of the member. */
  add(client: WsClient, roomName: string, { username, profile }: MemberDetail): void {
    if (username === undefined && profile === undefined) return;
    let details = this.#byClient.get(client);
    if (!details) this.#byClient.set(client, (details = new Map<string, MemberDetail>()));
    const known = details.get(roomName);
    details.set(roomName, { username: username ?? known?.username, profile: profile ?? known?.profile });
  }

  /** Takes out what is known of a member that leaves. */
  take(client: WsClient, roomName: string): MemberDetail {
    const details = this.#byClient.get(client);
    const detail = details?.get(roomName) ?? {};
    details?.delete(roomName);
    return detail;
  }

  /** What is known of a member. */
  of(client: WsClient, roomName: string): MemberDetail {
    return this.#byClient.get(client)?.get(roomName) ?? {};
  }

  /** The label of the client in one of its rooms. */
  usernameIn(client: WsClient, roomName: string | null): string | undefined {
    return roomName === null ? undefined : this.#byClient.get(client)?.get(roomName)?.username;
  }

  /** Every label of the client, the newest last. */
  usernamesOf(client: WsClient): string[] {
    const details = [...(this.#byClient.get(client)?.values() ?? [])];
    return details.map(({ username }) => username).filter((username) => username !== undefined);
  }
}
