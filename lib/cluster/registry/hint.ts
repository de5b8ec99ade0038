import { readObject } from '../bus/json-text.js';
import { isChange, type ClientChange } from './client-record.js';
import type { Position } from './position.js';

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
}

const KINDS: readonly unknown[] = ['changes', 'entered', 'left', 'dead'] satisfies Hint['kind'][];

/** Null for a message that is no hint: anybody may publish on the channel. */
export function readHint(text: string): Hint | null {
  const value = readObject(text);
  if (!value) return null;
  const { kind, workerId, incarnation, seq, changes } = value;
  if (!KINDS.includes(kind) || typeof workerId !== 'string') return null;
  if (typeof incarnation !== 'number' || typeof seq !== 'number') return null;
  if (!Array.isArray(changes) || !changes.every(isChange)) return null;
  return { kind: kind as Hint['kind'], workerId, incarnation, seq, changes };
}

export function writeHint(hint: Hint): string {
  return JSON.stringify(hint);
}

/**
 * Writes a hint of the kind `changes`.
 *
 * @param changes each as JSON
 */
export function writeChanges(workerId: string, position: Position, changes: readonly string[]): string {
  const { incarnation, seq } = position;
  const head = JSON.stringify({ kind: 'changes', workerId, incarnation, seq });
  return `${head.slice(0, -1)},"changes":[${changes.join(',')}]}`;
}
