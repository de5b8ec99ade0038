import { describe, expect, it } from '@jest/globals';
import { isSoak } from '../support/cluster-periods.js';
import { eventually } from '../../lib/testing/eventually.js';
import { RedisServer } from '../support/redis-server.js';
import { RegistryCluster } from '../support/registry-cluster.js';
import type { RegistryWorker } from '../support/registry-worker.js';
import { SeededRandom } from '../support/seeded-random.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const SEEDS = Array.from({ length: isSoak ? 100 : 3 }, (_, seed) => seed + 1);
const STEPS = 2_000;
const LEASE = 800;
const ROOMS = ['lobby', 'chess', 'go', '__proto__'];
/** Those with presence. */
const SHOWN = ['chess', '__proto__'];

/** A worker with a network of its own. */
interface Place {
  readonly worker: RegistryWorker;
  readonly proxy: TcpProxy;
}

/** What happens to a cluster, by chance. */
class Story {
  readonly #cluster: RegistryCluster;
  readonly #places: Place[] = [];
  #started = 0;
  #time = 0;

  constructor(
    private readonly random: SeededRandom,
    private readonly server: RedisServer,
  ) {
    this.#cluster = new RegistryCluster(server, { lease: LEASE, grace: 2 * LEASE });
  }

  get workers(): RegistryWorker[] {
    return this.#places.map(({ worker }) => worker);
  }

  async add(): Promise<void> {
    const proxy = await TcpProxy.before(this.server.port);
    const worker = this.#cluster.begin(`w${++this.#started}`, { redis: `redis://127.0.0.1:${proxy.port}` });
    worker.loses = (): boolean => this.random.chance(0.05);
    this.#places.push({ worker, proxy });
  }

  async step(): Promise<void> {
    const { random } = this;
    const { worker, proxy } = random.pick(this.#places);
    if (random.chance(0.01)) await this.#fault(worker, proxy);
    else this.#change(worker);
    // Some changes share a batch, others have one of their own.
    for (let turns = random.below(4); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
    if (random.chance(0.01)) await new Promise((resolve) => setTimeout(resolve, random.below(LEASE / 4)));
  }

  /** Nothing fails any more; resolves once all know each other. */
  async settle(): Promise<void> {
    for (const { worker, proxy } of this.#places) {
      proxy.heal();
      worker.loses = (): boolean => false;
    }
    const { workers } = this;
    const areEqual = (): boolean => workers.every((worker) => knowsExactly(worker, workers));
    await eventually('all views are equal', areEqual, 20_000);
  }

  async end(): Promise<string[]> {
    const faults = await this.#cluster.end();
    await Promise.all(this.#places.map(({ proxy }) => proxy.close()));
    return faults;
  }

  #change(worker: RegistryWorker): void {
    const { random } = this;
    const clients = [...worker.clients.values()];
    if (clients.length < 3 || random.chance(0.2)) {
      worker.connect();
      return;
    }
    const { clientId, user, rooms } = random.pick(clients);
    const roomName = random.pick(ROOMS);
    if (random.chance(0.2)) worker.disconnect(clientId);
    else if (random.chance(0.2)) {
      // Of a user that is known, the type changes.
      const { userId, payload } = user ?? { userId: `user ${random.below(5)}`, payload: {} };
      worker.identify(clientId, { userId, userType: random.pick([undefined, 'guest', 'member']), payload });
    } else if (random.chance(0.2)) worker.update(clientId, random.pick(['a', 'b']), random.below(100));
    else if (rooms.some((room) => room.roomName === roomName)) this.#changeMembership(worker, clientId, roomName);
    else worker.join(clientId, roomName, SHOWN.includes(roomName) ? { joinedAt: ++this.#time } : undefined);
  }

  #changeMembership(worker: RegistryWorker, clientId: string, roomName: string): void {
    const { random } = this;
    const { presence } = worker.membership(clientId, roomName) ?? {};
    if (!presence || random.chance(0.3)) worker.leave(clientId, roomName);
    else if (random.chance(0.6)) worker.setState(clientId, roomName, random.pick([null, 'away', 'here']), ++this.#time);
    else {
      const profile = { title: random.below(3) };
      worker.describe(clientId, roomName, { presence: { ...presence, profile, describedAt: ++this.#time } });
    }
  }

  async #fault(worker: RegistryWorker, proxy: TcpProxy): Promise<void> {
    const { random } = this;
    switch (random.below(8)) {
      case 0:
        proxy.reset();
        break;
      case 1:
        proxy.blackHole();
        setTimeout(() => proxy.heal(), random.below(2 * LEASE));
        break;
      case 2:
        proxy.replies = 'drop';
        setTimeout(() => proxy.heal(), random.below(LEASE));
        break;
      case 3:
        await this.server.kill();
        // With its data, or without.
        if (random.chance(0.5)) await this.server.forget();
        await this.server.run();
        break;
      case 4:
      case 5:
        await this.add();
        break;
      case 6:
        if (this.#places.length > 2) await this.#remove(worker, () => worker.kill());
        break;
      default:
        if (this.#places.length > 2) await this.#remove(worker, () => worker.stop());
    }
  }

  async #remove(worker: RegistryWorker, end: () => Promise<void>): Promise<void> {
    const at = this.#places.findIndex((place) => place.worker === worker);
    const [{ proxy }] = this.#places.splice(at, 1) as [Place];
    await end();
    await proxy.close();
  }
}

/** Whether a worker knows of all others what they know of themselves, and of nobody else. */
function knowsExactly(worker: RegistryWorker, all: readonly RegistryWorker[]): boolean {
  const others = all.filter((other) => other !== worker);
  const { registry, view } = worker;
  const isAlive = (name: string): boolean => others.some((other) => other.name === name);
  return registry.isReady && [...view.keys()].every(isAlive) && others.every((other) => worker.knows(other));
}

describe('Whatever happens to a cluster', () => {
  it.concurrent.each(SEEDS)(
    'all views are equal in the end, and every end is told once, after its beginning (seed %i)',
    async (seed) => {
      const random = new SeededRandom(seed);
      const server = await RedisServer.start();
      const story = new Story(random, server);
      let faults: string[];
      try {
        for (let n = 0; n < 4; n++) await story.add();
        await story.settle();
        for (let step = 0; step < STEPS; step++) await story.step();
        await story.settle();
      } finally {
        faults = await story.end();
        await server.stop();
      }
      expect(faults).toEqual([]);
    },
    60_000,
  );
});
