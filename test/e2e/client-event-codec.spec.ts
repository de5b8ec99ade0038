import { afterEach, describe, expect, it } from '@jest/globals';
import type { WebSocketClient, WebSocketClientOptions } from '../../lib/client/index.js';
import { ManualClientRuntime } from '../support/manual-client-runtime.js';
import { ScriptedServer, type ScriptedConnection } from '../support/scripted-server.js';
import { testsClients } from '../support/test-clients.js';
import { until } from '../support/until.js';

const newClient = testsClients();
let server: ScriptedServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

function welcome(connection: ScriptedConnection, data: Record<string, unknown> = {}): void {
  connection.send({ event: 'connected', data: { id: 'e1', time: 1, heartbeat: null, ...data } });
}

/** Resolves once the client has heard what the server has said up to now. */
async function saidSomething(connection: ScriptedConnection, client: WebSocketClient): Promise<void> {
  const heard = new Promise((resolve) => client.on('a', 'marker', resolve));
  connection.send({ event: 'a:marker' });
  await heard;
}

async function connected(options: Partial<WebSocketClientOptions> = {}, clock?: ManualClientRuntime) {
  server = await ScriptedServer.start((connection) => welcome(connection));
  const tested = newClient(server.url, { protocol: 'event', ...options }, clock);
  await tested.client.connect();
  return { ...tested, server, connection: await server.next() };
}

describe('a client of event.v1', () => {
  it('offers the codec, with its token beside it, and is welcomed', async () => {
    const { client, connection } = await connected({ getToken: () => 'ada' });
    expect(connection.request.headers['sec-websocket-protocol']).toBe('event.v1,pxl.refusals,bearer.ada');
    expect(client.clientId).toBe('e1');
  });

  it('authenticates by message: the answer counts, not an earlier welcome', async () => {
    server = await ScriptedServer.start((connection) => welcome(connection));
    const { client } = newClient(server.url, { protocol: 'event', getToken: () => 'ada', tokenTo: 'message' });
    const connecting = client.connect();
    const connection = await server.next();
    const asked = await connection.next();
    expect(asked).toEqual({ event: 'authenticate', id: 0, data: { token: 'ada' } });
    expect(client.state).toBe('connecting');
    welcome(connection, { userId: 'ada' });
    connection.send({ event: 'authenticate', id: 0, data: { userId: 'ada' } });
    await connecting;
  });

  it('asks, is answered, and refused', async () => {
    const { client, connection } = await connected();
    const request = client.request('chat', 'send', { text: 'Hello' });
    const asked = await connection.next();
    expect(asked).toEqual({ event: 'chat:send', data: { text: 'Hello' }, id: 1 });
    connection.send({ event: 'chat:send', id: 1, data: { sent: true } });
    expect(await request).toEqual({ sent: true });

    const plain = client.request('event', 'plain');
    expect(await connection.next()).toEqual({ event: 'plain', id: 2 });
    const details = { field: 'text' };
    connection.send({ event: 'error', id: 2, data: { message: 'Not valid.', code: 'VALIDATION_FAILED', details } });
    await expect(plain).rejects.toMatchObject({ code: 'VALIDATION_FAILED', message: 'Not valid.', details });

    const busy = client.request('a', 'b');
    await connection.next();
    connection.send({ event: 'error', id: 3, data: { message: 'Later.', code: 'UNAVAILABLE' } });
    await expect(busy).rejects.toMatchObject({ retryable: true });
  });

  it('reads streams, and cancels them', async () => {
    const { client, connection } = await connected();
    const values: unknown[] = [];
    const reading = (async () => {
      for await (const value of client.stream('a', 'many')) values.push(value);
    })();
    await connection.next('a:many');
    connection.send({ event: 'a:many', id: 1, data: 1 });
    connection.send({ event: 'a:many', id: 1, data: null });
    connection.send({ event: 'a:many', id: 1, done: true });
    await reading;
    expect(values).toEqual([1, null]);

    const stream = client.stream('a', 'many');
    const next = stream.next();
    await connection.next('a:many');
    await stream.return?.();
    await next;
    expect(await connection.next()).toEqual({ event: 'system:cancel', data: { id: 2 } });
  });

  it('hears pushes, errors and any other value, and answers calls', async () => {
    const heard: unknown[] = [];
    const { client, connection, errors } = await connected({ events: { onMessage: ({ data }) => heard.push(data) } });
    client.onAny(({ type, action, data }) => heard.push([type, action, data]));
    client.handle('user', 'confirm', (data) => ({ heard: data }));
    connection.send({ event: 'chat:message', data: 1 });
    connection.send({ event: 'plain' });
    connection.send([1]);
    await until(() => heard.length === 5);
    expect(heard).toEqual([
      { event: 'chat:message', data: 1 },
      ['chat', 'message', 1],
      { event: 'plain' },
      ['event', 'plain', undefined],
      [1],
    ]);
    connection.send({ event: 'error', data: { message: 'No.', code: 'FORBIDDEN' } });
    connection.send({ event: 'user:confirm', data: 5, callId: 9 });
    expect(await connection.next()).toEqual({ event: 'system:answer', data: { callId: 9, response: { heard: 5 } } });
    expect(errors).toMatchObject([{ code: 'FORBIDDEN' }]);
  });

  it('joins and leaves rooms, and is back in them after a reconnect', async () => {
    const { client, connection, server } = await connected();
    const joining = client.join('tea');
    expect(await connection.next()).toEqual({ event: 'system:joinRoom', id: 1, data: { roomName: 'tea' } });
    connection.send({
      event: 'system:joinRoom',
      id: 1,
      data: { success: true, data: { roomName: 'tea', userId: 'ada' } },
    });
    expect(await joining).toEqual({ roomName: 'tea', userId: 'ada' });
    const secret = client.join('secret');
    await connection.next('system:joinRoom');
    connection.send({ event: 'error', id: 2, data: { message: 'No.', code: 'FORBIDDEN', retryable: false } });
    await expect(secret).rejects.toMatchObject({ code: 'FORBIDDEN', retryable: false });

    connection.socket.terminate();
    const next = await server.next();
    expect(await next.next()).toMatchObject({ event: 'system:joinRoom', data: { roomName: 'tea' } });
    const leaving = client.leave('tea');
    const left = await next.next('system:leaveRoom');
    expect(left.data).toEqual({ roomName: 'tea' });
    next.send({ event: 'system:leaveRoom', id: left.id, data: { success: true } });
    await leaving;
  });

  it.each<[string, object | null, false | undefined, number]>([
    ['the server sends no pings', null, undefined, 15_000],
    ['it does not watch the server', { interval: 1_000, timeout: 500 }, false, 1_000],
  ])('shows a sign of life where %s, and asks for none', async (_what, told, heartbeat, interval) => {
    const clock = new ManualClientRuntime();
    server = await ScriptedServer.start((connection) => welcome(connection, { heartbeat: told }));
    const { client } = newClient(server.url, { protocol: 'event', heartbeat }, clock);
    await client.connect();
    const connection = await server.next();
    for (let beat = 0; beat < 3; beat++) {
      await clock.advance(interval);
      expect(await connection.next()).toEqual({ event: 'heartbeat' });
    }
    await clock.advance(interval - 1);
    expect([client.state, connection.heard]).toEqual(['connected', []]);
  });

  it('shows a sign of life each interval, since its server closes who says nothing, and asks for one', async () => {
    const clock = new ManualClientRuntime();
    server = await ScriptedServer.start((connection) =>
      welcome(connection, { heartbeat: { interval: 1_000, timeout: 500 } }),
    );
    const { client } = newClient(server.url, { protocol: 'event' }, clock);
    await client.connect();
    const connection = await server.next();
    await clock.advance(1_000);
    expect([await connection.next(), await connection.next()]).toEqual([
      { event: 'system:ping' },
      { event: 'heartbeat' },
    ]);
    connection.send({ event: 'system:pong', data: { time: 1 } });
    await saidSomething(connection, client);
    await clock.advance(500);
    expect(client.state).toBe('connected');
    await clock.advance(500);
    expect(await connection.next('heartbeat')).toEqual({ event: 'heartbeat' });
  });
});
