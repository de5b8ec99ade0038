import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocketGateway } from '@nestjs/websockets';
import {
  ClientManager,
  WebSocketService,
  WsRoute,
  type WsLimitOptions,
  type PxlWebSocketModuleOptions,
  type WsCredentials,
  type WsIdentity,
} from 'nestjs-pxl-websocket';
import { WebSocket } from 'ws';
import { WebSocketClient } from '../../lib/client/index.js';
import { AcceptRate } from '../../lib/limits/accept-rate.js';
import { ConnectionCounts } from '../../lib/limits/connection-counts.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { closeRefusal } from '../support/close-refusal.js';
import { failureOf } from '../support/failure-of.js';
import { Gate } from '../support/gate.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { RawClient } from '../support/raw-client.js';
import { PLATFORMS, startApp, type Platform, type TestApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { upgradeAnswer, upgradeStatus } from '../support/upgrade-answer.js';
import { identityOf } from '../support/url-identity.js';

@WebSocketGateway()
class Endless {
  @WsRoute('endless', 'stream')
  async *stream(): AsyncGenerator<number> {
    yield 1;
    await new Promise(() => undefined);
  }
}

const apps: TestApp[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

const authenticate = ({ request }: WsCredentials): WsIdentity => identityOf(request.url.split('?')[1]);

/** A clock that stands while it is held, and goes on from there; its timers go on meanwhile. */
class HeldRuntime extends Runtime {
  #behind = 0;
  #heldAt: number | null = null;

  override monotonic(): number {
    return this.#heldAt ?? super.monotonic() - this.#behind;
  }

  hold(): number {
    return (this.#heldAt = this.monotonic());
  }

  release(): void {
    if (this.#heldAt !== null) this.#behind = super.monotonic() - this.#heldAt;
    this.#heldAt = null;
  }
}

async function start(
  limits: WsLimitOptions,
  more: PxlWebSocketModuleOptions = {},
  platform: Platform = 'express',
): Promise<TestApp> {
  const app = await startApp({ platform, options: { shutdown: { timeout: 200 }, ...more, limits } });
  apps.push(app);
  return app;
}

const READS_REFUSALS = { headers: { 'Sec-WebSocket-Protocol': 'pxl.v1, pxl.refusals' } };

const refusals = (app: TestApp): unknown => app.app.get(WebSocketService).getRefusals();

/** Resolves once the server counts so many connections, which it does where they are limited. */
async function connections(app: TestApp, count: number): Promise<void> {
  const counts = app.app.get(ConnectionCounts);
  while (counts.size !== count) await new Promise((resolve) => setImmediate(resolve));
}

describe.each(PLATFORMS)('limits.connections (%s)', (platform) => {
  it('refuses one more with 429, until one has gone', async () => {
    const app = await start({ connections: 2 }, {}, platform);
    const first = await app.client();
    await app.client();
    const answer = await upgradeAnswer(app.port);
    expect([answer.status, answer.body, answer.headers['retry-after']]).toEqual([429, 'Too many connections.', '5']);
    const told = { error: 'Too many connections.', after: 5_000 };
    expect(await closeRefusal(app.url())).toMatchObject({ code: 4009, told });
    expect(refusals(app)).toEqual({ connections: 2 });
    await first.close();
    await connections(app, 1);
    await app.client();
  });
});

describe('limits.connections', () => {
  it('counts upgrades that are being authenticated, and forgets those that were refused or reset', async () => {
    const gate = new Gate<WsIdentity | null>();
    const app = await start({ connections: 2 }, { auth: { authenticate: () => gate.passed } });
    const refused = await RawClient.upgrading(app.port);
    const reset = await RawClient.upgrading(app.port);
    await connections(app, 2);
    expect(await upgradeStatus(app.port)).toBe(429);
    reset.reset();
    await connections(app, 1);
    gate.open(null);
    expect((await refused.response()).status).toBe(401);
    refused.reset();
    await connections(app, 0);
  });

  it('counts those that are closed instead of answered with a status until they are gone', async () => {
    const app = await start({ connections: 1 }, { auth: { authenticate: () => null } });
    const refused = await RawClient.upgrading(app.port, '/ws', READS_REFUSALS);
    expect((await refused.response()).status).toBe(101);
    expect(await refused.closeCode()).toBe(4003);
    expect(await upgradeStatus(app.port)).toBe(429);
    refused.writeFrame({ opcode: 8, payload: Buffer.from([0x0f, 0xa3]) });
    await refused.ended; // well before it would have been cut
    refused.end();
    await connections(app, 0);
  });
});

describe('limits.connectionsPerIp', () => {
  const from = (app: TestApp, ip: string): Promise<RawClient> =>
    RawClient.upgrading(app.port, '/ws', { headers: { 'X-Forwarded-For': ip } });
  const statusFrom = async (app: TestApp, ip: string): Promise<number> =>
    (await (await from(app, ip)).response()).status;

  it('counts the peer, whatever the request says of itself', async () => {
    const app = await start({ connectionsPerIp: 1 });
    expect(await statusFrom(app, '192.0.2.1')).toBe(101);
    expect(await statusFrom(app, '192.0.2.2')).toBe(429);
    expect(refusals(app)).toEqual({ connectionsPerIp: 1 });
  });

  it('counts what a trusted proxy says', async () => {
    const app = await start({ connectionsPerIp: 1 }, { trustProxy: ['127.0.0.0/8'] });
    expect(await statusFrom(app, '192.0.2.1')).toBe(101);
    expect(await statusFrom(app, '192.0.2.2')).toBe(101);
    expect(await statusFrom(app, '6.6.6.6, 192.0.2.1')).toBe(429);
    expect(await statusFrom(app, '192.0.2.1:4711')).toBe(429);
  });

  it('counts an IPv6 network of 64 bits as one', async () => {
    const app = await start({ connectionsPerIp: 1 }, { trustProxy: true });
    expect(await statusFrom(app, '2001:db8:1:2::1')).toBe(101);
    expect(await statusFrom(app, '2001:db8:1:2:ffff::9')).toBe(429);
    expect(await statusFrom(app, '2001:db8:1:3::1')).toBe(101);
  });
});

describe('limits.connectionsPerUser', () => {
  it('refuses one more of the same user with 429', async () => {
    const app = await start({ connections: 9, connectionsPerUser: { max: 1 } }, { auth: { authenticate } });
    const first = await app.client({ path: '/ws?ada' });
    expect(await upgradeStatus(app.port, {}, '/ws?ada')).toBe(429);
    expect(await closeRefusal(app.url('/ws?ada'))).toMatchObject({ code: 4009, told: { after: 5_000 } });
    await app.client({ path: '/ws?bo' });
    expect(refusals(app)).toEqual({ connectionsPerUser: 2 });
    await first.close();
    await connections(app, 1);
    await app.client({ path: '/ws?ada' });
  });

  it('closes the oldest with 4506 where it is replaced', async () => {
    const app = await start(
      { connections: 9, connectionsPerUser: { max: 2, onExceed: 'replaceOldest' } },
      { auth: { authenticate } },
    );
    const [first, second] = [await app.client({ path: '/ws?ada' }), await app.client({ path: '/ws?ada' })];
    const third = await app.client({ path: '/ws?ada' });
    expect(await first.closed).toEqual({ code: 4506, reason: 'replaced by a newer connection' });
    expect([second.socket.readyState, third.socket.readyState]).toEqual([1, 1]);
    await third.close();
    await connections(app, 1);
    await app.client({ path: '/ws?ada' });
    expect(second.socket.readyState).toBe(1);
  });

  it('does not count who is nobody', async () => {
    const app = await start({ connectionsPerUser: { max: 1 } });
    await app.client();
    await app.client();
  });

  it('holds for those who authenticate by message: RATE_LIMITED, then 4009', async () => {
    const app = await start(
      { connectionsPerUser: { max: 1 } },
      { auth: { mode: 'message', authenticate: ({ data }) => data as WsIdentity } },
    );
    const first = await TestClient.open(app.url());
    await first.request('system', 'authenticate', { userId: 'ada' });
    const second = await TestClient.open(app.url());
    await expect(second.request('system', 'authenticate', { userId: 'ada' })).rejects.toThrow('RATE_LIMITED');
    expect((await second.closed).code).toBe(4009);
  });
});

describe('limits.pendingUpgrades', () => {
  it('refuses one more with 429 while authentications run', async () => {
    const [asked, gate] = [new Gate(), new Gate<WsIdentity>()];
    const app = await start(
      { pendingUpgrades: 1 },
      {
        auth: {
          authenticate: () => {
            asked.open();
            return gate.passed;
          },
        },
      },
    );
    const pending = await RawClient.upgrading(app.port);
    await asked.passed;
    expect(await upgradeStatus(app.port)).toBe(429);
    expect(await upgradeStatus(app.port, READS_REFUSALS.headers)).toBe(429);
    expect(refusals(app)).toEqual({ pendingUpgrades: 2 });
    gate.open({ userId: 'ada' });
    expect((await pending.response()).status).toBe(101);
    expect(await upgradeStatus(app.port)).toBe(101);
    pending.reset();
  });

  it('bounds those that are being closed instead of answered with a status: beyond it all get the status', async () => {
    const app = await start({ pendingUpgrades: 1 }, { auth: { authenticate: () => null } });
    const closing = await RawClient.upgrading(app.port, '/ws', READS_REFUSALS);
    expect((await closing.response()).status).toBe(101);
    expect(await upgradeStatus(app.port, READS_REFUSALS.headers)).toBe(401);
    closing.reset();
    let status = 0;
    while (status !== 101) status = await upgradeStatus(app.port, READS_REFUSALS.headers);
  });
});

describe('limits.acceptsPerSecond', () => {
  async function startAt(acceptsPerSecond: number, more: PxlWebSocketModuleOptions = {}): Promise<ManualRuntime> {
    const clock = new ManualRuntime();
    const options = { heartbeat: false as const, ...more, limits: { acceptsPerSecond } };
    apps.push(await startApp({ options, override: (test) => test.overrideProvider(Runtime).useValue(clock) }));
    return clock;
  }

  it('answers 503 beyond it, gives everybody a turn of its own, and authenticates nobody who has none', async () => {
    let authentications = 0;
    const authenticate = (): WsIdentity => ({ userId: String(authentications++) });
    const clock = await startAt(2, { auth: { authenticate } });
    const [app] = apps as [TestApp];
    await app.client();
    await app.client();
    const answer = await upgradeAnswer(app.port);
    const words = 'Too many clients connect at this moment.';
    expect([answer.status, answer.body, answer.headers['retry-after']]).toEqual([503, words, '1']);
    expect(await closeRefusal(app.url())).toMatchObject({ code: 1013, told: { error: words, after: 1_000 } });
    expect(await closeRefusal(app.url())).toMatchObject({ told: { after: 1_500 } });
    expect((await upgradeAnswer(app.port)).headers['retry-after']).toBe('2');
    expect(refusals(app)).toEqual({ acceptsPerSecond: 4 });
    expect(authentications).toBe(2);
    await clock.advance(500);
    await app.client();
    expect(await closeRefusal(app.url())).toMatchObject({ told: { after: 2_000 } });
    await clock.advance(60_000);
    expect([await upgradeStatus(app.port), await upgradeStatus(app.port)]).toEqual([101, 101]);
    expect(await upgradeStatus(app.port)).toBe(503);
  });

  it('asks nobody to wait for more than a minute, and spreads those whose turn would come later', async () => {
    await startAt(1);
    const [app] = apps as [TestApp];
    await app.client();
    const rate = app.app.get(AcceptRate);
    const waits = Array.from({ length: 200 }, () => rate.take());
    expect(waits.slice(0, 60)).toEqual(Array.from({ length: 60 }, (_, at) => (at + 1) * 1_000));
    const others = waits.slice(60);
    expect(Math.min(...others)).toBeGreaterThanOrEqual(30_000);
    expect(Math.max(...others)).toBeLessThanOrEqual(60_000);
    expect(new Set(others).size).toBeGreaterThan(100);
  });

  it('is no turn for those who are refused anyway', async () => {
    await startAt(1, { origins: [] });
    const [app] = apps as [TestApp];
    expect(await upgradeStatus(app.port, { Origin: 'https://evil.example' })).toBe(403);
    expect(await upgradeStatus(app.port, { 'Sec-WebSocket-Protocol': 'other' })).toBe(400);
    expect(await upgradeStatus(app.port)).toBe(101);
  });

  it('lets a crowd of 300 in at its pace, each by itself and after its time; who is in is served meanwhile', async () => {
    const [RATE, CROWD] = [400, 300];
    const clock = new HeldRuntime();
    const connectedAt: number[] = [];
    const events = { onConnected: (): void => void connectedAt.push(clock.monotonic()) };
    const options = { events, limits: { acceptsPerSecond: RATE } };
    const app = await startApp({ options, override: (test) => test.overrideProvider(Runtime).useValue(clock) });
    apps.push(app);
    const member = await app.client();
    const rate = app.app.get(AcceptRate);
    const releasedAt = clock.hold();
    while (rate.take() === 0);
    const earliest: number[] = [];
    const refused = new Set<WebSocketClient>();
    const clients = Array.from({ length: CROWD }, () => {
      const reconnect = { minDelay: 50 };
      const client = new WebSocketClient({ url: app.url(), webSocket: WebSocket, reconnect });
      let [refusedAt, asked] = [0, 0];
      client.onState((change) => {
        if (change.state === 'reconnecting') {
          refused.add(client);
          [refusedAt, asked] = [performance.now(), change.delay];
        } else if (change.state === 'connected') earliest.push(performance.now() - refusedAt - asked);
      });
      return client;
    });
    let outside = CROWD;
    const all = Promise.all(clients.map((client) => client.connect().then(() => outside--)));
    while (outside > 0) {
      await member.request('system', 'ping');
      if (refused.size === CROWD) clock.release();
    }
    await all;
    // Node counts a timer from the beginning of the turn in which it is set, and one turn may hear of all the refusals.
    expect(Math.min(...earliest)).toBeGreaterThan(-50);
    const [, ...ofCrowd] = connectedAt;
    expect(ofCrowd).toHaveLength(CROWD);
    const ahead = ofCrowd.map((at, place) => releasedAt + (place * 1_000) / RATE - at);
    expect(Math.max(...ahead)).toBeLessThan(5);
    for (const client of clients) client.destroy();
  });
});

describe('limits.fragments', () => {
  const send = (client: RawClient, fragments: number): void => {
    const text = JSON.stringify({ type: 'no', action: 'such', id: 1 });
    for (let n = 0; n < fragments; n++) {
      const [fin, opcode] = [n === fragments - 1, n === 0 ? 1 : 0];
      client.writeFrame({ fin, opcode, payload: fin ? text.slice(n) : (text[n] ?? '') });
    }
  };

  it('closes a message in more frames with 1008, and takes one in as many', async () => {
    const app = await start({ fragments: 4 });
    const client = await RawClient.open(app.port);
    send(client, 4);
    expect((await client.frame()).payload.toString()).toContain('UNKNOWN_ROUTE');
    send(client, 5);
    expect(await client.closeCode()).toBe(1008);
    client.reset();
  });
});

describe('bad limits', () => {
  it.each<[PxlWebSocketModuleOptions, string]>([
    [{ limits: { connections: 0 } }, 'limits.connections'],
    [{ limits: { acceptsPerSecond: 0 } }, 'limits.acceptsPerSecond'],
    [{ limits: { connectionsPerUser: 1 as never } }, 'limits.connectionsPerUser'],
    [{ limits: { connectionsPerUser: {} as never } }, 'limits.connectionsPerUser.max'],
    [{ limits: { connectionsPerUser: { max: 1, onExceed: 'x' as never } } }, 'limits.connectionsPerUser.onExceed'],
    [{ trustProxy: ['10.0.0.0/'] }, 'trustProxy[0]'],
    [{ trustProxy: ['10.0.0.0/33'] }, 'trustProxy[0]'],
    [{ trustProxy: ['loopback'] }, 'trustProxy[0]'],
    [{ trustProxy: -1 }, 'trustProxy'],
  ])('fail the start: %j', async (options, name) => {
    expect(await failureOf({ options })).toContain(`The option ${name} is`);
  });
});

describe('limits.metadataBytes', () => {
  it('holds for what an authenticator gives too: 500, and the log says why', async () => {
    const errors: Error[] = [];
    const authenticate = (): WsIdentity => ({ anonymous: true, metadata: { note: 'x'.repeat(20) } });
    const events = { onError: ({ error }: { error: Error }) => errors.push(error) };
    const app = await start({ metadataBytes: 10 }, { auth: { authenticate }, events });
    expect(await upgradeStatus(app.port)).toBe(500);
    expect(errors.map(({ message }) => message)).toEqual(['The metadata of a client is at most 10 bytes of JSON.']);
    expect(refusals(app)).toEqual({ metadataBytes: 1 });
  });
});

describe('every limit of a connection', () => {
  it('counts what it has refused', async () => {
    const limits = {
      maxPayload: 200,
      fragments: 2,
      roomsPerClient: 1,
      roomName: 3,
      metadataBytes: 10,
      streamsPerClient: 1,
    };
    const app = await startApp({ providers: [Endless], options: { limits, rooms: { open: true } } });
    apps.push(app);
    const client = await app.client();
    await client.request('system', 'joinRoom', { roomName: 'one' });
    await expect(client.request('system', 'joinRoom', { roomName: 'two' })).rejects.toThrow('ROOM_LIMIT');
    await expect(client.request('system', 'joinRoom', { roomName: 'four' })).rejects.toThrow('INVALID_ROOM');
    client.send({ type: 'endless', action: 'stream', id: 1 });
    await client.next('endless');
    await expect(client.request('endless', 'stream')).rejects.toThrow('RATE_LIMITED');
    const manager = app.app.get(ClientManager);
    const update = { clientId: client.clientId, key: 'note', data: 'x'.repeat(20) };
    expect(() => manager.updateClient(update)).toThrow('at most 10 bytes');
    client.send('x'.repeat(201));
    expect((await client.closed).code).toBe(1009);
    const pieces = await app.client();
    for (let piece = 0; piece < 4; piece++) pieces.socket.send('x', { fin: false });
    expect((await pieces.closed).code).toBe(1008);
    expect(refusals(app)).toEqual({
      maxPayload: 1,
      fragments: 1,
      roomsPerClient: 1,
      roomName: 1,
      metadataBytes: 1,
      streamsPerClient: 1,
    });
  });
});
