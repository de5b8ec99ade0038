import type { RedisLink } from '../../redis/link/redis-link.js';
import { chunksOf } from '../../runtime/chunks.js';
import { endOf, LOST } from './client-changes.js';
import type { ClientRecord } from './client-record.js';
import { writeHint } from './hint.js';
import type { LeasedData } from '../leases/leased-data.interface.js';
import { BATCH } from './own-records.js';
import type { RecordReader } from './record-reader.js';
import type { RegistryKeys } from './registry-keys.js';
import type { LeaseReading, WorkerLeases } from '../leases/worker-leases.js';

type Incarnation = Pick<LeaseReading['dead'][number], 'workerId' | 'incarnation'>;

/** What the registry lets {@link DeadWorkers} use. */
export interface DeadWorkersServices {
  readonly link: RedisLink;
  readonly keys: RegistryKeys;
  readonly leases: WorkerLeases;
  readonly reader: RecordReader;
  readonly data: readonly LeasedData[];
}

/**
 * Finds workers dead, and sees to what they have left in Redis. Whoever takes a lease does it; where that one dies too,
 * another takes over. A worker whose lease was taken comes back as a new incarnation, which nothing of this touches.
 */
export class DeadWorkers {
  /** Those that we see to. */
  readonly #underWay = new Set<string>();

  constructor(private readonly services: DeadWorkersServices) {}

  /**
   * Takes the leases that are over, and the remains that nobody has finished with.
   *
   * @param tells whether there are workers that do not know by themselves which clients are gone
   */
  judge({ others, dead }: LeaseReading, tells: boolean): void {
    const { leases } = this.services;
    for (const lease of others) if (lease.isExpired) void this.#seeTo(lease, () => leases.take(lease), tells);
    for (const remains of dead) if (remains.isOverdue) void this.#seeTo(remains, () => leases.takeOver(remains), tells);
  }

  async #seeTo(whose: Incarnation, take: () => Promise<boolean>, tells: boolean): Promise<void> {
    const name = `${whose.workerId}.${whose.incarnation}`;
    if (this.#underWay.has(name)) return;
    this.#underWay.add(name);
    try {
      if (await take()) await this.#clearAway(whose, tells);
    } catch {
      // It is overdue before long, and taken over.
    } finally {
      this.#underWay.delete(name);
    }
  }

  async #clearAway({ workerId, incarnation }: Incarnation, tells: boolean): Promise<void> {
    const { link, keys, leases, data } = this.services;
    if (tells) await this.#tellOfEnds({ workerId, incarnation });
    await link.run((redis) => redis.unlink(keys.clients(workerId, incarnation)));
    for (const one of data) await one.remove(workerId, incarnation);
    await leases.forget(workerId, incarnation);
  }

  async #tellOfEnds({ workerId, incarnation }: Incarnation): Promise<void> {
    const { link, keys, reader } = this.services;
    const records = new Map<string, ClientRecord>();
    await reader.read(workerId, incarnation, (record) => records.set(record.clientId, record));
    for (const some of chunksOf(records.values(), BATCH)) {
      const changes = some.flatMap((record) => endOf(record, LOST));
      await link.publish(keys.hints, writeHint({ kind: 'dead', workerId, incarnation, seq: 0, changes }));
    }
  }
}
