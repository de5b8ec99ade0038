import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocketGateway } from '@nestjs/websockets';
import { PxlWebSocketServer, WsRoute, WsUser, type WsAuthOptions, type WsUserInfo } from 'nestjs-pxl-websocket';
import { TokenLife } from '../../lib/auth/tokens/token-life.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { RawClient } from '../support/raw-client.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { hs256, SECRET } from '../support/tokens.js';
import { upgradeStatus } from '../support/upgrade-answer.js';

@WebSocketGateway()
class WhoAmI {
  @WsRoute('who', 'am')
  am(@WsUser() user: WsUserInfo): unknown {
    return user;
  }
}

const apps: TestApp[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

const clock = { current: new ManualRuntime() };
const now = (later = 0): number => Math.floor(clock.current.now() / 1_000) + later;

async function start(auth: WsAuthOptions = {}): Promise<TestApp> {
  clock.current = new ManualRuntime();
  const app = await startApp({
    providers: [WhoAmI],
    options: { auth: { jwt: { secret: SECRET }, ...auth }, heartbeat: false },
    override: (builder) => builder.overrideProvider(Runtime).useValue(clock.current),
  });
  apps.push(app);
  return app;
}

const connect = (app: TestApp, claims: object): Promise<TestClient> =>
  TestClient.connect(app.url(`/ws?token=${hs256(claims)}`));

describe('the end of a token', () => {
  it('is told 60 s before, and closes the connection with 4005 within 5 s', async () => {
    const app = await start();
    const exp = now(600);
    const client = await connect(app, { sub: 'ada', exp });
    await clock.current.advance(538_000);
    await client.expectNothing(20);
    await clock.current.advance(3_000);
    expect(await client.next()).toEqual({ type: 'auth', action: 'expiring', data: { expiresAt: exp * 1_000 } });
    await clock.current.advance(58_000);
    expect(client.socket.readyState).toBe(1);
    await clock.current.advance(6_000);
    expect(await client.closed).toEqual({ code: 4005, reason: 'token expired' });
  });

  it('holds for a token that comes back: it was verified before, but its time is over', async () => {
    const app = await start({ jwt: { secret: SECRET, maxAge: 60 } });
    const claims = { sub: 'ada', iat: now(), exp: now(30) };
    const statusOf = (token: string): Promise<number> => upgradeStatus(app.port, { Authorization: `Bearer ${token}` });
    const [token, longer] = [hs256(claims), hs256({ ...claims, exp: now(600) })];
    for (const each of [token, token, longer]) expect(await statusOf(each)).toBe(101);
    await clock.current.advance(31_000);
    expect([await statusOf(token), await statusOf(longer)]).toEqual([401, 101]);
    await clock.current.advance(30_000);
    expect(await statusOf(longer)).toBe(401);
  });

  it('is told at half of what is left where that is less', async () => {
    const app = await start();
    const client = await connect(app, { sub: 'ada', exp: now(20) });
    await clock.current.advance(9_000);
    await client.expectNothing(20);
    await clock.current.advance(2_000);
    expect(await client.next('auth', 'expiring')).toBeDefined();
  });

  it('comes at iat + maxAge where that is earlier, and later by the tolerance', async () => {
    const app = await start({ jwt: { secret: SECRET, maxAge: 30, clockTolerance: 10 } });
    const client = await connect(app, { sub: 'ada', iat: now(), exp: now(3_600) });
    await clock.current.advance(39_000);
    expect(client.socket.readyState).toBe(1);
    await clock.current.advance(3_000);
    expect((await client.closed).code).toBe(4005);
  });

  it('does not come for a token without one, nor early for one in a thousand years', async () => {
    const app = await start();
    const without = await connect(app, { sub: 'ada' });
    expect(app.app.get(TokenLife).size).toBe(0);
    const far = await connect(app, { sub: 'ada', exp: now(1_000 * 365 * 24 * 3_600) });
    await clock.current.advance(5_000);
    expect([without.socket.readyState, far.socket.readyState]).toEqual([1, 1]);
    await far.expectNothing(20);
  });

  it('takes one timer for all connections, and none once they are gone', async () => {
    const app = await start();
    const before = clock.current.size;
    const clients = await Promise.all(
      Array.from({ length: 20 }, (_, n) => connect(app, { sub: 'ada', exp: now(60 + n) })),
    );
    expect(clock.current.size).toBe(before + 1);
    await Promise.all(clients.map((client) => client.close()));
    while (app.app.get(TokenLife).size > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(clock.current.size).toBe(before);
  });

  it('cuts who does not answer the close frame, and handles nothing of it any more', async () => {
    const app = await start();
    const client = await RawClient.upgrading(app.port, `/ws?token=${hs256({ sub: 'ada', exp: now(10) })}`);
    await client.response();
    await clock.current.advance(12_000);
    expect(await client.closeCode()).toBe(4005);
    client.writeFrame({ payload: JSON.stringify({ type: 'who', action: 'am', id: 1 }) });
    await clock.current.advance(1_000);
    await client.ended;
    expect(client.unread.toString()).not.toContain('ada');
    client.reset();
  });

  it('has come for an end that is in the past or no number', async () => {
    for (const expiresAt of [0, NaN, -1]) {
      const app = await start({ jwt: undefined, authenticate: () => ({ userId: 'ada', token: { expiresAt } }) });
      const client = await app.client();
      await clock.current.advance(2_000);
      expect((await client.closed).code).toBe(4005);
    }
  });

  it('holds for authenticators of the application too', async () => {
    const app = await start({
      jwt: undefined,
      authenticate: () => ({ userId: 'ada', token: { expiresAt: clock.current.now() + 10_000 } }),
    });
    const client = await app.client();
    await clock.current.advance(12_000);
    expect((await client.closed).code).toBe(4005);
  });
});

describe('system.refresh', () => {
  it('puts a new token of the same user in the place of the old one', async () => {
    const app = await start();
    const client = await connect(app, { sub: 'ada', exp: now(60), role: 'guest' });
    const exp = now(3_600);
    expect(await client.request('system', 'refresh', { token: hs256({ sub: 'ada', exp, role: 'captain' }) })).toEqual({
      userId: 'ada',
      expiresAt: exp * 1_000,
    });
    expect(await client.request('who', 'am')).toMatchObject({ payload: { role: 'captain' } });
    await clock.current.advance(120_000);
    expect(client.socket.readyState).toBe(1);
  });

  it("refuses another user's token with FORBIDDEN, and a bad one with UNAUTHENTICATED; the old one goes on", async () => {
    const app = await start();
    const client = await connect(app, { sub: 'ada', exp: now(60) });
    const refresh = (token: unknown): Promise<unknown> => client.request('system', 'refresh', { token });
    await expect(refresh(hs256({ sub: 'eve', exp: now(3_600) }))).rejects.toThrow('FORBIDDEN');
    await expect(refresh('garbage')).rejects.toThrow('UNAUTHENTICATED');
    await expect(refresh(undefined)).rejects.toThrow('UNAUTHENTICATED');
    await expect(refresh({ sub: 'ada' })).rejects.toThrow('UNAUTHENTICATED');
    expect(await client.request('who', 'am')).toMatchObject({ userId: 'ada' });
    await clock.current.advance(62_000);
    expect((await client.closed).code).toBe(4005);
  });

  it('leaves the type that the application has told, while tokens name none', async () => {
    const app = await start();
    const client = await connect(app, { sub: 'ada', exp: now(60) });
    const typeAfter = async (claims: object): Promise<unknown> => {
      await client.request('system', 'refresh', { token: hs256({ sub: 'ada', exp: now(60), ...claims }) });
      return ((await client.request('who', 'am')) as WsUserInfo).userType;
    };
    const join = { clientId: client.clientId, roomName: 'tea', userType: 'member' };
    expect(await app.app.get(PxlWebSocketServer).joinRoom(join)).toBe(true);
    expect(await typeAfter({})).toBe('member');
    expect(await typeAfter({ userType: 'admin' })).toBe('admin');
    expect(await typeAfter({})).toBe('member');
  });

  it('takes back a type that the old token named, though the application has said it as well', async () => {
    const app = await start();
    const client = await connect(app, { sub: 'ada', exp: now(60), userType: 'admin' });
    const join = { clientId: client.clientId, roomName: 'tea', userType: 'admin' };
    expect(await app.app.get(PxlWebSocketServer).joinRoom(join)).toBe(true);
    await client.request('system', 'refresh', { token: hs256({ sub: 'ada', exp: now(60) }) });
    expect(await client.request('who', 'am')).not.toHaveProperty('userType');
  });

  it('has nothing to refresh for an anonymous client', async () => {
    const app = await start({ required: false });
    const client = await app.client();
    await expect(client.request('system', 'refresh', { token: hs256({ sub: 'ada' }) })).rejects.toThrow('BAD_MESSAGE');
  });
});
