import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TerminusModule } from '@nestjs/terminus';
import { WebSocketService } from 'nestjs-pxl-websocket';
import { HealthController, SocketsHealthIndicator } from '../src/sockets.health.js';
import { PLATFORMS, startsApps } from '../support/app.js';
import { startRedis } from '../support/redis-server.js';
import { until } from '../support/until.js';

describe('@nestjs/terminus', () => {
  const start = startsApps();
  for (const platform of PLATFORMS) {
    describe(platform, () => {
      it('an indicator made of `getWebSocketHealth()` is up while the worker takes connections, and down (503) while Redis is away', async () => {
        const parts = {
          imports: [TerminusModule],
          providers: [SocketsHealthIndicator],
          controllers: [HealthController],
        };
        const redis = await startRedis();
        const { origin, client, app } = await start({ ...parts, platform, options: { redis: redis.url } });
        await client();
        const well = await fetch(`${origin}/health/ready`);
        assert.equal(well.status, 200);
        const { details } = (await well.json()) as { details: unknown };
        assert.deepEqual(details, { sockets: { status: 'up', activeConnections: 1 } });
        await redis.stop();
        await until(() => !app.get(WebSocketService).getWebSocketHealth().ready);
        const ill = await fetch(`${origin}/health/ready`);
        assert.equal(ill.status, 503);
        const { error } = (await ill.json()) as { error: unknown };
        assert.deepEqual(error, { sockets: { status: 'down', reason: 'degraded' } });
      });
    });
  }
});
