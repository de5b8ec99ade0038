import assert from 'node:assert/strict';
import { once } from 'node:events';
import { fork } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { after, afterEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { trace } from '@opentelemetry/api';
import { WsTestClient } from 'nestjs-pxl-websocket/testing';
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
const { parts, tracesOfSubscribers } = await import('../support/traced-app.js');

const ERROR = 2;

/** A worker in a process of its own, as the documentation starts it. */
async function startWorker(redis: string): Promise<{ origin: string; stop(): Promise<void> }> {
  const [program, tracing] = ['./traced-worker.js', '../src/tracing.js'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  const worker = fork(program ?? '', [redis], { execArgv: ['--import', tracing ?? ''] });
  const ended = once(worker, 'exit');
  after(() => void worker.kill('SIGKILL'));
  const [{ origin }] = (await once(worker, 'message')) as [{ origin: string }];
  const stop = async (): Promise<void> => {
    worker.send('stop');
    await ended;
  };
  return { origin, stop };
}

describe('@opentelemetry/sdk-node, @opentelemetry/instrumentation-http, @opentelemetry/instrumentation-ioredis', async () => {
  const redis = await startRedis();
  const start = startsApps();
  after(() => sdk.shutdown());
  afterEach(() => {
    collector.spans.splice(0);
    tracesOfSubscribers.splice(0);
  });

  it('a request to one worker, what it sends to a user, and its delivery on another worker are one trace', async () => {
    const [asked, other] = await Promise.all([startWorker(redis.url), startWorker(redis.url)]);
    const client = await WsTestClient.connect(`${other.origin.replace('http', 'ws')}/ws`);
    const order = async (): Promise<string> => {
      const response = await fetch(`${asked.origin}/orders`, { method: 'POST' });
      assert.equal(response.status, 201);
      await client.next('order', 'paid');
      const delivered = await collector.of('deliver users');
      const { traceId } = delivered.at(-1)!;
      await until(() => collector.tree(traceId).length === 5);
      return traceId;
    };
    await order(); // what is done for the first time takes its time
    collector.spans.splice(0);
    const lines = collector.tree(await order());
    assert.deepEqual(
      lines.map(({ text }) => text),
      [
        'POST SERVER',
        '  send users INTERNAL',
        '    publish users PRODUCER',
        '      publish CLIENT',
        '      deliver users CONSUMER',
      ],
    );
    const pids = [...new Set(lines.map(({ pid }) => pid))];
    assert.equal(pids.length, 2);
    if (process.env.PXL_TRACE !== undefined) {
      const width = Math.max(...lines.map(({ text }) => text.length));
      const text = lines.map(
        ({ text, time, pid }) => `${text.padEnd(width)}   worker ${pids.indexOf(pid) + 1}   ${time}`,
      );
      await writeFile(process.env.PXL_TRACE, `${text.join('\n')}\n`);
    }
    await client.close();
    await Promise.all([asked.stop(), other.stop()]);
  });

  for (const platform of PLATFORMS) {
    describe(platform, () => {
      it('each message has a trace of its own, with a link to that of its upgrade, and what it publishes to Redis is in it', async () => {
        const auth = { authenticate: () => ({ userId: 'ada' }) };
        const options = { auth, redis: redis.url, tracing: { userIds: true } };
        const { client } = await start({ ...parts, platform, options });
        const tester = await client();
        const traces = [await tester.request('trace', 'send'), await tester.request('trace', 'send')];
        const spans = await collector.of('trace:send', 2);
        assert.deepEqual(
          spans.map(({ traceId }) => traceId),
          traces,
        );
        assert.notEqual(traces[0], traces[1]);
        const [span] = spans;
        assert.equal(span?.attributes.find(({ key }) => key === 'enduser.id')?.value.stringValue, 'ada');
        const [link] = span.links;
        await until(() =>
          collector.spans.some(({ name, spanId }) => name === 'upgrade /ws' && spanId === link?.spanId),
        );
        const published = (traceId: unknown) =>
          collector.spans.filter(({ name, traceId: of }) => name === 'publish' && of === traceId);
        await until(() => traces.every((traceId) => published(traceId).length === 1));
      });

      it('the span of a stream lasts until its end, and that of a failure has the exception', async () => {
        const { client } = await start({ ...parts, platform });
        const tester = await client();
        tester.send({ type: 'trace', action: 'stream', id: 1 });
        const traces = [];
        for (let count = 0; count < 3; count++) traces.push((await tester.next('trace', 'stream')).response);
        await tester.next('trace', 'stream');
        const [span] = await collector.of('trace:stream');
        assert.deepEqual(traces, [span?.traceId, span?.traceId, span?.traceId]);
        await assert.rejects(tester.request('trace', 'fail', 'no'), { code: 'INTERNAL' });
        const [failed] = await collector.of('trace:fail');
        assert.equal(failed?.status.code, ERROR);
        assert.deepEqual(
          failed.events.map(({ name }) => name),
          ['exception'],
        );
      });

      it('nothing runs in the trace in which the application has started, or the client was let in', async () => {
        let admittedIn: string | undefined;
        const authenticate = () => {
          admittedIn = trace.getActiveSpan()?.spanContext().traceId;
          return { userId: 'ada' };
        };
        const options = { redis: redis.url, rooms: { open: true }, auth: { authenticate } };
        let startedIn: string | undefined;
        const { client } = await trace.getTracer('test').startActiveSpan('start', async (span) => {
          startedIn = span.spanContext().traceId;
          const app = await start({ ...parts, platform, options });
          span.end();
          return app;
        });
        await (await client()).join('lobby');
        await until(() => tracesOfSubscribers.length === 2);
        const traces = new Set([startedIn, admittedIn, ...tracesOfSubscribers]);
        assert.equal(traces.size, 4);
        assert.ok(!traces.has(undefined));
      });
    });
  }
});
