import { isDeepStrictEqual } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ClientManager, WebSocketService, type PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { LEASE, PROBE, report } from '../support/cluster-periods.js';
import { eventually } from '../../lib/testing/eventually.js';
import { RedisServer } from '../support/redis-server.js';
import { refused } from '../support/refused.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { hs256, seconds, SECRET } from '../support/tokens.js';
import { upgradeStatus } from '../support/upgrade-answer.js';

/** What we promise, ms. */
const REVOKED = 2_000;
const NOTICED = 10_000;

let redis: RedisServer;
let proxy: TcpProxy;
let apps: TestApp[];
let one: TestApp;
/** Its network to Redis is the proxy's. */
let two: TestApp;

beforeAll(async () => {
  redis = await RedisServer.start();
});

beforeEach(async () => {
  await redis.command('FLUSHALL');
  proxy = await TcpProxy.before(redis.port);
  apps = [];
});

afterEach(async () => {
  await Promise.all(apps.map((app) => app.close()));
  await proxy.close();
});

afterAll(() => redis.stop());

/** Another worker, in this process. */
async function start(options: PxlWebSocketModuleOptions = {}, url = redis.url): Promise<TestApp> {
  const cluster = { lease: LEASE, probe: PROBE };
  const app = await startApp({ options: { redis: url, cluster, auth: { jwt: { secret: SECRET } }, ...options } });
  apps.push(app);
  return app;
}

async function startTwo(options: PxlWebSocketModuleOptions = {}): Promise<void> {
  one = await start(options);
  two = await start(options, `redis://127.0.0.1:${proxy.port}`);
}

const path = (claims: object): string => `/ws?token=${hs256({ iat: seconds(-10), exp: seconds(3_600), ...claims })}`;

async function connect(app: TestApp, claims: object): Promise<TestClient> {
  return app.client({ path: path(claims) });
}

function revoke(app: TestApp, subject: { userId: string } | { jti: string }): Promise<void> {
  return app.app.get(WebSocketService).revoke(subject);
}

function isReady(app: TestApp): boolean {
  return app.app.get(WebSocketService).getWebSocketHealth().ready;
}

describe('a refreshed token', () => {
  it('tells every worker the type and the shared claims of its user', async () => {
    await startTwo({ cluster: { lease: LEASE, probe: PROBE, shareUser: ['plan'] } });
    const client = await connect(one, { sub: 'ada', userType: 'guest', plan: 'free' });
    const seen = (): unknown => two.app.get(ClientManager).getClient({ clientId: client.clientId })?.user;
    await eventually('the other worker knows the client', () => seen() !== undefined);
    const token = hs256({ sub: 'ada', iat: seconds(-10), exp: seconds(3_600), userType: 'admin', plan: 'premium' });
    await client.request('system', 'refresh', { token });
    const user = { userId: 'ada', userType: 'admin', payload: { plan: 'premium' } };
    // A payload of another worker's user has a prototype of its own.
    await eventually('it knows the new token', () => isDeepStrictEqual(JSON.parse(JSON.stringify(seen())), user));
  });
});

describe('a revocation', () => {
  beforeEach(() => startTwo());

  it.each([
    ['of a user', { userId: 'ada' }],
    ['of one token', { jti: 'a' }],
  ])('%s ends the connections on every worker, and no worker takes the token again', async (_, subject) => {
    const claims = { sub: 'ada', jti: 'a' };
    const clients = [await connect(one, claims), await connect(two, claims), await connect(two, claims)];
    const bystander = await connect(two, { sub: 'bob', jti: 'b' });
    const begin = performance.now();
    await revoke(one, subject);
    for (const { closed } of clients) expect(await closed).toMatchObject({ code: 4506 });
    report('a revocation ends connections on every worker', performance.now() - begin, REVOKED);
    expect(performance.now() - begin).toBeLessThan(2 * REVOKED);

    const late = await start();
    for (const app of [one, two, late]) {
      expect(await upgradeStatus(app.port, {}, path(claims))).toBe(401);
      expect(await upgradeStatus(app.port, {}, path({ sub: 'bob', jti: 'b' }))).toBe(101);
    }
    expect(bystander.socket.readyState).toBe(1);
  });

  it('that a worker could not hear is enforced there once it hears again', async () => {
    const [here, there] = [await connect(one, { sub: 'ada' }), await connect(two, { sub: 'ada' })];
    proxy.blackHole();
    await eventually('it does not hear', () => !isReady(two), 2 * NOTICED);
    await revoke(one, { userId: 'ada' });
    expect(await here.closed).toMatchObject({ code: 4506 });
    expect(there.socket.readyState).toBe(1);
    proxy.heal();
    expect(await there.closed).toMatchObject({ code: 4506 });
    expect(await upgradeStatus(two.port, {}, path({ sub: 'ada' }))).toBe(401);
  });

  it('by a worker without Redis ends the connections there, and says that it went no further', async () => {
    const client = await connect(two, { sub: 'ada' });
    proxy.blackHole();
    await eventually('it is on its own', () => !isReady(two), 2 * NOTICED);
    await expect(revoke(two, { userId: 'ada' })).rejects.toThrow(refused('UNAVAILABLE'));
    expect(await client.closed).toMatchObject({ code: 4506 });
    expect(await upgradeStatus(two.port, {}, path({ sub: 'ada' }))).toBe(401);
  });
});

describe('a revocation', () => {
  afterEach(() => redis.command('ACL', 'SETUSER', 'default', '+@all'));

  it('is known to a worker that starts after Redis has lost its data', async () => {
    await startTwo();
    await revoke(one, { userId: 'ada' });
    await redis.kill();
    await redis.forget();
    await redis.run();
    await eventually('it is written again', async () => (await redis.command('EXISTS', 'pxl:revocations')) === 1);
    const late = await start();
    for (const app of [one, two, late]) expect(await upgradeStatus(app.port, {}, path({ sub: 'ada' }))).toBe(401);
  });

  it.each([true, false])(
    'is known to a worker that starts as soon as Redis has lost it, by those that know it (mirror: %p)',
    async (mirror) => {
      const cluster = { lease: LEASE, probe: PROBE, mirror };
      await startTwo({ cluster });
      await revoke(one, { userId: 'ada' });
      // As by eviction: the registry is there.
      await redis.command('DEL', 'pxl:revocations');
      const late = await start({ cluster });
      expect(await upgradeStatus(late.port, {}, path({ sub: 'ada' }))).toBe(401);
      expect(await redis.command('EXISTS', 'pxl:revocations')).toBe(1);
    },
  );

  it.each([true, false])(
    'is enforced by a worker that was there before those that know it, once they are back (mirror: %p)',
    async (mirror) => {
      const cluster = { lease: LEASE, probe: PROBE, mirror };
      one = await start({ cluster });
      await revoke(one, { userId: 'ada' });
      await redis.command('FLUSHALL');
      // Until the next beat of the other it knows of nobody, and has nobody to ask.
      const late = await start({ cluster });
      const begin = performance.now();
      const first = await TestClient.open(late.url(path({ sub: 'ada' }))).catch(() => null);
      if (first) expect(await first.closed).toMatchObject({ code: 4506 });
      else expect(await upgradeStatus(late.port, {}, path({ sub: 'ada' }))).toBe(401);
      report(
        'a worker that starts when Redis has lost its data enforces a revocation',
        performance.now() - begin,
        REVOKED,
      );
      expect(performance.now() - begin).toBeLessThan(2 * REVOKED);
      expect(await upgradeStatus(late.port, {}, path({ sub: 'ada' }))).toBe(401);
    },
  );

  it('that only a worker knows which Redis does not hear is enforced by the others once it is heard', async () => {
    two = await start({}, `redis://127.0.0.1:${proxy.port}`);
    await revoke(two, { userId: 'ada' });
    proxy.blackHole();
    await redis.command('FLUSHALL');
    one = await start();
    const ada = await connect(one, { sub: 'ada' });
    await eventually('it is not heard', () => !isReady(two), 2 * NOTICED);
    proxy.heal();
    await eventually('it is heard', () => isReady(two), 2 * NOTICED);
    const begin = performance.now();
    expect(await ada.closed).toMatchObject({ code: 4506 });
    report('what a worker alone knows of revocations is enforced by others', performance.now() - begin, REVOKED);
    expect(await upgradeStatus(one.port, {}, path({ sub: 'ada' }))).toBe(401);
  });

  it('that Redis does not take ends the connections on every worker all the same', async () => {
    await startTwo();
    const clients = [await connect(one, { sub: 'ada' }), await connect(two, { sub: 'ada' })];
    await redis.command('ACL', 'SETUSER', 'default', '-eval', '-evalsha');
    await expect(revoke(one, { userId: 'ada' })).rejects.toThrow(refused('UNAVAILABLE'));
    for (const { closed } of clients) expect(await closed).toMatchObject({ code: 4506 });
  });

  it('keeps a worker from taking anybody that cannot read it', async () => {
    one = await start();
    await revoke(one, { userId: 'ada' });
    await redis.command('ACL', 'SETUSER', 'default', '-hgetall');
    const late = await start();
    expect(await upgradeStatus(late.port, {}, path({ sub: 'ada' }))).toBe(503);
    await redis.command('ACL', 'SETUSER', 'default', '+hgetall');
    const isAdmitted = async (): Promise<boolean> => (await upgradeStatus(late.port, {}, path({ sub: 'bob' }))) === 101;
    await eventually('it takes clients', isAdmitted);
    expect(await upgradeStatus(late.port, {}, path({ sub: 'ada' }))).toBe(401);
  });
});

describe('the limit of connections per user counts those of all workers', () => {
  it('and refuses what is too many', async () => {
    await startTwo({ limits: { connectionsPerUser: { max: 2 } } });
    const [first] = [await connect(one, { sub: 'ada' }), await connect(two, { sub: 'ada' })];
    for (const app of [one, two]) {
      expect(await upgradeStatus(app.port, {}, path({ sub: 'ada' }))).toBe(429);
      expect(await upgradeStatus(app.port, {}, path({ sub: 'bob' }))).toBe(101);
    }
    await first.close();
    await eventually(
      'there is room again',
      async () => (await upgradeStatus(two.port, {}, path({ sub: 'ada' }))) === 101,
    );
  });

  it("or takes the oldest one's place, wherever that is", async () => {
    await startTwo({ limits: { connectionsPerUser: { max: 2, onExceed: 'replaceOldest' } } });
    const [first, second] = [await connect(one, { sub: 'ada' }), await connect(two, { sub: 'ada' })];
    const third = await connect(two, { sub: 'ada' });
    expect(await first.closed).toMatchObject({ code: 4506 });
    const fourth = await connect(one, { sub: 'ada' });
    expect(await second.closed).toMatchObject({ code: 4506 });
    for (const { socket } of [third, fourth]) expect(socket.readyState).toBe(1);
  });
});
