import type { RedisLink } from '../../redis/link/redis-link.js';
import { chunksOf } from '../../runtime/chunks.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { AbsentClients } from '../presence/absent-clients.js';
import { absentOf } from '../presence/absent-record.js';
import { Batches, waitingDescription, waitingOf, type WaitingChange } from './batches.js';
import type { ConnectionEnd } from './client-changes.js';
import { ClientHash, type Batch } from './client-hash.js';
import type { ClientChange, ClientRecord } from './client-record.js';
import type { DescriptionPart, RegistryHost } from './cluster-registry.interface.js';
import type { Position } from './position.js';
import type { RegistryKeys } from './registry-keys.js';

/** Changes per batch, and clients per command while all are written. */
export const BATCH = 200;
/** How many changes may wait, or as many as there are clients. Above that it is cheaper to write all clients anew. */
const MAX_WAITING = 10_000;

/** Hears how the writing goes. */
export interface OwnRecordsListener {
  /** All clients have been written as a new incarnation. */
  written(): void;
  /** The hash is gone although this worker did not delete it. */
  vanished(): void;
  /** A round of writes is over, with its error or undefined. */
  ended(error: unknown): void;
}

/**
 * Keeps this worker's clients in Redis. Changes that come while a batch is being written form the next batch. A failed batch
 * is sent again, unchanged, until Redis confirms it; meanwhile changes wait, up to a limit. Above the limit, or when Redis
 * has lost the hash, all clients are written anew as a new incarnation.
 */
export class OwnRecords {
  readonly #batches: Batches;
  #host: RegistryHost | null = null;
  /** The hash of the last complete incarnation; null while there is none that others may read. */
  #hash: ClientHash | null = null;
  #incarnation = 0;
  #waiting: WaitingChange[] = [];
  /** The batch that is being written, or was not confirmed. */
  #batch: Batch | null = null;
  #isOutdated = true;
  #isStopped = false;
  #work: Promise<void> | null = null;
  /** Whether new changes start no work: it is due already, or the last one failed and waits for the next beat. */
  #isHeldBack = true;
  #whenWritten: (() => void)[] = [];

  /** @param lease ms */
  constructor(
    private readonly link: RedisLink,
    private readonly keys: RegistryKeys,
    private readonly workerId: string,
    private readonly lease: number,
    private readonly absent: AbsentClients,
    private readonly listener: OwnRecordsListener,
    private readonly runtime: Runtime,
  ) {
    this.#batches = new Batches(workerId);
  }

  start(host: RegistryHost): void {
    this.#host = host;
  }

  /** How far Redis holds this worker's clients; null while they are not complete. */
  get position(): Position | null {
    return this.#hash;
  }

  /** Records a change of one of this worker's clients. */
  record(change: ClientChange): void {
    this.#add(() => waitingOf(change));
  }

  /** A member of a room with presence is described anew. */
  describe(clientId: string, roomName: string, part: DescriptionPart): void {
    this.#add(() => waitingDescription(clientId, roomName, part));
  }

  /** Resolves once Redis holds what was recorded before. */
  whenWritten(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenWritten.push(resolve);
      this.#resumeSoon();
    });
  }

  /** Writes all clients anew; until then others do not rely on what Redis holds of them. */
  renew(): void {
    this.#hash = null;
    this.#startAnew();
    this.resume();
  }

  /** Writes what is waiting, including what failed before, and checks that Redis still has the hash. */
  resume(): void {
    if (!this.#isStopped) this.#work ??= this.#write().finally(() => (this.#work = null));
  }

  /**
   * Announces the end of every client, and records no more changes. Fails as `RedisLink.run` does.
   *
   * @param after ms within which the clients are told to come back
   */
  async stop(end: ConnectionEnd, after: number): Promise<void> {
    this.#isStopped = true;
    // Read first: clients that disconnect meanwhile are announced by nobody else.
    const last = [...(this.#host?.records() ?? [])];
    await this.#work;
    const [host, hash] = [this.#host, this.#hash];
    if (!host || !hash || this.#isOutdated) return;
    while (this.#batch || this.#waiting.length > 0) await this.#writeNext(host, hash);
    const stays = (roomName: string): number | undefined => host.stays(roomName, after);
    if (host.hasPresence) await this.absent.write(last.flatMap((record) => absentOf(record, stays) ?? []));
    for (const records of chunksOf(last, BATCH)) await hash.commit(this.#batches.ends(hash, records, end, stays));
    await hash.delete();
  }

  /** @param change is only called where it makes a difference to what will be written */
  #add(change: () => WaitingChange): void {
    // All clients are about to be read anyway.
    if (this.#isOutdated || this.#isStopped) return;
    this.#waiting.push(change());
    if (this.#waiting.length > Math.max(MAX_WAITING, this.#host?.size ?? 0)) this.#startAnew();
    this.#resumeSoon();
  }

  #resumeSoon(): void {
    if (this.#isHeldBack) return;
    this.#isHeldBack = true;
    // What changes until then becomes one batch.
    this.link.soon(() => this.resume());
  }

  async #write(): Promise<void> {
    const host = this.#host;
    if (!host) return;
    this.#isHeldBack = true;
    try {
      do {
        await this.#writeOnce(host);
      } while (!this.#isStopped && (this.#isOutdated || this.#batch || this.#waiting.length >= BATCH));
      this.#isHeldBack = false;
      this.listener.ended(undefined);
      if (this.#waiting.length > 0 || this.#whenWritten.length > 0) this.#resumeSoon();
    } catch (error) {
      // The next beat tries again.
      this.listener.ended(error);
    }
  }

  async #writeOnce(host: RegistryHost): Promise<void> {
    const takesAll = !this.#batch && this.#waiting.length <= BATCH;
    const waiters = takesAll ? this.#whenWritten.length : 0;
    if (this.#hash && !this.#isOutdated) await this.#writeNext(host, this.#hash);
    else await this.#writeAll(host);
    if (!this.#isOutdated) for (const resolve of this.#whenWritten.splice(0, waiters)) resolve();
  }

  async #writeNext(host: RegistryHost, hash: ClientHash): Promise<void> {
    const batch = (this.#batch ??= this.#batches.next(hash, this.#waiting.splice(0, BATCH), host));
    // First: who reads the registry from now on finds a client that is gone here or there.
    await this.absent.flush();
    if (!(await hash.commit(batch))) {
      this.#startAnew();
      this.listener.vanished();
    }
    if (this.#batch === batch) this.#batch = null;
  }

  async #writeAll(host: RegistryHost): Promise<void> {
    const previous = this.#hash;
    this.#isOutdated = false;
    try {
      const hash = new ClientHash(this.link, this.keys, this.workerId, ++this.#incarnation, this.lease, this.runtime);
      this.#batches.begin();
      for (const records of chunksOf(host.records(), BATCH)) await this.#commit(hash, records);
      // Creates the hash even when there are no clients.
      await this.#commit(hash, []);
      await this.absent.flush();
      this.#hash = hash;
    } catch (error) {
      this.#startAnew();
      throw error;
    }
    this.listener.written();
    await previous?.delete();
  }

  async #commit(hash: ClientHash, records: readonly ClientRecord[]): Promise<void> {
    const isOurs = await hash.commit(this.#batches.whole(hash, records));
    if (!isOurs) throw new Error('Redis has lost what was written a moment ago.');
  }

  #startAnew(): void {
    this.#isOutdated = true;
    this.#waiting = [];
    this.#batch = null;
  }
}
