import { describe, expect, it } from '@jest/globals';
import { RedisSubjects } from '../../lib/cluster/subjects/redis.subjects.js';
import type { SubjectsHost } from '../../lib/cluster/subjects/subjects.interface.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { eventually } from '../../lib/testing/eventually.js';
import { isSoak } from '../support/cluster-periods.js';
import { RedisServer } from '../support/redis-server.js';
import { RegistryCluster } from '../support/registry-cluster.js';
import type { RegistryWorker } from '../support/registry-worker.js';
import { SeededRandom } from '../support/seeded-random.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const SEEDS = Array.from({ length: isSoak ? 100 : 3 }, (_, seed) => seed + 1);
const STEPS = 1_500;
const LEASE = 800;
const GRACE = 400;
const SUBJECTS = Array.from({ length: 12 }, (_, n) => `member ${n}`);

/** A worker with its network, and how often it has each subject. */
interface Place {
  readonly proxy: TcpProxy;
  readonly worker: RegistryWorker;
  readonly subjects: RedisSubjects<null>;
  readonly times: Map<string, number>;
}

/** Subjects that outlast their worker for a grace, in a cluster in which anything may happen. */
class Story {
  /** What a worker was told whose network has no faults: of each subject whether it began, in order. */
  readonly news = new Map<string, boolean[]>(SUBJECTS.map((name) => [name, []]));
  readonly cluster: RegistryCluster;
  readonly places: Place[] = [];
  #started = 0;

  constructor(private readonly server: RedisServer) {
    this.cluster = new RegistryCluster(server, { lease: LEASE });
  }

  async begin(workers: number): Promise<void> {
    await this.#start('witness', this.server.port, (name, begins) => this.news.get(name)?.push(begins));
    for (let n = 0; n < workers; n++) await this.add();
  }

  async add(): Promise<Place> {
    const proxy = await TcpProxy.before(this.server.port);
    const [worker, subjects] = await this.#start(`w${++this.#started}`, proxy.port, () => {});
    const place = { proxy, worker, subjects, times: new Map<string, number>() };
    this.places.push(place);
    return place;
  }

  async remove(place: Place, end: 'kill' | 'stop'): Promise<void> {
    this.places.splice(this.places.indexOf(place), 1);
    await place.worker[end]();
    await place.proxy.close();
  }

  open({ subjects, times }: Place, name: string): void {
    times.set(name, (times.get(name) ?? 0) + 1);
    subjects.open(name);
  }

  close({ subjects, times }: Place, name: string, until?: number): void {
    times.set(name, (times.get(name) ?? 0) - 1);
    subjects.close(name, { note: null, until });
  }

  /** What Redis has of a subject. */
  async entriesOf(name: string): Promise<string[]> {
    const script = `local found = {}
    for _, key in ipairs(redis.call('KEYS', ARGV[1])) do found[#found + 1] = redis.call('HGET', key, ARGV[2]) or nil end
    return found`;
    return this.server.command('EVAL', script, 0, `${this.cluster.prefix}:{members.*:present`, name);
  }

  /** Resolves once the last news of each subject tells how things are. */
  async settle(): Promise<void> {
    for (const { proxy } of this.places) proxy.heal();
    const isHere = (name: string): boolean => this.places.some(({ times }) => (times.get(name) ?? 0) > 0);
    const isTrue = (name: string): boolean => (this.news.get(name)?.at(-1) ?? false) === isHere(name);
    await eventually('the news are true', () => SUBJECTS.every(isTrue), 60_000);
  }

  async end(): Promise<void> {
    await this.cluster.end();
    await Promise.all(this.places.map(({ proxy }) => proxy.close()));
  }

  async #start(
    name: string,
    port: number,
    tell: (name: string, begins: boolean) => void,
  ): Promise<[worker: RegistryWorker, subjects: RedisSubjects<null>]> {
    const started: RedisSubjects<null>[] = [];
    const { prefix } = this.cluster;
    const worker = this.cluster.begin(name, {
      redis: `redis://127.0.0.1:${port}`,
      data: (link, workerId) => {
        const host: SubjectsHost<null> = {
          channel: `${prefix}:members`,
          groupOf: (subject) => subject,
          news: (subject, begins) => JSON.stringify([subject, begins]),
          inherits: (_subject, until) => ({ note: null, until: until ?? link.redisNow() + GRACE }),
          outlasts: () => GRACE,
        };
        const options = { prefix, workerId, lease: LEASE, bucket: ['members', 'present'], use: 'a test' } as const;
        started.push(new RedisSubjects(link, host, options, new Runtime()));
        return started;
      },
    });
    worker.hear = (channel, payload): void => {
      if (channel === `${prefix}:members`) tell(...(JSON.parse(payload.toString()) as [string, boolean]));
    };
    await worker.started();
    return [worker, started[0]!];
  }
}

async function inStory(workers: number, tell: (story: Story) => Promise<void>): Promise<void> {
  const server = await RedisServer.start();
  const story = new Story(server);
  try {
    await story.begin(workers);
    await tell(story);
  } finally {
    await story.end();
    await server.stop();
  }
}

async function step(story: Story, random: SeededRandom): Promise<void> {
  const place = random.pick(story.places);
  const name = random.pick(SUBJECTS);
  if (random.chance(0.01)) await fault(story, place, random);
  else if ((place.times.get(name) ?? 0) === 0) story.open(place, name);
  else if (random.chance(0.5)) story.close(place, name);
  else {
    // It comes to another worker, or back to the same one, which then is the first to know.
    const other = random.pick(story.places);
    story.open(other, name);
    story.close(place, name, place.worker.link.redisNow() + GRACE);
  }
  for (let turns = random.below(4); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
  if (random.chance(0.01)) await new Promise((resolve) => setTimeout(resolve, random.below(LEASE / 4)));
}

async function fault(story: Story, place: Place, random: SeededRandom): Promise<void> {
  const { proxy } = place;
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
      await story.add();
      break;
    default:
      if (story.places.length > 1) await story.remove(place, random.pick(['kill', 'stop']));
  }
}

describe('Whatever happens to the workers of a cluster', () => {
  it.concurrent.each(SEEDS)(
    'subjects are said to begin and to end in turn, and to be where they are (seed %i)',
    (seed) =>
      inStory(3, async (story) => {
        const random = new SeededRandom(seed);
        for (let at = 0; at < STEPS; at++) await step(story, random);
        await story.settle();
        for (const news of story.news.values()) expect(news).toEqual(news.map((_, at) => at % 2 === 0));
      }),
    120_000,
  );

  it.concurrent(
    'a subject that comes to another worker is left to it once Redis has that, and not before',
    () =>
      inStory(2, async (story) => {
        const [first, other] = story.places as [Place, Place];
        const newsOf = (name: string): boolean[] => story.news.get(name) ?? [];
        const [name = '', later = ''] = SUBJECTS;
        story.open(first, name);
        await eventually('it is there', () => newsOf(name).length === 1);
        other.proxy.blackHole();
        story.open(other, name);
        story.close(first, name, first.worker.link.redisNow() + 60_000);
        story.open(first, later);
        await eventually('what comes later is there', () => newsOf(later).length === 1);
        other.proxy.heal();
        const isLeft = async (): Promise<boolean> =>
          (await story.entriesOf(name)).every((entries) => /^w2\.\d+ $/.test(entries));
        await eventually('the other one has it alone', isLeft);
        story.close(other, name);
        await eventually('it has gone', () => newsOf(name).length > 1);
        expect(newsOf(name)).toEqual([true, false]);
      }),
    120_000,
  );
});
