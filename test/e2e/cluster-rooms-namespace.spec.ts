import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  defineWebSocketSubscriber,
  RoomManager,
  WebSocketService,
  roomKey,
  type PxlWebSocketModuleOptions,
  type WsRoomHistoryOptions,
} from 'nestjs-pxl-websocket';
import { WebSocketEmitter, type WebSocketEmitterOptions } from 'nestjs-pxl-websocket/emitter';
import { eventually } from '../../lib/testing/eventually.js';
import { PROBE } from '../support/cluster-periods.js';
import { RedisServer } from '../support/redis-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { testsClients } from '../support/test-clients.js';
import { urlIdentity } from '../support/url-identity.js';

const ACME = { namespace: 'acme' };
const NEWS = { type: 'test', action: 'news', data: 1 };
/** Nobody here stays away for so long. */
const GRACE = 10_000;

/** What the functions were asked that are asked for each room. */
const asked = new Set<string>();
const history = (roomName: string, namespace: string | undefined): WsRoomHistoryOptions | null => {
  asked.add(`history ${namespace} ${roomName}`);
  return roomName.startsWith('kept') ? { size: 100, ttl: 60_000 } : null;
};
/** What subscribers on either worker were told that act once in the cluster. */
const told: [channel: string, message: unknown][] = [];

const newClient = testsClients();
let redis: RedisServer;
let workers: [TestApp, TestApp];
let proxy: TcpProxy;
let services: [WebSocketService, WebSocketService];
let emitter: WebSocketEmitter;
const clients: TestClient[] = [];
let rooms = 0;
/** A room of its own for each test. */
let room: string;

beforeAll(async () => {
  redis = await RedisServer.start();
  const options: PxlWebSocketModuleOptions = {
    redis: redis.url,
    cluster: { probe: PROBE },
    auth: { authenticate: urlIdentity },
    rooms: {
      open: true,
      announce: true,
      named: true,
      whisper: true,
      namespace: async ({ user }) => Promise.resolve(user?.payload.tenant as string),
      history,
      presence: (roomName, namespace) => {
        asked.add(`presence ${namespace} ${roomName}`);
        return { grace: GRACE, interval: 20 };
      },
    },
    subscribers: [
      defineWebSocketSubscriber({
        channels: ['clientJoinedRoom', 'roomOccupied', 'roomVacated', 'presenceJoined', 'presenceLeft'],
        run: 'oneWorker',
        handle: ({ channel, message }) => void told.push([channel, message]),
      }),
    ],
  };
  workers = [await startApp({ options }), await startApp({ options })];
  services = [workers[0].app.get(WebSocketService), workers[1].app.get(WebSocketService)];
  proxy = await TcpProxy.before(workers[0].port);
  emitter = newEmitter({ rooms: { history, namespace: true } });
  const converged = (): boolean => services.every((service) => service.getWebSocketHealth().cluster.workers === 2);
  await eventually('the workers know each other', converged);
});
beforeEach(() => {
  room = `kept ${++rooms}`;
});
afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())));
afterAll(async () => {
  await emitter.shutdown();
  await Promise.all(workers.map((worker) => worker.close()));
  await proxy.close();
  await redis.stop();
});

function newEmitter(options: Partial<WebSocketEmitterOptions>): WebSocketEmitter {
  return new WebSocketEmitter({ redis: redis.url, ...options });
}

async function connect(at: 0 | 1, tenant: string, userId = tenant, resume?: string): Promise<TestClient> {
  const query = new URLSearchParams({ userId, tenant, ...(resume !== undefined && { resume }) });
  const client = await workers[at].client({ path: `/ws?${query.toString()}` });
  clients.push(client);
  return client;
}

async function member(at: 0 | 1, tenant: string, userId?: string, wish: object = {}): Promise<TestClient> {
  const client = await connect(at, tenant, userId);
  await client.join(room, wish);
  return client;
}

const heard = (client: TestClient): Promise<unknown> => client.next('test', 'news');
const key = (roomName = room, namespace = 'acme'): string => roomKey({ roomName, namespace });

/** What waits for a client names no key, and nobody of another namespace. */
function expectBare(client: TestClient, others = 'globex'): void {
  const text = JSON.stringify(client.pending);
  expect(text).not.toContain('\\u001f');
  expect(text).not.toContain(others);
}

describe('Two namespaces on two workers', () => {
  it('hear nothing of each other, and of their own by bare names', async () => {
    const ada = await member(0, 'acme', 'ada', { presence: true });
    const bob = await member(1, 'globex', 'bob', { presence: true });
    const eve = await member(1, 'acme', 'eve', { presence: true });
    expect(await ada.next('room', 'memberJoined')).toMatchObject({
      data: { roomName: room, member: { userId: 'eve' } },
      room,
    });
    expect(await ada.take(({ data }) => (data as { joined?: unknown }).joined !== undefined)).toMatchObject({
      data: { roomName: room, joined: [{ userId: 'eve' }], count: 2 },
      room,
    });
    await services[1].sendToRooms([room], NEWS, ACME);
    await emitter.toRoom({ room, ...NEWS, ...ACME });
    await emitter.toRoom({ room: key(), ...NEWS });
    for (const client of [ada, eve]) {
      for (const offset of [1, 2, 3]) expect(await heard(client)).toEqual({ ...NEWS, room, offset });
    }
    await eve.whisper(room, 'typing');
    expect(await ada.next('whisper', 'typing')).toMatchObject({ room, from: { userId: 'eve' } });
    expect((await bob.members(room)).members).toMatchObject([{ userId: 'bob' }]);
    // Nobody is in the literal room.
    await services[0].sendToRooms([room], NEWS);
    await emitter.toRoom({ room, ...NEWS });
    await services[0].sendToRooms(['plain'], NEWS, ACME);
    await ada.request('system', 'leaveRoom', { roomName: room });
    await eve.next('room', 'memberLeft');
    await Promise.all([ada.expectNothing(50).catch(() => undefined), bob.expectNothing(50).catch(() => undefined)]);
    for (const client of [ada, eve]) expectBare(client, 'bob');
    expectBare(bob, 'eve');
    expect(bob.pending.filter(({ action }) => action === 'news' || action === 'typing')).toEqual([]);
  });

  it('are known to the other worker by keys, and moved by name from there', async () => {
    const ada = await connect(0, 'acme', 'ada');
    const [other, manager] = [services[1], workers[1].app.get(RoomManager)];
    const { clientId } = ada;
    await other.joinRooms({ clientIds: [clientId], rooms: [room], ...ACME });
    await eventually('the other worker knows it', () => manager.isClientInRoom({ clientId, roomName: room, ...ACME }));
    expect([...manager.rooms.keys()]).toContain(key());
    expect(manager.getRoomClients({ roomName: room })).toEqual([]);
    expect((await other.fetchClients({ room, ...ACME })).clients).toMatchObject([{ clientId, roomName: key() }]);
    expect(await other.getUserRooms('ada')).toMatchObject({ rooms: [key()] });
    expect(await other.countMembers(room, ACME)).toMatchObject({ count: 1 });
    await ada.request('system', 'members', { roomName: room, presence: true });
    await other.setPresence({ clientId, room, state: 'away', ...ACME });
    expect(await ada.next('room', 'presence')).toMatchObject({
      data: { roomName: room, updated: [{ state: 'away' }] },
    });
    await expect(manager.addClientToRoom({ clientId, roomName: room })).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(other.joinRooms({ clientIds: [clientId], rooms: [room] })).rejects.toMatchObject({ code: 'CONFLICT' });
    manager.removeClientFromRoom({ clientId, roomName: room, ...ACME });
    expect(await ada.next('room', 'left')).toMatchObject({ data: { roomName: room, reason: 'removed' } });
    expect(await manager.addClientToRoom({ clientId, roomName: room, ...ACME })).toBe(true);
    await other.leaveRooms({ userIds: ['ada'], rooms: [room], ...ACME });
    expect(await ada.next('room', 'left')).toMatchObject({ data: { roomName: room } });
  });

  it('come back to another worker, to their own room with what they have missed, and within their grace', async () => {
    const bob = await member(1, 'globex', 'bob', { presence: true });
    const eve = await member(1, 'acme', 'eve', { presence: true });
    const ada = await connect(0, 'acme', 'ada');
    const { position } = await ada.join(room);
    await eve.take(({ data }) => JSON.stringify(data).includes('"joined"'));
    ada.socket.terminate();
    await emitter.toRoom({ room, ...NEWS, ...ACME });
    await services[0].sendToRooms([room], { ...NEWS, data: 'globex' }, { namespace: 'globex' });
    const back = await connect(1, 'acme', 'ada', ada.resume);
    expect(await back.join(room, { since: position! })).toMatchObject({ recovered: true, replayed: 1 });
    expect(await heard(back)).toEqual({ ...NEWS, room, offset: 1 });
    expect((await eve.members(room)).members.map(({ userId }) => userId)).toEqual(['ada', 'eve']);
    // Its position in one namespace is none in another: it would be told nothing that is not its own.
    expect(await bob.request('system', 'history', { roomName: room })).toMatchObject({
      messages: [{ data: 'globex' }],
    });
    const foreign = await connect(0, 'globex', 'cy');
    expect(await foreign.join(room, { since: position! })).toMatchObject({ recovered: false, reason: 'epoch' });
    expect(eve.pending.filter(({ data }) => JSON.stringify(data).includes('"left"'))).toEqual([]);
  });

  it('a send that not all rooms of a namespace have names those that have it as the caller did', async () => {
    const other = `${room} too`;
    const ada = await member(0, 'acme', 'ada');
    await ada.join(other);
    const [kept] = (await redis.command<string[]>('KEYS', '*:history:*')).filter((name) => name.includes(other));
    await redis.command('RENAME', kept!, 'aside');
    await redis.command('SET', kept!, 'no room');
    const send = (): Promise<void> =>
      services[0].sendToRooms([room, other], NEWS, { ...ACME, idempotencyKey: 'order 7' });
    await expect(send()).rejects.toMatchObject({ code: 'UNAVAILABLE', rooms: [room] });
    await redis.command('RENAME', 'aside', kept!);
    await send();
    expect([await heard(ada), await heard(ada)]).toMatchObject([{ room }, { room: other }]);
  });

  it('are told to subscribers once, by name and namespace', async () => {
    const ofRoom = (channel: string): unknown[] =>
      told.filter(([name, message]) => name === channel && JSON.stringify(message).includes(`"${room}"`));
    const namespaced = { roomName: room, namespace: 'acme' };
    const ada = await member(0, 'acme', 'ada');
    // What two workers tell comes in any order.
    await eventually('her coming is told', () => ofRoom('presenceJoined').length + ofRoom('roomOccupied').length === 2);
    const eve = await member(1, 'acme', 'eve');
    await eventually('both are told', () => ofRoom('presenceJoined').length === 2);
    expect(ofRoom('roomOccupied')).toEqual([['roomOccupied', namespaced]]);
    expect(ofRoom('presenceJoined')).toMatchObject([
      ['presenceJoined', { ...namespaced, member: { userId: 'ada' } }],
      ['presenceJoined', { ...namespaced, member: { userId: 'eve' } }],
    ]);
    expect(ofRoom('clientJoinedRoom')).toMatchObject([
      ['clientJoinedRoom', { ...namespaced, userId: 'ada' }],
      ['clientJoinedRoom', { ...namespaced, userId: 'eve' }],
    ]);
    await Promise.all([ada.close(), eve.close()]);
    await eventually('the end is told', () => ofRoom('roomVacated').length === 1);
    expect(ofRoom('roomVacated')).toEqual([['roomVacated', namespaced]]);
  });
});

it('The client library notices nothing, over a reconnect too', async () => {
  const heardNames = new Set<string | undefined>();
  const recoveries: unknown[] = [];
  const query = new URLSearchParams({ userId: 'ada', tenant: 'acme' }).toString();
  const { client } = newClient(`ws://127.0.0.1:${proxy.port}/ws?${query}`, {
    events: { onRecovered: (recovery) => void recoveries.push(recovery) },
  });
  await client.connect();
  const texts: unknown[] = [];
  const tea = client.room(room);
  tea.on('test', 'news', (data) => void texts.push(data));
  client.onAny(({ room: name }) => void heardNames.add(name));
  await tea.joined;
  const presence = client.presence(room);
  await eventually('it sees itself', () => presence.members.length === 1);
  const send = (data: unknown): Promise<void> => services[1].sendToRooms([room], { ...NEWS, data }, ACME);
  await send('one');
  proxy.reset();
  await send('two');
  await eventually('all has come', () => texts.length === 2);
  expect(texts).toEqual(['one', 'two']);
  expect(recoveries).toMatchObject([{ roomName: room, recovered: true }]);
  const eve = await member(1, 'acme', 'eve');
  await member(1, 'globex', 'bob');
  await eventually('it sees the other one', () => presence.members.length === 2);
  await eve.whisper(room, 'typing');
  client.whisper(room, 'typing');
  await eve.next('whisper', 'typing');
  expect([...heardNames].filter((name) => name !== undefined)).toEqual([room]);
  await client.leave(room);
  await eve.next('room', 'memberLeft');
});

describe('An emitter', () => {
  it('reads and clears the history of a room in a namespace', async () => {
    const ada = await member(0, 'acme', 'ada');
    await emitter.toRoom({ room, ...NEWS, ...ACME, idempotencyKey: 'once' });
    await services[1].sendToRooms([room], NEWS, { ...ACME, idempotencyKey: 'once' });
    expect((await emitter.getHistory(room, ACME)).messages).toMatchObject([{ offset: 1, message: NEWS }]);
    expect((await emitter.getHistory(room)).messages).toEqual([]);
    await emitter.clearHistory(room, ACME);
    expect(await ada.next('room', 'lost')).toMatchObject({ data: { roomName: room, reason: 'epoch' } });
    await emitter.toRoom({ room, ...NEWS, ...ACME, exclude: { rooms: [room] } });
    expect(await ada.next('room', 'position')).toMatchObject({ data: { roomName: room } });
    expect(asked).toContain(`history acme ${room}`);
    expect(asked).toContain(`presence acme ${room}`);
    expect([...asked].filter((question) => question.includes('\u001f'))).toEqual([]);
  });

  it('takes no namespace unless it is told that the workers have them', async () => {
    const plain = newEmitter({});
    try {
      const wrong = { code: 'BAD_MESSAGE', message: 'There are no namespaces without the option rooms.namespace.' };
      await expect(plain.toRoom({ room, ...NEWS, ...ACME })).rejects.toMatchObject(wrong);
      await expect(emitter.toRoom({ room, ...NEWS, namespace: '' })).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
      await expect(emitter.toRoom({ room: key(), ...NEWS, ...ACME })).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
    } finally {
      await plain.shutdown();
    }
  });
});
