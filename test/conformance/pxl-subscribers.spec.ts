import { afterAll, afterEach, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { PxlWebSocketServer, WebSocketService, type WebSocketSubscriberDefinition } from 'nestjs-pxl-websocket';
import { Runtime } from '../../lib/runtime/runtime.js';
import { Logbook } from '../support/logbook.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import * as examples from '../support/pxl-subscribers.js';
import { startApp, type TestApp } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';
import { until } from '../support/until.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

const { QueueManager, databaseInstance, debugging, seen, ...others } = examples;
/** The one that hears every channel comes last: it has had an event once all others have. */
const subscribers: WebSocketSubscriberDefinition[] = [...Object.values(others), debugging];

const clock = new ManualRuntime();
const logger = new Logbook();
/** What the examples print. */
const printed: string[] = [];
let app: TestApp;
let alice: TestClient;
let nobody: TestClient;
let ends = 0;

beforeAll(async () => {
  for (const level of ['log', 'warn', 'error'] as const) {
    const write = (...values: unknown[]): void => void printed.push(values.map(textOf).join(' '));
    jest.spyOn(console, level).mockImplementation(write);
  }
  app = await startApp({
    logger,
    providers: [QueueManager],
    options: { auth: { authenticate: urlIdentity }, subscribers },
    override: (builder) => builder.overrideProvider(Runtime).useValue(clock),
  });
});

beforeEach(async () => {
  alice = await connectAs(app, { userId: '123' });
  nobody = await app.client();
  seen.length = printed.length = logger.lines.length = 0;
});

afterEach(() => Promise.all([alice.close(), nobody.close()]));

afterAll(async () => {
  await app.close();
  jest.restoreAllMocks();
});

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Publishes, and resolves once every example has had the event. */
async function publish(channel: string, message: unknown): Promise<void> {
  const service = app.app.get(WebSocketService);
  await service.publish(channel, message);
  await settled();
}

/** Whatever was told before is handled: the example that hears every channel has printed the end, each client has its part. */
async function settled(): Promise<void> {
  await app.app.get(WebSocketService).publish('end', ++ends);
  const end = `Redis event received: end ${ends}`;
  await until('the end is handled', () => printed.includes(end));
  for (const client of [alice, nobody]) await client.request('system', 'ping');
}

/** What a client has got since it was asked last. */
async function received(client: TestClient): Promise<unknown[]> {
  const messages: unknown[] = [];
  while (client.pending.length > 0) messages.push(await client.next());
  return messages;
}

const ownLines = (): string[] => printed.filter((line) => !line.startsWith('Redis event received:'));

it('customRelay, and "Custom Cross-Worker Messages"', async () => {
  const data = { type: 'custom', action: 'userStatusChanged', userId: 123, status: 'online' };
  app.app.get(PxlWebSocketServer).sendCustomMessage({ data });
  await settled();
  const messages = [
    { type: 'relay', action: 'custom', data },
    { type: 'status', action: 'update', data: { userId: 123, status: 'online' } },
  ];
  expect(await received(alice)).toEqual(messages);
  expect(await received(nobody)).toEqual(messages);
});

it.each([
  ['queueJobCompleted', { returnValue: 'sent' }, 'done'],
  ['queueJobError', { failedReason: 'no ink' }, 'errored'],
])('queueDashboard tells of %s', async (channel, end, action) => {
  const job = { queue: 'mail', jobId: '1', ...end };
  await publish(channel, job);
  await settled(); // what it tells is an event of its own
  const relayed = { type: 'relay', action: 'custom', data: { type: 'queue', action, data: job } };
  expect(await received(alice)).toEqual([relayed]);
});

it('segmentEnrichment and segmentTargeting take a channel by its name, and a message by its segment', async () => {
  await publish('analytics:visits', { segment: 'all' });
  await publish('sales', { segment: 'vip' });
  await publish('sales', { segment: 'all' });
  await publish('sales', null);
  const messages = [{ segment: 'all' }, { segment: 'vip' }];
  const added = messages.flatMap((message) => [
    ['analytics', message],
    ['analytics', { message }],
  ]);
  expect(app.app.get(QueueManager).added).toEqual(added);
});

it('"Creating Matchers"', async () => {
  for (const [channel, message] of [
    ['events', { type: 'analytics' }],
    ['events', { priority: 6 }],
    ['events', { priority: 5 }],
    ['events', { userId: 123 }],
    ['events', { userId: '123' }],
    ['analytics:clicks', 7],
  ] as const) {
    await publish(channel, message);
  }
  expect(seen).toEqual([
    ['byProperty', { type: 'analytics' }],
    ['byPredicate', { priority: 6 }],
    ['byEither', { userId: 123 }],
    ['byEither', 7],
  ]);
});

it('a raw definition, by its channels and its matchers', async () => {
  const channels = ['orders', 'refunds', 'returns:7', 'payments'];
  for (const channel of channels) await publish(channel, { segment: 'none' });
  await publish('shop', { segment: 'gold' });
  expect(seen).toEqual(['orders', 'refunds', 'returns:7', 'shop'].map((channel) => ['raw', channel]));
});

it('"Error Handling"', async () => {
  await publish('custom', { type: 'fault' });
  expect(ownLines()).toEqual(['Error in channel custom: no ink on a server of the type server']);
  expect(logger.of('error')).toEqual([]);
});

it('"Rate Limiting", and "Using Built-in Middleware"', async () => {
  for (let count = 0; count < 12; count++) await publish('updates', { type: 'updates', action: 'all', data: count });
  const limited = Array.from({ length: 10 }, (_, data) => [
    { type: 'updates', action: 'all', data },
    { type: 'updates', action: 'limited' },
  ]);
  expect(await received(nobody)).toEqual(limited.flat());
  expect(ownLines()).toEqual(Array(2).fill('Rate limit exceeded for channel: updates'));
  const log = logger.of('log');
  expect(log.filter((line) => line === 'updatesBroadcaster begins on channel "updates".')).toHaveLength(12);
  expect(log.filter((line) => line === 'A handler took 0 ms on channel "updates".')).toHaveLength(10);
  await clock.advance(60_000);
  await publish('updates', { type: 'updates', action: 'all' });
  expect(await received(nobody)).toHaveLength(2);
});

it('"Retry Logic": after one second, then after two', async () => {
  await app.app.get(WebSocketService).publish('database-sync', {});
  await until('it was tried', () => databaseInstance.queries === 1);
  await clock.advance(1_000);
  expect(databaseInstance.queries).toBe(2);
  await clock.advance(1_999);
  expect(databaseInstance.queries).toBe(2);
  await clock.advance(1);
  await until('it has succeeded', () => seen.length > 0);
  expect(seen).toEqual([['retryLogic', 'SELECT ...']]);
});

it('"Validation"', async () => {
  const message = { type: 'chat', action: 'message', data: { text: 'Hello!' } };
  for (const odd of [null, { ...message, type: '' }, { ...message, action: undefined }, { ...message, data: 0 }]) {
    await publish('messages', odd);
  }
  await publish('messages', message);
  expect(await received(nobody)).toEqual([message]);
  const complaints = logger.of('error').map((line) => line.split('"messages". ')[1]);
  expect(complaints).toEqual(['Missing type', 'Missing type', 'Missing action', 'Missing data']);
});

it('"Conditional Execution" for authenticated messages, to authenticated users', async () => {
  const message = { type: 'news', action: 'flash', authenticated: true };
  await publish('protected', null);
  await publish('protected', { ...message, authenticated: 'true' });
  await publish('protected', message);
  expect(await received(alice)).toEqual([message]);
  expect(await received(nobody)).toEqual([]);
});

it('"Composing Handlers": the first that fails ends the row', async () => {
  const message = { type: 'visit', action: 'made', data: 1 };
  await publish('analytics', {});
  await publish('analytics', message);
  expect(await received(nobody)).toEqual([message]);
  expect(ownLines()).toEqual(['Processed message on analytics: visit']);
  expect(logger.of('error')[0]).toBe('validate failed on channel "analytics" after 0 ms: Invalid message');
  expect(logger.of('log')).toEqual(
    ['validate', 'broadcast', 'metrics'].map((name) => `${name} finished on channel "analytics" after 0 ms.`),
  );
});

it('"Custom Middleware"', async () => {
  const message = { type: 'news', action: 'flash', authenticated: true };
  await publish('secure-updates', { ...message, authenticated: false });
  await publish('secure-updates', message);
  expect(await received(nobody)).toEqual([message]);
  expect(ownLines()).toEqual([
    'Unauthenticated message on channel: secure-updates',
    'Handler executed successfully {"channel":"secure-updates","resultType":"undefined"}',
  ]);
});

it('"Debug Redis pub/sub": every channel, as a subscriberEventHandler heard it', async () => {
  await publish('anything', { a: 1 });
  app.app.get(PxlWebSocketServer).sendMessage({ data: { b: 2 } });
  await settled();
  expect(printed).toEqual(
    expect.arrayContaining(['Redis event received: anything {"a":1}', 'Redis event received: sendMessage {"b":2}']),
  );
});

it('the examples of joinRoom, and of a controller that tells a room, in a subscriber', async () => {
  const server = app.app.get(PxlWebSocketServer);
  const { clientId } = alice;
  await publish('game', { clientId, join: true, move: 'e4' });
  const moveMade = { type: 'game', action: 'moveMade', data: { playerId: clientId, move: 'e4' } };
  expect(await received(alice)).toEqual([moveMade]);
  expect(await received(nobody)).toEqual([]);
  expect(server.rooms.get('chat:general')?.has(clientId)).toBe(true);
  expect(server.getClients({ userType: 'member' }).map((client) => client.clientId)).toEqual([clientId]);
});
