import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocketGateway } from '@nestjs/websockets';
import {
  ClientManager,
  PxlWebSocketServer,
  WsRoute,
  type PxlWebSocketModuleOptions,
  type WsClient,
} from 'nestjs-pxl-websocket';
import { WebSocketServer } from 'ws';
import { resolveOptions } from '../../lib/pxl-websocket.module-options.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { failureOf } from '../support/failure-of.js';
import { IgnisClient } from '../support/ignis-client.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { hs256, SECRET } from '../support/tokens.js';
import { until } from '../support/until.js';

@WebSocketGateway()
class Everywhere {
  @WsRoute('who', 'am')
  am(client: WsClient): unknown {
    return { path: client.path, rooms: [...client.rooms] };
  }
}

@WebSocketGateway({ path: '/events' })
class Events {}

const auth = { jwt: { secret: SECRET } };

let app: TestApp | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

async function start(options: PxlWebSocketModuleOptions, clock?: ManualRuntime): Promise<TestApp> {
  return (app = await startApp({
    providers: [Everywhere, Events],
    options,
    override: (builder) => (clock ? builder.overrideProvider(Runtime).useValue(clock) : builder),
  }));
}

describe('an event endpoint', () => {
  it('has the defaults of Ignis', () => {
    const { auth, limits, disconnectInactiveClients, rooms } = resolveOptions({
      protocol: 'event',
      auth: { jwt: true },
    });
    expect(auth).toMatchObject({ mode: 'either', timeout: 5_000, required: true });
    expect(limits).toMatchObject({ maxPayload: 131_072, maxBufferedBytes: 1_048_576 });
    expect(disconnectInactiveClients).toMatchObject({ enabled: true, inactiveTime: 90_000, intervalCheckTime: 30_000 });
    expect(rooms).toMatchObject({ defaults: ['ws-default', 'ws-notification'], open: false });
  });

  it('asks nobody who it is where no authentication is configured', () => {
    expect(resolveOptions({ protocol: 'event' }).auth).toMatchObject({ mode: 'upgrade', required: false });
  });

  it('lets every option say otherwise', () => {
    const given = {
      protocol: 'event' as const,
      auth: { jwt: true as const, mode: 'upgrade' as const, timeout: 1 },
      limits: { maxPayload: 7 },
      disconnectInactiveClients: { enabled: false, inactiveTime: 200, intervalCheckTime: 100 },
      rooms: { defaults: [] },
    };
    const { auth, limits, disconnectInactiveClients, rooms } = resolveOptions(given);
    expect([auth.mode, auth.timeout, limits.maxPayload]).toEqual(['upgrade', 1, 7]);
    expect(disconnectInactiveClients).toMatchObject(given.disconnectInactiveClients);
    expect(rooms.defaults).toEqual([]);
  });

  it('takes messages of 128 KiB, and closes with 1009 for a byte more', async () => {
    await start({ protocol: 'event', auth });
    const largest = (bytes: number): string => {
      const text = JSON.stringify({ event: 'heartbeat', data: '' });
      return text.replace('""', `"${'x'.repeat(bytes - text.length)}"`);
    };
    const client = await IgnisClient.connect(app!.url(), { token: hs256({ sub: 'ada' }) });
    client.say(largest(131_072));
    await client.ask('heartbeat');
    client.say(largest(131_073));
    expect((await client.closed).code).toBe(1009);
  });

  it('takes credentials by message, and those of an upgrade where it has some', async () => {
    await start({ protocol: 'event', auth });
    const token = hs256({ sub: 'ada' });
    const late = await IgnisClient.connect(app!.url(), { token });
    const early = await IgnisClient.open(app!.url(`/ws?token=${token}`));
    expect(await early.next()).toMatchObject({ event: 'connected', data: { userId: 'ada' } });
    expect((await late.ask('who:am')).data).toEqual({ path: '/ws', rooms: ['ws-default', 'ws-notification'] });
  });

  it('gives what it is told to: rooms, deadlines, heartbeats and pings', async () => {
    const clock = new ManualRuntime();
    await start(
      {
        protocol: 'event',
        auth: { ...auth, timeout: 1_000 },
        rooms: { defaults: ['lobby'] },
        disconnectInactiveClients: { inactiveTime: 4_000, intervalCheckTime: 1_000 },
        heartbeat: { interval: 500, timeout: 100 },
      },
      clock,
    );
    const silent = await IgnisClient.open(app!.url());
    const exp = Math.floor(clock.now() / 1_000) + 3_600;
    const client = await IgnisClient.connect(app!.url(), { token: hs256({ sub: 'ada', exp }) });
    expect((await client.ask('who:am')).data).toMatchObject({ rooms: ['lobby'] });
    const pinged = new Promise((resolve) => client.socket.once('ping', resolve));
    await clock.advance(500);
    await pinged;
    await client.ask('heartbeat');
    await clock.advance(500);
    expect((await silent.closed).code).toBe(4001);
  });
});

describe('the option endpoints[path].protocol', () => {
  it('gives a path a codec and defaults of its own, beside others', async () => {
    await start({ endpoints: { '/events': { protocol: 'event' } } });
    const events = await IgnisClient.open(app!.url('/events'));
    expect(await events.next()).toMatchObject({ event: 'connected' });
    expect((await events.ask('who:am')).data).toEqual({ path: '/events', rooms: ['ws-default', 'ws-notification'] });
    const pxl = await app!.client();
    expect(await pxl.request('who', 'am')).toEqual({ path: '/ws', rooms: [] });
  });

  it('may be the first one’s, where the module has the second', async () => {
    await start({ protocol: 'event', endpoints: { '/events': { protocol: 'pxl' } } });
    const pxl = await app!.client({ path: '/events' });
    expect(await pxl.request('who', 'am')).toEqual({ path: '/events', rooms: [] });
    const events = await IgnisClient.open(app!.url());
    expect(await events.next()).toMatchObject({ event: 'connected' });
  });

  it('has each endpoint’s silent clients closed by its own defaults, and by their own codec’s code', async () => {
    const clock = new ManualRuntime();
    await start({ heartbeat: false, endpoints: { '/events': { protocol: 'event' } } }, clock);
    const open = (path: string, protocol: string): Promise<TestClient> =>
      TestClient.open(app!.url(path), { protocols: [protocol] });
    const onEvents = [await open('/events', 'event.v1'), await open('/events', 'pxl.v1')];
    const elsewhere = [await open('/ws', 'event.v1'), await open('/ws', 'pxl.v1')];
    await clock.advance(90_000);
    expect(await Promise.all(onEvents.map(async ({ closed }) => (await closed).code))).toEqual([4002, 4510]);
    expect(elsewhere.map(({ socket }) => socket.readyState)).toEqual([1, 1]);
    await until(() => app!.app.get(ClientManager).size === 2);
    await app!.app.get(PxlWebSocketServer).stop();
    expect(clock.size).toBe(0);
  });

  it.each<[string, object]>([
    ['protocol', { protocol: 'events' }],
    ['endpoints["/events"]', { endpoints: { '/events': { protocol: 'event.v1' } } }],
  ])('fails the start for a protocol that there is not (%s)', async (where, options) => {
    const failure = await failureOf({ providers: [Events], options });
    expect(failure).toMatch(
      /^The option protocol is 'pxl' or 'event', not a text that is none of them: did you mean 'event'\?/,
    );
    expect(failure).toContain(where);
  });
});

it('a client of an event endpoint may still offer the other codec', async () => {
  await start({ protocol: 'event', auth });
  const client = await TestClient.open(app!.url(), { protocols: ['pxl.v1'] });
  client.send({ type: 'system', action: 'authenticate', data: { token: hs256({ sub: 'ada' }) }, id: 1 });
  expect(await client.next()).toMatchObject({ type: 'system', action: 'connected', data: { protocol: 'pxl.v1' } });
  expect(await client.next('auth', 'authenticated')).toMatchObject({ data: { userId: 'ada' } });
});

it('a socket taken over from another ws server speaks what the endpoint speaks', async () => {
  await start({ protocol: 'event' });
  const other = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(other, 'listening');
  try {
    other.on('connection', (ws) => app!.app.get(ClientManager).addClient({ clientId: 'adopted', ws }));
    const client = await IgnisClient.open(`ws://127.0.0.1:${(other.address() as AddressInfo).port}`);
    expect(await client.next()).toMatchObject({ event: 'connected', data: { id: 'adopted' } });
    client.socket.terminate();
  } finally {
    other.close();
  }
});
