import { describe, expect, it } from '@jest/globals';
import { bucketKey, bucketOf } from '../../lib/cluster/subjects/buckets.js';
import { RedisUserPresence, type UserNews } from '../../lib/cluster/users/redis.user-presence.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { LEASE } from '../support/cluster-periods.js';
import { eventually } from '../../lib/testing/eventually.js';
import { RedisServer } from '../support/redis-server.js';
import { RegistryCluster } from '../support/registry-cluster.js';
import type { RegistryWorker } from '../support/registry-worker.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const PATIENCE = 15_000 + 10 * LEASE;

/** A worker's registry and its users. */
interface Worker {
  readonly registry: RegistryWorker;
  readonly users: RedisUserPresence;
  readonly told: string[];
}

function leasesPass(leases: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, leases * LEASE));
}

/** The workers of one test, and their Redis. */
class Place {
  #told: string[] | null = null;

  private constructor(
    readonly server: RedisServer,
    readonly cluster: RegistryCluster,
  ) {}

  static async open(): Promise<Place> {
    const server = await RedisServer.start();
    return new Place(server, new RegistryCluster(server, { lease: LEASE }));
  }

  /** What the first worker was told, as `<worker that tells> <event> <user>`. */
  get told(): string[] {
    return this.#told ?? [];
  }

  async start<const Names extends readonly string[]>(
    names: Names,
    redis = this.server.url,
  ): Promise<{ [Name in keyof Names]: Worker }> {
    const workers = new Map<string, Omit<Worker, 'registry'>>();
    const registries = await this.cluster.start(names, {
      redis,
      data: (link, workerId) => {
        const heard: string[] = [];
        const tell = (news: UserNews): void => void heard.push(`${news.workerId} ${news.event} ${news.userId}`);
        const users = new RedisUserPresence(
          link,
          tell,
          { prefix: this.cluster.prefix, workerId, lease: LEASE },
          new Runtime(),
        );
        workers.set(workerId, { users, told: heard });
        return [users.data];
      },
    });
    const started = registries.map((registry): Worker => {
      const worker = workers.get(registry.name)!;
      registry.hear = (channel, payload): void => {
        if (channel === worker.users.channel) worker.users.receive(payload);
      };
      return { registry, ...worker };
    });
    this.#told ??= started[0]!.told;
    return started as { [Name in keyof Names]: Worker };
  }

  /** Resolves once so much was told, and checks that it is this. */
  async expectTold(...expected: string[]): Promise<void> {
    await eventually(`${expected.length} news`, () => this.told.length >= expected.length, PATIENCE);
    expect(this.told).toEqual(expected);
  }

  /** On which workers Redis has a user. */
  async placesOf(userId: string): Promise<string[]> {
    const key = bucketKey(this.cluster.prefix, 'users', bucketOf(userId), 'sessions');
    const places = await this.server.command<string | null>('HGET', key, userId);
    return places?.match(/\w+(?=\.\d+ )/g) ?? [];
  }

  /** How many pairs of a user and a worker Redis has. */
  countPlaces(): Promise<number> {
    const script = `local places = 0
    for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
      for _, value in ipairs(redis.call('HVALS', key)) do places = places + select(2, string.gsub(value, ' ', '')) end
    end
    return places`;
    return this.server.command('EVAL', script, 0, `${this.cluster.prefix}:{users.*:sessions`);
  }

  async close(): Promise<void> {
    await this.cluster.end();
    await this.server.stop();
  }
}

/** A test in a place of its own: most that it does is to wait, so that it runs beside others. */
function story(tell: (place: Place) => Promise<void>): () => Promise<void> {
  return async () => {
    const place = await Place.open();
    try {
      await tell(place);
    } finally {
      await place.close();
    }
  };
}

describe('A user', () => {
  it.concurrent(
    'connects with its first session in the cluster, and disconnects with its last',
    story(async (place) => {
      const [one, two] = await place.start(['one', 'two']);
      one.users.opened('ada');
      await place.expectTold('one userConnected ada');
      one.users.opened('ada');
      two.users.opened('ada');
      await eventually('it is on both', async () => (await place.placesOf('ada')).length === 2);
      one.users.closed('ada');
      one.users.closed('ada');
      await eventually('it is on one', async () => (await place.placesOf('ada')).length === 1);
      two.users.closed('ada');
      await place.expectTold('one userConnected ada', 'two userDisconnected ada');
      await eventually('all hear the same', () => two.told.join() === one.told.join());
      expect(await place.placesOf('ada')).toEqual([]);
    }),
  );

  it.concurrent(
    'connects once, however many workers it comes to in one moment',
    story(async (place) => {
      const workers = await place.start(['one', 'two', 'three']);
      const userIds = Array.from({ length: 1_000 }, (_, n) => `user ${n}`);
      for (const userId of userIds) for (const { users } of workers) users.opened(userId);
      await eventually('all have come', async () => (await place.countPlaces()) === 3 * userIds.length);
      await eventually('all are told', () => place.told.length === userIds.length);
      for (const userId of userIds) for (const { users } of workers) users.closed(userId);
      await eventually('all have gone', async () => (await place.countPlaces()) === 0);
      await eventually('all are told', () => place.told.length === 2 * userIds.length);
      expect(new Set(place.told.map((line) => line.slice(line.indexOf(' ')))).size).toBe(2 * userIds.length);
    }),
  );

  it.concurrent(
    'that comes and goes in one moment is nobody’s news',
    story(async (place) => {
      const [one] = await place.start(['one']);
      one.users.opened('ada');
      one.users.closed('ada');
      one.users.opened('bo');
      await place.expectTold('one userConnected bo');
      expect(await place.placesOf('ada')).toEqual([]);
    }),
  );

  it.concurrent.each(['a b', '*', '{x}', 'CR\r\nLF', '', '__proto__', '😀'])('may be called %j', (userId) =>
    story(async (place) => {
      const [one, two] = await place.start(['one', 'two']);
      one.users.opened(userId);
      await place.expectTold(`one userConnected ${userId}`);
      one.users.closed(userId);
      await place.expectTold(`one userConnected ${userId}`, `one userDisconnected ${userId}`);
      two.users.opened(userId);
      await eventually('it is there', () => place.told.length === 3);
    })(),
  );

  it.concurrent(
    'of a worker that stops disconnects at once',
    story(async (place) => {
      const [one, two] = await place.start(['one', 'two']);
      for (const userId of ['ada', 'bo']) one.users.opened(userId);
      two.users.opened('bo');
      await eventually(
        'they are known',
        async () => (await place.placesOf('bo')).length === 2 && place.told.length === 2,
      );
      await one.registry.registry.stop();
      await eventually('it is told', () => place.told.length === 3);
      expect(place.told.slice(2)).toEqual(['one userDisconnected ada']);
      expect(await place.placesOf('bo')).toEqual(['two']);
    }),
  );

  it.concurrent(
    'of a worker that was killed disconnects once, unless it is elsewhere',
    story(async (place) => {
      const [, two, victim] = await place.start(['one', 'two', 'victim']);
      const userIds = Array.from({ length: 300 }, (_, n) => `user ${n}`);
      for (const userId of userIds) victim.users.opened(userId);
      two.users.opened('user 0');
      await eventually(
        'they are known',
        async () => place.told.length === 300 && (await place.placesOf('user 0')).length === 2,
      );
      place.told.length = 0;
      await victim.registry.kill();
      await eventually('they are gone', () => place.told.length >= 299, PATIENCE);
      await place.cluster.forgets('victim');
      expect(place.told.map((line) => line.split(' ').slice(1).join(' ')).sort()).toEqual(
        userIds
          .slice(1)
          .map((userId) => `userDisconnected ${userId}`)
          .sort(),
      );
      expect(await place.placesOf('user 0')).toEqual(['two']);
    }),
    PATIENCE,
  );
});

describe('When Redis', () => {
  it.concurrent(
    'has lost its data, users are written again without a word, and what happened meanwhile is told',
    story(async (place) => {
      const [one, two] = await place.start(['one', 'two']);
      for (const { users } of [one, two]) users.opened('ada');
      one.users.opened('bo');
      await eventually(
        'they are known',
        async () => place.told.length === 2 && (await place.placesOf('ada')).length === 2,
      );
      place.told.length = 0;
      await place.server.kill();
      await place.server.forget();
      one.users.closed('ada');
      one.users.closed('bo');
      two.users.opened('cleo');
      await place.server.run();
      await eventually('both are told', () => place.told.length >= 2, PATIENCE);
      expect(place.told.sort()).toEqual(['one userDisconnected bo', 'two userConnected cleo']);
      await eventually('ada is on one', async () => (await place.placesOf('ada')).join() === 'two', PATIENCE);
      two.users.closed('ada');
      await eventually('it is gone', () => place.told.at(-1) === 'two userDisconnected ada');
    }),
    PATIENCE,
  );

  it.concurrent(
    'does not answer, each user is told once all the same',
    story(async (place) => {
      const proxy = await TcpProxy.before(place.server.port);
      await place.start(['one']);
      const [cut] = await place.start(['cut'], `redis://127.0.0.1:${proxy.port}`);
      cut.users.opened('ada');
      await place.expectTold('cut userConnected ada');
      proxy.replies = 'hold';
      cut.users.closed('ada');
      cut.users.opened('bo');
      await eventually('both are told', () => place.told.length === 3);
      proxy.reset();
      proxy.heal();
      await eventually('it is back', () => cut.registry.registry.isReady, PATIENCE);
      cut.users.opened('cleo');
      await eventually('it goes on', () => place.told.at(-1) === 'cut userConnected cleo', PATIENCE);
      expect(place.told.slice(1, -1).sort()).toEqual(['cut userConnected bo', 'cut userDisconnected ada']);
      await cut.registry.stop();
      await proxy.close();
    }),
    PATIENCE,
  );

  it.concurrent(
    'was not heard for long, users of a worker that was thought dead connect again',
    story(async (place) => {
      const proxy = await TcpProxy.before(place.server.port);
      await place.start(['one']);
      const [cut] = await place.start(['cut'], `redis://127.0.0.1:${proxy.port}`);
      for (const userId of ['ada', 'bo']) cut.users.opened(userId);
      await eventually('they are known', () => place.told.length === 2);
      proxy.blackHole();
      await eventually('they are gone', () => place.told.length === 4, PATIENCE);
      cut.users.closed('bo');
      proxy.heal();
      await eventually('one is back', () => place.told.length === 5, PATIENCE);
      expect(place.told.slice(2)).toEqual([
        expect.stringMatching(/^one userDisconnected/),
        expect.stringMatching(/^one userDisconnected/),
        'cut userConnected ada',
      ]);
      await leasesPass(0.5);
      expect(place.told).toHaveLength(5);
      await cut.registry.stop();
      await proxy.close();
    }),
    PATIENCE,
  );
});
