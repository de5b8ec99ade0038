import assert from 'node:assert/strict';
import { register } from 'node:module';
import { after, describe, it } from 'node:test';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis';
import { NestInstrumentation } from '@opentelemetry/instrumentation-nestjs-core';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { startRedis } from '../support/redis-server.js';
import { startCollector } from '../support/trace-collector.js';
import { until } from '../support/until.js';

const collector = await startCollector();
Object.assign(process.env, {
  OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
  OTEL_METRICS_EXPORTER: 'none',
  OTEL_LOGS_EXPORTER: 'none',
  OTEL_BSP_SCHEDULE_DELAY: '20',
});
register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);
const instrumentations = [new HttpInstrumentation(), new NestInstrumentation(), new IORedisInstrumentation()];
const sdk = new NodeSDK({ instrumentations });
sdk.start();
const { PLATFORMS, startsApps } = await import('../support/app.js');
const { parts } = await import('../support/traced-app.js');

describe('@opentelemetry/instrumentation-nestjs-core, @opentelemetry/sdk-node, @nestjs/core', async () => {
  const redis = await startRedis();
  const start = startsApps();
  after(() => sdk.shutdown());

  for (const platform of PLATFORMS) {
    describe(platform, () => {
      it('its spans of a controller stand between a request and what it sends, up to the delivery on another worker', async () => {
        collector.spans.splice(0);
        const options = { auth: { authenticate: () => ({ userId: 'ada' }) }, redis: redis.url };
        const asked = await start({ ...parts, platform, options });
        const other = await start({ ...parts, platform, options });
        const tester = await other.client();
        await fetch(`${asked.origin}/orders`, { method: 'POST' });
        await tester.next('order', 'paid');
        const [delivered] = await collector.of('deliver users');
        await until(() => collector.tree(delivered?.traceId ?? '').length === 7);
        assert.deepEqual(
          collector.tree(delivered?.traceId ?? '').map(({ text }) => text),
          [
            'POST SERVER',
            '  Page.order INTERNAL',
            '    order INTERNAL',
            '      send users INTERNAL',
            '        publish users PRODUCER',
            '          publish CLIENT',
            '          deliver users CONSUMER',
          ],
        );
      });
    });
  }
});
