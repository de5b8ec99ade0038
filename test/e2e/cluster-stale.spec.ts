import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { WebSocketService } from 'nestjs-pxl-websocket';
import { writeWsEnvelope } from '../../lib/cluster/bus/envelope-text.js';
import type { WsTarget } from '../../lib/cluster/bus/envelope.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { RedisServer } from '../support/redis-server.js';
import { startApp, type TestApp } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

const HOUR = 3_600_000;
/** What receivers drop, ms. */
const MAX_AGE = 10_000;
/** What is not that old by the time it arrives, on a busy machine either, ms. */
const FRESH = MAX_AGE / 2;

/** A worker whose machine's clock is wrong. */
class WrongRuntime extends Runtime {
  constructor(private readonly ahead: number) {
    super();
  }

  override now(): number {
    return super.now() + this.ahead;
  }
}

let redis: RedisServer;
let workers: [TestApp, TestApp, TestApp];
let clients: TestClient[];

beforeAll(async () => {
  redis = await RedisServer.start();
  workers = [await start(0), await start(HOUR), await start(-HOUR)];
  clients = await Promise.all(workers.map((worker) => connectAs(worker, { userId: '7' })));
  await serviceOf(workers[0]).joinRooms({ userIds: [7], rooms: ['chess'] });
});

afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.close()));
  await redis.stop();
});

function start(ahead: number): Promise<TestApp> {
  return startApp({
    options: { redis: redis.url, auth: { authenticate: urlIdentity } },
    override: (builder) => builder.overrideProvider(Runtime).useValue(new WrongRuntime(ahead)),
  });
}

function serviceOf({ app }: TestApp): WebSocketService {
  return app.get(WebSocketService);
}

/** The text of an envelope of another process, as if it had been sent so many ms ago by Redis' clock. */
async function textOf(target: WsTarget, age: number, id?: string): Promise<string> {
  const [seconds, microseconds] = await redis.command<string[]>('TIME');
  const sentAt = Math.round(Number(seconds) * 1_000 + Number(microseconds) / 1_000) - age;
  const content = { kind: 'message', text: JSON.stringify({ type: 'news', action: 'flash', data: age }) } as const;
  return writeWsEnvelope({ target, exclude: [], isVolatile: false, content }, { origin: null, sentAt, id });
}

async function publish(channel: string, text: string): Promise<void> {
  await redis.command('PUBLISH', `pxl:${channel}`, text);
}

function staleOf(worker: TestApp): number {
  return serviceOf(worker)
    .getMetrics()
    .find(({ name }) => name === 'pxl_ws_envelopes_stale_total')!.value;
}

const TARGETS: [channel: string, target: WsTarget][] = [
  ['broadcast', { kind: 'everybody' }],
  ['room:chess', { kind: 'rooms', roomNames: ['chess'] }],
  ['user:7', { kind: 'users', userIds: ['7'] }],
];

it.each(TARGETS)(
  "what is over ten seconds old by Redis' clock on %s is dropped and counted, whatever the worker's own clock says",
  async (channel, target) => {
    const before = workers.map(staleOf);
    for (const age of [HOUR, MAX_AGE + 1_000, -HOUR, FRESH, 0]) {
      await publish(channel, await textOf(target, age));
    }
    for (const client of clients) {
      expect(await client.next()).toMatchObject({ data: FRESH });
      expect(await client.next()).toMatchObject({ data: 0 });
      expect(client.pending).toEqual([]);
    }
    expect(workers.map(staleOf)).toEqual(before.map((count) => count + 3));
  },
);

it.each(TARGETS)('the same text published three times on %s is delivered once', async (channel, target) => {
  const text = await textOf(target, 2, `AAAAAAAA.1.${channel}`);
  const other = await textOf(target, 1, `AAAAAAAA.2.${channel}`);
  for (const one of [text, text, other, text, other]) await publish(channel, one);
  await publish(channel, await textOf(target, 0));
  for (const client of clients) {
    for (const age of [2, 1, 0]) expect(await client.next()).toMatchObject({ data: age });
    expect(client.pending).toEqual([]);
  }
});

it('what workers of version 0.1 send, which number nothing, is delivered each time', async () => {
  const text = await textOf({ kind: 'everybody' }, 3);
  for (let time = 0; time < 2; time++) await publish('broadcast', text);
  for (const client of clients) {
    for (let time = 0; time < 2; time++) expect(await client.next()).toMatchObject({ data: 3 });
  }
});
