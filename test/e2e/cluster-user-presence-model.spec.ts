import { describe, expect, it } from '@jest/globals';
import { RedisUserPresence, type UserNews } from '../../lib/cluster/users/redis.user-presence.js';
import { Runtime } from '../../lib/runtime/runtime.js';
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
const USERS = Array.from({ length: 20 }, (_, n) => `user ${n}`);

/** A worker with its network, and the sessions of each user on it. */
interface Place {
  readonly proxy: TcpProxy;
  readonly worker: RegistryWorker;
  readonly presence: RedisUserPresence;
  readonly sessions: Map<string, number>;
}

/** What happens to the users of a cluster, by chance, and what a worker hears of it whose network has no faults. */
class Story {
  /** Of each user. */
  readonly news = new Map<string, UserNews['event'][]>(USERS.map((userId) => [userId, []]));
  readonly #cluster: RegistryCluster;
  readonly #places: Place[] = [];
  #started = 0;

  constructor(
    private readonly random: SeededRandom,
    private readonly server: RedisServer,
  ) {
    this.#cluster = new RegistryCluster(server, { lease: LEASE });
  }

  async begin(): Promise<void> {
    const [witness] = await this.#start('witness', this.server.port, ({ event, userId }) => {
      this.news.get(userId)!.push(event);
    });
    expect(witness.isStarted).toBe(true);
    for (let n = 0; n < 3; n++) await this.#add();
  }

  async step(): Promise<void> {
    const { random } = this;
    const place = random.pick(this.#places);
    if (random.chance(0.01)) await this.#fault(place);
    else this.#change(place);
    for (let turns = random.below(4); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
    if (random.chance(0.01)) await new Promise((resolve) => setTimeout(resolve, random.below(LEASE / 4)));
  }

  /** Resolves once the last news of each user tells how things are. */
  async settle(): Promise<void> {
    for (const { proxy } of this.#places) proxy.heal();
    const isHere = (userId: string): boolean => this.#places.some(({ sessions }) => (sessions.get(userId) ?? 0) > 0);
    const isTrue = (userId: string): boolean => (this.news.get(userId)!.at(-1) === 'userConnected') === isHere(userId);
    await eventually('the news are true', () => USERS.every(isTrue), 60_000);
  }

  async end(): Promise<void> {
    await this.#cluster.end();
    await Promise.all(this.#places.map(({ proxy }) => proxy.close()));
  }

  async #add(): Promise<void> {
    const proxy = await TcpProxy.before(this.server.port);
    const [worker, presence] = await this.#start(`w${++this.#started}`, proxy.port, () => {});
    this.#places.push({ proxy, worker, presence, sessions: new Map() });
  }

  async #start(
    name: string,
    port: number,
    tell: (news: UserNews) => void,
  ): Promise<[worker: RegistryWorker, presence: RedisUserPresence]> {
    const presences: RedisUserPresence[] = [];
    const worker = this.#cluster.begin(name, {
      redis: `redis://127.0.0.1:${port}`,
      data: (link, workerId) => {
        const options = { prefix: this.#cluster.prefix, workerId, lease: LEASE };
        const users = new RedisUserPresence(link, tell, options, new Runtime());
        presences.push(users);
        return [users.data];
      },
    });
    const [presence] = presences as [RedisUserPresence];
    worker.hear = (channel, payload): void => {
      if (channel === presence.channel) presence.receive(payload);
    };
    await worker.started();
    return [worker, presence];
  }

  #change({ presence, sessions }: Place): void {
    const userId = this.random.pick(USERS);
    const before = sessions.get(userId) ?? 0;
    if (before === 0 || this.random.chance(0.3)) {
      sessions.set(userId, before + 1);
      presence.opened(userId);
    } else {
      sessions.set(userId, before - 1);
      presence.closed(userId);
    }
  }

  async #fault({ proxy, worker }: Place): Promise<void> {
    const { random } = this;
    switch (random.below(6)) {
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
        await this.#add();
        break;
      case 4:
        await this.#remove(worker, () => worker.kill());
        break;
      default:
        await this.#remove(worker, () => worker.stop());
    }
  }

  async #remove(worker: RegistryWorker, end: () => Promise<void>): Promise<void> {
    if (this.#places.length < 2) return;
    const at = this.#places.findIndex((place) => place.worker === worker);
    const [{ proxy }] = this.#places.splice(at, 1) as [Place];
    await end();
    await proxy.close();
  }
}

describe('Whatever happens to the workers of a cluster', () => {
  it.concurrent.each(SEEDS)(
    'users are said to come and to go in turn, and to be where they are (seed %i)',
    async (seed) => {
      const server = await RedisServer.start();
      const story = new Story(new SeededRandom(seed), server);
      try {
        await story.begin();
        for (let step = 0; step < STEPS; step++) await story.step();
        await story.settle();
      } finally {
        await story.end();
        await server.stop();
      }
      for (const events of story.news.values()) {
        expect(events).toEqual(events.map((_, at) => (at % 2 === 0 ? 'userConnected' : 'userDisconnected')));
      }
    },
    120_000,
  );
});
