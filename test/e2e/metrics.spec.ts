import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Type } from '@nestjs/common';
import { WebSocketService, WsRoute, type PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { eventually } from '../../lib/testing/eventually.js';
import { RedisServer } from '../support/redis-server.js';
import { Gate } from '../support/gate.js';
import { refused } from '../support/refused.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

const news = { type: 'news', action: 'flash', data: 'hello' };

/** What every worker has. */
const OF_ALL = {
  pxl_ws_connections: 'gauge',
  pxl_ws_users: 'gauge',
  pxl_ws_messages_waiting: 'gauge',
  pxl_ws_outbox_bytes: 'gauge',
  pxl_ws_subscriber_events_waiting: 'gauge',
  pxl_ws_remote_connections: 'gauge',
  pxl_ws_rooms: 'gauge',
  pxl_ws_connects_total: 'counter',
  pxl_ws_disconnects_total: 'counter',
  pxl_ws_messages_received_total: 'counter',
  pxl_ws_slow_consumers: 'gauge',
  pxl_ws_slow_consumers_disconnected_total: 'counter',
  pxl_ws_frames_dropped_total: 'counter',
  pxl_ws_cluster_workers: 'gauge',
  pxl_ws_bus_ready: 'gauge',
  pxl_ws_proxy_closes_total: 'counter',
  pxl_ws_messages_sent_total: 'counter',
  pxl_ws_messages_conflated_total: 'counter',
  pxl_ws_delivery_window_growth: 'gauge',
  pxl_ws_lifetime_closes_total: 'counter',
};

const REFUSALS = { name: 'pxl_ws_refusals_total', kind: 'counter', help: 'What limits have refused, by limit.' };

/** What those with Redis have besides. */
const OF_CLUSTER = {
  pxl_ws_envelopes_published_total: 'counter',
  pxl_ws_envelopes_failed_total: 'counter',
  pxl_ws_envelopes_received_total: 'counter',
  pxl_ws_envelopes_junk_total: 'counter',
  pxl_ws_envelopes_stale_total: 'counter',
  pxl_ws_envelope_ids_overflow_total: 'counter',
  pxl_ws_rate_uses_alone_total: 'counter',
  pxl_ws_channels_wanted: 'gauge',
  pxl_ws_channels_live: 'gauge',
  pxl_ws_snapshots_total: 'counter',
  pxl_ws_hint_gaps_total: 'counter',
  pxl_ws_leases_lost_total: 'counter',
  pxl_ws_workers_dead_total: 'counter',
  pxl_ws_hints_junk_total: 'counter',
  pxl_ws_user_news_junk_total: 'counter',
  pxl_ws_bus_losses_total: 'counter',
  pxl_ws_bus_probe_seconds: 'gauge',
};

let apps: TestApp[] = [];

async function start(options: PxlWebSocketModuleOptions = {}, providers: Type[] = []): Promise<TestApp> {
  const app = await startApp({ options: { auth: { authenticate: urlIdentity }, ...options }, providers });
  apps.push(app);
  return app;
}

afterEach(async () => {
  await Promise.all(apps.map((app) => app.close()));
  apps = [];
});

function serviceOf({ app }: TestApp): WebSocketService {
  return app.get(WebSocketService);
}

/** The numbers of a worker by their names, without what stands before and behind these; with labels, by these too. */
function numbersOf(app: TestApp): Record<string, number> {
  const named = serviceOf(app)
    .getMetrics()
    .map(({ name, value, labels = {} }) => {
      const short = name.replace(/^pxl_ws_|_total$/g, '');
      return [[short, ...Object.values(labels)].join(' '), value];
    });
  return Object.fromEntries(named) as Record<string, number>;
}

function kindsOf(app: TestApp): Record<string, string> {
  const metrics = serviceOf(app).getMetrics();
  expect(new Set(metrics.map(({ name }) => name)).size).toBe(metrics.length);
  return Object.fromEntries(metrics.map(({ name, kind }) => [name, kind]));
}

describe('getMetrics of a worker without Redis', () => {
  it('has these names, with these kinds', async () => {
    expect(kindsOf(await start())).toEqual(OF_ALL);
  });

  it('counts connections, rooms and messages', async () => {
    const app = await start({ rooms: { open: true } });
    const [ada, bob] = [await connectAs(app, { userId: '7' }), await app.client()];
    for (const room of ['chess', 'go']) await ada.join(room);
    await bob.request('system', 'ping');
    bob.send('no JSON');
    await bob.next();
    await bob.close();
    await eventually('the server knows that he has gone', () => numbersOf(app).disconnects === 1);
    await ada.request('system', 'ping');
    expect(numbersOf(app)).toEqual({
      connections: 1,
      users: 1,
      messages_waiting: 0,
      outbox_bytes: 0,
      subscriber_events_waiting: 0,
      remote_connections: 0,
      rooms: 2,
      connects: 2,
      'closes 1000': 1,
      'errors BAD_MESSAGE': 1,
      disconnects: 1,
      messages_sent: 8,
      messages_received: 5,
      slow_consumers: 0,
      slow_consumers_disconnected: 0,
      frames_dropped: 0,
      cluster_workers: 1,
      bus_ready: 1,
      proxy_closes: 0,
      messages_conflated: 0,
      delivery_window_growth: 1,
      lifetime_closes: 0,
    });
  });

  it('has errors that no handler has made, and closes of clients that were never let in', async () => {
    const app = await start({
      auth: { mode: 'message', authenticate: () => null },
      limits: { messagesPerSecond: 1, burst: 1 },
    });
    const client = await TestClient.open(app.url());
    for (const code of ['UNAUTHENTICATED', 'RATE_LIMITED']) {
      await expect(client.request('chat', 'send')).rejects.toThrow(code);
    }
    await client.close();
    await eventually('it has gone', () => numbersOf(app)['closes 1000'] === 1);
    expect(numbersOf(app)).toMatchObject({
      'errors UNAUTHENTICATED': 1,
      'errors RATE_LIMITED': 1,
      connects: 0,
      disconnects: 0,
    });
  });

  it('tells what waits: messages for their turn, bytes for the network', async () => {
    const gate = new Gate();
    class Gateway {
      @WsRoute('chat', 'wait')
      async wait(): Promise<void> {
        await gate.passed;
      }
    }
    const app = await start({}, [Gateway]);
    const client = await app.client();
    for (let number = 0; number < 3; number++) client.send({ type: 'chat', action: 'wait', id: `${number}` });
    await eventually('two wait behind the first', () => numbersOf(app).messages_waiting === 2);
    serviceOf(app)
      .broadcast({ type: 'news', action: 'flash', data: 'x'.repeat(1_000) })
      .catch(() => undefined);
    expect(numbersOf(app).outbox_bytes).toBeGreaterThan(1_000);
    gate.open();
    await eventually('nothing waits', () => numbersOf(app).messages_waiting === 0 && numbersOf(app).outbox_bytes === 0);
  });

  it('has a counter for each limit that has refused something', async () => {
    const app = await start({ rooms: { open: true }, limits: { roomsPerClient: 1, roomName: 5 } });
    const client = await app.client();
    await client.join('chess');
    for (const room of ['go', 'tea']) await expect(client.join(room)).rejects.toThrow();
    await expect(client.join('a long name')).rejects.toThrow();
    const refusals = serviceOf(app)
      .getMetrics()
      .filter(({ name }) => name === 'pxl_ws_refusals_total');
    expect(refusals).toEqual([
      { ...REFUSALS, value: 2, labels: { limit: 'roomsPerClient' } },
      { ...REFUSALS, value: 1, labels: { limit: 'roomName' } },
    ]);
  });
});

describe('getMetrics of a worker with Redis', () => {
  let redis: RedisServer;

  beforeAll(async () => {
    redis = await RedisServer.start();
  });

  afterAll(() => redis.stop());

  it('has these names, with these kinds', async () => {
    expect(kindsOf(await start({ redis: redis.url }))).toEqual({ ...OF_ALL, ...OF_CLUSTER });
  });

  it('has more with a secret', async () => {
    const app = await start({ redis: redis.url, cluster: { secret: 'a secret of the cluster, 32 characters' } });
    const numbers = Object.keys(numbersOf(app)).filter((name) => name.startsWith('message'));
    const reasons = ['messages_junk repeated', 'messages_junk signature', 'messages_junk stale'];
    expect(numbers.sort()).toEqual([
      'message_ids_overflow',
      'messages_conflated',
      ...reasons,
      'messages_received',
      'messages_sent',
      'messages_waiting',
    ]);
  });

  it('counts the other workers, what it tells them and hears of them, and the channels that it hears', async () => {
    const begin = performance.now();
    const one = await start({ redis: redis.url });
    const two = await start({ redis: redis.url });
    await eventually('they know each other', () => numbersOf(one).cluster_workers === 2);
    const before = numbersOf(one);

    const ada = await connectAs(one, { userId: '7' });
    const bob = await connectAs(two, { userId: '8' });
    await serviceOf(one).joinRooms({ clientIds: [ada.clientId], rooms: ['chess', 'go'] });
    await serviceOf(one).broadcast(news);
    await serviceOf(one).sendToRooms(['chess', 'go', 'tea'], news);
    await serviceOf(one).sendToClients([ada.clientId], news);
    await expect(serviceOf(one).broadcast({ ...news, data: 1n })).rejects.toThrow(refused());
    for (let count = 0; count < 3; count++) await serviceOf(two).sendToRooms(['chess'], news);
    await serviceOf(two).sendToRooms(['elsewhere'], news);
    await serviceOf(two).broadcast({ ...news, data: 'last' });
    await ada.take(({ data }) => data === 'last');
    await redis.command('PUBLISH', 'pxl:broadcast', 'junk');
    await redis.command('PUBLISH', 'pxl:registry', 'junk');
    await eventually('the junk has come', () => {
      const { envelopes_junk, hints_junk } = numbersOf(one);
      return envelopes_junk === 1 && hints_junk === 1;
    });
    await eventually('it knows the client of the other', () => numbersOf(one).remote_connections === 1);
    await bob.take(({ data }) => data === 'last');

    const numbers = numbersOf(one);
    expect(numbers).toMatchObject({
      connections: 1,
      remote_connections: 1,
      rooms: 2,
      connects: 1,
      cluster_workers: 2,
      bus_ready: 1,
      proxy_closes: 0,
      messages_conflated: 0,
      delivery_window_growth: 1,
      envelopes_published: before.envelopes_published! + 4,
      envelopes_failed: 0,
      envelopes_received: before.envelopes_received! + 4,
      envelopes_junk: 1,
      envelopes_stale: 0,
      // Of the user, and of two rooms.
      channels_wanted: before.channels_wanted! + 3,
      channels_live: before.channels_wanted! + 3,
      hint_gaps: 0,
      leases_lost: 0,
      workers_dead: 0,
    });
    expect(numbers.snapshots).toBeGreaterThan(0);
    expect(numbers.bus_probe_seconds).toBeGreaterThan(0);
    expect(numbers.bus_probe_seconds).toBeLessThan((performance.now() - begin) / 1_000);
  });

  it('tells that the bus is down, and what could not be sent', async () => {
    const own = await RedisServer.start();
    try {
      const app = await start({ redis: own.url });
      const { channels_wanted } = numbersOf(app);
      await own.kill();
      await eventually('it has noticed', () => numbersOf(app).bus_ready === 0);
      for (let count = 0; count < 2; count++) {
        await expect(serviceOf(app).broadcast(news)).rejects.toThrow(refused('UNAVAILABLE'));
      }
      const down = { bus_ready: 0, bus_losses: 1, envelopes_published: 2, envelopes_failed: 2 };
      expect(numbersOf(app)).toMatchObject({ ...down, channels_wanted, channels_live: 0 });
      expect(numbersOf(app)).not.toHaveProperty('bus_probe_seconds');
      await own.run();
      await eventually('it is back', () => numbersOf(app).bus_ready === 1);
      expect(numbersOf(app)).toMatchObject({ envelopes_failed: 2, channels_live: channels_wanted });
    } finally {
      await own.stop();
    }
  });
});
