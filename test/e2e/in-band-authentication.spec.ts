import { afterEach, describe, expect, it } from '@jest/globals';
import { UnauthorizedException, ForbiddenException } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { WebSocketGateway, type OnGatewayConnection, type OnGatewayDisconnect } from '@nestjs/websockets';
import {
  ClientManager,
  PxlWebSocketServer,
  WebSocketService,
  WsRoute,
  type WsAuthOptions,
  type WsClient,
  type WsCredentials,
  type WsIdentity,
  type WsVerdict,
} from 'nestjs-pxl-websocket';
import type { WebSocket } from 'ws';
import { sessionOf } from '../../lib/clients/session/client-outbox.interface.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { Diary } from '../support/diary.js';
import { Gate } from '../support/gate.js';
import { Logbook } from '../support/logbook.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { ODD_ANSWERS } from '../support/odd-answers.js';
import { PLATFORMS, startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { claimsOf, hs256, SECRET } from '../support/tokens.js';
import { until } from '../support/until.js';
import { upgradeStatus } from '../support/upgrade-answer.js';

const apps: TestApp[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

const diary = new Diary();

@WebSocketGateway()
class Lobby implements OnGatewayConnection<WsClient>, OnGatewayDisconnect<WsClient> {
  handleConnection(client: WsClient): void {
    diary.write(`connected ${client.user?.userId}`);
  }

  handleDisconnect(client: WsClient): void {
    diary.write(`disconnected ${client.user?.userId}`);
  }

  @WsRoute('who', 'am')
  am(client: WsClient): unknown {
    return { userId: client.user?.userId, state: client.state, rooms: [...client.rooms], metadata: client.metadata };
  }
}

interface Started extends TestApp {
  clock: ManualRuntime;
  /** Opens a connection that nobody has welcomed. */
  open(path?: string): Promise<TestClient>;
  /** The server's view of the connection opened last. */
  last(): WsClient;
}

async function start(auth: WsAuthOptions, more: TestAppOptions = {}): Promise<Started> {
  diary.entries.length = 0;
  const clock = new ManualRuntime();
  const app = await startApp({
    providers: [Lobby],
    ...more,
    options: { rooms: { defaults: ['everybody'] }, heartbeat: false, ...more.options, auth },
    override: (builder) => builder.overrideProvider(Runtime).useValue(clock),
  });
  apps.push(app);
  const sockets = [...app.app.get(PxlWebSocketServer).clientManager.getClients()];
  expect(sockets).toEqual([]);
  let newest: WsClient | null = null;
  return Object.assign(app, {
    clock,
    last: () => newest!,
    async open(path?: string) {
      const { webSocketServer } = await started;
      webSocketServer.once('connection', (socket: WebSocket) => (newest = sessionOf(socket)!.client));
      return TestClient.open(app.url(path));
    },
  });
}

// The ws server of the endpoint, which `@WebSocketServer()` would inject.
let started: Promise<{ webSocketServer: { once(event: string, listener: (socket: never) => void): unknown } }>;
const told = (): TestAppOptions['options'] => {
  const gate = new Gate<never>();
  started = gate.passed;
  return {
    rooms: { defaults: ['everybody'] },
    heartbeat: false,
    events: { onServerStarted: (server) => gate.open(server as never) },
  };
};

interface Claims {
  sub: string;
}

const byName = ({ data }: { data?: unknown }): WsVerdict => {
  const { name } = (data ?? {}) as { name?: string };
  return name === undefined ? null : { userId: name, metadata: { color: 'red' } };
};

describe.each(PLATFORMS)('auth.mode message (%s)', (platform) => {
  it('welcomes a client, runs its hooks and joins its rooms only once it has said who it is', async () => {
    const app = await start({ authenticate: byName, mode: 'message' }, { platform, options: told() });
    const client = await app.open();
    expect(app.last().state).toBe('unauthorized');
    await app.app.get(WebSocketService).broadcast({ type: 'news', action: 'flash' });
    await app.app.get(WebSocketService).sendToRooms(['everybody'], { type: 'news', action: 'flash' });
    app.app.get(PxlWebSocketServer).sendClientMessage(app.last().ws, { type: 'news', action: 'flash' });
    expect(app.app.get(ClientManager).getClients()).toEqual([]);
    expect(await app.last().join('tea')).toBe(false);
    await client.expectNothing(50);
    expect(diary.entries).toEqual([]);

    client.send({ type: 'system', action: 'authenticate', data: { name: 'ada' }, id: 1 });
    expect(await client.next()).toMatchObject({ action: 'connected', data: { userId: 'ada' } });
    expect(await client.next()).toMatchObject({ type: 'auth', action: 'authenticated', data: { userId: 'ada' } });
    expect(await client.next()).toEqual({ type: 'system', action: 'authenticate', id: 1, response: { userId: 'ada' } });
    expect(await client.request('who', 'am')).toEqual({
      userId: 'ada',
      state: 'authenticated',
      rooms: ['everybody'],
      metadata: { color: 'red' },
    });
    const server = app.last();
    await client.close();
    await diary.until('disconnected ada');
    expect(diary.entries).toEqual(['connected ada', 'disconnected ada']);
    expect(server.state).toBe('disconnected');
  });
});

describe('auth.mode message', () => {
  it('refuses every other message before, without running it', async () => {
    const app = await start({ authenticate: byName, mode: 'message' }, { options: told() });
    const client = await app.open();
    for (const message of [
      { type: 'who', action: 'am' },
      { type: 'system', action: 'joinRoom', data: { roomName: 'tea' } },
      { type: 'system', action: 'refresh', data: { token: 'x' } },
      { type: 'system', action: 'ping' },
    ]) {
      client.send({ ...message, id: message.action });
      expect(await client.next()).toMatchObject({
        type: 'error',
        id: message.action,
        data: { code: 'UNAUTHENTICATED' },
      });
    }
    client.send('not JSON');
    expect(await client.next()).toMatchObject({ data: { code: 'BAD_MESSAGE' } });
    expect(app.last().state).toBe('unauthorized');
  });

  it('takes a token in data.token', async () => {
    const app = await start({ jwt: { secret: SECRET }, mode: 'message' }, { options: told() });
    const client = await app.open();
    const exp = Math.floor(app.clock.now() / 1_000) + 3_600;
    const token = hs256({ sub: 'ada', exp });
    expect((await client.call('system', 'authenticate', { token })).response).toEqual({
      userId: 'ada',
      expiresAt: exp * 1_000,
    });
  });

  it('ignores what stands in the upgrade', async () => {
    const app = await start({ jwt: { secret: SECRET }, mode: 'message' }, { options: told() });
    const client = await app.open(`/ws?token=${hs256(claimsOf('ada'))}`);
    expect(await client.call('who', 'am')).toMatchObject({ data: { code: 'UNAUTHENTICATED' } });
  });

  it('closes who says nothing with 4001 after auth.timeout, and no hook hears of it', async () => {
    const app = await start({ authenticate: byName, mode: 'message', timeout: 2_000 }, { options: told() });
    const client = await app.open();
    await app.clock.advance(1_999);
    expect(client.socket.readyState).toBe(1);
    await app.clock.advance(1);
    expect(await client.closed).toEqual({ code: 4001, reason: 'authentication timeout' });
    expect(diary.entries).toEqual([]);
  });

  it('gives an authentication that runs three times as long, then 4001; what it says later changes nothing', async () => {
    const gate = new Gate<WsIdentity>();
    const asked = new Gate();
    const slow = (): Promise<WsIdentity> => {
      asked.open();
      return gate.passed;
    };
    const app = await start({ authenticate: slow, mode: 'message', timeout: 2_000 }, { options: told() });
    const client = await app.open();
    await app.clock.advance(1_000);
    client.send({ type: 'system', action: 'authenticate', data: {} });
    await asked.passed;
    expect(app.last().state).toBe('authenticating');
    await app.clock.advance(4_999);
    expect(client.socket.readyState).toBe(1);
    await app.clock.advance(1);
    expect((await client.closed).code).toBe(4001);
    gate.open({ userId: 'ada' });
    await app.clock.advance(0);
    expect(app.app.get(ClientManager).getClients()).toEqual([]);
    expect(diary.entries).toEqual([]);
    expect(app.last().state).toBe('disconnected');
  });

  it('answers whatever names no user with UNAUTHENTICATED and closes with 4003, and takes it for no refresh', async () => {
    const authenticate = ({ data }: WsCredentials): WsVerdict => {
      const { name, odd } = data as { name?: string; odd?: number };
      return odd === undefined ? { userId: name ?? '' } : (ODD_ANSWERS[odd]?.[0] as WsVerdict);
    };
    const app = await start({ authenticate, mode: 'message' }, { options: told() });
    const ada = await app.open();
    await ada.request('system', 'authenticate', { name: 'ada' });
    for (const odd of ODD_ANSWERS.keys()) {
      const client = await app.open();
      await expect(client.request('system', 'authenticate', { odd })).rejects.toThrow('UNAUTHENTICATED');
      expect((await client.closed).code).toBe(4003);
      await expect(ada.request('system', 'refresh', { odd })).rejects.toThrow('UNAUTHENTICATED');
    }
    expect(await ada.request('who', 'am')).toMatchObject({ userId: 'ada' });
    expect(diary.entries).toEqual(['connected ada']);
  });

  it('answers a refresh that takes too long with TIMEOUT, and reports what fails later', async () => {
    const gate = new Gate();
    const asked = new Gate();
    const authenticate = async ({ data }: WsCredentials): Promise<WsVerdict> => {
      if (!(data as { slow?: true }).slow) return { userId: 'ada' };
      asked.open();
      await gate.passed;
      throw new Error('no table');
    };
    const logger = new Logbook();
    const app = await start({ authenticate, mode: 'message', timeout: 1_000 }, { logger, options: told() });
    const ada = await app.open();
    await ada.request('system', 'authenticate', {});
    const refused = expect(ada.request('system', 'refresh', { slow: true })).rejects.toThrow('TIMEOUT');
    await asked.passed;
    await app.clock.advance(3_000);
    await refused;
    gate.open();
    await until(() => logger.of('error').length === 1);
    expect(logger.of('error')).toEqual(['An authentication failed. no table']);
  });

  it('lets { anonymous: true } in as nobody, and takes it for no new token of a user', async () => {
    const authenticate = ({ data }: WsCredentials): WsVerdict => {
      const { name } = data as { name?: string };
      return name === undefined ? { anonymous: true } : { userId: name };
    };
    const app = await start({ authenticate, mode: 'message' }, { options: told() });
    const nobody = await app.open();
    expect(await nobody.request('system', 'authenticate', {})).toEqual({ userId: null });
    expect(await nobody.request('who', 'am')).toMatchObject({ state: 'authenticated' });
    const ada = await app.open();
    await ada.request('system', 'authenticate', { name: 'ada' });
    await expect(ada.request('system', 'refresh', {})).rejects.toThrow('FORBIDDEN');
  });

  it.each<[string, () => WsVerdict | Promise<WsVerdict>, string, number]>([
    ['null', () => null, 'UNAUTHENTICATED', 4003],
    ['undefined', () => undefined, 'UNAUTHENTICATED', 4003],
    ['false', () => false, 'UNAUTHENTICATED', 4003],
    ['an UnauthorizedException', () => Promise.reject(new UnauthorizedException('secret')), 'UNAUTHENTICATED', 4003],
    ['a ForbiddenException', () => Promise.reject(new ForbiddenException('secret')), 'FORBIDDEN', 3003],
    ['another error', () => Promise.reject(new Error('secret')), 'INTERNAL', 1011],
  ])('answers %s with an error, then closes', async (_what, authenticate, code, closeCode) => {
    const app = await start({ authenticate, mode: 'message' }, { options: told() });
    const client = await app.open();
    const answer = await client.call('system', 'authenticate', { name: 'ada' });
    expect(answer).toMatchObject({ type: 'error', data: { code } });
    expect(JSON.stringify(answer)).not.toContain('secret');
    expect((await client.closed).code).toBe(closeCode);
    expect(diary.entries).toEqual([]);
  });

  it('runs one attempt: a second one while it runs, or after it, is BAD_MESSAGE and changes nothing', async () => {
    const gate = new Gate<WsIdentity>();
    const app = await start({ authenticate: () => gate.passed, mode: 'message' }, { options: told() });
    const client = await app.open();
    client.send({ type: 'system', action: 'authenticate', data: {}, id: 1 });
    expect(await client.call('system', 'authenticate', {})).toMatchObject({ data: { code: 'BAD_MESSAGE' } });
    expect(await client.call('who', 'am')).toMatchObject({ data: { code: 'UNAUTHENTICATED' } });
    gate.open({ userId: 'ada' });
    expect(await client.take(({ id }) => id === 1)).toMatchObject({ response: { userId: 'ada' } });
    expect(await client.call('system', 'authenticate', { name: 'eve' })).toMatchObject({
      data: { code: 'BAD_MESSAGE' },
    });
    expect(await client.request('who', 'am')).toMatchObject({ userId: 'ada', state: 'authenticated' });
  });

  it('lets a client leave in each state, without a trace', async () => {
    const gate = new Gate<WsIdentity>();
    const asked = new Gate();
    const authenticate = (): Promise<WsIdentity> => {
      asked.open();
      return gate.passed;
    };
    const app = await start({ authenticate, mode: 'message' }, { options: told() });
    const ended = (server: WsClient): Promise<void> =>
      new Promise((resolve) => void server.ws.once('close', () => resolve()));

    const unauthorized = await app.open();
    const first = app.last();
    const firstEnded = ended(first);
    await unauthorized.close();
    await firstEnded;
    expect(first.state).toBe('disconnected');

    const authenticating = await app.open();
    const second = app.last();
    const secondEnded = ended(second);
    authenticating.send({ type: 'system', action: 'authenticate', data: {} });
    await asked.passed;
    await authenticating.close();
    await secondEnded;
    gate.open({ userId: 'ada' });
    await app.clock.advance(60_000);
    expect([second.state, second.user]).toEqual(['disconnected', null]);
    expect(app.app.get(ClientManager).getClients()).toEqual([]);
    expect(diary.entries).toEqual([]);
  });

  it('closes those who wait with 1001 when the application stops', async () => {
    const app = await start({ authenticate: byName, mode: 'message' }, { options: told() });
    const client = await app.open();
    apps.pop();
    await app.close();
    expect((await client.closed).code).toBe(1001);
  });

  it('asks the connection guards once it knows who it is', async () => {
    const asked: unknown[] = [];
    const guard = {
      canActivate: (context: { switchToWs(): { getClient(): { user: { userId: string } | null } } }): boolean => {
        const { user } = context.switchToWs().getClient();
        asked.push(user?.userId ?? null);
        return user?.userId === 'ada';
      },
    };
    const options = { ...told(), connectionGuards: [guard as never] };
    const app = await start({ authenticate: byName, mode: 'message' }, { options });
    const ada = await app.open();
    await ada.request('system', 'authenticate', { name: 'ada' });
    const eve = await app.open();
    await expect(eve.request('system', 'authenticate', { name: 'eve' })).rejects.toThrow('UNAUTHENTICATED');
    expect((await eve.closed).code).toBe(4003);
    expect(asked).toEqual(['ada', 'eve']);
  });

  it('with required: false welcomes everybody at once as nobody, who may say later who it is', async () => {
    const app = await start({ authenticate: byName, mode: 'message', required: false }, { options: told() });
    const client = await app.client();
    expect(await client.request('who', 'am')).toMatchObject({ state: 'authenticated' });
    await client.request('system', 'authenticate', { name: 'ada' });
    expect(await client.next('auth', 'authenticated')).toMatchObject({ data: { userId: 'ada' } });
    expect(app.app.get(ClientManager).getClientsByUser({ userId: 'ada' })).toHaveLength(1);
    await expect(client.request('system', 'authenticate', { name: 'eve' })).rejects.toThrow('BAD_MESSAGE');
  });

  it('takes the claims of the credentials also where the application has said already who it is', async () => {
    const app = await start({ jwt: { secret: SECRET }, mode: 'message', required: false });
    const client = await app.client();
    const registry = app.app.get(ClientManager);
    const user = (): unknown => registry.getClient({ clientId: client.clientId })?.user;
    const join = { clientId: client.clientId, roomName: 'tea', userId: 'ada', userType: 'member' };
    expect(await app.app.get(PxlWebSocketServer).joinRoom(join)).toBe(true);
    expect(user()).toEqual({ userId: 'ada', userType: 'member', payload: {} });
    client.send({ type: 'system', action: 'authenticate', data: { token: hs256({ sub: 'ada', role: 'pilot' }) } });
    await client.next('auth');
    expect(user()).toMatchObject({ userId: 'ada', userType: 'member', payload: { role: 'pilot' } });
    expect(registry.getClientsByUser({ userId: 'ada' })).toHaveLength(1);
  });
});

describe('auth.mode either', () => {
  it.each([
    ['@nestjs/jwt', (token: string | undefined) => new JwtService({ secret: SECRET }).verifyAsync<Claims>(token!)],
    [
      'jose',
      (token: string | undefined): Claims => {
        // As jose 6.2 does.
        if (typeof token !== 'string') throw new TypeError('Compact JWS must be a string or Uint8Array');
        return new JwtService({ secret: SECRET }).verify<Claims>(token);
      },
    ],
  ])('lets a client wait whose authenticator has verified, by %s, a token that there is not', async (_by, verify) => {
    const authenticate = async ({ token }: WsCredentials): Promise<WsVerdict> => ({
      userId: (await verify(token)).sub,
    });
    const app = await start({ authenticate, mode: 'either' }, { options: told() });
    const client = await app.open();
    expect(await client.request('system', 'authenticate', { token: hs256({ sub: 'ada' }) })).toEqual({ userId: 'ada' });
    const nobody = await app.open();
    await expect(nobody.request('system', 'authenticate', {})).rejects.toThrow('UNAUTHENTICATED');
    expect(await upgradeStatus(app.port, {}, '/ws?token=garbage')).toBe(401);
    const lenient = await start({ authenticate, required: false }, { options: told() });
    expect((await TestClient.connect(lenient.url())).userId).toBeUndefined();
  });

  it('takes who it is from the upgrade where that says so, else from a message', async () => {
    const app = await start({ jwt: { secret: SECRET }, mode: 'either' }, { options: told() });
    const later = Math.floor(app.clock.now() / 1_000) + 3_600;
    const early = await app.client({ path: `/ws?token=${hs256({ sub: 'ada', exp: later })}` });
    expect(await early.request('who', 'am')).toMatchObject({ userId: 'ada' });
    await expect(early.request('system', 'authenticate', {})).rejects.toThrow('BAD_MESSAGE');
    const late = await app.open();
    await late.request('system', 'authenticate', { token: hs256({ sub: 'bo', exp: later }) });
    expect(await late.request('who', 'am')).toMatchObject({ userId: 'bo' });
  });

  it('refuses a bad token at the upgrade', async () => {
    const app = await start({ jwt: { secret: SECRET }, mode: 'either' }, { options: told() });
    expect(await upgradeStatus(app.port, {}, '/ws?token=garbage')).toBe(401);
  });
});

describe('auth.mode upgrade', () => {
  it('has nothing to authenticate by message', async () => {
    const app = await start({ authenticate: byName, required: false }, { options: told() });
    const client = await app.client();
    await expect(client.request('system', 'authenticate', { name: 'ada' })).rejects.toThrow('BAD_MESSAGE');
    expect(await client.request('who', 'am')).not.toHaveProperty('userId');
  });
});
