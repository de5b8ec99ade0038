import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { MessageBody } from '@nestjs/websockets';
import {
  WebSocketService,
  WsError,
  WsFallback,
  WsRoute,
  type PxlWebSocketModuleOptions,
  type WsRoomHistoryOptions,
} from 'nestjs-pxl-websocket';
import { AggregatorRegistry, Counter, Pushgateway, Registry, type OpenMetricsContentType } from 'prom-client';
import { eventually } from '../../lib/testing/eventually.js';
import { RedisServer } from '../support/redis-server.js';
import { Gate } from '../support/gate.js';
import { startApp, type TestApp } from '../support/test-app.js';

let apps: TestApp[] = [];

class Gateway {
  @WsRoute('chat', 'send')
  send(): string {
    return 'sent';
  }

  @WsRoute('chat', 'list')
  async *list(): AsyncGenerator<number> {
    yield 1;
    await new Promise(() => undefined);
  }

  @WsRoute('chat', 'fail')
  fail(): never {
    throw new WsError('NO_SUCH_GAME', 'There is no such game.');
  }

  @WsRoute('chat', 'echo')
  echo(@MessageBody() code: string): never {
    throw new WsError(code, 'A code of the client.');
  }

  @WsFallback()
  other(): null {
    return null;
  }
}

/** Only this room has history. */
function keptAlone(roomName: string): WsRoomHistoryOptions | null {
  return roomName === 'kept' ? { size: 10, ttl: 60_000 } : null;
}

async function start(options: PxlWebSocketModuleOptions): Promise<TestApp> {
  const app = await startApp({ options: { rooms: { open: true }, ...options }, providers: [Gateway] });
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

/** The samples of a page as Prometheus reads them, by their names and labels. */
function samplesOf(page: string): Map<string, number> {
  const samples = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(samples.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

async function readFrom(registry: Registry): Promise<Map<string, number>> {
  return samplesOf(await registry.metrics());
}

/** How many deliveries a worker has measured. */
async function deliveriesOf(registry: Registry): Promise<Record<string, number | undefined>> {
  const samples = await readFrom(registry);
  const count = (from: string): number | undefined => samples.get(`pxl_ws_delivery_seconds_count{from="${from}"}`);
  return { here: count('here'), bus: count('bus') };
}

describe('A registry of prom-client', () => {
  it('tells all of getMetrics(), each with its type and a sentence', async () => {
    const registry = new Registry();
    const app = await start({ metrics: { registry } });
    const client = await app.client();
    await client.request('chat', 'send');
    const page = await registry.metrics();
    const samples = samplesOf(page);
    for (const { name, kind, help, value, labels } of serviceOf(app).getMetrics()) {
      expect(page).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n`);
      if (kind === 'counter' && !labels) expect(samples.get(name)).toBe(value);
    }
    expect(samples.get('pxl_ws_connections')).toBe(1);
    expect(samples.get('pxl_ws_upgrade_seconds_count')).toBe(1);
  });

  it('has the times of handlers by route', async () => {
    const registry = new Registry();
    const app = await start({ metrics: { registry } });
    const client = await app.client();
    await client.request('chat', 'send');
    await client.request('chat', 'fail').catch(() => undefined);
    client.send({ type: 'chat', action: 'send' });
    client.send({ type: 'chat', action: 'list', id: 'l' });
    await client.next();
    const samples = await readFrom(registry);
    const count = (route: string): number | undefined => samples.get(`pxl_ws_handler_seconds_count{route="${route}"}`);
    expect(count('chat:send')).toBe(2);
    expect(count('chat:fail')).toBe(1);
    expect(count('chat:list')).toBe(1);
    expect(samples.get('pxl_ws_handler_seconds_bucket{route="chat:send",le="+Inf"}')).toBe(2);
    expect(samples.get('pxl_ws_errors_total{code="NO_SUCH_GAME"}')).toBe(1);
  });

  it('has as many series whatever clients name: routes, codes, rooms, users', async () => {
    const registry = new Registry();
    const app = await start({ metrics: { registry } });
    const numbers = Array.from({ length: 130 }, (_, number) => number);
    const clients = await Promise.all(numbers.map(() => app.client()));
    const asked = clients.map(async (client, number) => {
      await client.request('unknown', `route ${number}`);
      await client.request('chat', 'echo', `code ${number}`).catch(() => undefined);
      await client.request('system', `unknown ${number}`).catch(() => undefined);
      await client.join(`room ${number}`);
      client.socket.close(4_000 + number);
    });
    await Promise.all(asked);
    const count = async (): Promise<number> => (await readFrom(registry)).get('pxl_ws_disconnects_total') ?? NaN;
    await eventually('all have gone', async () => (await count()) === 130);
    const late = await app.client();
    await expect(late.request('system', 'joinRoom', { roomName: 7 })).rejects.toThrow('INVALID_ROOM');
    const samples = await readFrom(registry);
    expect(samples.get('pxl_ws_handler_seconds_count{route="*"}')).toBe(130);
    // A hundred of them have a series of their own, and those of the library always do.
    const [errors, closes] = ['errors', 'closes'].map((name) =>
      [...samples].filter(([sample]) => sample.startsWith(`pxl_ws_${name}_total{`)),
    );
    expect(errors).toHaveLength(103);
    expect(errors).toContainEqual(['pxl_ws_errors_total{code="other"}', 30]);
    expect(errors).toContainEqual(['pxl_ws_errors_total{code="INVALID_ROOM"}', 1]);
    expect(errors).toContainEqual(['pxl_ws_errors_total{code="UNKNOWN_ROUTE"}', 130]);
    expect(closes!.length).toBeLessThanOrEqual(115);
    expect(closes!.reduce((sum, [, value]) => sum + value, 0)).toBe(130);
    expect([...samples.keys()].filter((sample) => /room \d|route \d|unknown \d/.test(sample))).toEqual([]);
  });

  it('has the time until messages of this worker and of others are written, once for all who get them', async () => {
    const redis = await RedisServer.start();
    const registry = new Registry();
    const rooms = { open: true, history: keptAlone };
    const [one, two] = [
      await start({ redis: redis.url, rooms }),
      await start({ redis: redis.url, rooms, metrics: { registry } }),
    ];
    const clients = [await two.client(), await two.client()];
    for (const client of clients) await client.join('kept');
    const before = (await readFrom(registry)).get('pxl_ws_messages_sent_total') ?? NaN;
    const message = { type: 'news', action: 'flash' };
    for (const app of [one, two]) {
      await serviceOf(app).broadcast(message);
      await serviceOf(app).sendToRooms(['kept'], message);
      // Nobody there gets it, so nothing is delivered.
      await serviceOf(app).sendToUsers(['nobody'], message);
      for (const client of [...clients, ...clients]) await client.next('news', 'flash');
    }
    await eventually('each is measured', async () => {
      const { here, bus } = await deliveriesOf(registry);
      return here === 2 && bus === 2;
    });
    const samples = await readFrom(registry);
    for (const from of ['here', 'bus']) {
      expect(samples.get(`pxl_ws_delivery_seconds_sum{from="${from}"}`)).toBeGreaterThan(0);
    }
    expect(samples.get('pxl_ws_bus_latency_seconds_count')).toBeGreaterThan(1);
    expect(samples.get('pxl_ws_messages_sent_total')).toBe(before + 8);
    await Promise.all(apps.splice(0).map((app) => app.close()));
    await redis.stop();
  });

  it('has the time until a message of a room with history is written, in one process too', async () => {
    const registry = new Registry();
    const app = await start({
      rooms: { open: true, history: { size: 10, ttl: 60_000 } },
      metrics: { registry },
    });
    const client = await app.client();
    await client.join('tea');
    for (const room of ['tea', 'nobody is here']) {
      await serviceOf(app).sendToRooms([room], { type: 'news', action: 'flash' });
    }
    await client.next('news', 'flash');
    await eventually('it is measured', async () => (await deliveriesOf(registry)).here === 1);
    expect(await deliveriesOf(registry)).toEqual({ here: 1, bus: 0 });
  });

  it('tells how late the event loop is, to all who ask', async () => {
    const registry = new Registry();
    await start({ metrics: { registry } });
    const longest = async (): Promise<number> =>
      (await readFrom(registry)).get('pxl_ws_event_loop_delay_seconds{percentile="100"}') ?? NaN;
    await eventually('it was seen', async () => {
      const until = performance.now() + 100;
      while (performance.now() < until);
      return (await longest()) >= 0.05;
    });
    expect(await longest()).toBeGreaterThanOrEqual(0.05);
  });

  it('is left as it was when the application stops', async () => {
    const registry = new Registry();
    const app = await start({ metrics: { registry } });
    const own = new Counter({ name: 'own_total', help: 'Of the application.', registers: [registry] });
    await app.close();
    apps = [];
    expect(registry.getMetricsAsArray()).toEqual([own]);
    await start({ metrics: { registry } });
  });

  it('may be cleared, and then shows another application', async () => {
    const registry = new Registry();
    const first = await start({ metrics: { registry } });
    registry.clear();
    const second = await start({ metrics: { registry } });
    await second.client();
    await first.close();
    apps = [second];
    expect((await readFrom(registry)).get('pxl_ws_connections')).toBe(1);
  });

  it('serves one application at a time', async () => {
    const registry = new Registry();
    await start({ metrics: { registry } });
    await expect(start({ metrics: { registry } })).rejects.toThrow(
      /^The registry of metrics has a metric pxl_ws_\w+ already: each application needs a registry of its own\.$/,
    );
  });

  it('goes over to the next application where the one before still ends, as at a hot reload', async () => {
    const registry = new Registry();
    const { passed, open } = new Gate();
    const slow = { provide: 'slow', useValue: { beforeApplicationShutdown: () => passed } };
    const first = await startApp({ options: { metrics: { registry } }, providers: [slow] });
    const closed = first.close();
    const second = await start({ metrics: { registry } }).finally(open);
    await second.client();
    await closed;
    expect((await readFrom(registry)).get('pxl_ws_connections')).toBe(1);
  });

  it('adds its own labels', async () => {
    const registry = new Registry();
    registry.setDefaultLabels({ app: 'chat', code: 'hidden' });
    const app = await start({ metrics: { registry } });
    const client = await app.client();
    await client.request('chat', 'fail').catch(() => undefined);
    const samples = await readFrom(registry);
    expect(samples.get('pxl_ws_connections{app="chat",code="hidden"}')).toBe(1);
    expect(samples.get('pxl_ws_errors_total{code="NO_SUCH_GAME",app="chat"}')).toBe(1);
    expect(samples.get('pxl_ws_upgrade_seconds_bucket{le="+Inf",app="chat",code="hidden"}')).toBe(1);
  });

  it('writes OpenMetrics, too', async () => {
    const registry = new Registry<OpenMetricsContentType>();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    await start({ metrics: { registry } });
    for (let read = 0; read < 2; read++) {
      const page = await registry.metrics();
      expect(page).toContain('# TYPE pxl_ws_connects counter\npxl_ws_connects_total 0\n');
      expect(page.match(/pxl_ws_connects/g)).toHaveLength(3);
      expect(page.endsWith('# EOF\n')).toBe(true);
    }
  });

  it('is added up with those of other workers of node:cluster, as each metric allows it', async () => {
    const registries = [new Registry(), new Registry()];
    for (const registry of registries) {
      const app = await start({ metrics: { registry } });
      const client = await app.client();
      await client.request('chat', 'send');
      await client.request('chat', 'fail').catch(() => undefined);
    }
    const told = await Promise.all(registries.map((registry) => registry.getMetricsAsJSON()));
    // What is sent to the primary process is JSON.
    const sent = JSON.parse(JSON.stringify(told)) as object[];
    const samples = samplesOf(await AggregatorRegistry.aggregate(sent).metrics());
    const each = await Promise.all(registries.map(readFrom));
    expect(samples.get('pxl_ws_connections')).toBe(2);
    expect(samples.get('pxl_ws_bus_ready')).toBe(1);
    expect(samples.get('pxl_ws_cluster_workers')).toBe(1);
    expect(samples.get('pxl_ws_delivery_window_growth')).toBe(1);
    expect(samples.get('pxl_ws_errors_total{code="NO_SUCH_GAME"}')).toBe(2);
    expect(samples.get('pxl_ws_handler_seconds_count{route="chat:send"}')).toBe(2);
    expect(samples.get('pxl_ws_handler_seconds_bucket{route="chat:send",le="+Inf"}')).toBe(2);
    const sum = 'pxl_ws_upgrade_seconds_sum';
    expect(samples.get(sum)).toBeCloseTo((each[0]!.get(sum) ?? NaN) + (each[1]!.get(sum) ?? NaN), 9);
  });

  it('is pushed to a gateway', async () => {
    const pushed: string[] = [];
    const gateway = createServer((request, response) => {
      request.setEncoding('utf8').on('data', (text: string) => pushed.push(text));
      request.on('end', () => response.end());
    });
    await new Promise<void>((resolve) => gateway.listen(0, resolve));
    const { port } = gateway.address() as AddressInfo;
    const registry = new Registry();
    await start({ metrics: { registry } });
    await new Pushgateway(`http://127.0.0.1:${port}`, {}, registry).pushAdd({ jobName: 'sockets' });
    await new Promise((resolve) => gateway.close(resolve));
    expect(samplesOf(pushed.join('')).get('pxl_ws_bus_ready')).toBe(1);
  });
});
