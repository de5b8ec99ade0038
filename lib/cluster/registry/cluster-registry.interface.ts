import type { AbsentClient } from '../../presence/presence-entry.js';
import type { ClientChange, ClientRecord, SharedMembership } from './client-record.js';

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

/** What a member of a room with presence is described by: its username and profile, or its own state. */
export type DescriptionPart = 'description' | 'state';

/** This worker as the registry sees it: the source of its clients' records, and the receiver of changes of others. */
export interface RegistryHost {
  /** The records of all clients. The iteration may pause, while clients come and go. */
  records(): Iterable<ClientRecord>;
  /** The present record of a client; undefined when it has gone. */
  record(clientId: string): ClientRecord | undefined;
  /** The present membership of a client; undefined when it is not in the room any more. */
  membership(clientId: string, roomName: string): SharedMembership | undefined;
  /** The number of clients. */
  readonly size: number;
  /** Whether any room may have presence. */
  readonly hasPresence: boolean;
  /**
   * Until when a client stays in a room whose connection is lost now, in ms since 1970; undefined: it does not.
   *
   * @param after ms within which the client is told to come back
   */
  stays(roomName: string, after: number): number | undefined;
  /**
   * A change of another worker's client. A client connects without rooms and then joins them; it leaves all rooms before it
   * disconnects. Must not throw.
   *
   * @param isLost whether the worker has died, so that every other worker reports this change by itself
   */
  changed(workerId: string, change: ClientChange, isLost: boolean): void;
  /**
   * A client that was gone before this worker started, and stays in rooms with presence: while the start waits. Some are told
   * of twice, and some are back already. Must not throw.
   */
  absent(client: AbsentClient): void;
  /** The others had declared this worker dead, and have been told that it is back. Must not throw. */
  returned(): void;
}

/** The other workers of the cluster and their clients. */
export interface ClusterRegistry {
  /** Enters the registry; resolves once the other workers and their clients are known. */
  start(host: RegistryHost): Promise<void>;
  /** Records a change of this worker's own clients; called in order, after each change. Returns at once. */
  record(change: ClientChange): void;
  /** Records that a member of a room with presence is described anew. Returns at once. */
  describe(clientId: string, roomName: string, part: DescriptionPart): void;
  /** Keeps a client for workers that start, before its end is recorded: it stays in its rooms for its grace. Returns at once. */
  keepAbsent(client: AbsentClient): void;
  /** Forgets such a client of any worker. Returns at once. */
  forgetAbsent(clientId: string): void;
  /** Whether what is recorded is of use to anybody: false where there can be no other worker. */
  readonly isShared: boolean;
  /** Resolves once the other workers have been told of what was recorded before. */
  whenTold(): Promise<void>;
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
  /**
   * Leaves the registry, so that the others forget this worker's clients. Settles within 2 s, whatever Redis does.
   *
   * @param after ms within which the clients are told to come back
   */
  stop(after: number): Promise<void>;
}
