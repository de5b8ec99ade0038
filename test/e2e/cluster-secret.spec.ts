import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import {
  ClientManager,
  PxlWebSocketServer,
  WebSocketEmitter,
  WebSocketService,
  type WsClusterOptions,
} from 'nestjs-pxl-websocket';
import { ClusterEvents } from '../../lib/cluster/events/cluster-events.js';
import { ClientHash } from '../../lib/cluster/registry/client-hash.js';
import { RegistryKeys } from '../../lib/cluster/registry/registry-keys.js';
import { SubjectBuckets } from '../../lib/cluster/subjects/subject-buckets.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { eventually } from '../../lib/testing/eventually.js';
import { Logbook } from '../support/logbook.js';
import { TestLink } from '../support/redis-link.js';
import { RedisServer } from '../support/redis-server.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { until } from '../support/until.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

const SECRET = 'a secret of the cluster, 32 characters';
const OTHER = 'another secret that the cluster has not';

let redis: RedisServer;
let stranger: Redis;
let listener: Redis;
let apps: TestApp[];
let log: Logbook;
let fences = 0;
/** What was published, in order, by its channels. */
let published: [channel: string, text: Buffer][];

beforeAll(async () => {
  redis = await RedisServer.start();
  stranger = new Redis(redis.port, '127.0.0.1');
  listener = stranger.duplicate();
  listener.on('pmessageBuffer', (_pattern: Buffer, channel: Buffer, text: Buffer) => {
    published.push([channel.toString(), text]);
  });
  await listener.psubscribe('pxl:*');
});

beforeEach(() => {
  apps = [];
  published = [];
  log = new Logbook();
});

afterEach(() => Promise.all(apps.map((app) => app.close())));

afterAll(async () => {
  stranger.disconnect();
  listener.disconnect();
  await redis.stop();
});

async function start(...clusters: WsClusterOptions[]): Promise<TestApp[]> {
  const auth = { authenticate: urlIdentity };
  const started = clusters.map((cluster) => startApp({ options: { redis: redis.url, auth, cluster }, logger: log }));
  apps.push(...(await Promise.all(started)));
  return apps;
}

/** Starts two workers that know each other. */
async function startTwo(cluster: WsClusterOptions): Promise<[TestApp, TestApp]> {
  const [one, two] = (await start(cluster, cluster)) as [TestApp, TestApp];
  await eventually('they know each other', () =>
    [one, two].every(({ app }) => app.get(WebSocketService).getWebSocketHealth().cluster.workers === 2),
  );
  return [one, two];
}

function metricOf({ app }: TestApp, name: string, reason?: string): number {
  const metrics = app.get(WebSocketService).getMetrics();
  return metrics.find((metric) => metric.name === `pxl_ws_${name}` && metric.labels?.reason === reason)?.value ?? 0;
}

/** What the subscribers of a worker hear from now on. */
function eventsOf({ app }: TestApp): string[] {
  const heard: string[] = [];
  app.get(ClusterEvents).listen(({ channel, message }) => heard.push(`${channel} ${JSON.stringify(message)}`));
  return heard;
}

/** Publishes as it stands, and waits until all workers have heard that, and what was published before. */
async function publish(...messages: (readonly [channel: string, text: Buffer | string])[]): Promise<void> {
  for (const [channel, text] of messages) await stranger.publish(channel, text);
  const events = apps.map(({ app }) => app.get(ClusterEvents));
  const heard = apps.map(eventsOf);
  await Promise.all(events.map(async (one) => one.acquire('fence')));
  await Promise.all(events.map((one) => one.publish('fence', ++fences)));
  const isHeard = (some: string[]): boolean => some.filter((event) => event.startsWith('fence')).length === apps.length;
  await until('all have heard it', () => heard.every(isHeard));
}

/** The last message on a channel that was published by now, or will be soon. */
async function lastOn(channel: string): Promise<[channel: string, text: Buffer]> {
  await publish();
  return published.filter(([name]) => name === channel).at(-1)!;
}

describe.each<[what: string, cluster: WsClusterOptions]>([
  ['with a secret', { secret: SECRET }],
  ['with a secret, without a mirror', { secret: SECRET, mirror: false }],
  ['without a secret', {}],
])('What is published again %s', (_, cluster) => {
  it('is done once: messages, events, commands, calls, the changes and the users of other workers', async () => {
    const [one, two] = await startTwo(cluster);
    const service = one.app.get(WebSocketService);
    const events = eventsOf(two);
    await two.app.get(ClusterEvents).acquire('orders');
    const ada = await connectAs(two, { userId: 'ada' });
    const bob = await connectAs(two, { userId: 'bob' });
    const eve = await connectAs(one, { userId: 'eve' });
    const { clientId } = ada;
    await service.joinRooms({ clientIds: [clientId], rooms: ['chess', 'go'] });
    await service.sendToRooms(['chess', 'go'], { type: 'news', action: 'rooms' });
    await service.sendToUsers(['ada'], { type: 'news', action: 'user' });
    await service.broadcast({ type: 'news', action: 'all' });
    await service.publish('orders', 1);
    one.app.get(PxlWebSocketServer).leaveRoom({ clientId, roomName: 'go' });
    one.app.get(ClientManager).updateClient({ clientId, key: 'theme', data: 'dark' });
    await service.disconnectUser({ userId: 'bob' });
    await service.revoke({ userId: 'nobody' });
    await bob.closed;
    await eve.close();
    for (const action of ['rooms', 'user', 'all']) {
      expect(await ada.take(({ type }) => type === 'news')).toMatchObject({ action });
    }
    const isEnd = (event: string): boolean => /^(userD|clientD).*(bob|eve)/.test(event);
    await eventually('the ends are told', () => events.filter(isEnd).length === 4);
    const returned = await connectAs(two, { userId: 'bob' });
    await one.app.get(WebSocketService).leaveRooms({ clientIds: [clientId], rooms: ['chess'] });
    await until(() => two.app.get(ClientManager).getClient({ clientId })?.rooms.size === 0);
    const isBobsBegin = (event: string): boolean => event === 'userConnected {"userId":"bob"}';
    await eventually('his return is told', () => events.filter(isBobsBegin).length === 2);
    await publish();
    const heard = [...events];

    // Without a secret anybody may tell of users, and of clients where no mirror knows better.
    const isMeant = (channel: string): boolean => cluster.secret !== undefined || channel !== 'pxl:users';
    const captured = published.filter(([channel]) => isMeant(channel) && !channel.startsWith('pxl:probe:'));
    expect(new Set(captured.map(([channel]) => channel.split(':')[1]))).toEqual(
      new Set(['registry', 'worker', 'room', 'user', 'broadcast', 'event', ...(cluster.secret ? ['users'] : [])]),
    );
    for (let time = 0; time < 3; time++) await publish(...captured);

    const isFence = (event: string): boolean => event.startsWith('fence');
    expect(events.filter((event) => !isFence(event))).toEqual(heard.filter((event) => !isFence(event)));
    for (const client of [ada, returned]) {
      await client.request('system', 'ping');
      expect(client.pending.filter(({ type }) => type === 'news')).toEqual([]);
    }
    expect(two.app.get(ClientManager).getClient({ clientId })?.rooms.size).toBe(0);
    if (cluster.secret) expect(metricOf(two, 'messages_junk_total', 'repeated')).toBeGreaterThan(captured.length);
    expect(log.of('error')).toEqual([]);
  });
});

it('the same text published three times is delivered once, with a secret too', async () => {
  const [one] = await startTwo({ secret: SECRET });
  const ada = await connectAs(one, { userId: 'ada' });
  const emitter = new WebSocketEmitter({ redis: redis.url, cluster: { secret: SECRET } });
  await emitter.toUser({ userId: 'ada', type: 'news', action: 'flash' });
  const sent = await lastOn('pxl:user:ada');
  await publish(sent, sent, sent);
  await emitter.toUser({ userId: 'ada', type: 'news', action: 'end' });
  expect(await ada.next()).toMatchObject({ action: 'flash' });
  expect(await ada.next()).toMatchObject({ action: 'end' });
  await emitter.shutdown();
});

it('what is not signed, or with another secret, or for another channel, is junk: counted, and said once a minute', async () => {
  const [one, two] = await startTwo({ secret: SECRET });
  const ada = await connectAs(one, { userId: 'ada' });
  const message = { type: 'news', action: 'flash' };
  const junk = apps.map((app) => metricOf(app, 'messages_junk_total', 'signature'));
  for (const secret of [undefined, OTHER]) {
    const emitter = new WebSocketEmitter({ redis: redis.url, cluster: { secret } });
    await emitter.broadcast(message);
    await emitter.toUser({ userId: 'ada', ...message });
    await emitter.publish('orders', 1);
    await emitter.shutdown();
  }
  await two.app.get(WebSocketService).sendToUsers(['ada'], { ...message, data: 1 });
  expect(await ada.next()).toMatchObject({ data: 1 });
  const [, sent] = await lastOn('pxl:user:ada');
  await publish(['pxl:broadcast', sent], ['pxl:registry', '{}'], ['pxl:users', '{}']);

  await ada.request('system', 'ping');
  expect(ada.pending).toEqual([]);
  // Ada's worker hears her channel besides.
  expect(apps.map((app, at) => metricOf(app, 'messages_junk_total', 'signature') - junk[at]!)).toEqual([7, 5]);
  expect(log.of('warn').filter((line) => line.includes('cluster.secret'))).toHaveLength(2);
});

it('signing is switched on, and its secret changed, without a gap: known to all first, then signed with by all', async () => {
  const on: (WsClusterOptions['secret'] | undefined)[] = [undefined, [false, OTHER], [OTHER, false], OTHER];
  const steps = [...on, [OTHER, SECRET], [SECRET, OTHER], SECRET];
  await start({ secret: steps[0] });
  for (const secret of steps.slice(1)) {
    await start({ secret });
    const clients = await Promise.all(apps.map((app) => connectAs(app, { userId: '7' })));
    for (const { app } of apps) await app.get(WebSocketService).sendToUsers([7], { type: 'news', action: 'flash' });
    await Promise.all(clients.flatMap((client) => [client.next(), client.next()]));
    expect(apps.map((app) => metricOf(app, 'messages_junk_total', 'signature'))).toEqual([0, 0]);
    await apps.shift()!.close();
  }
});

it('a worker without a secret takes what is signed for junk', async () => {
  const [worker] = (await start({})) as [TestApp];
  const ada = await connectAs(worker, { userId: 'ada' });
  for (const secret of [SECRET, undefined]) {
    const emitter = new WebSocketEmitter({ redis: redis.url, cluster: { secret } });
    await emitter.toUser({ userId: 'ada', type: 'news', action: 'flash', data: secret ?? 'none' });
    await emitter.shutdown();
  }
  expect(await ada.next()).toMatchObject({ data: 'none' });
  expect(metricOf(worker, 'envelopes_junk_total')).toBe(1);
});

it('a Redis that stood still does not do what nobody would hear of any more', async () => {
  /** A process whose clock can be turned back, so that what it signs looks old. */
  class Turned extends Runtime {
    back = 0;

    override monotonic(): number {
      return super.monotonic() - this.back;
    }
  }
  const runtime = new Turned();
  // It asks Redis for its time with each probe: there is no other one in this test.
  const test = new TestLink({ redis: redis.url, secrets: [SECRET], prefix: 'late', runtime, probe: 600_000 });
  await test.ready();
  await test.link.run((client) => client.ping()); // behind the answer to that question
  const buckets = new SubjectBuckets(test.link, () => 'late:{users.0}:sessions');
  const steps = [{ step: '+', name: 'ada', news: '{}' }] as const;
  const change = { whose: 'one.', entry: 'one.1', buckets: new Map([[0, steps]]), channel: 'late:users' };
  const hash = new ClientHash(test.link, new RegistryKeys('late'), 'one', 1, 10_000, runtime);
  const batch = { seq: 1, hint: 'a hint', gone: [], fields: [] };
  runtime.back = 6_000;
  await expect(buckets.change(change)).rejects.toThrow('LATE');
  await expect(hash.commit(batch)).rejects.toThrow('LATE');
  expect(await stranger.keys('late:*')).toEqual([]);
  runtime.back = 0;
  await buckets.change(change);
  expect(await stranger.hget('late:{users.0}:sessions', 'ada')).toBe('one.1 ');
  expect(await hash.commit(batch)).toBe(true);
  expect(await stranger.hget('late:{one.1}:clients', '')).toBe('1');
  await test.link.stop();
});
