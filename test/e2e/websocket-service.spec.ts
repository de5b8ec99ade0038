import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RoomManager, WebSocketService, WsError, type RoomMove, type WsSendRequest } from 'nestjs-pxl-websocket';
import { PXL_WS_BROADCASTER } from '../../lib/cluster/bus/broadcaster.interface.js';
import { refused } from '../support/refused.js';
import { SlowBroadcaster } from '../support/slow-broadcaster.js';
import { startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

const message = { type: 'event', action: 'news', data: 1 };
const payload = { topic: 'news', data: 1 };

let app: TestApp;
let service: WebSocketService;
/** Two sessions of user 7, and an anonymous client. */
let ada: TestClient;
let adaAgain: TestClient;
let nobody: TestClient;

async function start(override?: TestAppOptions['override']): Promise<void> {
  app = await startApp({ options: { auth: { authenticate: urlIdentity } }, override });
  service = app.app.get(WebSocketService);
  ada = await connectAs(app, { userId: '7' });
  adaAgain = await connectAs(app, { userId: '7' });
  nobody = await app.client();
}

afterEach(() => app.close());

async function expectReached(expected: readonly TestClient[], received: unknown = message): Promise<void> {
  for (const client of [ada, adaAgain, nobody]) {
    await client.request('system', 'ping');
    expect(client.pending).toEqual(expected.includes(client) ? [received] : []);
    if (expected.includes(client)) await client.next();
  }
}

function membersOf(roomName: string): string[] {
  return app.app.get(RoomManager).getRoomClients({ roomName });
}

describe('send', () => {
  beforeEach(() => start());

  it('sends the topic as an event to everybody without a destination', async () => {
    await service.send({ payload });
    await expectReached([ada, adaAgain, nobody]);
    await service.send({ payload: { topic: 'chat:said', data: null } });
    await expectReached([ada, adaAgain, nobody], { type: 'chat', action: 'said', data: null });
  });

  it("takes a text for a known client's id, else for a room", async () => {
    await service.send({ destination: ada.clientId, payload });
    await expectReached([ada]);
    await service.joinRooms({ clientIds: [nobody.clientId], rooms: ['chess', '7'] });
    for (const destination of ['chess', '7']) {
      await service.send({ destination, payload });
      await expectReached([nobody]);
    }
    for (const destination of ['nowhere', '']) await service.send({ destination, payload });
    await expectReached([]);
  });

  it('takes a client, a user or a room by name', async () => {
    await service.joinRooms({ clientIds: [nobody.clientId], rooms: [ada.clientId] });
    await service.send({ destination: { room: ada.clientId }, payload });
    await expectReached([nobody]);
    await service.send({ destination: { client: ada.clientId }, payload });
    await expectReached([ada]);
    await service.send({ destination: { user: 7 }, payload });
    await expectReached([ada, adaAgain]);
  });

  it('leaves out who is excluded', async () => {
    await service.send({ payload, exclude: [ada.clientId] });
    await expectReached([adaAgain, nobody]);
    await service.send({ destination: { user: 7 }, payload, exclude: [adaAgain.clientId] });
    await expectReached([ada]);
  });

  it('calls back once the message is on its way', async () => {
    const order: string[] = [];
    await service.send({ payload, cb: () => order.push('cb') });
    order.push('settled');
    expect(order).toEqual(['cb', 'settled']);
  });

  it.each([
    ['no topic', { payload: { data: 1 } }],
    ['an empty topic', { payload: { topic: '', data: 1 } }],
    ['no data', { payload: { topic: 'news' } }],
    ['data without a JSON form', { payload: { topic: 'news', data: 1n } }],
    ['no payload', {}],
    ['a destination that is none', { payload, destination: {} }],
    ['two destinations in one', { payload, destination: { client: '1', room: 'chess' } }],
  ])('rejects with BAD_MESSAGE for %s, calls nobody back and reaches nobody', async (_, request) => {
    let called = false;
    const sent: object = { ...request, cb: () => (called = true) };
    await expect(service.send(sent as WsSendRequest)).rejects.toThrow(refused());
    expect(called).toBe(false);
    await expectReached([]);
  });
});

describe('joinRooms and leaveRooms', () => {
  it('put clients into rooms and take them out, by id or by user', async () => {
    await start();
    const clientIds = [ada.clientId, nobody.clientId, 'unknown'];
    await service.joinRooms({ clientIds, rooms: ['chess', 'go'] });
    expect([membersOf('chess'), membersOf('go')]).toEqual(Array(2).fill([ada.clientId, nobody.clientId]));
    await service.joinRooms({ userIds: [7, 'unknown'], rooms: ['go'] });
    expect(membersOf('go')).toEqual([ada.clientId, nobody.clientId, adaAgain.clientId]);
    await service.leaveRooms({ userIds: ['7'], rooms: ['go', 'nowhere'] });
    expect(membersOf('go')).toEqual([nobody.clientId]);
    await service.leaveRooms({ clientIds, rooms: ['chess'] });
    expect(membersOf('chess')).toEqual([]);
  });

  it('reject with INVALID_ROOM before anybody has joined anything', async () => {
    await start();
    await expect(service.joinRooms({ clientIds: [ada.clientId], rooms: ['chess', ''] })).rejects.toThrow(
      refused('INVALID_ROOM'),
    );
    expect(membersOf('chess')).toEqual([]);
  });

  it('reject when a join failed, after all of them were tried', async () => {
    const bus = new SlowBroadcaster();
    await start((builder) => builder.overrideProvider(PXL_WS_BROADCASTER).useValue(bus));
    const joined = service.joinRooms({ clientIds: [ada.clientId, nobody.clientId], rooms: ['chess', 'go'] });
    bus.settle('chess', new WsError('TIMEOUT', 'The room cannot be reached.'));
    bus.settle('go');
    await expect(joined).rejects.toThrow(refused('TIMEOUT'));
    expect([membersOf('chess'), membersOf('go')]).toEqual([[], [ada.clientId, nobody.clientId]]);
  });

  it('reject when no client is named', async () => {
    await start();
    const move: object = { rooms: ['chess'] };
    await expect(service.joinRooms(move as RoomMove)).rejects.toThrow(refused());
    await expect(service.leaveRooms(move as RoomMove)).rejects.toThrow(refused());
  });
});

describe('disconnecting', () => {
  beforeEach(() => start());

  it('disconnectClients closes the named clients, with 4506 by default', async () => {
    await service.disconnectClients({ clientIds: [ada.clientId, 'unknown'] });
    expect(await ada.closed).toEqual({ code: 4506, reason: 'disconnected by the server' });
    await service.disconnectClients({ clientIds: [adaAgain.clientId], code: 4000, reason: 'x'.repeat(200) });
    expect(await adaAgain.closed).toEqual({ code: 4000, reason: 'x'.repeat(123) });
    await nobody.request('system', 'ping');
  });

  it('disconnectUser closes every session of a user', async () => {
    await service.disconnectUser({ userId: 7, code: 3000 });
    expect([(await ada.closed).code, (await adaAgain.closed).code]).toEqual([3000, 3000]);
    await service.disconnectUser({ userId: 'unknown' });
    await nobody.request('system', 'ping');
  });

  it('disconnectRoom closes every member of a room', async () => {
    await service.joinRooms({ clientIds: [ada.clientId, nobody.clientId], rooms: ['chess'] });
    await service.disconnectRoom({ room: 'chess', code: 4001, reason: 'closed for tonight' });
    for (const client of [ada, nobody]) {
      expect(await client.closed).toEqual({ code: 4001, reason: 'closed for tonight' });
    }
    await adaAgain.request('system', 'ping');
  });

  it('rejects a code that an application cannot close with, whoever is named', async () => {
    await expect(service.disconnectClients({ clientIds: [ada.clientId], code: 1006 })).rejects.toThrow(refused());
    await expect(service.disconnectUser({ userId: 'unknown', code: 1001 })).rejects.toThrow(refused());
    await expect(service.disconnectRoom({ room: 'nowhere', code: 5000 })).rejects.toThrow(refused());
    await ada.request('system', 'ping');
  });
});

it.each<[string, unknown, string]>([
  ['send', { payload, except: ['x'] }, 'no option except; did you mean exclude?'],
  ['send', { payload, exclude: 'x' }, 'exclude is a list'],
  ['send', { payload, destination: { rooms: ['tea'] } }, 'no destination rooms; did you mean room?'],
  ['send', { payload, destination: { user: {} } }, 'userId is a number'],
  ['joinRooms', { clientIds: ['x'], room: 'tea' }, 'no option room; did you mean rooms?'],
  ['joinRooms', { clientIds: ['x'], rooms: 'tea' }, 'rooms is a list'],
  ['joinRooms', { clientIds: 'x', rooms: ['tea'] }, 'clientIds is a list'],
  ['joinRooms', { clientIds: ['x'], userIds: [7], rooms: ['tea'] }, 'clientIds or userIds, one of them'],
  ['leaveRooms', { userIds: [7], rooms: 'tea' }, 'rooms is a list'],
  ['leaveRooms', { userId: 7, rooms: ['tea'] }, 'no option userId; did you mean userIds?'],
  ['disconnectClients', { clientId: 'x' }, 'no option clientId; did you mean clientIds?'],
  ['disconnectClients', { clientIds: 'x' }, 'clientIds is a list'],
  ['disconnectUser', { userId: undefined }, 'userId is a number'],
  ['disconnectRoom', { roomName: 'tea' }, 'no option roomName; did you mean room?'],
  ['revoke', { user: 7 }, 'no option user; did you mean userId?'],
  ['fetchClients', { roomName: 'tea' }, 'no query roomName; did you mean room?'],
  ['countClients', { room: ['tea'] }, 'room is a text'],
])('%s refuses %j with BAD_MESSAGE', async (verb, given, sentence) => {
  await start();
  const call = (service as unknown as Record<string, (given: unknown) => Promise<unknown>>)[verb]!.bind(service);
  await expect(call(given)).rejects.toMatchObject({ code: 'BAD_MESSAGE', message: expect.stringContaining(sentence) });
  await expectReached([]);
});

describe('fetchClients and countClients', () => {
  it('give entries with a JSON form, in which are the claims that other workers see', async () => {
    await start();
    await service.joinRooms({ clientIds: [ada.clientId], rooms: ['chess', 'tea'] });
    const [client] = (await service.fetchClients({ room: 'tea' })).clients;
    Object.assign(client!.metadata, { seat: 3, size: 1n, self: client!.metadata });
    const [entry] = JSON.parse(JSON.stringify([client])) as unknown[];
    const { connectedAt, lastActivity, workerId } = client!;
    expect(inspect(client)).toContain(`clientId: '${ada.clientId}'`);
    expect(entry).toEqual({
      ...{ clientId: ada.clientId, workerId, connectedAt, lastActivity },
      user: { userId: '7', payload: {} },
      roomName: 'tea',
      rooms: ['chess', 'tea'],
      metadata: { seat: 3 },
    });
  });

  it('give all clients, those of a room, of a user, or of both', async () => {
    await start();
    await service.joinRooms({ clientIds: [ada.clientId, nobody.clientId], rooms: ['chess'] });
    const cases: [Parameters<typeof service.fetchClients>[0], TestClient[]][] = [
      [undefined, [ada, adaAgain, nobody]],
      [{}, [ada, adaAgain, nobody]],
      [{ room: 'chess' }, [ada, nobody]],
      [{ userId: 7 }, [ada, adaAgain]],
      [{ room: 'chess', userId: '7' }, [ada]],
      [{ room: 'nowhere' }, []],
      [{ room: 'chess', userId: 'unknown' }, []],
    ];
    for (const [query, expected] of cases) {
      const { clients, partial } = await service.fetchClients(query);
      expect(clients.map(({ clientId }) => clientId)).toEqual(expected.map(({ clientId }) => clientId));
      expect(partial).toBe(false);
      expect(await service.countClients(query)).toEqual({ count: expected.length, partial: false });
    }
  });
});
