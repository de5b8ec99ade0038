import type { Runtime } from '../../runtime/runtime.js';
import {
  applyChange,
  beginningOf,
  changesBetween,
  endOf,
  LOST,
  membershipOf,
  type ConnectionEnd,
  type KnownClientChange,
} from '../registry/client-changes.js';
import type { ClientChange, ClientRecord, SharedMembership } from '../registry/client-record.js';
import type { Hint } from '../registry/hint.js';
import type { RecordPool } from './record-pool.js';
import { isAhead, NOWHERE, type Position } from '../registry/position.js';
import type { RecordReader } from '../registry/record-reader.js';
import type { ChangeListener, RemoteWorker } from '../registry/remote-worker.js';
import { withState } from '../presence/shared-state.js';
import { SnapshotStates } from '../presence/snapshot-states.js';
import type { Lease } from '../leases/worker-leases.js';

/** How many hints wait for a snapshot at most. Dropped ones show as a gap afterwards. */
const MAX_BUFFERED = 1_000;
/** After so many renewals a lease's `seq` covers every hint that its worker had sent before. */
const RENEWALS = 2;

/** How often mirrors were repaired, since the start. */
export interface MirrorCounts {
  /** Snapshots that were read, including the first one of each worker. */
  snapshots: number;
  /**
   * How often a mirror was out of step: a hint was missed, a lease is ahead of the hints, or a stranger has published
   * hints in a worker's name.
   */
  gaps: number;
}

/** What all mirrors of this process share. */
export interface MirrorServices {
  readonly reader: RecordReader;
  readonly counts: MirrorCounts;
  readonly runtime: Runtime;
  readonly pool: RecordPool;
  /** The least time between two snapshots of one worker, ms. */
  readonly pause: number;
  /** Until when a client stays in a room whose end nobody has told, see `RegistryHost.stays`. */
  readonly stays: (roomName: string) => number | undefined;
  /** Called each time a mirror is in step again. */
  readonly caughtUp: () => void;
}

/**
 * The mirror of another worker's clients. Hints keep it up to date. After a gap it reads a snapshot from Redis, and applies
 * the hints that came meanwhile. Changes are the difference between the old and the new state, so none is reported twice.
 */
export class MirroredWorker implements RemoteWorker {
  readonly #records = new Map<string, ClientRecord>();
  #position = NOWHERE;
  /** The position in the worker's lease at the last look. */
  #leased = NOWHERE;
  #incarnation = 0;
  /** The position of the last snapshot. */
  #snapshot = NOWHERE;
  /** The mirror's position and the number of renewals at a moment after the last snapshot, to compare with the lease later. */
  #check: { position: Position; beat: number } | null = null;
  /** Hints that wait for the snapshot; null while the mirror is in step. */
  #buffered: Hint[] | null = [];
  #isReading = false;
  #readAt = -Infinity;
  #isEnded = false;

  constructor(
    private readonly workerId: string,
    private readonly tell: ChangeListener,
    private readonly services: MirrorServices,
  ) {}

  get incarnation(): number {
    return this.#incarnation;
  }

  get isComplete(): boolean {
    return this.#buffered === null;
  }

  hear(hint: Hint): void {
    this.#incarnation = Math.max(this.#incarnation, hint.incarnation);
    if (this.#buffered) this.#buffer(this.#buffered, hint);
    else if (hint.incarnation === this.#position.incarnation && hint.seq === this.#position.seq + 1) this.#apply(hint);
    // Hints are missing, or one came twice and so was forged. Hints from before the snapshot are ignored.
    else if (isAhead(hint, this.#snapshot)) this.#startRepair();
  }

  follow(lease: Lease): void {
    // Compared with the previous lease, since the hints before this one may still be on their way.
    const isBehind = isAhead(this.#leased, this.#position) || this.#hasForgedHints(lease);
    this.#leased = lease;
    this.#incarnation = lease.incarnation;
    if (this.#buffered) this.#catchUp();
    else if (isBehind) this.#startRepair();
  }

  end(how: ConnectionEnd): void {
    this.#isEnded = true;
    for (const clientId of [...this.#records.keys()]) this.#remove(clientId, how);
  }

  #buffer(buffered: Hint[], hint: Hint): void {
    if (buffered.length >= MAX_BUFFERED) buffered.length = 0;
    buffered.push(hint);
    if (hint.kind === 'entered') this.#catchUp();
  }

  /** Whether the mirror is ahead of the worker's lease: it has applied hints that the worker did not send. */
  #hasForgedHints(lease: Lease): boolean {
    this.#check ??= { position: this.#position, beat: lease.beat };
    if (lease.beat < this.#check.beat + RENEWALS) return false;
    const isForged = isAhead(this.#check.position, lease);
    this.#check = { position: this.#position, beat: lease.beat };
    return isForged;
  }

  #startRepair(): void {
    this.#buffered = [];
    if (this.#incarnation === this.#position.incarnation) this.services.counts.gaps++;
    // With repeated gaps the next look at the leases starts the snapshot instead.
    if (this.services.runtime.monotonic() - this.#readAt >= this.services.pause) this.#catchUp();
  }

  #catchUp(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    const ended = (): void => {
      this.#isReading = false;
    };
    // After a failure the next look at the leases tries again.
    this.#readSnapshot().then(ended, ended);
  }

  async #readSnapshot(): Promise<void> {
    const { reader, counts, runtime } = this.services;
    const incarnation = this.#incarnation;
    // Earlier hints are contained in the snapshot.
    this.#buffered = [];
    const unseen = new Set(this.#records.keys());
    const states = new SnapshotStates();
    const seq = await reader.read(this.workerId, incarnation, {
      record: (record) => {
        unseen.delete(record.clientId);
        if (!this.#isEnded) this.#show(states.fill(record, this.#records.get(record.clientId)));
      },
      state: (state) => states.add(state),
    });
    if (seq === null || this.#isEnded) return;
    for (const clientId of unseen) this.#remove(clientId, LOST);
    for (const record of [...this.#records.values()]) this.#show(states.fill(record));
    counts.snapshots++;
    this.#readAt = runtime.monotonic();
    this.#position = this.#snapshot = { incarnation, seq };
    this.#check = null;
    const buffered = this.#buffered;
    this.#buffered = null;
    for (const hint of buffered) this.hear(hint);
    this.services.caughtUp();
  }

  #apply({ incarnation, seq, changes, described = [], states = [] }: Hint): void {
    this.#position = { incarnation, seq };
    for (const change of changes) this.#reflect(change);
    for (const { clientId, membership } of described) {
      this.#describe(clientId, membership.roomName, ({ presence }) => withState(membership, presence ?? {}));
    }
    for (const state of states) this.#describe(state.clientId, state.roomName, (before) => withState(before, state));
  }

  /** Changes a membership; does nothing when there is none. */
  #describe(clientId: string, roomName: string, anew: (before: SharedMembership) => SharedMembership): void {
    const record = this.#records.get(clientId);
    const before = record && membershipOf(record, roomName);
    if (before) this.#reflect({ kind: 'described', clientId, userId: record.user?.userId, membership: anew(before) });
  }

  #reflect(change: ClientChange): void {
    if (change.kind === 'connected') {
      // A record from the snapshot is newer.
      if (!this.#records.has(change.record.clientId)) this.#show(change.record);
      return;
    }
    const record = this.#records.get(change.clientId);
    if (!record) return;
    if (change.kind === 'disconnected') {
      this.#remove(change.clientId, change);
      return;
    }
    const shared = this.#shared(change);
    const after = applyChange(record, shared);
    if (after === record) return;
    this.#records.set(change.clientId, after);
    this.tell(shared);
  }

  /** The change, of a join with the membership that other clients may have too. */
  #shared(change: KnownClientChange): KnownClientChange {
    if (change.kind !== 'joined') return change;
    return { ...change, membership: this.services.pool.share(change.membership) };
  }

  /** Sets the record of a client and reports the difference. */
  #show(shown: ClientRecord): void {
    const record = this.services.pool.shareParts(shown);
    const before = this.#records.get(record.clientId);
    this.#records.set(record.clientId, record);
    for (const change of before ? changesBetween(before, record) : beginningOf(record)) this.tell(change);
  }

  /** Removes a client and reports its end. */
  #remove(clientId: string, end: ConnectionEnd): void {
    const record = this.#records.get(clientId);
    if (!record) return;
    this.#records.delete(clientId);
    for (const change of endOf(record, end, this.services.stays)) this.tell(change);
  }
}
