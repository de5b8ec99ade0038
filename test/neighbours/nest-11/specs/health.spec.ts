import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Controller, Get } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule, type HealthCheckResult } from '@nestjs/terminus';
import { PxlWebSocketHealthIndicator, WebSocketService } from 'nestjs-pxl-websocket';
import { PLATFORMS, startsApps } from '../support/app.js';
import { startRedis } from '../support/redis-server.js';
import { until } from '../support/until.js';

@Controller('health')
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly sockets: PxlWebSocketHealthIndicator,
  ) {}

  @Get('live')
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.check([() => this.sockets.isLive('sockets')]);
  }

  @Get('ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.sockets.isReady('sockets')]);
  }
}

interface Told {
  readonly details: {
    readonly sockets: { readonly status: string; readonly connections: number; readonly reason?: string };
  };
}

describe('@nestjs/terminus', () => {
  const start = startsApps();
  for (const platform of PLATFORMS) {
    describe(platform, () => {
      it('the indicator of the module is up while the worker takes connections, and down (503) for readiness alone while Redis is away', async () => {
        const parts = { imports: [TerminusModule], controllers: [HealthController] };
        const redis = await startRedis();
        const { origin, client, app } = await start({ ...parts, platform, options: { redis: redis.url } });
        await client();
        const well = await fetch(`${origin}/health/ready`);
        assert.equal(well.status, 200);
        const { details } = (await well.json()) as Told;
        assert.deepEqual([details.sockets.status, details.sockets.connections], ['up', 1]);
        await redis.stop();
        await until(() => !app.get(WebSocketService).getWebSocketHealth().ready);
        const ill = await fetch(`${origin}/health/ready`);
        assert.equal(ill.status, 503);
        const told = (await ill.json()) as Told;
        assert.equal(told.details.sockets.status, 'down');
        assert.match(told.details.sockets.reason ?? '', /^Redis cannot be reached/);
        assert.equal((await fetch(`${origin}/health/live`)).status, 200);
      });
    });
  }
});
