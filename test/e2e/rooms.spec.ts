import { afterEach, describe, expect, it } from '@jest/globals';
import { ClientManager, RoomManager, WsError, type PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { PXL_WS_BROADCASTER } from '../../lib/cluster/bus/broadcaster.interface.js';
import { SlowBroadcaster } from '../support/slow-broadcaster.js';
import { Logbook } from '../support/logbook.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let app: TestApp;

async function start(options: PxlWebSocketModuleOptions = {}, bus?: SlowBroadcaster, logger?: Logbook): Promise<void> {
  app = await startApp({
    logger: logger ?? false,
    options: { auth: { authenticate: urlIdentity }, ...options },
    override: (builder) => (bus ? builder.overrideProvider(PXL_WS_BROADCASTER).useValue(bus) : builder),
  });
}

const open = { open: true };

function membersOf(roomName: string): string[] {
  return app.app.get(RoomManager).getRoomClients({ roomName });
}

afterEach(() => app.close());

describe('system.joinRoom', () => {
  it('answers with the room, the label and when it was joined', async () => {
    await start({ rooms: open });
    const client = await app.client();
    expect(await client.call('system', 'joinRoom', { roomName: 'chess', username: 'Ada' })).toEqual({
      type: 'system',
      action: 'joinRoom',
      id: 't1',
      response: {
        success: true,
        message: 'Joined the room.',
        data: { roomName: 'chess', username: 'Ada', joinedAt: expect.stringMatching(ISO_TIME) },
      },
    });
    expect(membersOf('chess')).toEqual([client.clientId]);
  });

  it('answers with the identity of the connection and ignores the one in the message', async () => {
    await start({ rooms: open });
    const client = await connectAs(app, { userId: '7', userType: 'member' });
    const identity = { userId: '1', userType: 'admin', clientId: 'somebody' };
    const reply = await client.request('system', 'joinRoom', { roomName: 'chess', ...identity });
    expect(reply).toMatchObject({ data: { userId: '7', userType: 'member', roomName: 'chess' } });

    const untyped = await connectAs(app, { userId: '1' });
    const same = (await untyped.request('system', 'joinRoom', { roomName: 'chess', ...identity })) as object;
    expect(same).toMatchObject({ data: { userId: '1' } });
    expect(same).not.toHaveProperty('data.userType');
    expect(app.app.get(ClientManager).getClients({ userType: 'admin' })).toEqual([]);

    const anonymous = await app.client();
    const other = (await anonymous.request('system', 'joinRoom', { roomName: 'chess', ...identity })) as object;
    expect(other).toMatchObject({ success: true });
    expect(other).not.toHaveProperty('data.userId');
    expect(app.app.get(RoomManager).rooms.size).toBe(1);
  });

  it('is answered only once the client receives what is sent to the room', async () => {
    const bus = new SlowBroadcaster();
    await start({ rooms: open }, bus);
    const client = await app.client();
    client.send({ type: 'system', action: 'joinRoom', data: { roomName: 'chess' }, id: 1 });
    await bus.diary.until('acquire chess');
    await client.expectNothing(50);
    expect(membersOf('chess')).toEqual([]);
    bus.settle('chess');
    expect(await client.next()).toMatchObject({ id: 1, response: { success: true } });
    expect(membersOf('chess')).toEqual([client.clientId]);
  });

  it.each([
    ['TIMEOUT', true],
    ['UNAVAILABLE', true],
  ])('is refused with %s, and undone, when the room cannot be made live', async (code, retryable) => {
    const bus = new SlowBroadcaster();
    await start({ rooms: open }, bus);
    const client = await app.client();
    client.send({ type: 'system', action: 'joinRoom', data: { roomName: 'chess' }, id: 1 });
    await bus.diary.until('acquire chess');
    bus.settle('chess', new WsError(code, 'The room cannot be reached.'));
    expect(await client.next()).toMatchObject({ type: 'error', id: 1, data: { code, retryable } });
    expect(bus.diary.entries).toEqual(['acquire chess']);
    expect(membersOf('chess')).toEqual([]);
  });

  it('is refused with FORBIDDEN unless rooms are open', async () => {
    const logger = new Logbook();
    await start({}, undefined, logger);
    const client = await app.client();
    for (let times = 0; times < 2; times++) {
      await expect(client.request('system', 'joinRoom', { roomName: 'chess' })).rejects.toThrow('FORBIDDEN');
    }
    expect(await client.request('system', 'join', { rooms: ['chess'] })).toMatchObject({
      refused: [{ room: 'chess', code: 'FORBIDDEN' }],
    });
    expect(membersOf('chess')).toEqual([]);
    expect(logger.of('log').filter((line) => line.includes('rooms.open'))).toEqual([
      'A client of /ws has asked to join a room and was refused: clients join by themselves where rooms.open is true, or ' +
        'where rooms.authorize decides about it.',
    ]);
  });

  it.each([[''], ['x'.repeat(129)], [null], [7], [['chess']], [undefined]])(
    'is refused with INVALID_ROOM for the name %j',
    async (roomName) => {
      await start({ rooms: open });
      const client = await app.client();
      await expect(client.request('system', 'joinRoom', { roomName })).rejects.toThrow('INVALID_ROOM');
    },
  );

  it('takes a name of any text up to the limit', async () => {
    await start({ rooms: open });
    const client = await app.client();
    const names = ['*', '__proto__', 'constructor', ' ', 'a\u0000b', 'line\nbreak', '🎲', 'x'.repeat(128), '"{%}"'];
    for (const roomName of names) await client.request('system', 'joinRoom', { roomName });
    expect([...app.app.get(RoomManager).rooms.keys()]).toEqual(names);
  });

  it.each([[7], ['x'.repeat(129)], [null], [{ toString: 'x' }]])(
    'is refused with BAD_MESSAGE for the username %j',
    async (username) => {
      await start({ rooms: open });
      const client = await app.client();
      await expect(client.request('system', 'joinRoom', { roomName: 'chess', username })).rejects.toThrow(
        'BAD_MESSAGE',
      );
    },
  );

  it('is refused with ROOM_LIMIT for one room too many, and possible again after leaving one', async () => {
    await start({ rooms: open, limits: { roomsPerClient: 2 } });
    const client = await app.client();
    await client.request('system', 'joinRoom', { roomName: 'a' });
    await client.request('system', 'joinRoom', { roomName: 'b' });
    await client.request('system', 'joinRoom', { roomName: 'b' });
    await expect(client.request('system', 'joinRoom', { roomName: 'c' })).rejects.toThrow('ROOM_LIMIT');
    await client.request('system', 'leaveRoom', { roomName: 'a' });
    await client.request('system', 'joinRoom', { roomName: 'c' });
    expect([...app.app.get(RoomManager).rooms.keys()]).toEqual(['b', 'c']);
  });

  it('counts the joins under way towards the limit', async () => {
    const bus = new SlowBroadcaster();
    await start({ rooms: open, limits: { roomsPerClient: 1 }, inbound: { concurrency: 2 } }, bus);
    const client = await app.client();
    client.send({ type: 'system', action: 'joinRoom', data: { roomName: 'a' }, id: 'a' });
    await bus.diary.until('acquire a');
    await expect(client.request('system', 'joinRoom', { roomName: 'b' })).rejects.toThrow('ROOM_LIMIT');
    bus.settle('a');
    expect(await client.next()).toMatchObject({ id: 'a', response: { success: true } });
  });
});

describe('system.leaveRoom', () => {
  it('answers with the room and the time, after telling the leaver that it left', async () => {
    await start({ rooms: open });
    const client = await app.client();
    await client.request('system', 'joinRoom', { roomName: 'chess' });
    client.send({ type: 'system', action: 'leaveRoom', data: { roomName: 'chess' }, id: 1 });
    expect(await client.next()).toEqual({ type: 'user', action: 'leftRoom', data: { roomName: 'chess' } });
    expect(await client.next()).toEqual({
      type: 'system',
      action: 'leaveRoom',
      id: 1,
      response: {
        success: true,
        message: 'Left the room.',
        data: { roomName: 'chess', leftAt: expect.stringMatching(ISO_TIME) },
      },
    });
    expect(membersOf('chess')).toEqual([]);
  });

  it('succeeds without a push for a room that the client is not in', async () => {
    await start({ rooms: open });
    const client = await app.client();
    expect(await client.request('system', 'leaveRoom', { roomName: 'nowhere' })).toMatchObject({ success: true });
    await client.expectNothing(50);
  });

  it('is refused with INVALID_ROOM for what is no room name', async () => {
    await start();
    const client = await app.client();
    await expect(client.request('system', 'leaveRoom', { roomName: 7 })).rejects.toThrow('INVALID_ROOM');
    await expect(client.request('system', 'leaveRoom', null)).rejects.toThrow('BAD_MESSAGE');
  });

  it('undoes a join that is not live yet, which then is refused', async () => {
    const bus = new SlowBroadcaster();
    await start({ rooms: open, inbound: { concurrency: 2 } }, bus);
    const client = await app.client();
    client.send({ type: 'system', action: 'joinRoom', data: { roomName: 'chess' }, id: 'join' });
    await bus.diary.until('acquire chess');
    await client.request('system', 'leaveRoom', { roomName: 'chess' });
    bus.settle('chess');
    expect(await client.next()).toMatchObject({ type: 'error', id: 'join', data: { code: 'CONFLICT' } });
    expect(bus.diary.entries).toEqual(['acquire chess', 'release chess']);
    expect(membersOf('chess')).toEqual([]);
  });
});

describe('rooms.defaults', () => {
  it('puts every client into them before its first message is handled', async () => {
    const bus = new SlowBroadcaster();
    await start({ rooms: { open: true, defaults: ['lobby', 'news'] } }, bus);
    const client = await app.client();
    client.send({ type: 'system', action: 'leaveRoom', data: { roomName: 'nowhere' } });
    for (const roomName of ['lobby', 'news']) {
      await bus.diary.until(`acquire ${roomName}`);
      await client.expectNothing(30);
      bus.settle(roomName);
    }
    await client.next('system', 'leaveRoom');
    expect([membersOf('lobby'), membersOf('news')]).toEqual([[client.clientId], [client.clientId]]);
  });
});

describe('a closed connection', () => {
  it('leaves its rooms, and a room without members is gone', async () => {
    await start({ rooms: open });
    const [leaver, member] = [await app.client(), await app.client()];
    for (const client of [leaver, member]) await client.request('system', 'joinRoom', { roomName: 'both' });
    await leaver.request('system', 'joinRoom', { roomName: 'own' });
    await leaver.close();
    await member.request('system', 'ping');
    const { rooms } = app.app.get(RoomManager);
    expect([...rooms].map(([name, members]) => [name, [...members]])).toEqual([['both', [member.clientId]]]);
  });

  it('does not join the room that it waited for', async () => {
    const bus = new SlowBroadcaster();
    await start({ rooms: open }, bus);
    const [client, witness] = [await app.client(), await app.client()];
    client.send({ type: 'system', action: 'joinRoom', data: { roomName: 'chess' } });
    await bus.diary.until('acquire chess');
    await client.close();
    await witness.request('system', 'ping');
    bus.settle('chess');
    await bus.diary.until('release chess');
    expect(membersOf('chess')).toEqual([]);
  });
});

describe('one-room mode', () => {
  const oneRoom = { clientCanJoinMultipleRooms: false, open: true, defaults: ['lobby'] };

  it('leaves the room before when the next one is joined; default rooms do not count', async () => {
    await start({ rooms: oneRoom });
    const client = await app.client();
    for (const roomName of ['a', 'b', 'lobby']) await client.request('system', 'joinRoom', { roomName });
    expect([...app.app.get(RoomManager).rooms.keys()]).toEqual(['lobby', 'b']);
  });

  it('keeps the old room until the new one is live', async () => {
    const bus = new SlowBroadcaster();
    await start({ rooms: { ...oneRoom, defaults: [] } }, bus);
    const client = await app.client();
    client.send({ type: 'system', action: 'joinRoom', data: { roomName: 'a' } });
    await bus.diary.until('acquire a');
    bus.settle('a');
    await client.next('system', 'joinRoom');
    client.send({ type: 'system', action: 'joinRoom', data: { roomName: 'b' } });
    await bus.diary.until('acquire b');
    expect(membersOf('a')).toEqual([client.clientId]);
    bus.settle('b');
    await client.next('system', 'joinRoom');
    expect([membersOf('a'), membersOf('b')]).toEqual([[], [client.clientId]]);
  });

  it('keeps the old room when the new one cannot be made live', async () => {
    const bus = new SlowBroadcaster();
    await start({ rooms: { ...oneRoom, defaults: [] } }, bus);
    const client = await app.client();
    client.send({ type: 'system', action: 'joinRoom', data: { roomName: 'a' } });
    await bus.diary.until('acquire a');
    bus.settle('a');
    await client.next('system', 'joinRoom');
    client.send({ type: 'system', action: 'joinRoom', data: { roomName: 'b' } });
    await bus.diary.until('acquire b');
    bus.settle('b', new WsError('TIMEOUT', 'The room cannot be reached.'));
    expect(await client.next()).toMatchObject({ data: { code: 'TIMEOUT' } });
    expect(membersOf('a')).toEqual([client.clientId]);
  });

  it('ends in the room that was asked for last, in whatever order they become live', async () => {
    const bus = new SlowBroadcaster();
    await start({ rooms: { ...oneRoom, defaults: [] }, inbound: { concurrency: 2 } }, bus);
    const client = await app.client();
    for (const roomName of ['first', 'last']) {
      client.send({ type: 'system', action: 'joinRoom', data: { roomName }, id: roomName });
      await bus.diary.until(`acquire ${roomName}`);
    }
    bus.settle('last');
    expect(await client.next()).toMatchObject({ id: 'last', response: { success: true } });
    bus.settle('first');
    expect(await client.next()).toMatchObject({ id: 'first', data: { code: 'CONFLICT' } });
    expect([...app.app.get(RoomManager).rooms.keys()]).toEqual(['last']);
  });
});
