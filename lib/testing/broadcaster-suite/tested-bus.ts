import type { Broadcaster } from '../../cluster/bus/broadcaster.interface.js';

/** A worker's end of a bus. */
export interface BusWorker {
  readonly broadcaster: Broadcaster;
  /** The worker id that the broadcaster puts on what it sends: 8 characters of base64url. */
  readonly workerId: string;
}

/** A bus to be tested, of no other test. */
export interface TestedBus {
  /** Another worker on this bus, not started. */
  join(): BusWorker | Promise<BusWorker>;
  /**
   * Keeps a worker from reaching the others, and them from reaching it, until what is returned is called. Without it, what
   * a worker does then is not tested.
   */
  cutOff?(worker: BusWorker): (() => unknown) | Promise<() => unknown>;
  /** Whether rooms or users may share what carries them, so that a worker hears some that it has not acquired. */
  readonly mayHearMore?: boolean;
  /** Ends the bus; its workers have stopped. */
  stop?(): unknown;
}
