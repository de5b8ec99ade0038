import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';
import { register } from 'prom-client';
import { SocketMetrics } from '../src/socket.metrics.js';
import { PLATFORMS, startsApps } from '../support/app.js';

describe('@willsoto/nestjs-prometheus, prom-client', () => {
  const start = startsApps();
  for (const platform of PLATFORMS) {
    describe(platform, () => {
      it('its page has the numbers of `getMetrics()`, by the recipe', async () => {
        register.clear();
        const { origin, client } = await start({
          platform,
          imports: [PrometheusModule.register({ defaultMetrics: { enabled: false } })],
          providers: [SocketMetrics],
        });
        await client();
        await client();
        const page = await (await fetch(`${origin}/metrics`)).text();
        assert.match(page, /^# TYPE pxl_ws_connections gauge$/m);
        assert.match(page, /^pxl_ws_connections 2$/m);
      });
    });
  }
});
