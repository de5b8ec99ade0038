import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConnectedSocket, WebSocketGateway } from '@nestjs/websockets';
import { PxlWebSocketServer, WebSocketService, WsError, WsRoute, type WsClient } from 'nestjs-pxl-websocket';
import { of } from 'rxjs';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { hs256, SECRET } from '../support/tokens.js';
import { eventHeadings } from './headings.js';

@WebSocketGateway()
class EventGateway {
  @WsRoute('test', 'echo')
  echo(_client: WsClient, data: unknown): unknown {
    return data;
  }

  @WsRoute('event', 'plain')
  plain(): void {}

  @WsRoute('test', 'fail')
  fail(): never {
    throw new WsError('TEAPOT', 'Refused.', { details: { because: 'it was asked' } });
  }

  @WsRoute('test', 'stream')
  stream(): unknown {
    return of(1, 2);
  }

  @WsRoute('test', 'callMe')
  callMe(@ConnectedSocket() client: WsClient): Promise<unknown> {
    return client.call({ type: 'test', action: 'question', data: { n: 1 } });
  }
}

@WebSocketGateway()
class OwnJoinGateway {
  @WsRoute('event', 'join')
  join(): void {}
}

const heartbeat = { interval: 15_000, timeout: 10_000 };
const limits = { maxPayload: 131_072, messagesPerSecond: null, burst: null, rooms: 128 };

let app: TestApp;

beforeAll(async () => {
  app = await startApp({
    providers: [EventGateway],
    options: {
      protocol: 'event',
      auth: { jwt: { secret: SECRET }, required: false },
      rooms: { open: true, whisper: true },
    },
  });
});
afterAll(() => app.close());

/** A connection whose `connected` is taken. */
async function client(path?: string): Promise<TestClient> {
  const someone = await TestClient.open(app.url(path));
  await someone.welcomed();
  return someone;
}

/** What each heading of the second codec's part of PROTOCOL.md promises. */
const promises: Record<string, () => Promise<void>> = {
  async 'Codec event.v1'() {
    const answered = async (protocols: string[]): Promise<unknown> => {
      const someone = await TestClient.open(app.url(), { protocols });
      const first = await someone.next();
      await someone.close();
      return [someone.socket.protocol, first.event ?? first.type];
    };
    expect(await answered([])).toEqual(['', 'connected']);
    expect(await answered(['event.v1'])).toEqual(['event.v1', 'connected']);
    expect(await answered(['pxl.v1', 'event.v1'])).toEqual(['pxl.v1', 'system']);
    const someone = await client();
    someone.send({ event: 'test:echo', data: 1, id: 1, more: 'fields are ignored' });
    expect(await someone.next()).toEqual({ event: 'test:echo', id: 1, data: 1 });
  },

  async 'Event names'() {
    const someone = await client();
    const longest = 'x'.repeat(64);
    for (const event of [1, null, {}, '', ':', 'a:', ':a', `${longest}x`, `${longest}x:a`, `a:${longest}x`]) {
      someone.send({ event, id: 1 });
      expect(await someone.next()).toMatchObject({ event: 'error', id: 1, data: { code: 'BAD_MESSAGE' } });
    }
    for (const event of [longest, `${longest}:${longest}`, 'connected', 'error', 'encrypted']) {
      someone.send({ event, id: 1 });
      expect(await someone.next()).toMatchObject({ event: 'error', id: 1, data: { code: 'UNKNOWN_ROUTE', event } });
    }
    someone.send({ event: 'plain', id: 1 });
    expect(await someone.next()).toEqual({ event: 'plain', id: 1, data: null });
    for (const [event, answer] of [
      ['heartbeat', 'heartbeat'],
      ['join', 'error'],
      ['system:ping', 'system:pong'],
      ['system:refresh', 'error'],
      ['system:joinRoom', 'error'],
    ]) {
      someone.send({ event, id: 1 });
      expect(await someone.next()).toMatchObject({ event: answer, id: 1 });
    }
    const rooms = ['tea', { room: 'chess', username: 'Ada' }, { room: 'go', username: 1 }, 'ws:go', { room: 'ws:tea' }];
    someone.send({ event: 'join', data: { rooms }, id: 1 });
    const refused = [
      { room: 'go', code: 'BAD_MESSAGE' },
      { room: 'ws:go', code: 'INVALID_ROOM' },
    ];
    const joined = { rooms: ['tea', 'chess', 'ws:tea'], refused };
    expect(await someone.next()).toEqual({ event: 'join', id: 1, data: joined });
  },

  async 'Event shapes'() {
    const someone = await client();
    someone.send({ event: 'test:fail', id: 1 });
    const data = { message: 'Refused.', code: 'TEAPOT', retryable: false };
    const details = { because: 'it was asked' };
    expect(await someone.next()).toEqual({ event: 'error', id: 1, data: { ...data, event: 'test:fail', details } });
    someone.send('not JSON');
    const noJson = { problem: expect.any(String) };
    expect(await someone.next()).toEqual({
      event: 'error',
      data: { message: 'Invalid message format', code: 'BAD_MESSAGE', retryable: false, details: noJson },
    });

    const server = app.app.get(PxlWebSocketServer);
    const { clientId } = someone;
    for (const [sent, received] of [
      [
        { type: 'news', action: 'flash', data: [1] },
        { event: 'news:flash', data: [1] },
      ],
      [
        { event: 'news', data: 1 },
        { event: 'news', data: 1 },
      ],
      [['any', 'JSON'], { event: 'message', data: ['any', 'JSON'] }],
      [null, { event: 'message', data: null }],
    ]) {
      server.broadcastToClient({ clientId, data: sent });
      expect(await someone.next()).toEqual(received);
    }
    server.sendMessageError({ webSocketClientId: clientId, error: 'Sorry.' });
    const error = { message: 'Sorry.', code: 'APPLICATION', retryable: false };
    expect(await someone.next()).toEqual({ event: 'error', data: error });

    someone.send({ event: 'test:stream', id: 2 });
    for (const answer of [{ data: 1 }, { data: 2 }, { done: true }]) {
      expect(await someone.next()).toEqual({ event: 'test:stream', id: 2, ...answer });
    }
    someone.send({ event: 'test:stream' });
    someone.send({ event: 'test:callMe', id: 3 });
    for (const value of [1, 2]) expect(await someone.next()).toEqual({ event: 'test:stream', data: value });
    const call = await someone.next();
    expect(call).toEqual({ event: 'test:question', data: { n: 1 }, callId: expect.any(Number) });
    someone.send({ event: 'system:answer', data: { callId: call.callId, response: 'yes' } });
    expect(await someone.next()).toEqual({ event: 'test:callMe', id: 3, data: 'yes' });

    const other = await client();
    for (const member of [someone, other]) await member.request('system', 'join', { rooms: ['shapes'] });
    other.send({ event: 'system:whisper', data: { roomName: 'shapes', action: 'typing' }, id: 4 });
    expect(await other.next()).toEqual({ event: 'system:whisper', id: 4, data: { success: true } });
    const from = { clientId: other.clientId };
    expect(await someone.next()).toEqual({ event: 'whisper:typing', room: 'shapes', from });
    await app.app.get(WebSocketService).leaveRooms({ clientIds: [clientId], rooms: ['shapes'] });
    const left = { roomName: 'shapes', reason: 'removed' };
    expect(await someone.next()).toEqual({ event: 'room:left', data: left });
  },

  async 'Event connected'() {
    const nobody = await TestClient.open(app.url());
    const connected = { id: expect.any(String), time: expect.any(Number), heartbeat, limits };
    expect(await nobody.next()).toEqual({ event: 'connected', data: connected });
    nobody.send({ event: 'authenticate', data: { token: hs256({ sub: 'ada' }) }, id: 1 });
    expect(await nobody.next()).toEqual({ event: 'connected', data: { ...connected, userId: 'ada' } });
    expect(await nobody.next()).toEqual({ event: 'authenticate', id: 1, data: { userId: 'ada' } });
    nobody.send({ event: 'authenticate', data: { token: hs256({ sub: 'eve' }) }, id: 2 });
    expect(await nobody.next()).toMatchObject({ event: 'error', id: 2, data: { code: 'BAD_MESSAGE' } });

    const early = await client(`/ws?token=${hs256({ sub: 'bo' })}`);
    early.send({ event: 'authenticate', data: { token: hs256({ sub: 'eve' }) } });
    expect(await early.next()).toEqual({
      event: 'connected',
      data: { ...connected, id: early.clientId, userId: 'bo' },
    });
    early.send({ event: 'authenticate', id: 1 });
    expect(await early.next()).toMatchObject({ event: 'connected' });
    expect(await early.next()).toEqual({ event: 'authenticate', id: 1, data: { userId: 'bo' } });

    const rooms = { named: true, defaults: ['tea'] };
    const own = await startApp({ providers: [OwnJoinGateway], options: { protocol: 'event', rooms } });
    try {
      const someone = await TestClient.open(own.url());
      const data = { limits, rooms: { named: true, ownJoin: true } };
      expect(await someone.next()).toMatchObject({ event: 'connected', data });
      someone.send({ event: 'system:ping' });
      await someone.next('system', 'pong');
      await own.app.get(WebSocketService).sendToRooms(['tea'], { type: 'news', action: 'flash', data: 1 });
      expect(await someone.next()).toEqual({ event: 'news:flash', data: 1, room: 'tea' });
    } finally {
      await own.close();
    }
  },

  async 'Event example'() {
    const strict = await startApp({
      providers: [EventGateway],
      options: {
        protocol: 'event',
        auth: { jwt: { secret: SECRET } },
        rooms: { authorize: ({ roomName }) => roomName !== 'staff' },
      },
    });
    try {
      const someone = await TestClient.open(strict.url(), { protocols: ['event.v1'] });
      someone.send({ event: 'authenticate', data: { token: hs256({ sub: 'ada' }) } });
      expect(await someone.next()).toMatchObject({ event: 'connected', data: { userId: 'ada' } });
      someone.send({ event: 'join', data: { rooms: ['tea', 'staff'] }, id: 1 });
      const refused = [{ room: 'staff', code: 'FORBIDDEN' }];
      expect(await someone.next()).toEqual({ event: 'join', id: 1, data: { rooms: ['tea'], refused } });
      someone.send({ event: 'test:echo', data: { sent: true }, id: 2 });
      expect(await someone.next()).toEqual({ event: 'test:echo', id: 2, data: { sent: true } });
      someone.send({ event: 'chat:shout', id: 3 });
      const error = { message: 'There is no such route.', code: 'UNKNOWN_ROUTE', retryable: false };
      expect(await someone.next()).toEqual({ event: 'error', id: 3, data: { ...error, event: 'chat:shout' } });
      await strict.app.get(WebSocketService).sendToRooms(['tea', 'staff'], { event: 'news' });
      expect(await someone.next()).toEqual({ event: 'news' });
    } finally {
      await strict.close();
    }
  },
};

describe('PROTOCOL.md, the codec event.v1', () => {
  it.each(eventHeadings())('%s', async (heading) => {
    const keeps = promises[heading];
    if (!keeps) throw new Error(`The heading "${heading}" has no test.`);
    await keeps();
  });

  it('has no test for a heading that is gone', () => {
    expect(Object.keys(promises).sort()).toEqual([...eventHeadings()].sort());
  });
});
