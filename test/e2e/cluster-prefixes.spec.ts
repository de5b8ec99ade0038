import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { WebSocketService, type WsCredentials, type WsIdentity } from 'nestjs-pxl-websocket';
import { isSoak } from '../support/cluster-periods.js';
import { eventually } from '../../lib/testing/eventually.js';
import { failureOf } from '../support/failure-of.js';
import { RedisServer } from '../support/redis-server.js';
import { startApp, type TestApp } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

const PREFIXES = ['pxl2', 'px', 'PXL', 'p*', '*', 'p[x]l', 'pxl.room'];
/** Of each kind one: longer, a pattern, and one that goes on like a channel. */
const TELLING = isSoak ? PREFIXES : ['pxl2', 'p*', 'pxl.room'];

let redis: RedisServer;
let app: TestApp;
let client: TestClient;
let neighbour: TestApp | undefined;
/** What the subscriber of '*' of each application has heard, as `<channel> <message>`. */
const diaries = new Map<TestApp, string[]>();

beforeAll(async () => {
  redis = await RedisServer.start();
});

beforeEach(async () => {
  await redis.command('FLUSHALL');
  neighbour = undefined;
  app = await start('pxl');
  client = await memberOf(app);
});

afterEach(() => Promise.all([app.close(), neighbour?.close()]));

afterAll(() => redis.stop());

async function start(prefix: string, database = 0): Promise<TestApp> {
  const diary: string[] = [];
  const started = await startApp({
    options: {
      redis: `${redis.url}/${database}`,
      prefix,
      auth: { authenticate },
      subscribers: [
        { channel: '*', handle: ({ channel, message }) => void diary.push(`${channel} ${JSON.stringify(message)}`) },
      ],
    },
  });
  diaries.set(started, diary);
  return started;
}

/** Who the url says, with a token that was issued long ago. */
function authenticate(credentials: WsCredentials): WsIdentity {
  return { ...urlIdentity(credentials), token: { id: 'a', issuedAt: 1 } };
}

/** A client of the same user and in the same rooms as everywhere. */
async function memberOf(of: TestApp): Promise<TestClient> {
  const member = await connectAs(of, { userId: '7' });
  await serviceOf(of).joinRooms({ userIds: [7], rooms: ['chess', 'broadcast', 'user:7'] });
  return member;
}

function serviceOf(of: TestApp): WebSocketService {
  return of.app.get(WebSocketService);
}

/** Sends by every way that needs no id of a client. */
async function sendAll(from: TestApp, action: string): Promise<void> {
  const service = serviceOf(from);
  await service.sendToRooms(['chess'], { type: 'room', action });
  await service.sendToUsers([7], { type: 'user', action });
  await service.broadcast({ type: 'everybody', action });
}

const received = (action: string): object[] => ['room', 'user', 'everybody'].map((type) => ({ type, action }));

async function take(from: TestClient, count: number): Promise<object[]> {
  const messages = [];
  while (messages.length < count) messages.push(await from.next());
  return messages;
}

it.each(PREFIXES)(
  'an application with the prefix %j on the same Redis hears nothing of one with "pxl", nor the other way round',
  async (prefix) => {
    neighbour = await start(prefix);
    const theirs = await memberOf(neighbour);
    await sendAll(app, 'ours');
    await sendAll(neighbour, 'theirs');
    await sendAll(app, 'ours again');
    await sendAll(neighbour, 'theirs again');
    expect(await take(client, 6)).toEqual([...received('ours'), ...received('ours again')]);
    expect(await take(theirs, 6)).toEqual([...received('theirs'), ...received('theirs again')]);
    await client.expectNothing(50);
    await theirs.expectNothing(50);
  },
);

describe.each(TELLING)('an application with the prefix %j and one with "pxl" on the same Redis', (prefix) => {
  let other: TestApp;
  let theirs: TestClient;

  beforeEach(async () => {
    neighbour = other = await start(prefix);
    theirs = await memberOf(other);
  });

  it('hear no events of each other, and nothing of clients and users', async () => {
    const visitor = await connectAs(other, { userId: '8' });
    await serviceOf(app).publish('orders', 'ours');
    await serviceOf(other).publish('orders', 'theirs');
    const heard = (of: TestApp): string[] =>
      diaries
        .get(of)!
        .filter((entry) => /^(?:orders|user)/.test(entry))
        .sort();
    await eventually('who is there is told of', () => heard(app).length === 2 && heard(other).length === 3);
    for (const each of [visitor, theirs, client]) await each.close();
    const stay = (userId: string): string[] =>
      ['userConnected', 'userDisconnected'].map((channel) => `${channel} {"userId":"${userId}"}`);
    const [expected, expectedThere] = [
      ['orders "ours"', ...stay('7')].sort(),
      ['orders "theirs"', ...stay('7'), ...stay('8')].sort(),
    ];
    await eventually('each has heard its own', () => {
      return heard(app).length >= expected.length && heard(other).length >= expectedThere.length;
    });
    const witness = await app.client();
    await witness.expectNothing(50);
    expect(heard(app)).toEqual(expected);
    expect(heard(other)).toEqual(expectedThere);
    expect(diaries.get(app)!.filter((entry) => entry.includes(workerOf(other)))).toEqual([]);
    expect(diaries.get(other)!.filter((entry) => entry.includes(workerOf(app)))).toEqual([]);
  });

  it("do nothing to each other's clients, and do not find them", async () => {
    const service = serviceOf(other);
    const clientIds = [client.clientId];
    await service.joinRooms({ userIds: [7], rooms: ['new'] });
    await service.leaveRooms({ clientIds, rooms: ['chess'] });
    await service.disconnectClients({ clientIds });
    await service.leaveRooms({ userIds: [7], rooms: ['broadcast'] });
    for (const [one, { clientId }] of [
      [app, client],
      [other, theirs],
    ] as const) {
      const found = await serviceOf(one).fetchClients();
      expect(found.clients.map((entry) => entry.clientId)).toEqual([clientId]);
      expect(await serviceOf(one).countClients({ userId: 7 })).toEqual({ count: 1, partial: false });
      expect(serviceOf(one).getWebSocketHealth().cluster.workers).toBe(1);
    }
    await service.disconnectRoom({ room: 'chess' });
    await service.disconnectUser({ userId: 7 });
    expect(await theirs.closed).toMatchObject({ code: 4506 });
    await client.expectNothing(50);
    const [mine] = (await serviceOf(app).fetchClients()).clients;
    expect([...mine!.rooms]).toEqual(['chess', 'broadcast', 'user:7']);
  });

  it.each([
    ['a user', { userId: 7 }],
    ['a token', { jti: 'a' }],
  ])('revoke nothing of each other: %s', async (_, subject) => {
    await serviceOf(other).revoke(subject);
    expect(await theirs.closed).toMatchObject({ code: 4506 });
    await client.expectNothing(50);
    await expect(connectAs(other, { userId: '7' })).rejects.toThrow('401');
    const late = await start('pxl');
    for (const one of [app, late]) await (await connectAs(one, { userId: '7' })).close();
    await late.close();
  });
});

function workerOf(of: TestApp): string {
  return serviceOf(of).getWebSocketHealth().workerId;
}

it('two applications with one prefix are one, whatever number their databases have (control)', async () => {
  neighbour = await start('pxl', 1);
  const theirs = await memberOf(neighbour);
  await sendAll(app, 'ours');
  expect(await take(client, 3)).toEqual(received('ours'));
  expect(await take(theirs, 3)).toEqual(received('ours'));
});

it.each(['', 'a b', '{a}', 'a:room', 'a\n', 'x'.repeat(65), 7])(
  'the prefix %j is refused, since its channels could be those of others or not be read',
  async (prefix) => {
    expect(await failureOf({ options: { prefix: prefix as string } })).toMatch(/^The option "?prefix/);
  },
);
