import type { WsMember, WsPresencePush } from '../protocol/presence.js';
import { rowsOf } from './messages/frame-fields.js';
import type { PresenceChange, PresentMembers, RoomMember } from './room-presence.interface.js';

/**
 * What a list of the server, or differences, make of the members that are known.
 *
 * @returns undefined when nothing has changed
 */
export function changeOf(
  known: PresentMembers,
  { members, joined, left, updated, count = 0, partial = false }: Partial<WsPresencePush>,
): PresenceChange | undefined {
  const list = partial ? [] : members;
  const before = new Map(known.members.map((member) => [idOf(member), member]));
  const now = new Map(list ? [] : before);
  const who: Record<'joined' | 'left' | 'updated', RoomMember[]> = { joined: [], left: [], updated: [] };
  for (const gone of rowsOf<WsMember>(left)) now.delete(idOf(gone));
  for (const row of (list ? [list] : [joined, updated]).flatMap(rowsOf<WsMember>)) {
    // Differences do not tell how many connections a member has.
    const member = { ...row, clients: undefined };
    const id = idOf(member);
    const former = before.get(id);
    const isSame = former && JSON.stringify(former) === JSON.stringify(member);
    now.set(id, isSame ? former : member);
    if (!isSame) who[former ? 'updated' : 'joined'].push(member);
  }
  who.left = known.members.filter((member) => !now.has(idOf(member)));
  const isChanged = Object.values(who).flat().length > 0;
  if (!isChanged && count === known.count && partial === known.partial) return undefined;
  return { ...who, members: isChanged ? [...now.values()] : known.members, count, partial };
}

/** A member with a client's id is that client; one without is the user. */
function idOf({ clientId, userId }: RoomMember): string {
  return clientId ?? `:${userId}`;
}
