import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { WebSocketService } from 'nestjs-pxl-websocket';
import { writeEnvelope } from '../../lib/cluster/envelope-text.js';
import type { Target } from '../../lib/cluster/envelope.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { RedisServer } from '../support/redis-server.js';
import { startApp, type TestApp } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

const HOUR = 3_600_000;
/** What receivers drop, ms. */
const MAX_AGE = 10_000;

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

/** Writes an envelope of another process to a channel, as if it had been sent so many ms ago by Redis' clock. */
async function publish(channel: string, target: Target, age: number): Promise<void> {
  const [seconds, microseconds] = await redis.command<string[]>('TIME');
  const sentAt = Math.round(Number(seconds) * 1_000 + Number(microseconds) / 1_000) - age;
  const content = { kind: 'message', text: JSON.stringify({ type: 'news', action: 'flash', data: age }) } as const;
  const text = writeEnvelope({ target, exclude: [], isVolatile: false, content }, { origin: null, sentAt });
  await redis.command('PUBLISH', `pxl:${channel}`, text);
}

function staleOf(worker: TestApp): number {
  return serviceOf(worker)
    .getMetrics()
    .find(({ name }) => name === 'pxl_ws_envelopes_stale_total')!.value;
}

it.each<[channel: string, target: Target]>([
  ['broadcast', { kind: 'everybody' }],
  ['room:chess', { kind: 'rooms', roomNames: ['chess'] }],
  ['user:7', { kind: 'users', userIds: ['7'] }],
])(
  "what is over ten seconds old by Redis' clock on %s is dropped and counted, whatever the worker's own clock says",
  async (channel, target) => {
    const before = workers.map(staleOf);
    for (const age of [HOUR, MAX_AGE + 1_000, MAX_AGE - 1_000, 0]) await publish(channel, target, age);
    for (const client of clients) {
      expect(await client.next()).toMatchObject({ data: MAX_AGE - 1_000 });
      expect(await client.next()).toMatchObject({ data: 0 });
      expect(client.pending).toEqual([]);
    }
    expect(workers.map(staleOf)).toEqual(before.map((count) => count + 2));
  },
);
