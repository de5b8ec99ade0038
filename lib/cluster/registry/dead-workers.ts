import type { RedisLink } from '../../redis/link/redis-link.js';
import { chunksOf } from '../../runtime/chunks.js';
import type { AbsentClients } from '../presence/absent-clients.js';
import { absentOf } from '../presence/absent-record.js';
import { endOf, LOST } from './client-changes.js';
import type { ClientRecord } from './client-record.js';
import type { RegistryHost } from './cluster-registry.interface.js';
import { writeHint } from './hint.js';
import type { LeasedData } from '../leases/leased-data.interface.js';
import { BATCH } from './own-records.js';
import type { RecordReader } from './record-reader.js';
import type { RegistryKeys } from './registry-keys.js';
import type { LeaseReading, WorkerLeases } from '../leases/worker-leases.js';

interface DeadWorker extends Pick<LeaseReading['dead'][number], 'workerId' | 'incarnation'> {
  /** Until when it has lived, as far as is known, in ms since 1970 by Redis' clock. */
  readonly at: number;
}

/** The parts of the registry that {@link DeadWorkers} uses. */
export interface DeadWorkersServices {
  readonly link: RedisLink;
  readonly keys: RegistryKeys;
  readonly leases: WorkerLeases;
  readonly reader: RecordReader;
  readonly absent: AbsentClients;
  readonly data: readonly LeasedData[];
}

/**
 * Declares workers dead whose leases have expired, and removes their data from Redis. The worker that takes the lease does
 * it; when that one dies as well, another takes over. A worker that was declared dead by mistake comes back as a new
 * incarnation with data of its own.
 */
export class DeadWorkers {
  /** The incarnations whose data is being removed by this worker. */
  readonly #underWay = new Set<string>();

  constructor(private readonly services: DeadWorkersServices) {}

  /**
   * Takes the expired leases and the overdue removals.
   *
   * @param hasBlindWorkers whether some workers keep no mirror, so that they have to be told which clients are gone
   */
  judge({ others, dead }: LeaseReading, host: RegistryHost, hasBlindWorkers: boolean): void {
    const { leases } = this.services;
    const remove = (whose: DeadWorker): Promise<void> => this.#removeData(whose, host, hasBlindWorkers);
    for (const lease of others) {
      const { workerId, incarnation, ends: at, isExpired } = lease;
      if (isExpired) void this.#takeAndRemove({ workerId, incarnation, at }, () => leases.take(lease), remove);
    }
    for (const remains of dead) {
      const { workerId, incarnation, since: at, isOverdue } = remains;
      const take = (): Promise<boolean> => leases.takeOver(remains);
      if (isOverdue) void this.#takeAndRemove({ workerId, incarnation, at }, take, remove);
    }
  }

  async #takeAndRemove(
    whose: DeadWorker,
    take: () => Promise<boolean>,
    remove: (whose: DeadWorker) => Promise<void>,
  ): Promise<void> {
    const name = `${whose.workerId}.${whose.incarnation}`;
    if (this.#underWay.has(name)) return;
    this.#underWay.add(name);
    try {
      if (await take()) await remove(whose);
    } catch {
      // Once it is overdue, it is taken over.
    } finally {
      this.#underWay.delete(name);
    }
  }

  async #removeData(
    { workerId, incarnation, at }: DeadWorker,
    host: RegistryHost,
    hasBlindWorkers: boolean,
  ): Promise<void> {
    const { link, keys, leases, reader, absent, data } = this.services;
    if (hasBlindWorkers || host.hasPresence) {
      const records = await reader.readAll(workerId, incarnation);
      if (host.hasPresence) await absent.write(records.flatMap((record) => absentOf(record, staying(host)) ?? []));
      if (hasBlindWorkers) await this.#announceEnds(workerId, incarnation, records);
    }
    await link.run((redis) => redis.unlink(keys.clients(workerId, incarnation)));
    for (const one of data) await one.remove(workerId, incarnation, at);
    await leases.forget(workerId, incarnation);
  }

  async #announceEnds(workerId: string, incarnation: number, records: readonly ClientRecord[]): Promise<void> {
    const { link, keys } = this.services;
    for (const some of chunksOf(records, BATCH)) {
      // Workers without a mirror have no presence.
      const changes = some.flatMap((record) => endOf(record, LOST, () => undefined));
      await link.publish(keys.hints, writeHint({ kind: 'dead', workerId, incarnation, seq: 0, changes }));
    }
  }
}

function staying(host: RegistryHost): (roomName: string) => number | undefined {
  return (roomName) => host.stays(roomName, 0);
}
