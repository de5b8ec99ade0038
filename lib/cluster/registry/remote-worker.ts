import type { ClientChange } from './client-record.js';
import type { Hint } from './hint.js';
import type { Lease } from '../leases/worker-leases.js';

/** Hears a change of a client of a worker. Must not throw. */
export type ChangeListener = (change: ClientChange) => void;

/** What we know of another worker's clients. */
export interface RemoteWorker {
  /** The worker has told something, in order, but perhaps not for the first time. Some of what it tells is lost. */
  hear(hint: Hint): void;
  /** How far the worker has come by its lease, which is read now and then. */
  follow(lease: Lease): void;
  /** The newest that we have heard of. */
  readonly incarnation: number;
  /** Whether all is known that was told. */
  readonly isComplete: boolean;
  /** The worker is no more. */
  end(): void;
}

/** Another worker where no mirror is kept: what it tells is passed on and forgotten. */
export class HeardWorker implements RemoteWorker {
  readonly isComplete = true;
  #incarnation = 0;

  constructor(private readonly tell: ChangeListener) {}

  get incarnation(): number {
    return this.#incarnation;
  }

  hear({ incarnation, changes }: Hint): void {
    this.#incarnation = Math.max(this.#incarnation, incarnation);
    for (const change of changes) this.tell(change);
  }

  follow({ incarnation }: Lease): void {
    this.#incarnation = incarnation;
  }

  end(): void {}
}
