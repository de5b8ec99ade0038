import { isObject, readObject } from '../bus/json-text.js';
import { isChange, isMembership, type ClientChange, type SharedMembership } from './client-record.js';
import type { Position } from './position.js';
import { isState, type SharedState } from '../presence/shared-state.js';

/**
 * A message on the registry's channel:
 * - `changes`: a batch of changes of the worker's clients; `seq` is the number of the batch.
 * - `entered`: the worker has written all of its clients anew, and holds a lease.
 * - `left`: the worker has stopped.
 * - `dead`: another worker has taken its expired lease. For workers that keep no mirror, further hints of this kind follow,
 *   whose `changes` tell of its clients' ends.
 */
export interface Hint extends Position {
  readonly kind: 'changes' | 'entered' | 'left' | 'dead';
  readonly workerId: string;
  readonly changes: readonly ClientChange[];
  /** Members of rooms with presence that are described anew, as they are after the changes; without their states. */
  readonly described?: readonly DescribedMember[] | undefined;
  /** What members have set themselves, as it is after the changes. */
  readonly states?: readonly SharedState[] | undefined;
}

/** A membership with its client. */
export interface DescribedMember {
  readonly clientId: string;
  readonly membership: SharedMembership;
}

const KINDS: readonly unknown[] = ['changes', 'entered', 'left', 'dead'] satisfies Hint['kind'][];

/** Null for a message that is no hint: anybody may publish on the channel. */
export function readHint(text: string): Hint | null {
  const value = readObject(text);
  if (!value) return null;
  const { kind, workerId, incarnation, seq, changes, described, states } = value;
  if (!KINDS.includes(kind) || typeof workerId !== 'string') return null;
  if (typeof incarnation !== 'number' || typeof seq !== 'number') return null;
  if (!Array.isArray(changes) || !changes.every(isChange)) return null;
  const hint = { kind: kind as Hint['kind'], workerId, incarnation, seq, changes };
  if (described === undefined && states === undefined) return hint;
  if (!isListOf(described, isDescribed) || !isListOf(states, isState)) return null;
  return { ...hint, described, states };
}

export function writeHint(hint: Hint): string {
  return JSON.stringify(hint);
}

/**
 * Writes a hint of the kind `changes`.
 *
 * @param changes each as JSON
 */
export function writeChanges(
  workerId: string,
  position: Position,
  changes: readonly string[],
  described: readonly DescribedMember[] = [],
  states: readonly SharedState[] = [],
): string {
  const { incarnation, seq } = position;
  const more = described.length > 0 ? `,"described":${JSON.stringify(described)}` : '';
  const stated = states.length > 0 ? `,"states":${JSON.stringify(states)}` : '';
  return `${beginningOfChanges(workerId)},"incarnation":${incarnation},"seq":${seq},"changes":[${changes.join(',')}]${more}${stated}}`;
}

/** How a worker's hints of the kind `changes` begin. */
export function beginningOfChanges(workerId: string): string {
  return `{"kind":"changes","workerId":${JSON.stringify(workerId)}`;
}

function isDescribed(value: unknown): value is DescribedMember {
  return isObject(value) && typeof value.clientId === 'string' && isMembership(value.membership);
}

function isListOf<T>(value: unknown, isOne: (one: unknown) => one is T): value is T[] | undefined {
  return value === undefined || (Array.isArray(value) && value.every(isOne));
}
