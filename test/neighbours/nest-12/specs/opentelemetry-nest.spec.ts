import assert from 'node:assert/strict';
import { register } from 'node:module';
import { after, describe, it } from 'node:test';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { NestInstrumentation } from '@opentelemetry/instrumentation-nestjs-core';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { startCollector } from '../support/trace-collector.js';

const collector = await startCollector();
Object.assign(process.env, {
  OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
  OTEL_METRICS_EXPORTER: 'none',
  OTEL_LOGS_EXPORTER: 'none',
  OTEL_BSP_SCHEDULE_DELAY: '20',
});
register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);
const sdk = new NodeSDK({ instrumentations: [new HttpInstrumentation(), new NestInstrumentation()] });
sdk.start();
const { PLATFORMS, startsApps } = await import('../support/app.js');
const { parts } = await import('../support/traced-app.js');

describe('@opentelemetry/instrumentation-nestjs-core', () => {
  const start = startsApps();
  after(() => sdk.shutdown());

  for (const platform of PLATFORMS) {
    describe(platform, () => {
      it('it makes no span with Nest 12, and does no harm to those of others', async () => {
        collector.spans.splice(0);
        const { client, origin } = await start({ ...parts, platform });
        const tester = await client();
        await tester.request('trace', 'send');
        await fetch(origin);
        await tester.close();
        await collector.of('GET');
        await collector.of('trace:send');
        const scopes = [...new Set(collector.spans.map(({ scope }) => scope))].sort();
        assert.deepEqual(scopes, ['@opentelemetry/instrumentation-http', 'nestjs-pxl-websocket']);
      });
    });
  }
});
