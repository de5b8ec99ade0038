import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NotFoundException, ParseIntPipe } from '@nestjs/common';
import { ConnectedSocket, MessageBody, WebSocketGateway } from '@nestjs/websockets';
import {
  PxlWebSocketServer,
  WebSocketService,
  WsClient,
  WsError,
  WsParam,
  WsRoute,
  type WsCredentials,
  type WsVerdict,
} from 'nestjs-pxl-websocket';
import { of } from 'rxjs';
import { WebSocket } from 'ws';
import { WebSocketClient } from '../../lib/client/index.js';
import { reactionTo } from '../../lib/protocol/close-codes.js';
import { ManualClientRuntime } from '../support/manual-client-runtime.js';
import { closeRefusal } from '../support/close-refusal.js';
import { RawClient } from '../support/raw-client.js';
import { refused } from '../support/refused.js';
import { ScriptedServer } from '../support/scripted-server.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient, type Received } from '../support/test-client.js';
import { hs256, SECRET } from '../support/tokens.js';
import { until } from '../support/until.js';
import { upgradeStatus } from '../support/upgrade-answer.js';
import { closeCodeRows, protocolHeadings } from './headings.js';
import { identityOf } from '../support/url-identity.js';

@WebSocketGateway()
class ConformanceGateway {
  @WsRoute('test', 'echo')
  echo(_client: WsClient, data: unknown): unknown {
    return data;
  }

  @WsRoute('test', 'nothing')
  nothing(): void {}

  @WsRoute('test', 'whoami')
  whoami(@ConnectedSocket() client: WsClient): unknown {
    return client.user?.userId ?? null;
  }

  @WsRoute('test', 'fail')
  fail(@MessageBody('code') code: string): never {
    throw new WsError(code, 'Refused.', { details: { because: 'it was asked' } });
  }

  @WsRoute('test', 'stream')
  stream(): unknown {
    return of(1, 2);
  }

  @WsRoute('test', 'endless')
  async *endless(): AsyncGenerator<number> {
    yield 1;
    await new Promise(() => undefined);
  }

  @WsRoute('test', 'callMe')
  callMe(@ConnectedSocket() client: WsClient): Promise<unknown> {
    return client.call({ type: 'test', action: 'question', data: { n: 1 } });
  }
}

@WebSocketGateway({ path: '/ws/admin' })
class WithoutParameters {}

@WebSocketGateway({ path: '/ws/:tenant' })
class TenantGateway {
  @WsRoute('test', 'tenant')
  tenant(@WsParam('tenant') tenant: string): string {
    return tenant;
  }
}

@WebSocketGateway({ path: '/ws/:tenant/:page' })
class PageGateway {
  handleConnection(@WsParam('page', ParseIntPipe, { transform: pageOf }) page: number): number {
    return page;
  }
}

function pageOf(page: number): number {
  if (page === 404) throw new NotFoundException();
  return page;
}

@WebSocketGateway()
class OwnJoinGateway {
  @WsRoute('event', 'join')
  join(): void {}
}

let app: TestApp;
const open: TestClient[] = [];

function authenticate({ request }: WsCredentials): WsVerdict {
  const { searchParams } = new URL(request.url, 'http://localhost');
  if (searchParams.get('user') === 'nobody') return null;
  return identityOf(searchParams.get('user'));
}

beforeAll(async () => {
  app = await startApp({
    providers: [ConformanceGateway, TenantGateway, PageGateway, WithoutParameters],
    options: {
      auth: { authenticate },
      rooms: { open: true, announce: true, whisper: true },
      heartbeat: { interval: 200, timeout: 100 },
    },
  });
});
afterAll(() => app.close());

async function client(path = '/ws', protocols?: string[]): Promise<TestClient> {
  const connected = await TestClient.connect(app.url(path), { protocols });
  open.push(connected);
  return connected;
}

/** The status and headers of what an upgrade is refused with, or 101. */
async function upgrade(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<IncomingMessage> {
  const request = httpRequest({
    port: app.port,
    host: '127.0.0.1',
    path,
    method,
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    },
  });
  request.end();
  const [response] = (await Promise.race([once(request, 'upgrade'), once(request, 'response')])) as [IncomingMessage];
  if (response.statusCode === 101) response.socket.destroy();
  else response.resume();
  return response;
}

async function refusalOf(sent: unknown): Promise<Received> {
  const someone = await client();
  someone.send(sent);
  return someone.next('error', 'message');
}

/** What each heading of PROTOCOL.md promises. */
const promises: Record<string, () => Promise<void>> = {
  async Names() {
    const someone = await client();
    const longest = 'x'.repeat(64);
    expect(await someone.request('test', 'echo', 1)).toBe(1);
    for (const bad of [
      { type: '', action: 'a' },
      { type: 'a:b', action: 'a' },
      { type: `${longest}x`, action: 'a' },
      { type: 'a', action: '' },
      { type: 'a', action: `${longest}x` },
      { type: 1, action: 'a' },
      { type: 'a', action: null },
      { type: 'test', action: 'echo', id: `${longest}x` },
      { type: 'test', action: 'echo', id: 1.5 },
      { type: 'test', action: 'echo', id: {} },
    ]) {
      someone.send(bad);
      expect(await someone.next('error')).toMatchObject({ data: { code: 'BAD_MESSAGE' } });
    }
    someone.send({ type: longest, action: longest, id: longest });
    expect(await someone.next('error')).toMatchObject({ id: longest, data: { code: 'UNKNOWN_ROUTE' } });
    await app.app.get(WebSocketService).sendToClients([someone.clientId], { event: 'a:b:c', data: 1 });
    expect(await someone.next()).toEqual({ type: 'a', action: 'b:c', data: 1 });
    await app.app.get(WebSocketService).sendToClients([someone.clientId], { event: 'plain' });
    expect(await someone.next()).toMatchObject({ type: 'event', action: 'plain' });
  },

  async Opening() {
    expect((await upgrade('/ws')).statusCode).toBe(101);
    expect((await upgrade('/ws?anything=1')).statusCode).toBe(101);
    expect((await upgrade('/ws/')).statusCode).toBe(404);
    const tenantAt = async (path: string): Promise<unknown> => (await client(path)).request('test', 'tenant');
    expect(await tenantAt('/ws/a%2Fb%2525')).toBe('a/b%25');
    await expect(tenantAt('/ws/admin')).rejects.toThrow('UNKNOWN_ROUTE');
    expect(await tenantAt('/ws/%61dmin')).toBe('admin');
    expect((await upgrade('/ws/a%')).statusCode).toBe(400);
    expect((await upgrade('/ws/%FF')).statusCode).toBe(400);
    expect((await upgrade('/ws/a/b/c')).statusCode).toBe(404);
  },

  async Subprotocol() {
    const answered = async (offered?: string): Promise<unknown> => {
      const response = await upgrade('/ws', offered === undefined ? {} : { 'Sec-WebSocket-Protocol': offered });
      return response.statusCode === 101 ? response.headers['sec-websocket-protocol'] : response.statusCode;
    };
    expect(await answered()).toBeUndefined();
    expect(await answered('other, pxl.v1, bearer.abc')).toBe('pxl.v1');
    expect(await answered('bearer.abc, event.v1, pxl.v1')).toBe('event.v1');
    expect(await answered('other')).toBe(400);
    expect(await answered('bearer.abc')).toBe(400);
    expect(await answered('pxl.refusals')).toBe(400);
    expect(await answered('pxl.refusals, pxl.v1')).toBe('pxl.v1');
  },

  async 'HTTP refusals'() {
    const refusals: [number, IncomingMessage][] = [
      [400, await upgrade('/ws', { 'Sec-WebSocket-Key': 'short' })],
      [401, await upgrade('/ws?user=nobody')],
      [404, await upgrade('/elsewhere')],
      [405, await upgrade('/ws', {}, 'POST')],
      [426, await upgrade('/ws', { 'Sec-WebSocket-Version': '12' })],
    ];
    for (const [status, { statusCode, headers }] of refusals) {
      expect(statusCode).toBe(status);
      expect(headers.connection).toBe('close');
      expect(Number(headers['content-length'])).toBeGreaterThan(0);
    }
    const refused = { code: 4522, told: { error: expect.any(String) }, pending: 0 };
    expect((await upgrade('/ws/tea/two')).statusCode).toBe(400);
    expect(await closeRefusal(app.url('/ws/tea/two'))).toMatchObject(refused);
    expect(await closeRefusal(app.url('/ws/%zz'))).toMatchObject(refused);
    expect((await upgrade('/ws/tea/404')).statusCode).toBe(404);
    expect(await closeRefusal(app.url('/ws/tea/404'))).toMatchObject(refused);
    await expect(closeRefusal(app.url('/elsewhere'))).rejects.toThrow('404');
    const full = await startApp({ options: { limits: { connections: 1 } } });
    try {
      await full.client();
      expect(await closeRefusal(full.url())).toMatchObject({ code: 4009, told: { after: 5_000 } });
    } finally {
      await full.close();
    }
    const plain = await fetch(`${app.origin}/ws`);
    expect([plain.status, plain.headers.get('upgrade')]).toEqual([426, 'websocket']);
  },

  async Connected() {
    const someone = await TestClient.open(app.url());
    expect(await someone.next()).toEqual({
      type: 'system',
      action: 'connected',
      data: {
        clientId: expect.any(String),
        protocol: 'pxl.v1',
        heartbeat: { interval: 200, timeout: 100 },
        limits: { maxPayload: 65_536, messagesPerSecond: null, burst: null, rooms: 128 },
      },
    });
    await someone.close();

    const limits = { maxPayload: 1_000, messagesPerSecond: 7, burst: 9, roomsPerClient: false } as const;
    const own = await startApp({ providers: [OwnJoinGateway], options: { heartbeat: false, limits } });
    try {
      expect((await (await TestClient.open(own.url())).next()).data).toMatchObject({
        heartbeat: null,
        limits: { maxPayload: 1_000, messagesPerSecond: 7, burst: 9, rooms: null },
        rooms: { ownJoin: true },
      });
    } finally {
      await own.close();
    }
  },

  async Authenticated() {
    const someone = await TestClient.open(app.url('/ws?user=ada'));
    expect(await someone.next()).toMatchObject({ type: 'system', action: 'connected', data: { userId: 'ada' } });
    expect(await someone.next()).toEqual({
      type: 'auth',
      action: 'authenticated',
      data: { userId: 'ada', message: expect.any(String) },
    });
    await someone.close();
  },

  async Request() {
    const someone = await client('/ws?user=ada');
    someone.send({
      type: 'test',
      action: 'whoami',
      data: { userId: 'eve' },
      id: 1,
      userId: 'eve',
      user: { userId: 'eve' },
    });
    someone.send({ type: 'test', action: 'echo', data: [null], id: 2 });
    expect(await someone.next('test')).toMatchObject({ id: 1, response: 'ada' });
    expect(await someone.next('test')).toMatchObject({ id: 2, response: [null] });
  },

  async Reply() {
    const someone = await client();
    someone.send({ type: 'test', action: 'echo', data: 'x' });
    expect(await someone.next()).toEqual({ type: 'test', action: 'echo', response: 'x' });
    someone.send({ type: 'test', action: 'nothing' });
    someone.send({ type: 'test', action: 'nothing', id: 0 });
    expect(await someone.next()).toEqual({ type: 'test', action: 'nothing', id: 0, response: null });
  },

  async Error() {
    const someone = await client();
    expect(await someone.call('test', 'fail', { code: 'TEAPOT', secret: 'do not echo' })).toEqual({
      type: 'error',
      action: 'message',
      id: expect.any(String),
      data: {
        error: 'Refused.',
        code: 'TEAPOT',
        retryable: false,
        type: 'test',
        action: 'fail',
        details: { because: 'it was asked' },
      },
    });
  },

  async Push() {
    const someone = await client();
    const server = app.app.get(PxlWebSocketServer);
    for (const data of [{ type: 'news', action: 'flash', data: [1] }, ['any', 'JSON'], 7, null]) {
      server.broadcastToClient({ clientId: someone.clientId, data });
      expect(await someone.next()).toEqual(data);
    }
    const named = await startApp({ options: { rooms: { named: true, open: true } } });
    try {
      const member = await TestClient.open(named.url());
      expect(await member.next()).toMatchObject({ action: 'connected', data: { rooms: { named: true } } });
      await member.request('system', 'join', { rooms: ['tea', 'go'] });
      const news = { type: 'news', action: 'flash', data: [1] };
      const service = named.app.get(WebSocketService);
      await service.sendToRooms(['chess', 'go', 'tea'], news);
      expect(await member.next()).toEqual({ ...news, room: 'go' });
      named.app.get(PxlWebSocketServer).broadcastToRoom({ roomName: 'tea', data: ['any', 'JSON'] });
      expect(await member.next()).toEqual(['any', 'JSON']);
      await service.broadcast(news);
      expect(await member.next()).toEqual(news);
    } finally {
      await named.close();
    }
  },

  async Stream() {
    const someone = await client();
    someone.send({ type: 'test', action: 'stream', id: 1 });
    const names = { type: 'test', action: 'stream', id: 1 };
    expect(await someone.next()).toEqual({ ...names, response: 1 });
    expect(await someone.next()).toEqual({ ...names, response: 2 });
    expect(await someone.next()).toEqual({ ...names, done: true });
  },

  async Call() {
    const someone = await client();
    someone.send({ type: 'test', action: 'callMe', id: 1 });
    const call = await someone.next('test', 'question');
    expect(call).toEqual({ type: 'test', action: 'question', data: { n: 1 }, callId: expect.any(Number) });
    someone.send({ type: 'system', action: 'answer', data: { callId: call.callId, response: 'yes' } });
    expect(await someone.next('test', 'callMe')).toMatchObject({ id: 1, response: 'yes' });
  },

  async joinRoom() {
    const someone = await client('/ws?user=ada');
    expect(await someone.request('system', 'joinRoom', { roomName: 'tea', username: 'Ada' })).toEqual({
      success: true,
      message: expect.any(String),
      data: { userId: 'ada', username: 'Ada', roomName: 'tea', joinedAt: expect.stringMatching(/^\d{4}-.*Z$/) },
    });
    await app.app.get(WebSocketService).sendToRooms(['tea'], { type: 'a', action: 'b' });
    expect(await someone.next('a', 'b')).toBeDefined();
    await expect(someone.request('system', 'joinRoom', { roomName: '' })).rejects.toThrow('INVALID_ROOM');
    await expect(someone.request('system', 'joinRoom', { roomName: 'x'.repeat(129) })).rejects.toThrow('INVALID_ROOM');
    await expect(someone.request('system', 'joinRoom', { roomName: 'tea', username: 1 })).rejects.toThrow(
      'BAD_MESSAGE',
    );
    for (let room = 1; room < 128; room++) await someone.request('system', 'joinRoom', { roomName: `room ${room}` });
    await expect(someone.request('system', 'joinRoom', { roomName: 'one more' })).rejects.toThrow('ROOM_LIMIT');
    await someone.close();
  },

  async leaveRoom() {
    const someone = await client();
    await someone.request('system', 'joinRoom', { roomName: 'tea' });
    someone.send({ type: 'system', action: 'leaveRoom', data: { roomName: 'tea' }, id: 1 });
    expect(await someone.next('user')).toEqual({ type: 'user', action: 'leftRoom', data: { roomName: 'tea' } });
    expect(await someone.next('system', 'leaveRoom')).toEqual({
      type: 'system',
      action: 'leaveRoom',
      id: 1,
      response: {
        success: true,
        message: expect.any(String),
        data: { roomName: 'tea', leftAt: expect.stringMatching(/^\d{4}-.*Z$/) },
      },
    });
  },

  async whisper() {
    const [ada, bo, stranger] = [await client('/ws?user=ada'), await client(), await client()];
    for (const member of [ada, bo]) await member.request('system', 'joinRoom', { roomName: 'whispers' });
    const data = { roomName: 'whispers', action: 'typing', data: { on: true } };
    expect(await ada.request('system', 'whisper', data)).toEqual({ success: true });
    const from = { clientId: ada.clientId, userId: 'ada' };
    const push = { type: 'whisper', action: 'typing', data: { on: true }, room: 'whispers', from };
    expect(await bo.next('whisper')).toEqual(push);
    await expect(stranger.request('system', 'whisper', data)).rejects.toThrow('FORBIDDEN');
    await expect(bo.request('system', 'whisper', { ...data, roomName: '' })).rejects.toThrow('INVALID_ROOM');
    await expect(bo.request('system', 'whisper', { ...data, action: '' })).rejects.toThrow('BAD_MESSAGE');
    expect(ada.pending).toEqual([expect.objectContaining({ action: 'memberJoined' })]);
  },

  async Removals() {
    const ada = await client();
    await ada.request('system', 'joinRoom', { roomName: 'removals' });
    const sockets = app.app.get(WebSocketService);
    void sockets.sendToRooms(['removals'], { event: 'last' });
    await sockets.leaveRooms({ clientIds: [ada.clientId], rooms: ['removals'] });
    expect(await ada.next()).toMatchObject({ action: 'last' });
    const data = { roomName: 'removals', reason: 'removed' };
    expect(await ada.next()).toEqual({ type: 'room', action: 'left', data });
  },

  async ping() {
    const someone = await client();
    expect(await someone.call('system', 'ping')).toEqual({
      type: 'system',
      action: 'pong',
      id: expect.any(String),
      response: { time: expect.any(Number) },
    });
  },

  async pong() {
    const someone = await client();
    someone.send({ type: 'system', action: 'pong' });
    expect(await someone.request('test', 'echo', 1)).toBe(1);
    expect(someone.pending.filter(({ action }) => action === 'pong')).toEqual([]);
  },

  async cancel() {
    const someone = await client();
    someone.send({ type: 'test', action: 'endless', id: 1 });
    await someone.next('test', 'endless');
    someone.send({ type: 'system', action: 'cancel', data: { id: 1 } });
    expect(await someone.next('test', 'endless')).toEqual({ type: 'test', action: 'endless', id: 1, done: true });
    someone.send({ type: 'system', action: 'cancel', data: { id: 'unknown' } });
    expect(await someone.request('test', 'echo', 1)).toBe(1);
  },

  async answer() {
    const someone = await client();
    someone.send({ type: 'test', action: 'callMe', id: 1 });
    const { callId } = await someone.next('test', 'question');
    someone.send({ type: 'system', action: 'answer', data: { callId: -1, response: 'to nobody' } });
    someone.send({ type: 'system', action: 'answer', data: { callId, error: { code: 'BUSY', message: 'Not now.' } } });
    expect(await someone.take(({ id }) => id === 1)).toMatchObject({ type: 'error', data: { code: 'BUSY' } });
  },

  async clientList() {
    const someone = await client();
    await expect(someone.request('system', 'clientList')).rejects.toThrow('FORBIDDEN');
    const showing = await startApp({ options: { auth: { authenticate }, clientList: { enabled: true } } });
    try {
      const list = await showing.client({ path: '/ws?user=list' });
      const shown = { clientId: list.clientId, userId: 'list', rooms: [] };
      expect(await list.next('system', 'clientList')).toMatchObject({ data: { clients: [shown] } });
      expect(await list.request('system', 'clientList')).toEqual({ clients: [shown] });
    } finally {
      await showing.close();
    }
  },

  async join() {
    const someone = await client();
    const rooms = ['tea', 'ws:tea', 'tea', '', 5, 'x'.repeat(129), 'chess', { room: '' }, { username: 'Ada' }];
    expect(await someone.request('system', 'join', { rooms })).toEqual({
      rooms: ['tea', 'ws:tea', 'chess'],
      refused: ['', null, 'x'.repeat(129), null].map((room) => ({ room, code: 'INVALID_ROOM' })),
    });
    const labelled = [
      { room: 'labels', username: 'Ada' },
      { room: 'labels', username: 'Countess' },
      'labels',
      { room: 'bad', username: 5 },
      { room: 'long', username: 'x'.repeat(129) },
      { room: 'mended', username: null },
      'mended',
    ];
    const observer = await client();
    await observer.request('system', 'joinRoom', { roomName: 'labels' });
    expect(await someone.request('system', 'join', { rooms: labelled })).toEqual({
      rooms: ['labels', 'mended'],
      refused: ['bad', 'long'].map((room) => ({ room, code: 'BAD_MESSAGE' })),
    });
    const member = { clientId: someone.clientId, username: 'Countess' };
    expect((await observer.next('room', 'memberJoined')).data).toEqual({ roomName: 'labels', member });
    someone.send({ type: 'system', action: 'join', data: { rooms: ['tea'] } });
    someone.send({ type: 'system', action: 'join', data: { rooms: ['go', ''] } });
    const details = { rooms: ['go'], refused: [{ room: '', code: 'INVALID_ROOM' }] };
    expect(await someone.next()).toMatchObject({ type: 'error', data: { code: 'INVALID_ROOM', details } });
    for (const bad of [undefined, {}, { rooms: 'abc' }, { rooms: { length: 1 } }, { rooms: Array(1_025).fill('a') }]) {
      await expect(someone.request('system', 'join', bad)).rejects.toThrow('BAD_MESSAGE');
    }
  },

  async leave() {
    const someone = await client();
    await someone.request('system', 'join', { rooms: ['tea', 'chess'] });
    const left = await someone.request('system', 'leave', { rooms: ['tea', 'nowhere', ''] });
    expect(left).toEqual({ rooms: ['tea', 'nowhere'], refused: [{ room: '', code: 'INVALID_ROOM' }] });
    await app.app.get(WebSocketService).sendToRooms(['tea'], { type: 'a', action: 'b' });
    await app.app.get(WebSocketService).sendToRooms(['chess'], { type: 'a', action: 'c' });
    expect(await someone.next('a')).toMatchObject({ action: 'c' });
  },

  async heartbeat() {
    const someone = await client();
    someone.send({ type: 'system', action: 'heartbeat' });
    expect(await someone.call('system', 'heartbeat')).toMatchObject({ action: 'heartbeat', response: null });
    expect(someone.pending).toEqual([]);
  },

  async disconnect() {
    const someone = await client();
    someone.send({ type: 'test', action: 'echo', data: 'before', id: 1 });
    someone.send({ type: 'system', action: 'disconnect' });
    someone.send({ type: 'test', action: 'echo', data: 'behind', id: 2 });
    expect((await someone.closed).code).toBe(1000);
    expect(someone.pending).toEqual([{ type: 'test', action: 'echo', id: 1, response: 'before' }]);
  },

  async Members() {
    const first = await client();
    const second = await client('/ws?user=bo');
    await first.request('system', 'joinRoom', { roomName: 'members' });
    await second.request('system', 'joinRoom', { roomName: 'members', username: 'Bo' });
    const data = { roomName: 'members', member: { clientId: second.clientId, userId: 'bo', username: 'Bo' } };
    expect(await first.next('room')).toEqual({ type: 'room', action: 'memberJoined', data });
    await second.close();
    expect(await first.next('room')).toEqual({ type: 'room', action: 'memberLeft', data });
  },

  async Reading() {
    const bounded = await startApp({
      options: { limits: { maxPushBytes: 400_000 }, heartbeat: false },
    });
    try {
      const service = bounded.app.get(WebSocketService);
      const reader = await RawClient.open(bounded.port);
      const data = 'x'.repeat(300 * 1_024);
      await service.broadcast({ type: 'a', action: 'b', data });
      const { fin, opcode, payload } = await reader.frame();
      expect([fin, opcode, JSON.parse(payload.toString())]).toEqual([true, 1, { type: 'a', action: 'b', data }]);
      await expect(service.broadcast({ type: 'a', action: 'b', data: data + data })).rejects.toThrow(
        refused('TOO_LARGE'),
      );
      reader.reset();
    } finally {
      await bounded.close();
    }
  },

  async Heartbeat() {
    const someone = await client();
    await once(someone.socket, 'ping');
    const silent = await TestClient.open(app.url(), { autoPong: false });
    expect((await silent.closed).code).toBe(4002);
    const strict = await startApp({
      options: { disconnectInactiveClients: { enabled: true, inactiveTime: 100, intervalCheckTime: 100 } },
    });
    try {
      const offering = (name: string): Promise<TestClient> => TestClient.open(strict.url(), { protocols: [name] });
      const inactive = await Promise.all([offering('pxl.v1'), offering('event.v1')]);
      expect(await Promise.all(inactive.map(async ({ closed }) => (await closed).code))).toEqual([4510, 4002]);
    } finally {
      await strict.close();
    }
  },

  async 'Error codes'() {
    expect(await refusalOf('not JSON')).toMatchObject({ data: { code: 'BAD_MESSAGE', retryable: false } });
    expect(await refusalOf('[]')).toMatchObject({ data: { code: 'BAD_MESSAGE' } });
    expect(await refusalOf({ type: 'no', action: 'such' })).toMatchObject({ data: { code: 'UNKNOWN_ROUTE' } });
    const refusal = (code: string): Promise<Received> => refusalOf({ type: 'test', action: 'fail', data: { code } });
    for (const code of ['RATE_LIMITED', 'TIMEOUT', 'UNAVAILABLE']) {
      expect(await refusal(code)).toMatchObject({ data: { code, retryable: true } });
    }
    for (const code of ['UNAUTHENTICATED', 'FORBIDDEN', 'VALIDATION_FAILED', 'NOT_FOUND', 'CONFLICT', 'OWN']) {
      expect(await refusal(code)).toMatchObject({ data: { code, retryable: false } });
    }
  },

  async 'Close codes'() {
    const closeOf = async (break_: (someone: TestClient) => void): Promise<number> => {
      const someone = await client();
      break_(someone);
      return (await someone.closed).code;
    };
    const manager = app.app.get(PxlWebSocketServer).clientManager;
    expect(await closeOf(({ socket }) => socket.close(1000))).toBe(1000);
    expect(await closeOf(({ socket }) => socket.send('x'.repeat(65_537)))).toBe(1009);
    expect(await closeOf(({ clientId }) => manager.disconnectClient({ clientId }))).toBe(4506);
    expect(await closeOf(({ clientId }) => manager.disconnectClient({ clientId, code: 4321 }))).toBe(4321);
  },

  async 'Coming back'() {
    for (const [codes, reaction] of closeCodeRows()) {
      const stops = codes.map((code) => ['stop', 'replaceToken'].includes(reactionTo(code)));
      expect([codes, stops]).toEqual([codes, codes.map(() => reaction.startsWith('stops'))]);
    }
    const clock = new ManualClientRuntime();
    const server = await ScriptedServer.start((connection) => connection.socket.close(1012, '{"after":1000}'));
    const delays: number[] = [];
    const comingBack = new WebSocketClient({ url: server.url, webSocket: WebSocket }, clock);
    comingBack.onState((change) => {
      if (change.state === 'reconnecting') delays.push(change.delay);
    });
    void comingBack.connect();
    for (let attempt = 1; attempt <= 7; attempt++) {
      await until(() => delays.length === attempt);
      await clock.advance(delays.at(-1)!);
    }
    expect(delays).toEqual([250, 750, 1_500, 3_000, 6_000, 12_000, 18_000].map((own) => 1_000 + own));
    comingBack.destroy();
    await server.close();
  },

  async Messages() {
    const someone = await client();
    someone.send({ type: 'test', action: 'echo', data: 1, more: 'fields are ignored', id: 1 });
    expect(await someone.next()).toEqual({ type: 'test', action: 'echo', id: 1, response: 1 });
  },

  async 'Built-in requests'() {
    const someone = await client();
    for (const action of ['joinRoom', 'leaveRoom', 'join', 'leave', 'cancel', 'answer']) {
      await expect(someone.request('system', action, 'no object')).rejects.toThrow('BAD_MESSAGE');
    }
    await expect(someone.request('system', 'unknown')).rejects.toThrow('UNKNOWN_ROUTE');
  },

  async Credentials() {
    const [ada, bo] = [hs256({ sub: 'ada' }), hs256({ sub: 'bo' })];
    const strict = await startApp({ options: { auth: { jwt: { secret: SECRET }, rejectMode: 'close' } } });
    const plain = await startApp({ options: { auth: { jwt: { secret: SECRET } } } });
    try {
      const places: [string, Record<string, string>][] = [
        ['/ws', { Authorization: `Bearer ${ada}` }],
        ['/ws', { 'Sec-WebSocket-Protocol': `pxl.v1, bearer.${ada}` }],
        ['/ws', { Cookie: `token=${ada}` }],
        [`/ws?token=${ada}`, {}],
      ];
      for (const [path, headers] of places) expect(await upgradeStatus(plain.port, headers, path)).toBe(101);
      expect(await upgradeStatus(plain.port, {}, `/ws`)).toBe(401);
      expect(await upgradeStatus(plain.port, {}, `/ws?token=garbage`)).toBe(401);
      expect(await upgradeStatus(plain.port, { Cookie: `token=${bo}` }, `/ws?token=${ada}`)).toBe(401);
      expect(await (await TestClient.open(strict.url())).closed).toMatchObject({
        code: 4003,
        reason: expect.stringMatching(/^[a-z ]+$/),
      });
      for (const { url } of [strict, plain]) {
        const refused = { code: 4003, told: { error: expect.any(String) }, protocol: 'pxl.v1', pending: 0 };
        expect(await closeRefusal(url())).toEqual(refused);
        expect(await closeRefusal(url(), { codec: 'event.v1' })).toEqual({ ...refused, protocol: 'event.v1' });
      }
    } finally {
      await strict.close();
      await plain.close();
    }
  },

  async Expiring() {
    const expiring = await startApp({ options: { auth: { jwt: { secret: SECRET } } } });
    const exp = Math.floor(Date.now() / 1_000) + 4;
    try {
      const someone = await TestClient.connect(expiring.url(`/ws?token=${hs256({ sub: 'ada', exp })}`));
      expect(await someone.next('auth', 'expiring')).toEqual({
        type: 'auth',
        action: 'expiring',
        data: { expiresAt: exp * 1_000 },
      });
      expect((await someone.closed).code).toBe(4005);
    } finally {
      await expiring.close();
    }
  },

  async authenticate() {
    const byMessage = await startApp({
      providers: [PageGateway],
      options: { auth: { jwt: { secret: SECRET }, mode: 'message' } },
    });
    try {
      const someone = await TestClient.open(byMessage.url());
      expect(await someone.call('test', 'echo')).toMatchObject({ data: { code: 'UNAUTHENTICATED' } });
      someone.send({ type: 'system', action: 'authenticate', data: { token: hs256({ sub: 'ada' }) }, id: 1 });
      expect(await someone.next()).toMatchObject({ type: 'system', action: 'connected', data: { userId: 'ada' } });
      expect(await someone.next()).toMatchObject({ type: 'auth', action: 'authenticated' });
      expect(await someone.next()).toEqual({
        type: 'system',
        action: 'authenticate',
        id: 1,
        response: { userId: 'ada' },
      });
      await expect(someone.request('system', 'authenticate', {})).rejects.toThrow('BAD_MESSAGE');
      const other = await TestClient.open(byMessage.url());
      await expect(other.request('system', 'authenticate', { token: 'garbage' })).rejects.toThrow('UNAUTHENTICATED');
      expect((await other.closed).code).toBe(4003);
      for (const [path, code] of Object.entries({ '/ws/tea/two': 'VALIDATION_FAILED', '/ws/tea/404': 'NOT_FOUND' })) {
        const unfit = await TestClient.open(byMessage.url(path));
        const data = { token: hs256({ sub: 'ada' }) };
        await expect(unfit.request('system', 'authenticate', data)).rejects.toThrow(code);
        expect((await unfit.closed).code).toBe(4522);
      }
    } finally {
      await byMessage.close();
    }
  },

  async refresh() {
    const withTokens = await startApp({ options: { auth: { jwt: { secret: SECRET } } } });
    try {
      const someone = await TestClient.connect(withTokens.url(`/ws?token=${hs256({ sub: 'ada' })}`));
      const exp = Math.floor(Date.now() / 1_000) + 3_600;
      expect(await someone.request('system', 'refresh', { token: hs256({ sub: 'ada', exp }) })).toEqual({
        userId: 'ada',
        expiresAt: exp * 1_000,
      });
      await expect(someone.request('system', 'refresh', { token: hs256({ sub: 'eve' }) })).rejects.toThrow('FORBIDDEN');
      await expect(someone.request('system', 'refresh', { token: 'no' })).rejects.toThrow('UNAUTHENTICATED');
    } finally {
      await withTokens.close();
    }
  },

  async Example() {
    const someone = await client();
    await someone.request('system', 'joinRoom', { roomName: 'tea', username: 'Ada' });
    expect(await someone.call('chat', 'shout')).toMatchObject({
      data: { error: 'There is no such route.', code: 'UNKNOWN_ROUTE', type: 'chat', action: 'shout' },
    });
  },
};

describe('PROTOCOL.md', () => {
  it.each(protocolHeadings())('%s', async (heading) => {
    const keeps = promises[heading];
    if (!keeps) throw new Error(`The heading "${heading}" has no test.`);
    await keeps();
  });

  it('has no test for a heading that is gone', () => {
    expect(Object.keys(promises).sort()).toEqual([...protocolHeadings()].sort());
  });
});
