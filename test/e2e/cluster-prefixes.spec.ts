import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { WebSocketService } from 'nestjs-pxl-websocket';
import { failureOf } from '../support/failure-of.js';
import { RedisServer } from '../support/redis-server.js';
import { startApp, type TestApp } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

let redis: RedisServer;
let app: TestApp;
let client: TestClient;
let neighbour: TestApp | undefined;

beforeAll(async () => {
  redis = await RedisServer.start();
});

beforeEach(async () => {
  neighbour = undefined;
  app = await start('pxl');
  client = await memberOf(app);
});

afterEach(() => Promise.all([app.close(), neighbour?.close()]));

afterAll(() => redis.stop());

function start(prefix: string, database = 0): Promise<TestApp> {
  return startApp({ options: { redis: `${redis.url}/${database}`, prefix, auth: { authenticate: urlIdentity } } });
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

it.each(['pxl2', 'px', 'PXL', 'p*', '*', 'p[x]l', 'pxl.room'])(
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
