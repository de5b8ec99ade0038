import { afterEach, describe, expect, it } from '@jest/globals';
import { ClientManager, RoomManager, WebSocketService } from 'nestjs-pxl-websocket';
import type { WebSocketClientOptions } from '../../lib/client/index.js';
import { entered } from '../support/client-states.js';
import { ManualClientRuntime } from '../support/manual-client-runtime.js';
import { ScriptedServer, type ScriptedConnection } from '../support/scripted-server.js';
import { startsOneApp } from '../support/test-app.js';
import { testsClients } from '../support/test-clients.js';
import { until } from '../support/until.js';

const start = startsOneApp();
const newClient = testsClients();
let server: ScriptedServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** A client and its end of the connection. */
async function connected(options: Partial<WebSocketClientOptions> = {}, clock?: ManualClientRuntime) {
  server = await ScriptedServer.start();
  const tested = newClient(server.url, options, clock);
  await tested.client.connect();
  return { ...tested, server, connection: await server.next() };
}

/** Lets the client into the room that it asks for. */
async function letIn(connection: ScriptedConnection): Promise<string> {
  const asked = await connection.next('joinRoom');
  const { roomName } = asked.data as { roomName: string };
  connection.reply(asked, { success: true, message: 'Joined the room.', data: { roomName } });
  return roomName;
}

/** Joins `tea`, and loses the connection; resolves with the next one, on which the client asks for the room again. */
async function comeBack({ client, server, connection }: Awaited<ReturnType<typeof connected>>) {
  const joining = client.join('tea');
  await letIn(connection);
  await joining;
  connection.socket.terminate();
  await entered(client, 'reconnecting');
  await client.connect();
  return server.next();
}

describe('a room that the client has joined', () => {
  it('is what the server tells of it, and its messages arrive', async () => {
    const app = await start({ options: { rooms: { open: true } } });
    const { client } = newClient(app.url());
    await client.connect();
    const joined = await client.join('tea', { username: 'Ada' });
    expect(joined).toEqual({ roomName: 'tea', username: 'Ada', joinedAt: expect.stringMatching(/^\d{4}-/) });
    const heard = new Promise((resolve) => client.on('a', 'b', resolve));
    await app.app.get(WebSocketService).sendToRooms(['tea'], { type: 'a', action: 'b', data: 1 });
    expect(await heard).toBe(1);
    await client.leave('tea');
    expect(app.app.get(RoomManager).getRoomClients({ roomName: 'tea' })).toEqual([]);
    await client.leave('tea');
  });

  it('is joined again on each later connection, before anything else is said there, with its label', async () => {
    const { client, server, connection } = await connected();
    const joining = Promise.all([client.join('tea', { username: 'Ada' }), client.join('chess')]);
    expect([await letIn(connection), await letIn(connection)]).toEqual(['tea', 'chess']);
    await joining;
    for (let round = 0; round < 3; round++) {
      server.connections.at(-1)!.socket.terminate();
      await entered(client, 'reconnecting');
      client.send('chat', 'waited');
      const next = await server.next();
      expect(await next.next()).toMatchObject({ action: 'joinRoom', data: { roomName: 'tea', username: 'Ada' } });
      expect(await next.next()).toMatchObject({ action: 'joinRoom', data: { roomName: 'chess' } });
      expect(await next.next()).toMatchObject({ action: 'waited' });
    }
  });

  it('is joined again by a real server, and its messages arrive once', async () => {
    const app = await start({ options: { rooms: { open: true } } });
    const { client } = newClient(app.url());
    await client.connect();
    await client.join('tea');
    const heard: unknown[] = [];
    client.on('a', 'b', (data) => heard.push(data));
    for (let round = 1; round <= 3; round++) {
      const { clientId } = client;
      app.app.get(ClientManager).disconnectClient({ clientId: clientId!, code: 4000 });
      const isBack = (): boolean => app.app.get(RoomManager).getRoomClients({ roomName: 'tea' }).length === 1;
      await until(() => client.clientId !== null && client.clientId !== clientId && isBack());
      await app.app.get(WebSocketService).sendToRooms(['tea'], { type: 'a', action: 'b', data: round });
      await until(() => heard.length === round);
    }
    expect(heard).toEqual([1, 2, 3]);
  });

  it('is not joined again once it was left, also while there was no connection', async () => {
    const { client, server, connection } = await connected();
    const joining = Promise.all([client.join('tea'), client.join('chess')]);
    await letIn(connection);
    await letIn(connection);
    await joining;
    connection.socket.terminate();
    await entered(client, 'reconnecting');
    await client.leave('tea');
    const next = await server.next();
    expect(await letIn(next)).toBe('chess');
    const request = client.request('a', 'last');
    next.reply(await next.next(), null);
    await request;
    expect(next.heard).toEqual([]);
  });

  it('is kept over disconnect() and connect()', async () => {
    const { client, server, connection } = await connected();
    const joining = client.join('tea');
    await letIn(connection);
    await joining;
    client.disconnect();
    await client.connect();
    expect(await letIn(await server.next())).toBe('tea');
  });
});

describe('a room that the client has not joined', () => {
  it('since the server says no, is not asked for again', async () => {
    const app = await start({ options: { rooms: { authorize: ({ roomName }) => roomName === 'tea' } } });
    const { client, states } = newClient(app.url());
    await client.connect();
    await expect(client.join('secret')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(client.join('')).rejects.toMatchObject({ code: 'INVALID_ROOM' });
    await client.join('tea');
    app.app.get(ClientManager).disconnectClient({ clientId: client.clientId!, code: 4000 });
    await until(() => states.filter((state) => state === 'connected').length === 2);
    await until(() => app.app.get(RoomManager).rooms.has('tea'));
    expect([...app.app.get(RoomManager).rooms.keys()]).toEqual(['tea']);
  });

  it('since it was left before the answer came, is not asked for again', async () => {
    const { client, server, connection } = await connected();
    const joining = client.join('tea');
    const leaving = client.leave('tea');
    await letIn(connection);
    connection.reply(await connection.next('leaveRoom'), { success: true });
    await Promise.all([joining, leaving]);
    connection.socket.terminate();
    const next = await server.next();
    next.reply(await nextOf(client, next), null);
    expect(next.heard).toEqual([]);
  });

  it('since the connection was lost before the answer came, is reported to who asked', async () => {
    const { client, server, connection } = await connected();
    const joining = client.join('tea');
    const refused = expect(joining).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await connection.next('joinRoom');
    connection.socket.terminate();
    await refused;
    const next = await server.next();
    next.reply(await nextOf(client, next), null);
    expect(next.heard).toEqual([]);
  });

  it('since there was no connection yet, is joined with the first one', async () => {
    server = await ScriptedServer.start();
    const { client } = newClient(server.url);
    void client.connect();
    const joining = client.join('tea');
    expect(await letIn(await server.next())).toBe('tea');
    expect(await joining).toEqual({ roomName: 'tea' });
  });

  it('before connect() is not joined', async () => {
    server = await ScriptedServer.start();
    await expect(newClient(server.url).client.join('tea')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

describe('a room that does not take the client back', () => {
  it('is reported and forgotten', async () => {
    const refused: unknown[] = [];
    const { client, server, connection } = await connected({
      events: { onRoomRefused: ({ roomName, error }) => refused.push([roomName, (error as { code: string }).code]) },
    });
    const joining = client.join('tea');
    await letIn(connection);
    await joining;
    connection.socket.terminate();
    const second = await server.next();
    second.refuse(await second.next('joinRoom'), 'FORBIDDEN');
    await until(() => refused.length === 1);
    expect(refused).toEqual([['tea', 'FORBIDDEN']]);
    second.socket.terminate();
    const third = await server.next();
    third.reply(await nextOf(client, third), null);
    expect(third.heard).toEqual([]);
  });

  it('is asked for once where onConnected joins it too, and its refusal is reported once', async () => {
    const told: string[] = [];
    const { client, server, connection } = await connected({
      events: {
        onConnected: ({ joinRoom }) =>
          void joinRoom('tea').then(
            () => told.push('joined'),
            () => told.push('rejected'),
          ),
        onRoomRefused: ({ roomName }) => told.push(`refused ${roomName}`),
      },
    });
    await letIn(connection);
    await until(() => told.length === 1);
    connection.socket.terminate();
    const second = await server.next();
    await letIn(second);
    await until(() => told.length === 2);
    second.reply(await nextOf(client, second), null);
    expect(second.heard).toEqual([]);
    // It counts once: this is the leave of the last join.
    const leaving = client.leave('tea');
    second.reply(await second.next('leaveRoom'), null);
    await leaving;
    const joining = client.join('tea');
    await letIn(second);
    await joining;
    second.socket.terminate();
    const third = await server.next();
    third.refuse(await third.next('joinRoom'), 'FORBIDDEN');
    await until(() => told.length === 4);
    expect(told.sort()).toEqual(['joined', 'joined', 'refused tea', 'rejected']);
    third.reply(await nextOf(client, third), null);
    expect(third.heard).toEqual([]);
  });

  it('just now is not tried again once it was left', async () => {
    const clock = new ManualClientRuntime();
    const tested = await connected({ requestTimeout: false }, clock);
    const { client } = tested;
    const second = await comeBack(tested);
    second.refuse(await second.next('joinRoom'), 'UNAVAILABLE', { retryable: true });
    await until(() => clock.size === 1);
    const leaving = client.leave('tea');
    second.reply(await second.next('leaveRoom'), null);
    await leaving;
    await clock.advance(60_000);
    second.reply(await nextOf(client, second), null);
    expect(second.heard).toEqual([]);
  });

  it('just now is tried again until it does', async () => {
    const refused: unknown[] = [];
    const clock = new ManualClientRuntime();
    const events = { onRoomRefused: ({ roomName }: { roomName: string }) => refused.push(roomName) };
    const tested = await connected({ events, requestTimeout: false }, clock);
    const second = await comeBack(tested);
    for (let round = 0; round < 5; round++) {
      second.refuse(await second.next('joinRoom'), 'UNAVAILABLE', { retryable: true });
      await until('it waits for another try', () => clock.size === 1);
      await clock.advance(2_999);
      expect(second.heard).toEqual([]);
      await clock.advance(1);
    }
    expect(await letIn(second)).toBe('tea');
    expect(refused).toEqual([]);
  });

  it('just now is left to the next connection when this one is lost', async () => {
    const refused: unknown[] = [];
    const clock = new ManualClientRuntime();
    const events = { onRoomRefused: ({ roomName }: { roomName: string }) => refused.push(roomName) };
    const tested = await connected({ events, requestTimeout: false }, clock);
    const { client, server } = tested;
    const second = await comeBack(tested);
    second.refuse(await second.next('joinRoom'), 'UNAVAILABLE', { retryable: true });
    await until(() => clock.size === 1);
    second.socket.terminate();
    await entered(client, 'reconnecting');
    await client.connect();
    const third = await server.next();
    await clock.advance(60_000);
    expect(await letIn(third)).toBe('tea');
    expect([third.heard, refused]).toEqual([[], []]);
  });
});

/** The next request that the client makes for this purpose alone: what it would have sent before has arrived then. */
async function nextOf(
  client: { request(type: string, action: string): Promise<unknown> },
  connection: ScriptedConnection,
) {
  client.request('test', 'marker').catch(() => undefined);
  return connection.next('marker');
}
