import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocketService, WsError, WsFallback, WsRoute, type PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { Registry, type OpenMetricsContentType } from 'prom-client';
import { RedisServer } from '../support/redis-server.js';
import { eventually } from '../../lib/testing/eventually.js';
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

  @WsFallback()
  other(): null {
    return null;
  }
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

/** The samples of a page as Prometheus reads them, by their names and labels. */
function samplesOf(page: string): Map<string, number> {
  const samples = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(samples.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

describe('A registry of prom-client', () => {
  it('tells all of getMetrics(), each with its type and a sentence', async () => {
    const registry = new Registry();
    const app = await start({ metrics: { registry } });
    const client = await app.client();
    await client.request('chat', 'send');
    const page = await registry.metrics();
    const samples = samplesOf(page);
    for (const { name, kind, help, value, labels } of app.app.get(WebSocketService).getMetrics()) {
      expect(page).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n`);
      if (kind === 'counter' && !labels) expect(samples.get(name)).toBe(value);
    }
    expect(samples.get('pxl_ws_connections')).toBe(1);
    expect(samples.get('pxl_ws_upgrade_seconds_count')).toBe(1);
    expect(samples.get('pxl_ws_event_loop_delay_seconds{quantile="0.99"}')).toBeGreaterThanOrEqual(0);
  });

  it('has the times of handlers by route, whatever clients call', async () => {
    const registry = new Registry();
    const app = await start({ metrics: { registry } });
    const client = await app.client();
    await client.request('chat', 'send');
    await client.request('chat', 'fail').catch(() => undefined);
    client.send({ type: 'chat', action: 'send' });
    client.send({ type: 'chat', action: 'list', id: 'l' });
    await client.next();
    for (let number = 0; number < 20; number++) await client.request('unknown', `name ${number}`);
    await client.request('system', 'nothing').catch(() => undefined);
    const samples = samplesOf(await registry.metrics());
    const count = (route: string): number | undefined => samples.get(`pxl_ws_handler_seconds_count{route="${route}"}`);
    expect(count('chat:send')).toBe(2);
    expect(count('chat:fail')).toBe(1);
    expect(count('chat:list')).toBe(1);
    expect(count('*')).toBe(20);
    expect(samples.get('pxl_ws_handler_seconds_bucket{route="chat:send",le="+Inf"}')).toBe(2);
    expect(samples.get('pxl_ws_errors_total{code="NO_SUCH_GAME"}')).toBe(1);
    expect(samples.get('pxl_ws_errors_total{code="UNKNOWN_ROUTE"}')).toBe(1);
    await client.close();
    await eventually('it has gone', async () =>
      (await registry.metrics()).includes('pxl_ws_closes_total{code="1000"} 1'),
    );
  });

  it('has the time until messages of this worker and of others are written, once for all who get them', async () => {
    const redis = await RedisServer.start();
    const registry = new Registry();
    const [one, two] = [await start({ redis: redis.url }), await start({ redis: redis.url, metrics: { registry } })];
    const clients = [await two.client(), await two.client()];
    const sent = samplesOf(await registry.metrics()).get('pxl_ws_messages_sent_total') ?? NaN;
    for (const { app } of [one, two]) {
      await app.get(WebSocketService).broadcast({ type: 'news', action: 'flash' });
      for (const client of clients) await client.next();
    }
    const samples = samplesOf(await registry.metrics());
    for (const from of ['here', 'bus']) {
      expect(samples.get(`pxl_ws_delivery_seconds_count{from="${from}"}`)).toBe(1);
      expect(samples.get(`pxl_ws_delivery_seconds_sum{from="${from}"}`)).toBeGreaterThan(0);
    }
    expect(samples.get('pxl_ws_bus_latency_seconds_count')).toBeGreaterThan(0);
    expect(samples.get('pxl_ws_messages_sent_total')).toBe(sent + 4);
    await Promise.all(apps.splice(0).map((app) => app.close()));
    await redis.stop();
  });

  it('is left as it was when the application stops', async () => {
    const registry = new Registry();
    const app = await start({ metrics: { registry } });
    await app.close();
    apps = [];
    expect(registry.getMetricsAsArray()).toEqual([]);
    await start({ metrics: { registry } });
  });

  it('serves one application at a time', async () => {
    const registry = new Registry();
    await start({ metrics: { registry } });
    await expect(start({ metrics: { registry } })).rejects.toThrow(
      /^The registry of metrics has a metric pxl_ws_\w+ already: each application needs a registry of its own\.$/,
    );
  });

  it('writes OpenMetrics, too', async () => {
    const registry = new Registry<OpenMetricsContentType>();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    await start({ metrics: { registry } });
    const page = await registry.metrics();
    expect(page).toContain('# TYPE pxl_ws_connects counter\npxl_ws_connects_total 0\n');
    expect(page.match(/pxl_ws_connects/g)).toHaveLength(3);
    expect(await registry.metrics()).toBe(page.replace(/(event_loop_delay_seconds\{.*\}) .*/g, '$1 0'));
  });
});
