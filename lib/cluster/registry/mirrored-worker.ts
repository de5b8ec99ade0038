import type { Runtime } from '../../runtime/runtime.js';
import { beginningOf, changed, changesBetween, endOf, LOST, type ConnectionEnd } from './client-changes.js';
import type { ClientChange, ClientRecord } from './client-record.js';
import type { Hint } from './hint.js';
import { isAhead, NOWHERE, type Position } from './position.js';
import type { RecordReader } from './record-reader.js';
import type { ChangeListener, RemoteWorker } from './remote-worker.js';
import type { Lease } from '../leases/worker-leases.js';

/** Hints that wait for a snapshot. What is dropped above that shows as a gap. */
const MAX_WAITING = 1_000;
/** A lease that was renewed so often since tells of everything that its worker had told by then. */
const RENEWALS = 2;

/** How often mirrors had to be repaired, since the start. */
export interface MirrorCounts {
  /** Snapshots that were read, the first one of each worker included. */
  snapshots: number;
  /**
   * Times that a mirror was out of step: a hint did not come, a lease tells of more than we have heard, or somebody else
   * tells in a worker's name what it has not.
   */
  gaps: number;
}

/** What all mirrors of this worker share. */
export interface MirrorServices {
  readonly reader: RecordReader;
  readonly counts: MirrorCounts;
  readonly runtime: Runtime;
  /** ms between two snapshots of one worker, at least. */
  readonly pause: number;
  /** A mirror is in step. */
  readonly caughtUp: () => void;
}

/**
 * The clients of another worker. Hints keep it up to date, as long as none is missed; then a snapshot of what Redis holds
 * brings it back in step. Whatever the way, only what makes a difference to the view is told.
 */
export class MirroredWorker implements RemoteWorker {
  readonly #records = new Map<string, ClientRecord>();
  #position = NOWHERE;
  /** How far the worker had come by its lease, when we looked last. */
  #promised = NOWHERE;
  #incarnation = 0;
  /** How far the last snapshot went. */
  #read = NOWHERE;
  /** How far we were when the lease had been renewed so often; null: not yet since the last snapshot. */
  #check: { position: Position; beat: number } | null = null;
  /** Hints that came while a snapshot is read; null: we are in step. */
  #waiting: Hint[] | null = [];
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
    return this.#waiting === null;
  }

  hear(hint: Hint): void {
    this.#incarnation = Math.max(this.#incarnation, hint.incarnation);
    if (this.#waiting) this.#wait(this.#waiting, hint);
    else if (hint.incarnation === this.#position.incarnation && hint.seq === this.#position.seq + 1) this.#apply(hint);
    // What is told twice was not told by the worker, this time or before.
    else if (isAhead(hint, this.#read)) this.#fallBehind();
  }

  follow(lease: Lease): void {
    // Its last hint may be on its way still: it has until the next look.
    const isBehind = isAhead(this.#promised, this.#position) || this.#wasMisled(lease);
    this.#promised = lease;
    this.#incarnation = lease.incarnation;
    if (this.#waiting) this.#catchUp();
    else if (isBehind) this.#fallBehind();
  }

  end(): void {
    this.#isEnded = true;
    for (const clientId of [...this.#records.keys()]) this.#remove(clientId, LOST);
  }

  #wait(waiting: Hint[], hint: Hint): void {
    if (waiting.length >= MAX_WAITING) waiting.length = 0;
    waiting.push(hint);
    if (hint.kind === 'entered') this.#catchUp();
  }

  /** Whether we have heard what the worker has not told, by its lease. */
  #wasMisled(lease: Lease): boolean {
    this.#check ??= { position: this.#position, beat: lease.beat };
    if (lease.beat < this.#check.beat + RENEWALS) return false;
    const wasMisled = isAhead(this.#check.position, lease);
    this.#check = { position: this.#position, beat: lease.beat };
    return wasMisled;
  }

  #fallBehind(): void {
    this.#waiting = [];
    if (this.#incarnation === this.#position.incarnation) this.services.counts.gaps++;
    // What is lost again and again is left to the next look at the leases.
    if (this.services.runtime.monotonic() - this.#readAt >= this.services.pause) this.#catchUp();
  }

  #catchUp(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    const ended = (): void => {
      this.#isReading = false;
    };
    // What fails is tried again at the next look at the leases.
    this.#readSnapshot().then(ended, ended);
  }

  async #readSnapshot(): Promise<void> {
    const { reader, counts, runtime } = this.services;
    const incarnation = this.#incarnation;
    // Whatever was told until now is in the snapshot, or was told by somebody else.
    this.#waiting = [];
    const unseen = new Set(this.#records.keys());
    const seq = await reader.read(this.workerId, incarnation, (record) => {
      unseen.delete(record.clientId);
      if (!this.#isEnded) this.#show(record);
    });
    if (seq === null || this.#isEnded) return;
    for (const clientId of unseen) this.#remove(clientId, LOST);
    counts.snapshots++;
    this.#readAt = runtime.monotonic();
    this.#position = this.#read = { incarnation, seq };
    this.#check = null;
    const waiting = this.#waiting;
    this.#waiting = null;
    for (const hint of waiting) this.hear(hint);
    this.services.caughtUp();
  }

  #apply({ incarnation, seq, changes }: Hint): void {
    this.#position = { incarnation, seq };
    for (const change of changes) this.#reflect(change);
  }

  #reflect(change: ClientChange): void {
    if (change.kind === 'connected') {
      // What a snapshot has told of it already is newer.
      if (!this.#records.has(change.record.clientId)) this.#show(change.record);
      return;
    }
    const record = this.#records.get(change.clientId);
    if (!record) return;
    if (change.kind === 'disconnected') {
      this.#remove(change.clientId, change);
      return;
    }
    const after = changed(record, change);
    if (after === record) return;
    this.#records.set(change.clientId, after);
    this.tell(change);
  }

  /** The client is there, and like this. */
  #show(record: ClientRecord): void {
    const before = this.#records.get(record.clientId);
    this.#records.set(record.clientId, record);
    for (const change of before ? changesBetween(before, record) : beginningOf(record)) this.tell(change);
  }

  /** The client is gone. */
  #remove(clientId: string, end: ConnectionEnd): void {
    const record = this.#records.get(clientId);
    if (!record) return;
    this.#records.delete(clientId);
    for (const change of endOf(record, end)) this.tell(change);
  }
}
