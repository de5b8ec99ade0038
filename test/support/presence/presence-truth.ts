import type { WsMember } from '../../../lib/protocol/presence.js';
import { keyOf, textOf } from './room-view.js';
import type { StoryMember, Stay } from './story-member.js';

/** What others must see of one member, as far as that is sure. */
export interface Truth {
  /** The keys under which it may be known: exactly one of them is. */
  readonly keys: ReadonlySet<string>;
  readonly userId: string | undefined;
  readonly clients: number;
  readonly name: string;
  readonly usernames: ReadonlySet<string | undefined>;
  /** As texts. */
  readonly states: ReadonlySet<string>;
}

/** One client of a member. */
interface Part {
  readonly member: StoryMember;
  readonly stay: Stay;
}

/** The keys under which others may know a client in a room. */
export function keysOf(roomName: string, userId: string | undefined, ids: ReadonlySet<string>): ReadonlySet<string> {
  const isUser = userId !== undefined && !roomName.endsWith('clients');
  return isUser ? new Set([`user ${userId}`]) : new Set([...ids].map((id) => `client ${id}`));
}

/** Who is in a room, by what its members know of themselves. */
export function truthOf(roomName: string, members: readonly StoryMember[]): Truth[] {
  const groups = new Map<string, { keys: ReadonlySet<string>; parts: Part[] }>();
  for (const member of members) {
    const stay = member.stays.get(roomName);
    const ids = member.memberIds.get(roomName);
    if (!stay || !ids) continue;
    const keys = keysOf(roomName, member.userId, ids);
    const first = [...keys].join();
    const group = groups.get(first) ?? { keys, parts: [] };
    group.parts.push({ member, stay });
    groups.set(first, group);
  }
  return [...groups.values()].map(({ keys, parts }) => ({
    keys,
    userId: parts[0]!.member.userId,
    clients: parts.length,
    name: nameOf(parts),
    usernames: usernamesOf(parts),
    states: statesOf(parts),
  }));
}

/**
 * Holds a list of members against the truth.
 *
 * @returns what is wrong, in sentences
 */
export function faultsOf(truth: readonly Truth[], members: readonly WsMember[]): string[] {
  const faults: string[] = [];
  const rest = new Map(members.map((member) => [keyOf(member), member]));
  for (const one of truth) {
    const found = [...one.keys].filter((key) => rest.has(key));
    if (found.length !== 1) {
      faults.push(`of ${[...one.keys].join(' or ')} there are ${found.length}`);
      continue;
    }
    faults.push(...differencesOf(one, rest.get(found[0]!)!).map((what) => `${found[0]!} ${what}`));
    rest.delete(found[0]!);
  }
  for (const key of rest.keys()) faults.push(`${key} is not there`);
  return faults;
}

function differencesOf(truth: Truth, { userId, clients, username, profile, state }: WsMember): string[] {
  const faults: string[] = [];
  const expect = (what: string, is: unknown, may: ReadonlySet<unknown>): void => {
    if (!may.has(is)) faults.push(`has the ${what} ${String(is)}, not ${[...may].join(' or ')}`);
  };
  expect('userId', userId, new Set([truth.userId]));
  if (clients !== undefined) expect('number of clients', clients, new Set([truth.clients]));
  expect('username', username, truth.usernames);
  expect('profile', textOf(profile), new Set([textOf({ name: truth.name })]));
  expect('state', textOf(state ?? null), truth.states);
  return faults;
}

function nameOf(parts: readonly Part[]): string {
  return parts[0]!.member.profileName;
}

function usernamesOf(parts: readonly Part[]): ReadonlySet<string | undefined> {
  const given = parts.map(({ stay }) => stay.username).filter((username) => username !== undefined);
  return new Set(given.length > 0 ? given : [undefined]);
}

/** The states that may have been set last: no other one was asked for after its answer had come. */
function statesOf(parts: readonly Part[]): ReadonlySet<string> {
  const set = parts.map(({ stay }) => stay).filter(({ hasState }) => hasState);
  const last = set.filter(({ stateAt }) => !set.some((other) => other.stateAt.sent > stateAt.answered));
  const texts = new Set(last.map(({ state }) => textOf(state ?? null)));
  if (texts.size === 0) texts.add('null');
  for (const { stay } of parts) if (!stay.hasState) for (const text of stay.inherited) texts.add(text);
  return texts;
}
