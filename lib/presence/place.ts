import type { MemberProfile } from '../rooms/membership.js';
import { memberIdOf } from './member.js';
import { isSameState } from './member-state.js';
import type { PresenceEntry, SharedPresence } from './presence-entry.js';

/** A client that enters a room. Times are ms since 1970. */
export interface Newcomer {
  readonly username: string | undefined;
  readonly profile: MemberProfile | undefined;
  readonly at: number;
  /** Since when its user is there; undefined: it is not. */
  readonly since: number | undefined;
}

/** What a client shares that is the first of its member, or one more. */
export function newPlace({ profile, at, since }: Newcomer): SharedPresence {
  return { joinedAt: since ?? at, profile, describedAt: since && at };
}

/**
 * What a client shares that takes the place of a former connection: since when it is there, and its state.
 *
 * @param isClient whether the member is a single client, which keeps its id
 */
export function takePlace(place: PresenceEntry, newcomer: Newcomer, isClient: boolean): SharedPresence {
  const { joinedAt, describedAt = joinedAt, state, stateAt, profile } = place.shared;
  // Described as before, it says nothing new.
  const isSame = place.username === newcomer.username && isSameState(profile, newcomer.profile);
  return {
    joinedAt,
    memberId: isClient ? memberIdOf(place) : undefined,
    took: place.clientId,
    profile: newcomer.profile,
    describedAt: isSame ? describedAt : newcomer.at,
    state,
    stateAt,
  };
}
