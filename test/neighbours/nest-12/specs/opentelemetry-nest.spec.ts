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
const { Gateway, Page } = await import('./traced-app.js');

describe('@opentelemetry/instrumentation-http, @opentelemetry/instrumentation-nestjs-core', () => {
  const start = startsApps();
  after(() => sdk.shutdown());

  for (const platform of PLATFORMS) {
    describe(platform, () => {
      it('pages have spans of HTTP, connections and their messages have none, and none of Nest 12 are made', async () => {
        collector.spans.splice(0);
        const { client, origin } = await start({ platform, providers: [Gateway], controllers: [Page] });
        const tester = await client();
        assert.equal(await tester.request('trace', 'send'), null);
        await fetch(origin);
        await tester.close();
        await collector.of('GET');
        const ofServer = collector.spans.filter(({ name }) => !name.includes('POST'));
        assert.deepEqual([...new Set(ofServer.map(({ name }) => name))], ['GET']);
      });
    });
  }
});
