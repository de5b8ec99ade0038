import type { ClientChange, ClientRecord } from './client-record.js';

/** The token of the {@link ClusterRegistry} that the module works with. */
export const PXL_WS_REGISTRY = Symbol('PXL_WS_REGISTRY');

/** Another worker, as its lease tells. */
export interface ClusterWorker {
  readonly workerId: string;
  /** How many connections it had when it renewed its lease last. */
  readonly connections: number;
  /** Rises whenever its lease is renewed. */
  readonly beat: number;
  /** Whether its lease has ended, and nobody has taken it for dead yet. */
  readonly isExpired: boolean;
}

/** The side of this worker: what the registry reads when it writes all of it anew, and whom it tells about others. */
export interface RegistryHost {
  /** Every client of this worker. It may be walked over slowly, while clients come and go. */
  records(): Iterable<ClientRecord>;
  /** One of them, as it is now; undefined when it is gone. */
  record(clientId: string): ClientRecord | undefined;
  /** How many there are. */
  readonly size: number;
  /**
   * A change of another worker's client: to the mirror, where there is one, and to the cluster events. A client comes
   * without rooms, its memberships follow; before it goes, they go. Must not throw.
   *
   * @param isLost whether the worker is no more, and tells of it nobody else
   */
  changed(workerId: string, change: ClientChange, isLost: boolean): void;
  /** The others had taken this worker for dead, and have heard that it is back. Must not throw. */
  returned(): void;
}

/** Who else is in the cluster, and which clients they hold. */
export interface ClusterRegistry {
  /** Enters the registry, and resolves once the view of the others is complete. */
  start(host: RegistryHost): Promise<void>;
  /** A change of this worker's own clients, which has happened, in order. Never waits. */
  record(change: ClientChange): void;
  /** The other workers that live. */
  readonly workers: ReadonlyMap<string, ClusterWorker>;
  /**
   * Whether other workers live, as far as was last known; also true before anything is known. After {@link stop} it
   * still hears of those that leave.
   */
  readonly mayHaveOthers: boolean;
  /**
   * Whether the others are heard of, and all of them were known once: not while a view is repaired, or another worker
   * comes, of which every worker would be out of service at once.
   */
  readonly isReady: boolean;
  /** Leaves the registry at once: the others stop counting on this worker's clients. Bounded, whatever Redis does. */
  stop(): Promise<void>;
}
