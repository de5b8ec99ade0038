import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { WebSocketGateway } from '@nestjs/websockets';
import {
  PxlWebSocketServer,
  RoomManager,
  WebSocketService,
  WsRoute,
  type PxlWebSocketModuleOptions,
  type WsClient,
} from 'nestjs-pxl-websocket';
import { EncryptedClient } from '../support/encrypted-client.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient, type Received } from '../support/test-client.js';

@WebSocketGateway()
class Gateway {
  @WsRoute('chat', 'say')
  say(client: WsClient, data: unknown): unknown {
    return { said: data, by: client.clientId };
  }
}

@WebSocketGateway({ path: '/plain' })
class PlainGateway {}

/** Counts how often it is turned into JSON. */
class Counted {
  encodings = 0;

  toJSON(): string {
    this.encodings++;
    return 'counted';
  }
}

const ROOM = 'tea';

let app: TestApp;
/** In the order in which they stand in the room: their codecs alternate. */
let members: TestClient[];

async function connect(protocol: string): Promise<TestClient> {
  const client = await TestClient.open(app.url(), { protocols: [protocol] });
  await client.welcomed();
  return client;
}

async function start(options: PxlWebSocketModuleOptions): Promise<void> {
  app = await startApp({ providers: [Gateway, PlainGateway], options });
  members = [];
  for (const protocol of ['pxl.v1', 'event.v1', 'pxl.v1', 'event.v1', 'pxl.v1', 'event.v1']) {
    members.push(await connect(protocol));
  }
  await app.app.get(WebSocketService).joinRooms({ clientIds: members.map(({ clientId }) => clientId), rooms: [ROOM] });
}
afterEach(async () => {
  await app.close();
  for (const { socket } of members) socket.terminate();
});

/** What each member hears next, except of the others' coming and going. */
function heard(): Promise<Received[]> {
  return Promise.all(
    members.map((member) => member.take(({ type, event }) => type !== 'room' && !event?.startsWith('room:'))),
  );
}

describe('a room with clients of both codecs', () => {
  beforeEach(() => start({ rooms: { announce: true } }));

  it.each<[string, unknown, unknown, unknown]>([
    [
      'a pair of names',
      { type: 'chat', action: 'line', data: 1 },
      { type: 'chat', action: 'line', data: 1 },
      { event: 'chat:line', data: 1 },
    ],
    ['an event', { event: 'news', data: 1 }, { type: 'event', action: 'news', data: 1 }, { event: 'news', data: 1 }],
    ['an event of two names', { event: 'chat:line' }, { type: 'chat', action: 'line' }, { event: 'chat:line' }],
    ['any other value', ['x'], ['x'], { event: 'message', data: ['x'] }],
  ])('hears %s, each client in its own shape', async (_what, data, typed, event) => {
    app.app.get(PxlWebSocketServer).broadcastToRoom({ roomName: ROOM, data });
    expect(await heard()).toEqual([typed, event, typed, event, typed, event]);
  });

  it('costs one encoding for each shape, however the clients alternate', async () => {
    const data = new Counted();
    await app.app.get(WebSocketService).sendToRooms([ROOM], { type: 'chat', action: 'line', data });
    const typed = { type: 'chat', action: 'line', data: 'counted' };
    const event = { event: 'chat:line', data: 'counted' };
    expect(await heard()).toEqual([typed, event, typed, event, typed, event]);
    expect(data.encodings).toBe(2);
  });

  it('keeps the order of what is sent to the room and to one of its clients', async () => {
    const service = app.app.get(WebSocketService);
    const [, second] = members as [TestClient, TestClient];
    for (let n = 0; n < 50; n++) {
      await service.sendToRooms([ROOM], { event: 'room', data: n });
      await service.sendToClients([second.clientId], { event: 'own', data: n });
    }
    for (let n = 0; n < 50; n++) {
      expect((await heard()).map(({ data }) => data)).toEqual(Array(6).fill(n));
      expect(await second.take(({ event }) => event === 'own')).toEqual({ event: 'own', data: n });
    }
  });

  it('hears who comes and goes, and errors of the application', async () => {
    const [pxl, event] = members as [TestClient, TestClient];
    const last = members.at(-1)!;
    const told = { data: { roomName: ROOM, member: { clientId: last.clientId } } };
    app.app.get(RoomManager).removeClientFromRoom({ clientId: last.clientId, roomName: ROOM });
    expect(await pxl.next('room', 'memberLeft')).toMatchObject(told);
    expect(await event.take((message) => message.event === 'room:memberLeft')).toMatchObject(told);
    await app.app.get(WebSocketService).sendErrorMessage('message', new Error('Sorry.'));
    expect(await pxl.next('error')).toMatchObject({ action: 'message', data: { error: 'Sorry.' } });
    const isError = (message: Received): boolean => message.event === 'error';
    expect(await event.take(isError)).toEqual({ event: 'error', data: { message: 'Sorry.', code: 'INTERNAL' } });
  });

  it('is served by the same handlers', async () => {
    const [pxl, event] = members as [TestClient, TestClient];
    expect(await pxl.request('chat', 'say', 1)).toEqual({ said: 1, by: pxl.clientId });
    event.send({ event: 'chat:say', data: 2, id: 'a' });
    const reply = await event.take(({ id }) => id === 'a');
    expect(reply).toEqual({ event: 'chat:say', id: 'a', data: { said: 2, by: event.clientId } });
  });
});

describe('rooms.named', () => {
  beforeEach(() =>
    start({
      rooms: { named: true, announce: true },
      endpoints: { '/plain': { rooms: { named: false } } },
      encryption: true,
    }),
  );

  it.each<[string, unknown, unknown, unknown]>([
    [
      'a pair of names',
      { type: 'chat', action: 'line', data: 1 },
      { type: 'chat', action: 'line', data: 1, room: ROOM },
      { event: 'chat:line', data: 1, room: ROOM },
    ],
    [
      'an event without data',
      { event: 'chat:line' },
      { type: 'chat', action: 'line', room: ROOM },
      { event: 'chat:line', room: ROOM },
    ],
    [
      'a field of that name of its own, whose place it takes',
      { type: 'chat', action: 'line', room: 'mine', data: 1 },
      { type: 'chat', action: 'line', data: 1, room: ROOM },
      { event: 'chat:line', data: 1, room: ROOM },
    ],
    [
      'the same in an event',
      { event: 'line', room: 'mine' },
      { type: 'event', action: 'line', room: ROOM },
      { event: 'line', room: ROOM },
    ],
    [
      'any other value, which names none',
      { room: 'mine' },
      { room: 'mine' },
      { event: 'message', data: { room: 'mine' } },
    ],
  ])('is told with %s', async (_what, data, typed, event) => {
    app.app.get(PxlWebSocketServer).broadcastToRoom({ roomName: ROOM, data });
    expect(await heard()).toEqual([typed, event, typed, event, typed, event]);
    app.app.get(PxlWebSocketServer).local.broadcastToRoom({ roomName: ROOM, data });
    expect(await heard()).toEqual([typed, event, typed, event, typed, event]);
  });

  it('costs one encoding for each shape', async () => {
    const data = new Counted();
    await app.app.get(WebSocketService).sendToRooms([ROOM], { type: 'chat', action: 'line', data });
    const typed = { type: 'chat', action: 'line', data: 'counted', room: ROOM };
    const event = { event: 'chat:line', data: 'counted', room: ROOM };
    expect(await heard()).toEqual([typed, event, typed, event, typed, event]);
    expect(data.encodings).toBe(2);
  });

  it('is the first of several rooms that the client is in, in the order of the sender', async () => {
    const service = app.app.get(WebSocketService);
    const some = members.slice(2, 4).map(({ clientId }) => clientId);
    await service.joinRooms({ clientIds: some, rooms: ['chess'] });
    await service.sendToRooms(['nowhere', 'chess', ROOM], { event: 'line' });
    expect((await heard()).map(({ room }) => room)).toEqual([ROOM, ROOM, 'chess', 'chess', ROOM, ROOM]);
    await service.sendToRooms([ROOM, 'chess'], { event: 'line' }, { exclude: [members[0]!.clientId] });
    for (const member of members.slice(1)) expect(await member.next('event')).toMatchObject({ room: ROOM });
    await service.broadcast({ event: 'next' });
    expect((await heard()).map(({ room }) => room)).toEqual(Array(6).fill(undefined));
  });

  it('is told with announcements, and to encrypted clients, and not on an endpoint without it', async () => {
    const [first] = members as [TestClient];
    const plain = await TestClient.connect(app.url('/plain'));
    const encrypted = await EncryptedClient.connect(app.url());
    const clientIds = [plain.clientId, encrypted.clientId];
    await app.app.get(WebSocketService).joinRooms({ clientIds, rooms: [ROOM] });
    expect(await first.next('room', 'memberJoined')).toMatchObject({ room: ROOM, data: { roomName: ROOM } });
    await app.app.get(WebSocketService).sendToRooms([ROOM], { event: 'line' });
    expect(await plain.next('event')).toEqual({ type: 'event', action: 'line' });
    expect(await encrypted.next(({ action }) => action === 'line')).toEqual({
      type: 'event',
      action: 'line',
      room: ROOM,
    });
    encrypted.socket.terminate();
  });
});
