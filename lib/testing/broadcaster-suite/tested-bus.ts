import type { WsBroadcaster } from '../../cluster/bus/broadcaster.interface.js';

/** A worker's end of a bus. */
export interface BusWorker {
  readonly broadcaster: WsBroadcaster;
  /** The worker id that the broadcaster writes into its envelopes: 8 characters of base64url. */
  readonly workerId: string;
}

/** A bus for one test. */
export interface TestedBus {
  /** Creates another worker on this bus, which is not started. */
  join(): BusWorker | Promise<BusWorker>;
  /**
   * Cuts a worker off from the others, in both directions, until the returned function is called. Without this function, the
   * tests of cut-off workers are left out.
   */
  cutOff?(worker: BusWorker): (() => unknown) | Promise<() => unknown>;
  /** Whether rooms or users may share channels, so that a worker receives messages of some that it has not acquired. */
  readonly mayHearMore?: boolean;
  /** Ends the bus, after its workers have stopped. */
  stop?(): unknown;
}
