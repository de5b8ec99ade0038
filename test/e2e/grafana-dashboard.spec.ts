import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WsRoute } from 'nestjs-pxl-websocket';
import { Registry } from 'prom-client';
import { allMetrics } from '../../lib/runtime/metrics/metrics.js';
import { eventually } from '../../lib/testing/eventually.js';
import { pageOf } from '../support/documents.js';
import { metricsIn, problemsOf } from '../support/prom-query.js';
import { RedisServer } from '../support/redis-server.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

interface Place {
  readonly h: number;
  readonly w: number;
  readonly x: number;
  readonly y: number;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: Place;
  readonly datasource?: { type: string; uid: string };
  readonly targets?: readonly { refId: string; expr: string; legendFormat: string; datasource: { uid: string } }[];
}

interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly id: null;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { list: readonly { name: string; type: string; query: string | { query: string } }[] };
}

const SECRET = `whsec_${Buffer.alloc(24, 'secret').toString('base64')}`;
const METRICS = allMetrics();
const DASHBOARD = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../docs/grafana-dashboard.json'), 'utf8'),
) as Dashboard;
const { panels, templating } = DASHBOARD;
const TARGETS = panels.flatMap(({ title, targets = [] }) => targets.map((target) => ({ title, ...target })));
const DOCS = pageOf('docs/observability.md').text;
const ALERTS = [...DOCS.matchAll(/- alert: (\w+)\n +expr: (.*)\n/g)].map(([, name = '', expr = '']) => ({
  name,
  expr,
}));

class Gateway {
  @WsRoute('chat', 'send')
  send(): string {
    return 'sent';
  }

  @WsRoute('chat', 'fail')
  fail(): never {
    throw new Error('It fails.');
  }
}

describe('What a worker exposes', () => {
  const registry = new Registry();
  let redis: RedisServer;
  let app: TestApp;

  beforeAll(async () => {
    redis = await RedisServer.start();
    app = await startApp({
      options: {
        redis: redis.url,
        cluster: { secret: 'a secret of the cluster, 32 characters' },
        rooms: { open: true, history: { size: 10, ttl: 60_000 }, presence: true },
        auth: {
          authenticate: (credentials) => (credentials.request.url.includes('nobody') ? null : urlIdentity(credentials)),
        },
        limits: { roomsPerClient: 1 },
        metrics: { registry },
        webhooks: { endpoints: [{ url: 'http://localhost:9', events: ['clientLeftRoom'], secret: SECRET }] },
      },
      providers: [Gateway],
      logger: false,
    });
  });

  afterAll(async () => {
    await app.close();
    await redis.stop();
  });

  it('has the names and labels that the catalog says, and the dashboard and the alerts ask for', async () => {
    const [ada, gone] = [await connectAs(app, { userId: '7' }), await app.client()];
    await ada.join('tea');
    await ada.join('coffee').catch(() => undefined);
    await ada.request('chat', 'send');
    await ada.request('chat', 'fail').catch(() => undefined);
    await app.client({ path: '/ws?nobody' }).catch(() => undefined);
    await gone.close();
    await eventually('it is counted', async () =>
      (await registry.metrics()).includes('pxl_ws_closes_total{code="1000"} 1'),
    );

    const page = await registry.metrics();
    const types = new Map([...page.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]));
    expect([...types]).toEqual(METRICS.map(({ name, kind }) => [name, kind]));
    const exposed = new Map<string, string[]>();
    for (const [, name = '', list = ''] of page.matchAll(/^(pxl_ws_\w+)(?:\{(.*)\})? \S+$/gm)) {
      exposed.set(
        name,
        [...list.matchAll(/(\w+)="/g)].map(([, label = '']) => label),
      );
    }
    for (const { name, kind, labels } of METRICS) {
      const samples = kind === 'histogram' ? ['bucket', 'sum', 'count'].map((part) => `${name}_${part}`) : [name];
      for (const sample of samples) {
        const expected = sample.endsWith('_bucket') ? [...labels, 'le'] : labels;
        expect([sample, exposed.get(sample) ?? expected]).toEqual([sample, expected]);
      }
    }
    // Those that need an event which cannot be had here, or another kind of cluster.
    const rare = ['channel_gaps_total', 'webhooks_dropped_total'];
    const asked = new Set([...TARGETS, ...ALERTS].flatMap(({ expr }) => metricsIn(expr)));
    const missing = [...asked].filter((name) => !exposed.has(name)).map((name) => name.replace('pxl_ws_', ''));
    expect(missing).toEqual(rare);
  });
});

describe('docs/grafana-dashboard.json', () => {
  it('asks for what is there, of the chosen workers', () => {
    const problems = TARGETS.flatMap(({ title, refId, expr, legendFormat }) => {
      const found = problemsOf(expr.replaceAll('$__rate_interval', '5m'), METRICS);
      if (!expr.includes('{job=~"$job", instance=~"$instance"')) found.push('It asks all workers.');
      for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
        // What is summed has only the labels that it is summed by.
        if (expr.includes('(') && !new RegExp(`\\bby \\([^)]*\\b${label}\\b`).test(expr))
          found.push(`It has no ${label}.`);
      }
      return found.map((problem) => `${title} ${refId}: ${problem}`);
    });
    expect(TARGETS.length).toBeGreaterThan(50);
    expect(problems).toEqual([]);
  });

  it('is one that Grafana takes', () => {
    expect(DASHBOARD).toMatchObject({ id: null, schemaVersion: expect.any(Number), uid: 'nestjs-pxl-websocket' });
    expect(DASHBOARD.schemaVersion).toBeGreaterThanOrEqual(38);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { type, datasource, targets = [] } of panels) {
      expect(['row', 'stat', 'timeseries']).toContain(type);
      if (type === 'row') continue;
      expect(datasource).toEqual({ type: 'prometheus', uid: '${datasource}' });
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(Math.max(1, targets.length));
      for (const target of targets) expect(target.datasource).toEqual(datasource);
    }
    expect(panels.filter(({ type }) => type === 'row').map(({ title }) => title)).toEqual([
      'Now',
      'Traffic',
      'Latency',
      'Rooms and history',
      'Cluster',
      'Errors',
    ]);
  });

  it('has its panels beside each other, not over each other', () => {
    const overlaps = panels.flatMap(({ title, gridPos: one }, at) => {
      const others = panels.slice(at + 1).filter(({ gridPos: other }) => {
        const isBeside = one.x + one.w <= other.x || other.x + other.w <= one.x;
        return !isBeside && one.y < other.y + other.h && other.y < one.y + one.h;
      });
      return others.map((other) => `${title}, ${other.title}`);
    });
    expect(overlaps).toEqual([]);
    expect(panels.filter(({ gridPos: { x, w, h } }) => x < 0 || w < 1 || h < 1 || x + w > 24)).toEqual([]);
  });

  it('lets people choose Prometheus, job and worker', () => {
    expect(templating.list.map(({ name, type }) => [name, type])).toEqual([
      ['datasource', 'datasource'],
      ['job', 'query'],
      ['instance', 'query'],
    ]);
    const queries = templating.list.flatMap(({ query }) => (typeof query === 'string' ? [] : query.query));
    expect(queries).toEqual([
      'label_values(pxl_ws_connections, job)',
      'label_values(pxl_ws_connections{job=~"$job"}, instance)',
    ]);
  });
});

describe('docs/observability.md', () => {
  it('has a row for each metric, with its kind, its labels and its sentence', () => {
    const rows = [...DOCS.matchAll(/^\| `(pxl_ws_\w+)` \| (\w+) \| ([^|]*) \| (.*) \|$/gm)];
    const told = rows.map(([, name, kind, labels = '', help]) => {
      return { name, kind, help, labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label) };
    });
    const byName = (one: { name?: string }, other: { name?: string }): number => (one.name! < other.name! ? -1 : 1);
    const expected = METRICS.map(({ name, kind, help, labels }) => ({ name, kind, help, labels }));
    expect(told.sort(byName)).toEqual(expected.sort(byName));
  });

  it('has alerts that ask for what is there', () => {
    const problems = ALERTS.flatMap(({ name, expr }) =>
      problemsOf(expr, METRICS).map((problem) => `${name}: ${problem}`),
    );
    expect(ALERTS.length).toBeGreaterThan(5);
    expect(problems).toEqual([]);
  });
});

describe('The check of queries', () => {
  it.each([
    ['pxl_ws_conections', 'There is no pxl_ws_conections.'],
    ['sum(pxl_ws_connects_total)', 'pxl_ws_connects_total is a counter.'],
    ['rate(pxl_ws_connections[5m])', 'pxl_ws_connections is a gauge.'],
    ['pxl_ws_connections{room="tea"}', 'pxl_ws_connections has no label room.'],
    ['sum by (user) (pxl_ws_connections)', 'Nothing has a label user.'],
    ['rate(pxl_ws_handler_seconds[5m])', 'There is no pxl_ws_handler_seconds.'],
    ['sum(rate(pxl_ws_handler_seconds_bucket[5m]))', 'Buckets are summed by le.'],
    ['avg(pxl_ws_connections)', 'What is avg?'],
    ['sum(pxl_ws_connections', 'Its brackets are not closed.'],
  ])('finds what is wrong: %s', (query, problem) => {
    expect(problemsOf(query, METRICS)).toContain(problem);
  });
});
