import { randomUUID } from 'node:crypto';
import { eventually } from '../../lib/testing/eventually.js';
import { RegistryKeys } from '../../lib/cluster/registry/registry-keys.js';
import type { RedisServer } from './redis-server.js';
import { RegistryWorker, type RegistryWorkerOptions } from './registry-worker.js';
import { until } from './until.js';

type Workers<Names extends readonly string[]> = { [Name in keyof Names]: RegistryWorker };

/** The workers of one test: their prefix is no other test's. */
export class RegistryCluster {
  readonly prefix = randomUUID().slice(0, 8);
  readonly #workers: RegistryWorker[] = [];

  /** @param options of every worker */
  constructor(
    private readonly server: RedisServer,
    private readonly options: Partial<RegistryWorkerOptions> = {},
  ) {}

  /** A worker that has only begun to start. */
  begin(name: string, options: Partial<RegistryWorkerOptions> = {}): RegistryWorker {
    const { prefix } = this;
    const worker = new RegistryWorker({ redis: this.server.url, prefix, name, ...this.options, ...options });
    this.#workers.push(worker);
    return worker;
  }

  /** Workers that know each other, and those that were started before. */
  async start<const Names extends readonly string[]>(
    names: Names,
    options: Partial<RegistryWorkerOptions> = {},
  ): Promise<Workers<Names>> {
    const workers = names.map((name) => this.begin(name, options));
    await Promise.all(workers.map((worker) => worker.started()));
    await until('the workers know each other', () => this.#workers.every((worker) => this.#knowsAll(worker)));
    return workers as Workers<Names>;
  }

  /** The names of the keys in Redis that hold clients of a worker. */
  keysOf(name: string): Promise<string[]> {
    return this.server.command('KEYS', `${this.prefix}:{${name}.*`);
  }

  /** Resolves once Redis holds nothing of a worker. */
  async forgets(name: string): Promise<void> {
    const { leases } = new RegistryKeys(this.prefix);
    await eventually('its clients are gone', async () => (await this.keysOf(name)).length === 0);
    const isOfIt = (field: string): boolean => field === `worker:${name}` || field.startsWith('dead:');
    await eventually('its lease is gone', async () => {
      return !(await this.server.command<string[]>('HKEYS', leases)).some(isOfIt);
    });
  }

  /** Ends all workers. @returns what does not follow from what they were told before */
  async end(): Promise<string[]> {
    await Promise.all(this.#workers.map((worker) => worker.stop()));
    return this.#workers.flatMap(({ name, faults }) => faults.map((fault) => `${name}: ${fault}`));
  }

  /** Of the others, the views of their clients included: what happens from now on is told one by one. */
  #knowsAll(worker: RegistryWorker): boolean {
    const { counts } = worker.registry;
    if (worker.isMirroring && counts.snapshots < this.#workers.length - 1) return false;
    return this.#workers.every((other) => other === worker || worker.registry.workers.has(other.name));
  }
}
