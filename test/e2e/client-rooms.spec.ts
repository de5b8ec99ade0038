import { afterEach, describe, expect, it } from '@jest/globals';
import { ClientManager, RoomManager, WebSocketService } from 'nestjs-pxl-websocket';
import type { WebSocketClient, WebSocketClientOptions } from '../../lib/client/index.js';
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

describe('all rooms, after a loss', () => {
  const limits = { maxPayload: 1_000_000, messagesPerSecond: null, burst: null, rooms: null };

  /** A client in some rooms, whose next connection has these in its welcome. */
  async function backFrom(rooms: [string, string?][], terms: object, options: Partial<WebSocketClientOptions> = {}) {
    const tested = await connected(options);
    const { client, server, connection } = tested;
    for (const [roomName, username] of rooms) {
      const joining = client.join(roomName, { username });
      await letIn(connection);
      await joining;
    }
    server.script = (next) => next.welcome({ limits, ...terms });
    connection.socket.terminate();
    await entered(client, 'reconnecting');
    return { ...tested, next: () => server.next() };
  }

  it('are asked for in one list, in their order and with their labels, before what has waited', async () => {
    const { client, next } = await backFrom([['tea', 'Ada'], ['chess'], ['go']], {});
    client.send('chat', 'waited');
    const second = await next();
    const asked = await second.next();
    expect(asked).toMatchObject({ action: 'join', data: { rooms: [{ room: 'tea', username: 'Ada' }, 'chess', 'go'] } });
    expect(await second.next()).toMatchObject({ action: 'waited' });
  });

  it('are asked for in lists of at most half the largest frame', async () => {
    const rooms = Array.from({ length: 20 }, (_, n): [string] => [`room-${n}-${'é'.repeat(20)}`]);
    const { next } = await backFrom(rooms, { limits: { ...limits, maxPayload: 600 } });
    const second = await next();
    const asked: string[] = [];
    while (asked.length < rooms.length) {
      const list = await second.next('join');
      expect(Buffer.byteLength(JSON.stringify(list))).toBeLessThanOrEqual(300);
      asked.push(...(list.data as { rooms: string[] }).rooms);
    }
    expect(asked).toEqual(rooms.flat());
  });

  it('are asked for one by one where `join` is the application’s own', async () => {
    const { next } = await backFrom([['tea'], ['chess']], { rooms: { ownJoin: true } });
    const second = await next();
    expect([await letIn(second), await letIn(second)]).toEqual(['tea', 'chess']);
  });

  it('that the list refuses are told and forgotten, tried again, or kept where another one is in their place', async () => {
    const refused: unknown[] = [];
    const events = {
      onRoomRefused: (room: { roomName: string; error: unknown }) =>
        refused.push([room.roomName, (room.error as { code: string }).code]),
    };
    const { next } = await backFrom([['no'], ['later'], ['replaced'], ['yes']], {}, { events });
    const second = await next();
    second.reply(await second.next('join'), {
      rooms: ['yes'],
      refused: [
        { room: 'no', code: 'FORBIDDEN' },
        { room: 'later', code: 'UNAVAILABLE' },
        { room: 'replaced', code: 'CONFLICT' },
      ],
    });
    const again = await second.next('join');
    expect(again.data).toEqual({ rooms: ['later'] });
    second.reply(again, { rooms: ['later'], refused: [] });
    expect(refused).toEqual([['no', 'FORBIDDEN']]);
    second.socket.terminate();
    expect((await (await next()).next('join')).data).toEqual({ rooms: ['later', 'replaced', 'yes'] });
  });

  it('and what has waited leave no faster than a real server takes them', async () => {
    // Half of the burst is for messages that arrive together, after a stall: here one of 0.7 s.
    const limits = { messagesPerSecond: 20, burst: 30 };
    const app = await start({ options: { rooms: { open: true }, limits } });
    const { client, errors, changes } = newClient(app.url());
    await client.connect();
    const names = Array.from({ length: 30 }, (_, n) => `room-${n}`);
    await Promise.all(names.map((name) => client.join(name, { username: 'Ada' })));
    app.app.get(ClientManager).disconnectClient({ clientId: client.clientId!, code: 4000 });
    await entered(client, 'reconnecting');
    const pongs = names.map(() => client.request('system', 'ping'));
    await Promise.all(pongs);
    const members = names.map((roomName) => app.app.get(RoomManager).getRoomClients({ roomName }).length);
    expect(members).toEqual(names.map(() => 1));
    expect([errors, changes.filter((change) => 'code' in change && change.code !== 4000)]).toEqual([[], []]);
  });

  it('are left to the user who joined them: another one is in none', async () => {
    server = await ScriptedServer.start((connection) => connection.welcome({ userId: 'ada' }));
    const { client } = newClient(server.url);
    await client.connect();
    const joining = client.join('tea');
    await letIn(await server.next());
    await joining;
    client.disconnect();
    server.script = (connection) => connection.welcome({ userId: 'bob' });
    void client.connect();
    const wanted = client.join('tea');
    const second = await server.next();
    expect(await letIn(second)).toBe('tea');
    await wanted;
    const leaving = client.leave('tea');
    second.reply(await second.next('leaveRoom'), null);
    await leaving;
    expect(second.heard).toEqual([]);
  });
});

describe('joins are counted', () => {
  it('a room is left with the last of them, or whatever their number', async () => {
    const { client, connection } = await connected();
    const join = async (): Promise<void> => {
      const joining = client.join('tea');
      await letIn(connection);
      await joining;
    };
    await join();
    await join();
    await client.leave('tea');
    connection.reply(await nextOf(client, connection), null);
    expect(connection.heard).toEqual([]);
    const leaving = client.leave('tea');
    connection.reply(await connection.next('leaveRoom'), null);
    await leaving;
    await join();
    await join();
    const all = client.leave('tea', { all: true });
    connection.reply(await connection.next('leaveRoom'), null);
    await all;
  });

  it('one that fails counts nothing, and the same one under way is asked once', async () => {
    const { client, connection } = await connected();
    const both = Promise.allSettled([client.join('tea'), client.join('tea')]);
    connection.refuse(await connection.next('joinRoom'), 'FORBIDDEN');
    expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const joining = client.join('tea');
    await letIn(connection);
    await joining;
    const leaving = client.leave('tea');
    connection.reply(await connection.next('leaveRoom'), null);
    await leaving;
    expect(connection.heard).toEqual([]);
  });

  it.each(['timeout', 'signal'] as const)('one that is given up (%s) is followed by a leave', async (how) => {
    const { client, connection } = await connected();
    const giveUp = new AbortController();
    const joining = client.join('tea', how === 'timeout' ? { timeout: 20 } : { signal: giveUp.signal });
    await connection.next('joinRoom');
    giveUp.abort();
    await expect(joining).rejects.toBeDefined();
    expect((await connection.next('leaveRoom')).data).toEqual({ roomName: 'tea' });
  });

  it('one that waited when the room was left is followed by a leave', async () => {
    server = await ScriptedServer.start();
    const { client } = newClient(server.url);
    void client.connect();
    const joining = client.join('tea');
    await client.leave('tea');
    const connection = await server.next();
    await letIn(connection);
    await joining;
    expect((await connection.next('leaveRoom')).data).toEqual({ roomName: 'tea' });
  });

  it('those of handles are taken back once each, and hear their own room alone', async () => {
    const app = await start({ options: { rooms: { open: true, named: true } } });
    const { client } = newClient(app.url());
    const heard: unknown[] = [];
    void client.connect();
    const tea = client.room('tea', { username: 'Ada' });
    const same = client.room('tea', { username: 'Ada' });
    tea.on('a', 'b', (data, { room }) => heard.push([data, room]));
    await Promise.all([tea.joined, same.joined, client.join('chess')]);
    const service = app.app.get(WebSocketService);
    await service.sendToRooms(['chess'], { type: 'a', action: 'b', data: 0 });
    await service.sendToRooms(['tea'], { type: 'a', action: 'b', data: 1 });
    await until(() => heard.length > 0);
    await Promise.all([tea.leave(), tea.leave()]);
    expect(app.app.get(RoomManager).getRoomClients({ roomName: 'tea' })).toHaveLength(1);
    expect(() => tea.on('a', 'b', () => undefined)).toThrow('There is no room.');
    await service.sendToRooms(['tea'], { type: 'a', action: 'b', data: 2 });
    await same.leave();
    expect(app.app.get(RoomManager).getRoomClients({ roomName: 'tea' })).toHaveLength(0);
    expect(heard).toEqual([[1, 'tea']]);
  });

  it('a handle says where the server names no rooms, and that it was not let in again', async () => {
    const { client, server, connection, errors } = await connected();
    const refused: unknown[] = [];
    const tea = client.room('tea', { onRefused: (error) => refused.push(error) });
    await letIn(connection);
    await tea.joined;
    expect(() => tea.on('a', 'b', () => undefined)).toThrow('The server does not name rooms');
    connection.socket.terminate();
    const second = await server.next();
    second.refuse(await second.next('joinRoom'), 'FORBIDDEN');
    await until(() => refused.length === 1);
    await tea.leave();
    second.reply(await nextOf(client, second), null);
    expect(second.heard).toEqual([]);
    const early = newClient(server.url);
    void early.client.connect();
    const unjoined = early.client.room('tea');
    unjoined.on('a', 'b', () => undefined);
    await letIn(await server.next());
    await unjoined.joined;
    expect([early.errors, errors]).toEqual([[expect.objectContaining({ code: 'BAD_OPTION' })], []]);
  });
});

describe('onConnected', () => {
  /** A client that has lost its connection, with one room and a message that waits, and what its `onConnected` does. */
  async function backWith(onConnected: (client: WebSocketClient) => unknown, ms = 15_000) {
    const told: string[] = [];
    const asked: { act?: () => unknown } = {};
    const tested = await connected({
      connectTimeout: ms,
      events: {
        onConnected: () => asked.act?.(),
        onReconnected: () => told.push('onReconnected'),
        onError: ({ error }) => told.push(String(error)),
      },
    });
    const { client, server, connection } = tested;
    const joining = client.join('tea');
    await letIn(connection);
    await joining;
    asked.act = () => onConnected(client);
    connection.socket.terminate();
    await entered(client, 'reconnecting');
    client.send('chat', 'waited');
    return { ...tested, told, second: await server.next() };
  }

  it('has its word before the rooms and what has waited; onReconnected comes last', async () => {
    const { second, told } = await backWith((client) => client.request('device', 'hello'));
    const hello = await second.next();
    expect(hello.action).toBe('hello');
    await new Promise((resolve) => setImmediate(resolve));
    expect([second.heard, told]).toEqual([[], []]);
    second.reply(hello, null);
    expect([(await second.next()).action, (await second.next()).action]).toEqual(['joinRoom', 'waited']);
    expect(told).toEqual(['onReconnected']);
  });

  it('that waits for nothing lets the rooms leave before what others ask once they hear of the connection', async () => {
    const { second } = await backWith((client) => {
      const stop = client.onState(({ state }) => {
        stop();
        if (state === 'connected') client.request('chat', 'members').catch(() => undefined);
      });
    });
    const actions = [(await second.next()).action, (await second.next()).action, (await second.next()).action];
    expect(actions).toEqual(['joinRoom', 'waited', 'members']);
  });

  it('that rejects is reported, and one that takes too long is not waited for', async () => {
    const failing = await backWith(() => Promise.reject(new Error('No.')));
    expect([(await failing.second.next()).action, (await failing.second.next()).action]).toEqual([
      'joinRoom',
      'waited',
    ]);
    expect(failing.told).toEqual(['Error: No.', 'onReconnected']);
    await failing.server.close();
    const slow = await backWith(() => new Promise(() => undefined), 1_000);
    expect((await slow.second.next()).action).toBe('joinRoom');
  });

  it('of a connection that ends meanwhile opens nothing on the next one', async () => {
    const open: (() => void)[] = [];
    const { second, server, told } = await backWith(() => new Promise<void>((resolve) => open.push(resolve)));
    await until(() => open.length === 1);
    second.socket.terminate();
    const third = await server.next();
    await until(() => open.length === 2);
    open[0]!();
    await new Promise((resolve) => setImmediate(resolve));
    expect([third.heard, told]).toEqual([[], []]);
    open[1]!();
    expect([(await third.next()).action, (await third.next()).action]).toEqual(['joinRoom', 'waited']);
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
