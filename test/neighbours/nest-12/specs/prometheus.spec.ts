import assert from 'node:assert/strict';
import cluster from 'node:cluster';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WsTestClient } from 'nestjs-pxl-websocket/testing';
import { AggregatorRegistry, register, type OpenMetricsContentType, type Registry } from 'prom-client';
import { MetricsModule } from '../src/metrics.module.js';
import { PLATFORMS, startsApps } from '../support/app.js';

describe('@willsoto/nestjs-prometheus, prom-client', () => {
  const start = startsApps();
  for (const platform of PLATFORMS) {
    describe(platform, () => {
      it('its page has all metrics of the worker beside those of the process, by the recipe', async () => {
        const { origin, client } = await start({ platform, options: false, imports: [MetricsModule] });
        await client();
        await client();
        const page = await (await fetch(`${origin}/metrics`)).text();
        assert.match(page, /^# HELP pxl_ws_connections .+\n# TYPE pxl_ws_connections gauge\npxl_ws_connections 2$/m);
        assert.match(page, /^# TYPE pxl_ws_upgrade_seconds histogram$/m);
        assert.match(page, /^pxl_ws_upgrade_seconds_bucket\{le="\+Inf"\} 2$/m);
        assert.match(page, /^process_resident_memory_bytes /m);
      });

      it('it serves them as OpenMetrics where the registry says so', async () => {
        const open = register as unknown as Registry<OpenMetricsContentType>;
        open.setContentType('application/openmetrics-text; version=1.0.0; charset=utf-8');
        try {
          const { origin } = await start({ platform, options: false, imports: [MetricsModule] });
          const response = await fetch(`${origin}/metrics`);
          assert.match(response.headers.get('content-type') ?? '', /^application\/openmetrics-text/);
          assert.match(await response.text(), /^# TYPE pxl_ws_connects counter\npxl_ws_connects_total 0$/m);
        } finally {
          register.setContentType('text/plain; version=0.0.4; charset=utf-8');
        }
      });
    });
  }

  it('`AggregatorRegistry` makes one page of the workers of `node:cluster`', async () => {
    cluster.setupPrimary({ exec: fileURLToPath(new URL('./metrics-worker.js', import.meta.url)), args: [] });
    const all = new AggregatorRegistry();
    const workers = [cluster.fork(), cluster.fork()];
    try {
      const told = await Promise.all(workers.map((worker) => once(worker, 'message')));
      const [{ url } = { url: '' }] = told.map(([message]) => message as { url: string });
      await Promise.all(Array.from({ length: 4 }, () => WsTestClient.connect(url)));
      const page = await all.clusterMetrics();
      assert.match(page, /^pxl_ws_connections 4$/m);
      assert.match(page, /^pxl_ws_upgrade_seconds_count 4$/m);
      assert.match(page, /^pxl_ws_bus_ready 1$/m);
      assert.match(page, /^pxl_ws_cluster_workers 1$/m);
    } finally {
      for (const worker of workers) worker.process.kill('SIGKILL');
    }
  });
});
