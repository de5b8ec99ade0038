import type { ConnectionEnd } from './client-changes.js';
import type { ClientChange } from './client-record.js';
import type { Hint } from './hint.js';
import type { Lease } from '../leases/worker-leases.js';

/** Gets the changes of a worker's clients. Must not throw. */
export type ChangeListener = (change: ClientChange) => void;

/** What this worker knows of another worker's clients. */
export interface RemoteWorker {
  /** Takes a hint of the worker. Hints come in order; some may be lost or repeated. */
  hear(hint: Hint): void;
  /** Takes the worker's lease, at each look at the leases. */
  follow(lease: Lease): void;
  /** The newest known incarnation of the worker. */
  readonly incarnation: number;
  /** Whether all of its clients are known. */
  readonly isComplete: boolean;
  /**
   * The worker has left or died.
   *
   * @param how the connections of its clients have ended whose ends nobody has told
   */
  end(how: ConnectionEnd): void;
}

/** Another worker with `cluster.mirror: false`: its changes are passed on, and nothing is kept. */
export class UnmirroredWorker implements RemoteWorker {
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
