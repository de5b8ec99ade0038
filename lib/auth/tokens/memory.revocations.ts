import { Injectable } from '@nestjs/common';
import { Runtime } from '../../runtime/runtime.js';
import type { RevocableToken, Revocation, Revocations } from './revocations.interface.js';

/** After how many additions the expired entries are removed. */
const SWEEP_EACH = 256;

interface Entry {
  readonly before: number;
  readonly until: number;
}

/** Remembers revocations in this process. */
@Injectable()
export class MemoryRevocations implements Revocations {
  readonly #users = new Map<string, Entry>();
  readonly #tokens = new Map<string, Entry>();
  #additions = 0;

  constructor(private readonly runtime: Runtime) {}

  /** How many entries are kept. */
  get size(): number {
    return this.#users.size + this.#tokens.size;
  }

  add(revocation: Revocation): void | Promise<void> {
    this.learn(revocation);
  }

  learn({ subject, before, until }: Revocation): void {
    if (++this.#additions % SWEEP_EACH === 0) this.#sweep();
    const [entries, key] = this.#placeOf(subject);
    const present = entries.get(key);
    entries.set(key, {
      before: Math.max(before, present?.before ?? 0),
      until: Math.max(until, present?.until ?? 0),
    });
  }

  isRevoked({ userId, id, issuedAt = 0 }: RevocableToken): boolean {
    const entries = [this.#users.get(userId), id === undefined ? undefined : this.#tokens.get(id)];
    const now = this.runtime.now();
    return entries.some((entry) => entry !== undefined && entry.until > now && issuedAt <= entry.before);
  }

  /** All that are kept and have not expired. */
  *all(): Iterable<Revocation> {
    const now = this.runtime.now();
    for (const [userId, { before, until }] of this.#users) {
      if (until > now) yield { subject: { kind: 'user', userId }, before, until };
    }
    for (const [id, { before, until }] of this.#tokens) {
      if (until > now) yield { subject: { kind: 'token', id }, before, until };
    }
  }

  /** Whether a revocation means more tokens than the known one, or holds for longer. */
  isNews({ subject, before, until }: Revocation): boolean {
    const [entries, key] = this.#placeOf(subject);
    const present = entries.get(key);
    return !present || present.before < before || present.until < until;
  }

  #placeOf(subject: Revocation['subject']): [entries: Map<string, Entry>, key: string] {
    return subject.kind === 'user' ? [this.#users, subject.userId] : [this.#tokens, subject.id];
  }

  #sweep(): void {
    const now = this.runtime.now();
    for (const entries of [this.#users, this.#tokens]) {
      for (const [key, { until }] of entries) if (until <= now) entries.delete(key);
    }
  }
}
