import type { ClientChange, ClientRecord } from './client-record.js';

/** The token of the {@link ClusterRegistry} that the module works with. */
export const PXL_WS_REGISTRY = Symbol('PXL_WS_REGISTRY');

/** Another worker, as described by its lease. */
export interface ClusterWorker {
  readonly workerId: string;
  /** The number of its connections at the last renewal of its lease. */
  readonly connections: number;
  /** Rises with each renewal of its lease. */
  readonly beat: number;
  /** Whether its lease has expired, and it was not declared dead yet. */
  readonly isExpired: boolean;
}

/** This worker as the registry sees it: the source of its clients' records, and the receiver of changes of others. */
export interface RegistryHost {
  /** The records of all clients. The iteration may pause, while clients come and go. */
  records(): Iterable<ClientRecord>;
  /** The present record of a client; undefined when it has gone. */
  record(clientId: string): ClientRecord | undefined;
  /** The number of clients. */
  readonly size: number;
  /**
   * A change of another worker's client. A client connects without rooms and then joins them; it leaves all rooms before it
   * disconnects. Must not throw.
   *
   * @param isLost whether the worker has died, so that every other worker reports this change by itself
   */
  changed(workerId: string, change: ClientChange, isLost: boolean): void;
  /** The others had declared this worker dead, and have been told that it is back. Must not throw. */
  returned(): void;
}

/** The other workers of the cluster and their clients. */
export interface ClusterRegistry {
  /** Enters the registry; resolves once the other workers and their clients are known. */
  start(host: RegistryHost): Promise<void>;
  /** Records a change of this worker's own clients; called in order, after each change. Returns at once. */
  record(change: ClientChange): void;
  /** The other live workers, by id. */
  readonly workers: ReadonlyMap<string, ClusterWorker>;
  /**
   * Whether other workers may be alive. True before anything is known; kept up to date after {@link stop}, as long as the
   * bus is open.
   */
  readonly mayHaveOthers: boolean;
  /**
   * Whether changes of the others are received, and all of them were known once. Stays true while a mirror is repaired or a
   * new worker is read: otherwise every new worker would put all the others out of service.
   */
  readonly isReady: boolean;
  /** Leaves the registry, so that the others forget this worker's clients. Settles within 2 s, whatever Redis does. */
  stop(): Promise<void>;
}
