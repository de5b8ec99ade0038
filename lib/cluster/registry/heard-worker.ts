import type { Hint } from './hint.js';
import type { ChangeListener, RemoteWorker } from './remote-worker.interface.js';
import type { Lease } from '../leases/worker-leases.js';

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
