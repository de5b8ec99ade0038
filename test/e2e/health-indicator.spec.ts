import { channel } from 'node:diagnostics_channel';
import type { Server } from 'node:http';
import { afterEach, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule, type HealthCheckResult } from '@nestjs/terminus';
import { WebSocketGateway } from '@nestjs/websockets';
import {
  PxlWebSocketHealthIndicator,
  type PxlWebSocketModuleOptions,
  type WsHealthDetails,
} from 'nestjs-pxl-websocket';
import { Runtime } from '../../lib/runtime/runtime.js';
import { eventually } from '../../lib/testing/eventually.js';
import { LEASE, PROBE } from '../support/cluster-periods.js';
import { freePort } from '../support/free-port.js';
import { RedisServer } from '../support/redis-server.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';

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

type Told = WsHealthDetails & { status: string };

let app: TestApp;

async function start(
  options: PxlWebSocketModuleOptions,
  providers: NonNullable<Parameters<typeof startApp>[0]>['providers'] = [],
  runtime = new Runtime(),
): Promise<void> {
  const imports = [TerminusModule.forRoot({ logger: false })];
  const override: TestAppOptions['override'] = (builder) => builder.overrideProvider(Runtime).useValue(runtime);
  app = await startApp({ options, imports, controllers: [HealthController], providers, override });
}

/** What a probe gets: the status of the answer, and what the indicator has told. */
async function probe(which: 'live' | 'ready'): Promise<[number, Told]> {
  const answer = await fetch(`${app.origin}/health/${which}`);
  const { details } = (await answer.json()) as { details: { sockets: Told } };
  return [answer.status, details.sockets];
}

/** Resolves with what readiness tells once it answers so. */
async function ready(status: number, reason: string | undefined): Promise<Told> {
  let told: Told | undefined;
  await eventually(`readiness answers ${status}: ${reason}`, async () => {
    const [now, sockets] = await probe('ready');
    told = sockets;
    return (
      now === status &&
      (reason === undefined ? sockets.reason === undefined : sockets.reason?.startsWith(reason) === true)
    );
  });
  return told!;
}

afterEach(() => app.close());

it('in one process is up from the start, and down while the worker drains, when it is alive nevertheless', async () => {
  const clock = new ManualRuntime();
  await start({ shutdown: { delay: 2_000 } }, [], clock);
  const client = await app.client();
  const [status, told] = await probe('ready');
  expect([status, told]).toEqual([
    200,
    { status: 'up', health: 'healthy', phase: 'serving', workerId: expect.any(String), connections: 1, workers: 1 },
  ]);
  const closed = app.app.close();
  expect(await ready(503, 'The worker ends')).toMatchObject({ status: 'down', phase: 'draining', connections: 1 });
  expect(await probe('live')).toEqual([200, expect.objectContaining({ status: 'up', phase: 'draining' })]);
  await client.request('system', 'ping');
  await clock.advance(2_000);
  await closed;
});

it('with Redis is ready once Redis is there, and not while it is away; the worker is alive all the time', async () => {
  const redis = await RedisServer.start();
  try {
    await redis.kill();
    await start({ redis: redis.url, cluster: { lease: LEASE, probe: PROBE } });
    expect(await ready(503, 'Redis cannot be reached')).toMatchObject({
      status: 'down',
      health: 'unhealthy',
      phase: 'starting',
      redis: { connected: false, lastError: expect.stringContaining('ECONNREFUSED') },
    });
    expect(await probe('live')).toMatchObject([200, { status: 'up', phase: 'starting' }]);
    await redis.run();
    expect(await ready(200, undefined)).toMatchObject({
      status: 'up',
      health: 'healthy',
      phase: 'serving',
      workers: 1,
      redis: { connected: true, probeMs: expect.any(Number), lastError: null },
    });
    await redis.kill();
    expect(await ready(503, 'Redis cannot be reached')).toMatchObject({
      status: 'down',
      health: 'degraded',
      phase: 'serving',
    });
    expect(await probe('live')).toMatchObject([200, { status: 'up', health: 'degraded' }]);
    await redis.run();
    await ready(200, undefined);
  } finally {
    await redis.stop();
  }
});

it('tells that the worker is not alive when nothing listens any more on the port of a gateway', async () => {
  const port = await freePort();
  @WebSocketGateway(port)
  class Gateway {}
  const servers: Server[] = [];
  const note = (message: unknown): void => void servers.push((message as { server: Server }).server);
  const requests = channel('http.server.request.start');
  requests.subscribe(note);
  try {
    await start({}, [Gateway]);
    await fetch(`http://127.0.0.1:${port}`);
    expect((await probe('live'))[0]).toBe(200);
    servers[0]!.close();
    const [status, told] = await probe('live');
    expect([status, told.reason]).toEqual([503, 'Nothing listens any more on the port of a gateway.']);
  } finally {
    requests.unsubscribe(note);
  }
});
