import { WsError } from '../../errors/ws.error.js';
import { CLOSE_CODES } from '../../protocol/close-codes.js';
import { bare, isReply } from '../../redis/link/redis-failures.js';
import type { RedisLink } from '../../redis/link/redis-link.js';
import { chunksOf } from '../../runtime/chunks.js';
import { counter, type MetricSource, type WebSocketMetric } from '../../runtime/metrics/metrics.js';
import type { Runtime } from '../../runtime/runtime.js';
import { Beat } from '../leases/beat.js';
import type { AbsentClient } from '../../presence/presence-entry.js';
import { AbsentClients } from '../presence/absent-clients.js';
import { AbsentReader } from '../presence/absent-reader.js';
import { beginningOf } from './client-changes.js';
import type { ClientChange } from './client-record.js';
import type { ClusterRegistry, ClusterWorker, DescriptionPart, RegistryHost } from './cluster-registry.interface.js';
import { DeadWorkers } from './dead-workers.js';
import { Evictions } from '../leases/evictions.js';
import { beginningOfChanges, readHint, writeHint, type Hint } from './hint.js';
import type { LeasedData, RenewalCause } from '../leases/leased-data.interface.js';
import { RecordPool } from '../mirror/record-pool.js';
import type { MirrorCounts } from '../mirror/mirrored-worker.js';
import { BATCH, OwnRecords, type OwnRecordsListener } from './own-records.js';
import type { Position } from './position.js';
import { RecordReader } from './record-reader.js';
import { RegistryKeys } from './registry-keys.js';
import { RemoteWorkers } from './remote-workers.js';
import { LeaseWatch } from '../leases/lease-watch.js';
import { WorkerLeases, type LeaseReading } from '../leases/worker-leases.js';

/** Milliseconds that leaving the registry may take. */
const LEAVE_TIMEOUT = 2_000;

/** Names of the two uses of Redis, for its refusals in the log. */
const [LEASES, RECORDS] = ['leases', 'records'];

export interface RedisRegistryOptions {
  readonly prefix: string;
  readonly workerId: string;
  /** Milliseconds for which a silent worker counts as alive. */
  readonly lease: number;
  /** Whether this worker mirrors the clients of the others. */
  readonly mirror: boolean;
}

/** Hears what concerns data that belongs to all workers together. */
export interface RegistryWatcher {
  /** This worker's lease is gone, so Redis may have lost other data, too. Must not throw. */
  lost(): void;
  /** Another worker has entered the registry, or has come back. Must not throw. */
  met(workerId: string): void;
}

/** What this worker has observed since its start. */
export interface RegistryCounts extends MirrorCounts {
  /** How often this worker's own lease was taken, or lost by Redis. */
  readonly lostLeases: number;
  /** Workers that were declared dead. */
  readonly deadWorkers: number;
  /** Messages on the channel that are no hints of this library. */
  readonly junk: number;
}

/**
 * The workers of the cluster, known by their leases, and their clients, known by hints and snapshots. One periodic beat
 * repairs everything: it renews the lease, reads the others', and tries again whatever failed before.
 */
export class RedisRegistry implements ClusterRegistry, MetricSource {
  readonly isShared = true;
  readonly #keys: RegistryKeys;
  readonly #beat: Beat;
  readonly #leaseWatch: LeaseWatch;
  readonly #leases: WorkerLeases;
  readonly #records: OwnRecords;
  readonly #remote: RemoteWorkers;
  readonly #dead: DeadWorkers;
  readonly #mirrorCounts: MirrorCounts = { snapshots: 0, gaps: 0 };
  readonly #data: LeasedData[] = [];
  #watcher: RegistryWatcher | null = null;
  readonly #evictions: Evictions;
  #lostLeases = 0;
  /** The incarnation as which this worker has entered last. */
  #entered = 0;
  #junk = 0;
  /** How batches of this worker begin. */
  readonly #ownBeginning: Buffer;
  readonly #absent: AbsentClients;
  readonly #absentReader: AbsentReader;
  #host: RegistryHost | null = null;
  /** Whether all other workers and their clients were known once. */
  #wasComplete = false;
  #whenComplete: (() => void) | null = null;
  /** The last look at the leases. */
  #reading: LeaseReading | null = null;

  constructor(
    private readonly link: RedisLink,
    private readonly options: RedisRegistryOptions,
    private readonly runtime: Runtime,
  ) {
    const { prefix, workerId, lease, mirror } = options;
    this.#ownBeginning = Buffer.from(beginningOfChanges(workerId));
    const counts = this.#mirrorCounts;
    const keys = (this.#keys = new RegistryKeys(prefix));
    const leases = (this.#leases = new WorkerLeases(link, keys, workerId, lease, !mirror, runtime));
    const reader = new RecordReader(link, keys);
    const absent = (this.#absent = new AbsentClients(link, keys));
    this.#absentReader = new AbsentReader(reader, absent, runtime);
    const failed = (error: unknown): void => this.#fail(LEASES, error);
    const evictions = (this.#evictions = new Evictions(link, lease, runtime));
    const beat = (this.#beat = new Beat(lease, (isLate) => this.#renew(isLate), failed, runtime));
    this.#leaseWatch = new LeaseWatch(lease, runtime);
    const listener: OwnRecordsListener = {
      written: () => beat.now(),
      vanished: () => void evictions.look(),
      ended: (error) => this.#fail(RECORDS, error),
    };
    this.#records = new OwnRecords(link, keys, workerId, lease, absent, listener, runtime);
    this.#dead = new DeadWorkers({ link, keys, leases, reader, absent, data: this.#data });
    const stays = (roomName: string): number | undefined => this.#host?.stays(roomName, 0);
    const caughtUp = (): void => this.#checkComplete();
    this.#remote = new RemoteWorkers(
      (worker, change, isLost) => this.#host?.changed(worker, change, isLost),
      mirror ? { reader, counts, pool: new RecordPool(), pause: beat.period, stays, caughtUp, runtime } : null,
      () => beat.now(),
      (workerId) => this.#watcher?.met(workerId),
    );
    link.onReady(() => beat.now());
  }

  /** The channel whose messages go to {@link receive}. */
  get channel(): string {
    return this.#keys.hints;
  }

  get workers(): ReadonlyMap<string, ClusterWorker> {
    return this.#remote.workers;
  }

  get mayHaveOthers(): boolean {
    if (!this.#wasComplete) return true;
    for (const { isExpired } of this.workers.values()) if (!isExpired) return true;
    return false;
  }

  get isReady(): boolean {
    return this.#wasComplete && this.#isListening;
  }

  get counts(): RegistryCounts {
    const [lostLeases, deadWorkers, junk] = [this.#lostLeases, this.#remote.deaths, this.#junk];
    return { ...this.#mirrorCounts, lostLeases, deadWorkers, junk };
  }

  *metrics(): Iterable<WebSocketMetric> {
    const { snapshots, gaps, lostLeases, deadWorkers, junk } = this.counts;
    yield counter('snapshots', snapshots);
    yield counter('hint_gaps', gaps);
    yield counter('leases_lost', lostLeases);
    yield counter('workers_dead', deadWorkers);
    yield counter('hints_junk', junk);
  }

  /** Adds data that lives as long as this worker's lease; to be called before the start. */
  keep(data: LeasedData): void {
    this.#data.push(data);
  }

  /** Waits while Redis cannot be reached; never rejects. */
  async start(host: RegistryHost): Promise<void> {
    this.#host = host;
    this.#records.start(host);
    this.link.subscriptions.want(this.channel);
    const complete = new Promise<void>((resolve) => (this.#whenComplete = resolve));
    this.#beat.now();
    await complete;
    if (host.hasPresence) await this.#absentReader.read(host, () => this.#remains(), this.#beat.period);
  }

  record(change: ClientChange): void {
    this.#records.record(change);
  }

  describe(clientId: string, roomName: string, part: DescriptionPart): void {
    this.#records.describe(clientId, roomName, part);
  }

  keepAbsent(client: AbsentClient): void {
    this.#absent.keep(client);
  }

  forgetAbsent(clientId: string): void {
    this.#absent.forget(clientId);
  }

  whenTold(): Promise<void> {
    return this.#records.whenWritten();
  }

  /** Sets the watcher; to be called before the start. */
  watch(watcher: RegistryWatcher): void {
    this.#watcher = watcher;
  }

  /** Takes a message of {@link channel}. */
  receive(payload: Buffer): void {
    // Redis sends this worker its own batches too, which may be long.
    if (payload.subarray(0, this.#ownBeginning.length).equals(this.#ownBeginning)) return;
    const hint = readHint(payload.toString());
    if (!hint) this.#junk++;
    else if (hint.workerId !== this.options.workerId) this.#remote.hear(hint);
  }

  async stop(after = 0): Promise<void> {
    this.#absentReader.stop();
    this.#evictions.stop();
    await this.runtime.waitFor(LEAVE_TIMEOUT, this.#leave(after), late).catch(() => undefined);
    this.#whenComplete?.();
  }

  async #leave(after: number): Promise<void> {
    await this.#beat.stop();
    const { position } = this.#records;
    // When a step fails, the lease expires, and another worker does the rest.
    await this.#records.stop(CLOSE_CODES.RESTART, after);
    const isDataLeft = (await Promise.all(this.#data.map((one) => one.stop()))).includes(true);
    // Without a position it is about to come back as a new incarnation: its data is that of the last one.
    const last = position ?? (isDataLeft ? { incarnation: this.#entered, seq: 0 } : null);
    if (last) await this.#leases.leave(last, isDataLeft);
    // The news of all that come back: this worker tells its subscribers of its last users.
    await this.link.echo();
  }

  /** One beat. */
  async #renew(isLate: boolean): Promise<void> {
    this.#records.resume();
    const { position } = this.#records;
    if (!position || !this.#host) return;
    const { incarnation, seq } = position;
    const reading = await this.#leases.renew({ incarnation, seq }, this.#host.size);
    const { isHeld, entered, others } = (this.#reading = reading);
    this.link.settled(LEASES);
    this.#leaseWatch.renewed(isHeld && (entered === null || entered === 'kept'));
    if (!isHeld) {
      this.#watcher?.lost();
      this.#records.renew();
      return;
    }
    if (entered === 'gone' || entered === 'lost') {
      this.#lostLeases++;
      void this.#evictions.look();
    } else if (entered === 'started') void this.#evictions.begin();
    const mayJudge = this.#leaseWatch.isSteady && !isLate;
    this.#remote.follow(others, mayJudge);
    const hasBlindWorkers = !this.options.mirror || others.some(({ isBlind }) => isBlind);
    if (mayJudge) this.#dead.judge(reading, this.#host, hasBlindWorkers);
    if (entered) await this.#enter(this.#host, { incarnation, seq }, entered, hasBlindWorkers);
    for (const one of this.#data) one.beat();
    this.#checkComplete();
  }

  /** The dead workers whose data nobody has removed yet. */
  #remains(): { readonly workerId: string; readonly incarnation: number }[] {
    const { others = [], dead = [] } = this.#reading ?? {};
    return [...others.filter(({ isExpired, workerId }) => isExpired && !this.workers.has(workerId)), ...dead];
  }

  async #enter(host: RegistryHost, position: Position, cause: RenewalCause, hasBlindWorkers: boolean): Promise<void> {
    this.#entered = position.incarnation;
    for (const one of this.#data) one.renewed(position.incarnation, cause);
    await this.#publish({ kind: 'entered', ...position, changes: [] });
    if (cause !== 'gone') return;
    host.returned();
    if (!hasBlindWorkers) return;
    // Workers without a mirror were told that this worker's clients are gone.
    for (const records of chunksOf(host.records(), BATCH)) {
      await this.#publish({ kind: 'changes', ...position, changes: records.flatMap(beginningOf) });
    }
  }

  async #publish(hint: Omit<Hint, 'workerId'>): Promise<void> {
    await this.link.publish(this.channel, writeHint({ workerId: this.options.workerId, ...hint }));
  }

  get #isListening(): boolean {
    return this.#leaseWatch.isFresh && this.link.subscriptions.isLive(this.channel);
  }

  /** Reports what Redis refuses, because the link counts as healthy then. */
  #fail(what: string, error: unknown): void {
    if (error === undefined) this.link.settled(what);
    else if (isReply(error)) this.link.troubled(what, `Redis refuses the registry: ${bare(error).message}`);
  }

  /** Ends the start once everything is known. */
  #checkComplete(): void {
    if (!this.#isListening || !this.#remote.isComplete) return;
    this.#wasComplete = true;
    this.#whenComplete?.();
    this.#whenComplete = null;
  }
}

function late(): WsError {
  return new WsError('TIMEOUT', 'The registry could not be left in time.');
}
