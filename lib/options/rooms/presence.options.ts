import { PxlWebSocketOptionsError } from '../../errors/start-up.errors.js';
import { workerOf } from '../../runtime/client-id.js';
import { isClass } from '../checks/class-checks.js';
import { isGroup, OptionChecks } from '../checks/option-checks.js';
import { remembered } from './remembered-rule.js';
import { readRoomKey } from '../../ws-client/room-key.js';

/** The shortest time between two pushes, in ms: below it presence would cost as much as a push for each join. */
const SHORTEST_INTERVAL = 20;
/** An hour, in ms: who was away longer comes anew. */
const LONGEST_GRACE = 3_600_000;

/** How a room shows who is in it. */
export interface WsRoomPresenceOptions {
  /**
   * What one member of the list is: a user with all of its devices, or a single client. Anonymous clients are members by
   * themselves in both. Default: `'user'`.
   */
  by?: 'user' | 'client' | undefined;
  /**
   * Milliseconds for which a member stays whose connection was lost, so that nobody is told when it comes back. Who leaves, or
   * closes its connection for good, is gone at once. 0: everybody is. At most an hour. Default: 10 000.
   */
  grace?: number | undefined;
  /** The most members in a list. In a room of more the members hear its count only. Default: 200. */
  limit?: number | undefined;
  /** The shortest time between two pushes of a room to one member, in milliseconds: at least 20. Default: 1 000. */
  interval?: number | undefined;
}

/**
 * How a room shows who is in it; null and false: it does not. The answer is the same on every worker. The namespace is that of
 * `rooms.namespace`; undefined for a room in none.
 */
export type WsPresenceOfRoom = (
  roomName: string,
  namespace: string | undefined,
) => WsRoomPresenceOptions | boolean | null;

/** Which rooms have presence. */
export type WsPresenceOption = boolean | WsRoomPresenceOptions | WsPresenceOfRoom;

/** How a room shows who is in it, with the defaults in place. */
export type WsPresenceRules = Readonly<{
  [Name in keyof WsRoomPresenceOptions]-?: NonNullable<WsRoomPresenceOptions[Name]>;
}>;

export interface ResolvedPresence {
  /**
   * By the key of the room.
   *
   * @throws PxlWebSocketOptionsError when the application's function answers what is no presence
   */
  readonly of: (key: string) => WsPresenceRules | null;
  /** Whether it is one answer for all rooms. */
  readonly isOfAll: boolean;
}

/**
 * @param areSpaced whether rooms may be in namespaces
 * @returns undefined when no room has presence
 */
export function resolvePresence(checks: OptionChecks, areSpaced: boolean): ResolvedPresence | undefined {
  const given = checks.raw('presence');
  if (given === undefined || given === false) return undefined;
  if (typeof given === 'function' && !isClass(given)) {
    const of = checks.callback('presence') as WsPresenceOfRoom;
    return Object.freeze({ of: remembered((key) => rulesOf(of, key, areSpaced)), isOfAll: false });
  }
  if (given !== true && !isGroup(given)) checks.refuse('presence', 'true, an object, or a function');
  const group = new OptionChecks(`${checks.name}.presence`.replace(/^\./, ''), given === true ? {} : given);
  const same = resolveRules(group);
  group.finish();
  // Not the own rooms of clients (`rooms.own`): each has one member.
  return Object.freeze({ of: (key: string) => (workerOf(key) === undefined ? same : null), isOfAll: true });
}

function rulesOf(of: WsPresenceOfRoom, key: string, areSpaced: boolean): WsPresenceRules | null {
  const { roomName, namespace } = readRoomKey(key, areSpaced);
  const answer: unknown = of(roomName, namespace);
  if (answer === null || answer === false) return null;
  if (answer !== true && !isGroup(answer)) {
    throw new PxlWebSocketOptionsError('The function rooms.presence answers true, an object, or null.');
  }
  const group = new OptionChecks('rooms.presence()', answer === true ? {} : answer);
  const rules = resolveRules(group);
  group.finish();
  return rules;
}

function resolveRules(group: OptionChecks): WsPresenceRules {
  const grace = group.time('grace', 10_000, 0);
  if (grace > LONGEST_GRACE) group.refuse('grace', `a time of at most ${LONGEST_GRACE} ms`);
  return Object.freeze({
    by: group.oneOf('by', ['user', 'client']),
    grace,
    limit: group.integer('limit', 200, 1),
    interval: group.time('interval', 1_000, SHORTEST_INTERVAL),
  });
}
