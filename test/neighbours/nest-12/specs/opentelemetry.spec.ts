import assert from 'node:assert/strict';
import { after, afterEach, describe, it } from 'node:test';
import { trace } from '@opentelemetry/api';
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
// As `node --import ./dist/tracing.js` does: before everything that is instrumented.
const { sdk } = await import('../src/tracing.js');
const { PLATFORMS, startsApps } = await import('../support/app.js');
const { parts, tracesOfSubscribers } = await import('./traced-app.js');

const ERROR = 2;

describe('@opentelemetry/sdk-node, @opentelemetry/instrumentation-ioredis', async () => {
  const redis = await startRedis();
  const start = startsApps();
  after(() => sdk.shutdown());
  afterEach(() => {
    collector.spans.splice(0);
    tracesOfSubscribers.splice(0);
  });

  for (const platform of PLATFORMS) {
    describe(platform, () => {
      it('with the recipe each message has a span of its own trace, with its user, and what it publishes to Redis is in it', async () => {
        const auth = { authenticate: () => ({ userId: 'ada' }) };
        const { client } = await start({ ...parts, platform, options: { auth, redis: redis.url } });
        const tester = await client();
        const traces = [await tester.request('trace', 'send'), await tester.request('trace', 'send')];
        const spans = await collector.of('ws trace:send', 2);
        assert.deepEqual(
          spans.map(({ traceId }) => traceId),
          traces,
        );
        assert.notEqual(traces[0], traces[1]);
        const [span] = spans;
        assert.equal(span?.attributes.find(({ key }) => key === 'enduser.id')?.value.stringValue, 'ada');
        await until(() => collector.spans.filter(({ name }) => name.includes('publish')).length >= 2);
        const published = collector.spans.filter(({ name }) => name.includes('publish'));
        assert.deepEqual(
          published.map(({ parentSpanId }) => parentSpanId),
          spans.map(({ spanId }) => spanId),
        );
      });

      it('the span of a stream lasts until its end, and that of a failure has the exception', async () => {
        const { client } = await start({ ...parts, platform });
        const tester = await client();
        tester.send({ type: 'trace', action: 'stream', id: 1 });
        const traces = [];
        for (let count = 0; count < 3; count++) traces.push((await tester.next('trace', 'stream')).response);
        await tester.next('trace', 'stream');
        const [span] = await collector.of('ws trace:stream');
        assert.deepEqual(traces, [span?.traceId, span?.traceId, span?.traceId]);
        await assert.rejects(tester.request('trace', 'fail', 'no'), { code: 'INTERNAL' });
        const [failed] = await collector.of('ws trace:fail');
        assert.equal(failed?.status.code, ERROR);
        assert.deepEqual(
          failed.events.map(({ name }) => name),
          ['exception'],
        );
      });

      it('nothing runs in the trace in which the application has started, or the client was let in', async () => {
        const tracer = trace.getTracer('test');
        await tracer.startActiveSpan('start', async (span) => {
          const authenticate = () => tracer.startActiveSpan('authenticate', () => ({ userId: 'ada' }));
          const options = { redis: redis.url, rooms: { open: true }, auth: { authenticate } };
          const { client } = await start({ ...parts, platform, options });
          await (await client()).join('lobby');
          await until(() => tracesOfSubscribers.length === 2);
          assert.deepEqual(tracesOfSubscribers, [undefined, undefined]);
          span.end();
        });
      });
    });
  }
});
