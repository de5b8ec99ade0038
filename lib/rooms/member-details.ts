import { isDeepStrictEqual } from 'node:util';
import type { ClientSession } from '../clients/session/client-session.js';
import type { DetailChange, MemberDetail } from './membership.js';

const LONGEST_USERNAME = 128;
const NONE: MemberDetail = { username: undefined, profile: undefined };

/** Whether a member can be called so: undefined, or a text of at most 128 characters. */
export function isUsername(username: unknown): username is string | undefined {
  return username === undefined || (typeof username === 'string' && username.length <= LONGEST_USERNAME);
}

/**
 * What the other members of a room see of each member, by client and room. A member without any detail costs nothing here.
 * Whatever else belongs to one member of one room is kept here as well.
 */
export class MemberDetails {
  readonly #byClient = new WeakMap<ClientSession, Map<string, MemberDetail>>();

  /** Changes what is given; the rest of the member's detail stays. Returns whether it is another one now. */
  change(client: ClientSession, roomName: string, { username, profile }: DetailChange): boolean {
    if (username === undefined && profile === undefined) return false;
    let details = this.#byClient.get(client);
    if (!details) this.#byClient.set(client, (details = new Map<string, MemberDetail>()));
    const before = details.get(roomName) ?? NONE;
    const detail: MemberDetail = {
      username: username ?? before.username,
      profile: profile === undefined ? before.profile : (profile ?? undefined),
    };
    if (isDeepStrictEqual(detail, before)) return false;
    details.set(roomName, detail);
    return true;
  }

  /** Removes the detail of a member that leaves, and returns it. */
  take(client: ClientSession, roomName: string): MemberDetail {
    const details = this.#byClient.get(client);
    const detail = details?.get(roomName) ?? NONE;
    details?.delete(roomName);
    return detail;
  }

  of(client: ClientSession, roomName: string): MemberDetail {
    return this.#byClient.get(client)?.get(roomName) ?? NONE;
  }

  /** The name that the client got last, in any of its rooms. */
  newestUsernameOf(client: ClientSession): string | undefined {
    const details = [...(this.#byClient.get(client)?.values() ?? [])];
    return details.findLast(({ username }) => username !== undefined)?.username;
  }
}
