import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Queue, Worker } from 'bullmq';
import { WebSocketEmitter } from 'nestjs-pxl-websocket';
import { Audience } from '../support/audience.js';
import { eventually } from '../../lib/testing/eventually.js';
import { TestCluster } from '../support/test-cluster.js';
import type { TestClient } from '../support/test-client.js';
import { isOnWorkers } from '../support/user-workers.js';
import type { WorkerProcess } from '../support/worker-process.js';

let cluster: TestCluster;
let workers: [WorkerProcess, WorkerProcess, WorkerProcess];
let emitter: WebSocketEmitter;

beforeAll(async () => {
  cluster = await TestCluster.start({
    isDirect: true,
    program: 'subscriber-worker',
    options: { timeouts: { subscriber: 500 } },
  });
  workers = cluster.workers as typeof workers;
  emitter = new WebSocketEmitter({ redis: cluster.redis.url });
  await emitter.configure();
});

afterAll(async () => {
  await emitter.shutdown();
  await cluster.close();
});

function publish(worker: WorkerProcess, channel: string, message: unknown): Promise<void> {
  return worker.run(({ service }, given) => service.publish(given.channel, given.message), { channel, message });
}

/** What a worker's handlers have written down, of what begins with `start`. */
async function diaryOf(worker: WorkerProcess, start: string): Promise<string[]> {
  const entries = await worker.run(({ app }) => app.get<string[]>('DIARY'));
  return entries.filter((entry) => entry.startsWith(start));
}

/** Resolves once a worker's handlers have written down so many entries that begin with `start`. */
async function diaryUntil(worker: WorkerProcess, start: string, count: number): Promise<string[]> {
  await eventually(`${count} × ${start}`, async () => (await diaryOf(worker, start)).length >= count);
  return diaryOf(worker, start);
}

/** The same of every worker. */
function diariesUntil(start: string, count: number): Promise<string[][]> {
  return Promise.all(workers.map((worker) => diaryUntil(worker, start, count)));
}

let fences = 0;

/** Resolves once everything that was published before has been handled, everywhere. */
async function settled(): Promise<void> {
  const fence = `fence ${++fences}`;
  for (const worker of workers) await publish(worker, 'stock', fence);
  await diariesUntil(`stock stock "${fence}"`, workers.length);
}

describe('An event', () => {
  it('reaches every worker once, its own included, in the order of its sender', async () => {
    const numbers = Array.from({ length: 20 }, (_, at) => at);
    const send = async (sender: string, one: (message: unknown) => Promise<void>): Promise<void> => {
      for (const number of numbers) await one(`${sender} ${number}`);
    };
    const senders = ['0', '1', '2', 'emitter'];
    await Promise.all([
      ...workers.map((worker, at) => send(String(at), (message) => publish(worker, 'stock', message))),
      send('emitter', (message) => emitter.publish('stock', message)),
    ]);
    for (const heard of await diariesUntil('stock stock', 80)) {
      for (const sender of senders) {
        const of = heard.filter((entry) => entry.startsWith(`stock stock "${sender} `));
        expect(of).toEqual(numbers.map((number) => `stock stock "${sender} ${number}"`));
      }
    }
  });

  it('is handled by priority on each worker, whatever becomes of single handlers', async () => {
    await publish(workers[0], 'order', 7);
    for (const worker of workers) {
      await diaryUntil(worker, 'last order 7', 1);
      const handled = (await worker.run(({ app }) => app.get<string[]>('DIARY'))).filter((entry) =>
        entry.endsWith(' order 7'),
      );
      expect(handled).toEqual(['first order 7', 'last order 7']);
      const errors = worker.log.map(({ line }) => line).filter((line) => line.includes('on channel "order"'));
      expect(errors).toEqual([
        expect.stringContaining('The subscriber failing failed on channel "order". no ink'),
        expect.stringContaining('The subscriber hanging failed on channel "order". It took longer than'),
      ]);
    }
  });

  it.each([
    ['sendMessage', 'sendMessage'],
    ['sendCustomMessage', 'custom'],
  ] as const)('of the verb %s reaches every worker once', async (verb, channel) => {
    await workers[1].run(({ server }, name) => server[name]({ data: { from: name } }), verb);
    const told = `library ${channel} ${JSON.stringify({ from: verb })}`;
    await diariesUntil(told, 1);
    await settled();
    for (const worker of workers) expect(await diaryOf(worker, told)).toHaveLength(1);
  });

  it('runs a handler of one worker on the worker where it arose', async () => {
    for (const [at, worker] of workers.entries()) {
      await publish(worker, 'signup', { at });
      await diaryUntil(worker, `Mailer.mail signup {"at":${at}}`, 1);
    }
    await settled();
    for (const [at, worker] of workers.entries()) {
      expect(await diaryOf(worker, 'Mailer')).toEqual([`Mailer.mail signup {"at":${at}}`]);
    }
  });

  it('of an emitter runs a handler of one worker on the one with the lowest id', async () => {
    const first = [...workers].sort((a, b) => (a.workerId < b.workerId ? -1 : 1))[0]!;
    await emitter.publish('signup', 'by an emitter');
    await diaryUntil(first, 'Mailer.mail signup "by', 1);
    await settled();
    const runs = await Promise.all(workers.map((worker) => diaryOf(worker, 'Mailer.mail signup "by')));
    expect(runs.flat()).toHaveLength(1);
  });
});

describe("A client's life on one worker is told to the subscribers of all:", () => {
  it('it connects, joins, leaves, changes, and goes', async () => {
    const [, worker] = workers;
    const client = await worker.client({ userId: '41' });
    const { clientId } = client;
    await worker.run(async ({ server, clients }, id) => {
      await server.joinRoom({ clientId: id, roomName: 'tea' });
      clients.updateClient({ clientId: id, key: 'theme', data: 'dark' });
      server.leaveRoom({ clientId: id, roomName: 'tea' });
    }, clientId);
    await client.close(4000);
    const about = { clientId, workerId: worker.workerId };
    const told = async (observer: WorkerProcess): Promise<unknown[]> => {
      const entries = (await diaryOf(observer, 'library client')).filter((entry) => entry.includes(clientId));
      return entries.map((entry) => {
        const [, channel, ...message] = entry.split(' ');
        return [channel, JSON.parse(message.join(' ')) as unknown];
      });
    };
    for (const observer of workers) {
      await eventually('the end is told', async () => (await told(observer)).length >= 5);
      expect(await told(observer)).toEqual([
        ['clientConnected', { ...about, userId: '41', connectedAt: expect.any(Number) }],
        ['clientJoinedRoom', { ...about, userId: '41', roomName: 'tea' }],
        ['clientUpdated', { ...about, key: 'theme', data: 'dark' }],
        ['clientLeftRoom', { ...about, userId: '41', roomName: 'tea' }],
        ['clientDisconnected', { ...about, userId: '41', code: 4000, reason: '' }],
      ]);
    }
  });

  it("a user's first session, and the end of the last, once in the cluster", async () => {
    const told = async (): Promise<string[][]> => Promise.all(workers.map((worker) => diaryOf(worker, 'library user')));
    const of = (entries: string[]): string[] => entries.filter((entry) => entry.endsWith('{"userId":"42"}'));
    const untilTold = (count: number): Promise<number> =>
      eventually(`${count} events of the user`, async () =>
        (await told()).every((entries) => of(entries).length >= count),
      );
    const first = await workers[0].client({ userId: '42' });
    await untilTold(1);
    const second = await workers[1].client({ userId: '42' });
    await isOnWorkers(cluster.redis, '42', 2);
    await first.close();
    await second.close();
    await untilTold(2);
    await settled();
    const once = ['library userConnected {"userId":"42"}', 'library userDisconnected {"userId":"42"}'];
    expect((await told()).map(of)).toEqual([once, once, once]);
  });
});

describe('Clients of three workers', () => {
  const news = { type: 'news', action: 'flash', data: { text: 'hello' } };
  const clients = new Map<string, TestClient>();
  let audience: Audience;

  /** On each worker: ada, a member of tea; bob; nobody, anonymous. */
  beforeAll(async () => {
    for (const [at, worker] of workers.entries()) {
      const ada = await worker.client({ userId: 'ada' });
      await worker.run(({ server }, clientId) => server.joinRoom({ clientId, roomName: 'tea' }), ada.clientId);
      clients.set(`ada${at}`, ada);
      clients.set(`bob${at}`, await worker.client({ userId: 'bob' }));
      clients.set(`nobody${at}`, await worker.client());
    }
    const knowsAll = (worker: WorkerProcess): Promise<boolean> =>
      worker.run(({ clients: known, rooms }) => {
        return known.getClients().length === 9 && rooms.getRoomClients({ roomName: 'tea' }).length === 3;
      });
    for (const worker of workers) await eventually('a worker knows all clients', () => knowsAll(worker));
    audience = new Audience(clients);
  });

  afterAll(() => audience.close());

  const everywhere = (...names: string[]): string[] => names.flatMap((name) => [`${name}0`, `${name}1`, `${name}2`]);
  const all = everywhere('ada', 'bob', 'nobody');

  it('get what an everyWorker subscriber broadcasts once each', async () => {
    const data = { type: 'custom', action: 'userStatusChanged', userId: 123, status: 'online' };
    await workers[2].run(({ server }, given) => server.sendCustomMessage({ data: given }), data);
    const told = `library custom ${JSON.stringify(data)}`;
    await diariesUntil(told, 1);
    await settled();
    const update = { type: 'status', action: 'update', data: { userId: 123, status: 'online' } };
    await audience.expectReached(workers[2], all, update);
  });

  // PXL's example of a controller, in a subscriber: it finds the player, then the members of the player's room.
  it('get what an everyWorker subscriber sends to the members of a room once each, wherever the player is', async () => {
    const [playerId] = audience.ids('ada2');
    await publish(workers[1], 'game', { clientId: playerId, move: 'e4' });
    await settled();
    const made = { type: 'game', action: 'moveMade', data: { playerId, move: 'e4' } };
    await audience.expectReached(workers[1], everywhere('ada'), made);
  });

  it('are all seen by an everyWorker subscriber, which acts on those of its own worker; by a oneWorker one on all', async () => {
    await publish(workers[0], 'invite', 'lobby');
    await diaryUntil(workers[0], 'one invites into lobby', 1);
    await settled();
    const invitations = await Promise.all(workers.map((worker) => diaryOf(worker, '')));
    expect(invitations.map((diary) => diary.filter((entry) => entry.includes(' into lobby')))).toEqual([
      ['each invites into lobby: 3 of 9', 'one invites into lobby: 9 of 9'],
      ['each invites into lobby: 3 of 9'],
      ['each invites into lobby: 3 of 9'],
    ]);
  });

  /** One more message of the emitter behind it shows that nothing else of it is on its way. */
  async function expectEmitted(names: readonly string[]): Promise<void> {
    await emitter.broadcast({ type: 'test', action: 'emitted' });
    for (const client of clients.values()) await client.take(({ action }) => action === 'emitted');
    await audience.expectReached(workers[0], names, news);
  }

  const sends: [what: string, recipients: string[], send: () => Promise<void>][] = [
    ['one client', ['bob1'], () => emitter.toClient({ clientId: audience.ids('bob1')[0]!, ...news })],
    ['a user', everywhere('ada'), () => emitter.toUser({ userId: 'ada', ...news })],
    [
      'a user, but for one of its clients',
      ['ada0', 'ada2'],
      () => emitter.toUser({ userId: 'ada', exclude: audience.ids('ada1'), ...news }),
    ],
    ['a room', everywhere('ada'), () => emitter.toRoom({ room: 'tea', ...news })],
    [
      'a room, but for two of its members',
      ['ada2'],
      () => emitter.toRoom({ room: 'tea', exclude: audience.ids('ada0', 'ada1', 'bob0'), ...news }),
    ],
    ['everybody', all, () => emitter.broadcast(news)],
    [
      'everybody but some',
      everywhere('ada', 'bob'),
      () => emitter.broadcast({ exclude: audience.ids(...everywhere('nobody')), ...news }),
    ],
    ['nobody: a user, a room and a client that are not there', [], sendToNobody],
  ];

  async function sendToNobody(): Promise<void> {
    await emitter.toUser({ userId: 'eve', ...news });
    await emitter.toRoom({ room: 'ada', ...news });
    await emitter.toClient({ clientId: 'tea', ...news });
  }

  it.each(sends)('are reached by an emitter once each: %s', async (_what, recipients, send) => {
    await send();
    await expectEmitted(recipients);
  });

  describe('and a queue', () => {
    let queue: Queue<object>;
    let runner: Worker<{ fails?: boolean }>;

    beforeAll(() => {
      const connection = { host: '127.0.0.1', port: cluster.redis.port };
      queue = new Queue('video', { connection });
      const run = ({ data }: { data: { fails?: boolean } }): Promise<string> =>
        data.fails ? Promise.reject(new Error('It is empty.')) : Promise.resolve('cut');
      runner = new Worker('video', run, { connection });
    });

    afterAll(async () => {
      await runner.close();
      await queue.close();
    });

    /** Runs a job; resolves once every worker has heard of its end, and handled what follows from that. */
    async function runJob(data: object): Promise<string> {
      const { id = '' } = await queue.add('cut', data);
      const heard = async (worker: WorkerProcess): Promise<boolean> =>
        (await diaryOf(worker, 'library custom {"type":"queue"')).some((entry) => entry.includes(`"jobId":"${id}"`));
      await eventually('all have heard it', async () => (await Promise.all(workers.map(heard))).every(Boolean));
      await settled();
      return id;
    }

    it.each([
      ['completed', { fails: false }, 'queueJobCompleted'],
      ['failed', { fails: true }, 'queueJobError'],
    ])('hear once each that a job has %s, and one worker acts on it', async (_how, data, channel) => {
      const jobId = await runJob(data);
      const ofJob = (entries: string[]): string[] => entries.filter((entry) => entry.includes(`"jobId":"${jobId}"`));
      for (const worker of workers) expect(ofJob(await diaryOf(worker, `library ${channel}`))).toHaveLength(1);
      const acts = await Promise.all(workers.map((worker) => diaryOf(worker, `job ${channel}`)));
      expect(ofJob(acts.flat())).toHaveLength(1);
      const end = data.fails ? { failedReason: 'It is empty.' } : { returnValue: 'cut' };
      await audience.expectReached(workers[0], all, {
        type: 'queue',
        action: data.fails ? 'errored' : 'done',
        data: { queue: 'video', jobId, name: 'cut', data, ...end },
      });
    });

    it.each([
      ['user', { userId: 'bob' }, everywhere('bob')],
      ['room', { room: 'tea' }, everywhere('ada')],
    ])('hear of a job that names their %s once each, wherever they are', async (_what, data, names) => {
      const jobId = await runJob(data);
      const told = {
        type: 'queue',
        action: 'jobCompleted',
        data: { queue: 'video', jobId, name: 'cut', returnValue: 'cut' },
      };
      for (const client of clients.values()) {
        await client.next('queue', 'done'); // what the dashboard shows to everybody
      }
      await audience.expectReached(workers[0], names, told);
    });
  });
});

describe('A worker that comes late', () => {
  let late: WorkerProcess;

  beforeAll(async () => {
    await publish(workers[0], 'analytics:before', {});
    late = await cluster.add({ program: 'matching-worker' });
    await cluster.converged();
  });

  it('hears what is published from then on, and is heard', async () => {
    await publish(workers[0], 'sales:late', {});
    await publish(late, 'stock', 'late');
    for (const heard of await diariesUntil('stock stock "late"', 1)) expect(heard).toHaveLength(1);
    await diaryUntil(late, 'everything sales:late', 1);
    expect(await diaryOf(late, 'everything analytics')).toEqual([]);
  });

  it.each<[matcher: string, channel: string, message: object, others: string[]]>([
    ['text', 'analytics:visits', {}, ['expression']],
    ['expression', 'analytics:1', {}, []],
    ['predicate', 'orders:2', { segment: 'vip' }, ['any']],
    ['property', 'orders:3', { user: { id: 7 } }, []],
    ['propertyPredicate', 'orders:4', { priority: 6 }, []],
    ['any', 'sales:5', {}, []],
    ['all', 'analytics:6', { segment: 'vip' }, ['any', 'expression', 'predicate']],
    ['everything', 'analytics', { segment: 'VIP', user: { id: '7' }, priority: 5 }, []],
  ])('picks by its matcher %s what others publish, each time', async (matcher, channel, message, others) => {
    const before = await diaryOf(late, '');
    for (const worker of workers) await publish(worker, channel, message);
    await emitter.publish(channel, message);
    const end = `the end of ${matcher}`;
    await publish(workers[0], end, {});
    await diaryUntil(late, `everything ${end}`, 1);
    const picked = (await diaryOf(late, '')).slice(before.length).filter((entry) => entry.endsWith(` ${channel}`));
    const names = ['everything', ...others, matcher].filter((name, at, all) => all.indexOf(name) === at);
    expect(picked.sort()).toEqual(names.flatMap((name) => Array<string>(4).fill(`${name} ${channel}`)).sort());
  });
});
