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
  const before = byId(known.members);
  const now = byId(partial ? [] : (members ?? [...known.members, ...rowsOf(joined), ...rowsOf(updated)]));
  const who: Record<'joined' | 'left' | 'updated', RoomMember[]> = { joined: [], left: [], updated: [] };
  for (const id of byId(left).keys()) now.delete(id);
  for (const [id, row] of now) {
    // Differences do not tell how many connections a member has.
    const member = { ...row, clients: undefined };
    const former = before.get(id);
    const isSame = former && JSON.stringify(former) === JSON.stringify(member);
    now.set(id, isSame ? former : member);
    if (!isSame) who[former ? 'updated' : 'joined'].push(member);
  }
  for (const [id, member] of before) if (!now.has(id)) who.left.push(member);
  if (Object.values(who).flat().length || count !== known.count || partial !== known.partial)
    return { ...who, members: [...now.values()], count, partial };
}

/** Members by their ids, the last of each: one with a client's id is that client, one without is the user. */
function byId(members: unknown): Map<string, RoomMember> {
  return new Map(rowsOf<WsMember>(members).map((member) => [member.clientId ?? `:${member.userId}`, member]));
}
