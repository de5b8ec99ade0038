import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocketService, type WsAuthOptions, type WsIdentity } from 'nestjs-pxl-websocket';
import { Runtime } from '../../lib/runtime/runtime.js';
import { Gate } from '../support/gate.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { RawClient } from '../support/raw-client.js';
import { refused } from '../support/refused.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { hs256, SECRET } from '../support/tokens.js';
import { upgradeStatus } from '../support/upgrade-answer.js';

const apps: TestApp[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

let clock: ManualRuntime;
const now = (later = 0): number => Math.floor(clock.now() / 1_000) + later;

async function start(auth: WsAuthOptions = { jwt: { secret: SECRET } }): Promise<TestApp> {
  clock = new ManualRuntime();
  const app = await startApp({
    options: { auth, heartbeat: false },
    override: (builder) => builder.overrideProvider(Runtime).useValue(clock),
  });
  apps.push(app);
  return app;
}

const path = (claims: object): string => `/ws?token=${hs256({ iat: now(-10), exp: now(3_600), ...claims })}`;
const connect = (app: TestApp, claims: object): Promise<TestClient> => TestClient.connect(app.url(path(claims)));

describe('WebSocketService.revoke', () => {
  it("closes a user's connections with 4506 and refuses the tokens that the user had, not those that come later", async () => {
    const app = await start();
    const sockets = app.app.get(WebSocketService);
    const [one, two, other] = [
      await connect(app, { sub: 'ada' }),
      await connect(app, { sub: 'ada' }),
      await connect(app, { sub: 'bo' }),
    ];
    await sockets.revoke({ userId: 'ada' });
    expect(await one.closed).toEqual({ code: 4506, reason: 'token revoked' });
    expect((await two.closed).code).toBe(4506);
    expect(other.socket.readyState).toBe(1);
    expect(await upgradeStatus(app.port, {}, path({ sub: 'ada' }))).toBe(401);
    expect(await upgradeStatus(app.port, {}, path({ sub: 'ada', iat: undefined }))).toBe(401);
    expect(await upgradeStatus(app.port, {}, path({ sub: 'bo' }))).toBe(101);
    await clock.advance(2_000);
    expect(await upgradeStatus(app.port, {}, path({ sub: 'ada', iat: now() }))).toBe(101);
  });

  it('closes and refuses one token by its id', async () => {
    const app = await start();
    const [lost, kept] = [await connect(app, { sub: 'ada', jti: 'a' }), await connect(app, { sub: 'ada', jti: 'b' })];
    await app.app.get(WebSocketService).revoke({ jti: 'a' });
    expect((await lost.closed).code).toBe(4506);
    expect(kept.socket.readyState).toBe(1);
    expect(await upgradeStatus(app.port, {}, path({ sub: 'ada', jti: 'a' }))).toBe(401);
    expect(await upgradeStatus(app.port, {}, path({ sub: 'ada', jti: 'b' }))).toBe(101);
    await expect(kept.request('system', 'refresh', { token: hs256({ sub: 'ada', jti: 'a' }) })).rejects.toThrow(
      'UNAUTHENTICATED',
    );
  });

  it('with before spares what was issued later', async () => {
    const app = await start();
    const [old, young] = [await connect(app, { sub: 'ada', iat: now(-100) }), await connect(app, { sub: 'ada' })];
    await app.app.get(WebSocketService).revoke({ userId: 'ada', before: new Date(clock.now() - 60_000) });
    expect((await old.closed).code).toBe(4506);
    expect(young.socket.readyState).toBe(1);
  });

  it('forgets a token once it would have expired by itself', async () => {
    const app = await start();
    await app.app.get(WebSocketService).revoke({ jti: 'a', until: clock.now() + 5_000 });
    expect(await upgradeStatus(app.port, {}, path({ sub: 'ada', jti: 'a' }))).toBe(401);
    await clock.advance(5_000);
    expect(await upgradeStatus(app.port, {}, path({ sub: 'ada', jti: 'a' }))).toBe(101);
  });

  it('catches an upgrade that is being authenticated', async () => {
    const [asked, gate] = [new Gate(), new Gate<WsIdentity>()];
    const app = await start({
      authenticate: () => {
        asked.open();
        return gate.passed;
      },
    });
    const client = await RawClient.upgrading(app.port);
    await asked.passed;
    await app.app.get(WebSocketService).revoke({ userId: 'ada' });
    gate.open({ userId: 'ada', token: { issuedAt: clock.now() - 1 } });
    expect((await client.response()).status).toBe(401);
    client.reset();
  });

  it('ends sessions without a token, and leaves their refusal to the application that knows them', async () => {
    const app = await start({ authenticate: () => ({ userId: 'ada' }) });
    const client = await app.client();
    await app.app.get(WebSocketService).revoke({ userId: 'ada' });
    expect((await client.closed).code).toBe(4506);
    expect(await upgradeStatus(app.port)).toBe(101);
  });

  it('asks for one subject', async () => {
    const app = await start();
    const sockets = app.app.get(WebSocketService);
    await expect(sockets.revoke({})).rejects.toThrow('userId or a jti');
    await expect(sockets.revoke({ userId: 'ada', jti: 'a' })).rejects.toThrow('userId or a jti');
  });

  it.each(['before', 'until'])('refuses a time %s that is none, and ends nothing', async (name) => {
    const app = await start();
    const sockets = app.app.get(WebSocketService);
    const client = await connect(app, { sub: 'ada', jti: 'a' });
    for (const time of [new Date('31.12.2026'), NaN, '2026-12-31', null]) {
      await expect(sockets.revoke({ userId: 'ada', [name]: time })).rejects.toThrow(refused());
      await expect(sockets.revoke({ jti: 'a', [name]: time })).rejects.toThrow(refused());
    }
    expect(client.socket.readyState).toBe(1);
    expect(await upgradeStatus(app.port, {}, path({ sub: 'ada', jti: 'a' }))).toBe(101);
    await sockets.revoke({ userId: 'ada', [name]: Infinity });
    expect((await client.closed).code).toBe(4506);
  });
});
