import type { RedisLink } from '../../redis/link/redis-link.js';
import { chunksOf } from '../../runtime/chunks.js';
import type { Runtime } from '../../runtime/runtime.js';
import { clientIdOf, endOf, type ConnectionEnd } from './client-changes.js';
import { ClientHash, type Batch } from './client-hash.js';
import type { ClientChange, ClientRecord } from './client-record.js';
import type { RegistryHost } from './cluster-registry.interface.js';
import { writeChanges } from './hint.js';
import type { Position } from './position.js';
import type { RegistryKeys } from './registry-keys.js';

/** Changes per batch, and clients per command while all are written. */
export const BATCH = 200;
/** How many changes may wait, or as many as there are clients. Above that it is cheaper to write all clients anew. */
const MAX_WAITING = 10_000;

/**
 * A change as JSON, written when it happened: later the application may have put something without a JSON form into the
 * client's data.
 */
interface WaitingChange {
  readonly clientId: string;
  readonly text: string;
}

/**
 * Keeps this worker's clients in Redis. Changes that come while a batch is being written form the next batch. A failed batch
 * is sent again, unchanged, until Redis confirms it; meanwhile changes wait, up to a limit. Above the limit, or when Redis
 * has lost the hash, all clients are written anew as a new incarnation.
 */
export class OwnRecords {
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

  /**
   * @param lease ms
   * @param written called when all clients have been written as a new incarnation
   * @param vanished called when the hash is gone although this worker did not delete it
   * @param ended called after each round of writes, with its error or undefined
   */
  constructor(
    private readonly link: RedisLink,
    private readonly keys: RegistryKeys,
    private readonly workerId: string,
    private readonly lease: number,
    private readonly written: () => void,
    private readonly vanished: () => void,
    private readonly ended: (error: unknown) => void,
    private readonly runtime: Runtime,
  ) {}

  start(host: RegistryHost): void {
    this.#host = host;
  }

  /** How far Redis holds this worker's clients; null while they are not complete. */
  get position(): Position | null {
    return this.#hash;
  }

  /** Records a change of one of this worker's clients. */
  record(change: ClientChange): void {
    // All clients are about to be read anyway.
    if (this.#isOutdated || this.#isStopped) return;
    this.#waiting.push(toText(change));
    if (this.#waiting.length > Math.max(MAX_WAITING, this.#host?.size ?? 0)) this.#startAnew();
    if (this.#isHeldBack) return;
    this.#isHeldBack = true;
    // The changes of one turn of the event loop become one batch.
    this.runtime.afterIo(() => this.resume());
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

  /** Announces the end of every client, and records no more changes. Fails as `RedisLink.run` does. */
  async stop(end: ConnectionEnd): Promise<void> {
    this.#isStopped = true;
    // Read first: clients that disconnect meanwhile are announced by nobody else.
    const last = [...(this.#host?.records() ?? [])];
    await this.#work;
    const [host, hash] = [this.#host, this.#hash];
    if (!host || !hash || this.#isOutdated) return;
    while (this.#batch || this.#waiting.length > 0) await this.#writeNext(host, hash);
    for (const records of chunksOf(last, BATCH)) {
      const changes = records.flatMap((record) => endOf(record, end)).map(toText);
      const gone = records.map(({ clientId }) => clientId);
      await hash.commit(this.#batchOf(hash, changes, gone, []));
    }
    await hash.delete();
  }

  async #write(): Promise<void> {
    const host = this.#host;
    if (!host) return;
    this.#isHeldBack = true;
    try {
      do {
        if (this.#hash && !this.#isOutdated) await this.#writeNext(host, this.#hash);
        else await this.#writeAll(host);
      } while (!this.#isStopped && (this.#isOutdated || this.#batch || this.#waiting.length > 0));
      this.#isHeldBack = false;
      this.ended(undefined);
    } catch (error) {
      // The next beat tries again.
      this.ended(error);
    }
  }

  async #writeNext(host: RegistryHost, hash: ClientHash): Promise<void> {
    const batch = (this.#batch ??= this.#nextBatch(host, hash));
    if (!(await hash.commit(batch))) {
      this.#startAnew();
      this.vanished();
    }
    if (this.#batch === batch) this.#batch = null;
  }

  async #writeAll(host: RegistryHost): Promise<void> {
    const previous = this.#hash;
    this.#isOutdated = false;
    try {
      const hash = new ClientHash(this.link, this.keys, this.workerId, ++this.#incarnation, this.lease);
      for (const records of chunksOf(host.records(), BATCH)) await this.#add(hash, records);
      // Creates the hash even when there are no clients.
      await this.#add(hash, []);
      this.#hash = hash;
    } catch (error) {
      this.#startAnew();
      throw error;
    }
    this.written();
    await previous?.delete();
  }

  async #add(hash: ClientHash, records: readonly ClientRecord[]): Promise<void> {
    const isOurs = await hash.commit({ seq: hash.seq + 1, hint: '', gone: [], fields: fieldsOf(records) });
    if (!isOurs) throw new Error('Redis has lost what was written a moment ago.');
  }

  #nextBatch(host: RegistryHost, hash: ClientHash): Batch {
    const changes = this.#waiting.splice(0, BATCH);
    if (changes.length === 0) return { seq: hash.seq, hint: '', gone: [], fields: [] };
    const gone: string[] = [];
    const records: ClientRecord[] = [];
    for (const clientId of new Set(changes.map((change) => change.clientId))) {
      const record = host.record(clientId);
      if (record) records.push(record);
      else gone.push(clientId);
    }
    return this.#batchOf(hash, changes, gone, records);
  }

  #batchOf(hash: ClientHash, changes: WaitingChange[], gone: string[], records: ClientRecord[]): Batch {
    const [incarnation, seq] = [hash.incarnation, hash.seq + 1];
    const texts = changes.map(({ text }) => text);
    const hint = writeChanges(this.workerId, { incarnation, seq }, texts);
    return { seq, hint, gone, fields: fieldsOf(records) };
  }

  #startAnew(): void {
    this.#isOutdated = true;
    this.#waiting = [];
    this.#batch = null;
  }
}

function toText(change: ClientChange): WaitingChange {
  return { clientId: clientIdOf(change), text: JSON.stringify(change) };
}

function fieldsOf(records: readonly ClientRecord[]): string[] {
  return records.flatMap((record) => [record.clientId, JSON.stringify(record)]);
}
