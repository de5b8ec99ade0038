import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  PxlWebSocketServer,
  WebSocketService,
  WsRoomsError,
  type PxlWebSocketModuleOptions,
  type WsEventOptions,
  type WsHistoryQuery,
  type WsKeptMessages,
} from 'nestjs-pxl-websocket';
import { EveryWorkerServer } from '../../lib/server/facade/every-worker-server.js';
import { eventually } from '../../lib/testing/eventually.js';
import { RedisServer } from '../support/redis-server.js';
import { refused } from '../support/refused.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { startApp, type TestApp } from '../support/test-app.js';
import type { Received, TestClient } from '../support/test-client.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

const news = { type: 'news', action: 'flash', data: { text: 'hello' } };
const onError = jest.fn<NonNullable<WsEventOptions['onError']>>();

let redis: RedisServer;
/** Between the second worker and Redis. */
let proxy: TcpProxy;
let workers: [TestApp, TestApp];
let services: [WebSocketService, WebSocketService];
const clients: TestClient[] = [];
let rooms = 0;

beforeAll(async () => {
  redis = await RedisServer.start();
  proxy = await TcpProxy.before(redis.port);
  const options: PxlWebSocketModuleOptions = {
    auth: { authenticate: urlIdentity },
    events: { onError },
    rooms: { history: historyOf },
  };
  workers = await Promise.all([
    startApp({ options: { ...options, redis: redis.url } }),
    startApp({ options: { ...options, redis: `redis://127.0.0.1:${proxy.port}` } }),
  ]);
  services = [workers[0].app.get(WebSocketService), workers[1].app.get(WebSocketService)];
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  expect(onError.mock.calls).toEqual([]);
});

afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.close()));
  await proxy.close();
  await redis.stop();
});

function historyOf(roomName: string): { size: number; ttl: number } | null {
  if (!roomName.startsWith('kept')) return null;
  return { size: roomName.startsWith('kept short') ? 2 : 1_000, ttl: 60_000 };
}

/** A room with history that no other test knows. */
function keptRoom(): string {
  return `kept ${++rooms}`;
}

/** A client of a worker that is in rooms. */
async function member(at: 0 | 1, ...roomNames: string[]): Promise<TestClient> {
  const client = await connectAs(workers[at], { userId: 'ada' });
  clients.push(client);
  await services[at].joinRooms({ clientIds: [client.clientId], rooms: roomNames });
  return client;
}

/** The next messages that a client gets. */
async function take(client: TestClient, count: number): Promise<Received[]> {
  const taken: Received[] = [];
  while (taken.length < count) taken.push(await client.next('news'));
  return taken;
}

/** Everything sent before has come by then, to every client. */
async function settled(): Promise<void> {
  for (const service of services) await service.broadcast({ type: 'fence', action: 'broadcast' });
  for (const client of clients) {
    await client.next('fence');
    await client.next('fence');
  }
}

/** Everything that its worker has sent to the client has come by then. */
async function settledLocally(client: TestClient): Promise<void> {
  await client.request('system', 'ping');
}

/** What has come of news, without waiting. */
function taken(client: TestClient): readonly Received[] {
  return client.pending.filter(({ type }) => type === 'news');
}

describe('A message to a room with history', () => {
  it.each<[verb: string, send: (roomName: string) => Promise<void> | void]>([
    ['sendToRooms', (roomName) => services[0].sendToRooms([roomName], news)],
    ['sendToRooms of an event', (room) => services[0].sendToRooms([room], { event: 'news:flash', data: news.data })],
    [
      'send to the room',
      (room) => services[0].send({ destination: { room }, payload: { topic: 'news:flash', data: news.data } }),
    ],
    [
      'send to a text',
      (destination) => services[0].send({ destination, payload: { topic: 'news:flash', data: news.data } }),
    ],
    ['broadcastToRoom', (roomName) => workers[0].app.get(PxlWebSocketServer).broadcastToRoom({ roomName, data: news })],
  ])('of %s has a number, on every worker', async (_verb, send) => {
    const room = keptRoom();
    const members = [await member(0, room), await member(1, room)];
    await send(room);
    for (const client of members) expect(await client.next('news')).toEqual({ ...news, room, offset: 1 });
    expect(await services[1].getHistory(room)).toMatchObject({ messages: [{ offset: 1, message: news }] });
  });

  it('has the same number and place for all members, whoever sends; those of one sender keep their order', async () => {
    const room = keptRoom();
    const members = [await member(0, room), await member(0, room), await member(1, room), await member(1, room)];
    const send = async (at: 0 | 1, from: number): Promise<void> => {
      for (let number = from; number < from + 100; number += 4) {
        const sends = [0, 1, 2, 3].map((more) =>
          services[at].sendToRooms([room], { ...news, data: { at, number: number + more } }),
        );
        if (number % 8 === 0) await Promise.all(sends);
      }
    };
    await Promise.all([send(0, 0), send(1, 0)]);
    const [first, ...others] = await Promise.all(members.map((client) => take(client, 200)));
    expect(first!.map(({ offset }) => offset)).toEqual(Array.from({ length: 200 }, (_, at) => at + 1));
    for (const other of others) expect(other).toEqual(first);
    for (const sender of [0, 1]) {
      const sent = first!.map(({ data }) => data as { at: number; number: number }).filter(({ at }) => at === sender);
      expect(sent.map(({ number }) => number)).toEqual(Array.from({ length: 100 }, (_, number) => number));
    }
  });

  it('is not for who is excluded, on any worker, and takes its number all the same', async () => {
    const room = keptRoom();
    const [here, there] = [await member(0, room), await member(1, room)];
    const others = [await member(0, room), await member(1, room)];
    await services[0].sendToRooms([room], news, { exclude: [here.clientId, there.clientId] });
    await services[0].sendToRooms([room], { ...news, action: 'second' });
    for (const client of [here, there]) {
      expect(await take(client, 1)).toEqual([{ ...news, action: 'second', room, offset: 2 }]);
    }
    for (const client of others) expect((await take(client, 2)).map(({ offset }) => offset)).toEqual([1, 2]);
  });

  it('is an ordinary one on a worker where the room has no history, as while an application is updated', async () => {
    const room = keptRoom();
    const other = await startApp({ options: { redis: redis.url, rooms: { history: () => null } } });
    try {
      const client = await other.client();
      await other.app.get(WebSocketService).joinRooms({ clientIds: [client.clientId], rooms: [room] });
      await services[0].sendToRooms([room], news);
      expect(await client.next()).toEqual(news);
    } finally {
      await other.close();
    }
  });

  it('resolves once the members of its own worker have it on the way', async () => {
    const room = keptRoom();
    const client = await member(0, room);
    await services[0].sendToRooms([room], news);
    const pong = client.request('system', 'ping');
    expect(await client.next('news')).toMatchObject({ offset: 1 });
    await pong;
  });

  it('is encoded when it is sent: changing it afterwards changes nothing', async () => {
    const [room, plain] = [keptRoom(), 'plain change'];
    const [client, other] = [await member(1, room), await member(1, plain)];
    const message = { type: 'news', action: 'flash', data: { text: 'hello' } };
    const sent = services[0].sendToRooms([room, plain], message, { idempotencyKey: 'once' });
    message.data.text = 'changed';
    await sent;
    expect(await client.next('news')).toEqual({ ...news, room, offset: 1 });
    expect(await other.next('news')).toEqual(news);
  });
});

describe('Never numbered, also in a room with history, is', () => {
  it.each<[what: string, send: (room: string, client: TestClient) => Promise<void> | void]>([
    ['what is volatile', (room) => services[0].sendToRooms([room], news, { volatile: true })],
    ['what goes to a user', () => services[0].sendToUsers(['ada'], news)],
    ['what goes to a client', (_room, { clientId }) => services[0].sendToClients([clientId], news)],
    ['what goes to everybody', () => services[0].broadcast(news)],
    [
      'what server.local sends',
      (roomName) => workers[0].app.get(PxlWebSocketServer).local.broadcastToRoom({ roomName, data: news }),
    ],
    [
      'what a subscriber sends that runs on every worker',
      (roomName) => {
        const event = { channel: 'custom', message: null, isResponsible: true };
        workers[0].app.get(EveryWorkerServer).for(event).broadcastToRoom({ roomName, data: news });
      },
    ],
  ])('%s', async (_what, send) => {
    const room = keptRoom();
    const client = await member(0, room);
    await send(room, client);
    expect(await client.next('news')).toEqual(news);
    await services[1].sendToRooms([room], news);
    expect(await client.next('news')).toMatchObject({ offset: 1 });
  });
});

describe('A message to several rooms', () => {
  it('has a number in each that has history, and its copies have an id in common', async () => {
    const [tea, cake, plain] = [keptRoom(), keptRoom(), 'plain several'];
    const audience = async (at: 0 | 1): Promise<TestClient[]> => [
      await member(at, tea, cake, plain),
      await member(at, cake, plain),
      await member(at, plain),
      await member(at),
    ];
    const all = [await audience(0), await audience(1)];
    await services[0].sendToRooms([tea, plain, cake, tea], news);
    await settled();
    let copy: unknown;
    for (const [both, one, none, nobody] of all as [TestClient, TestClient, TestClient, TestClient][]) {
      const twice = taken(both);
      expect(twice.map(({ room }) => room).sort()).toEqual([tea, cake].sort());
      copy ??= twice[0]!.copy;
      expect(copy).toEqual(expect.stringMatching(/^[\w-]{16}$/));
      for (const frame of twice) expect(frame).toEqual({ ...news, room: frame.room, offset: 1, copy });
      expect(taken(one)).toEqual([{ ...news, room: cake, offset: 1, copy }]);
      expect(taken(none)).toEqual([news]);
      expect(taken(nobody)).toEqual([]);
    }
  });

  it('has no copies where one alone has history', async () => {
    const [tea, plain] = [keptRoom(), 'plain with one'];
    const client = await member(1, tea, plain);
    await services[0].sendToRooms([tea, plain, plain], news);
    await settled();
    expect(taken(client)).toEqual([{ ...news, room: tea, offset: 1 }]);
  });

  it('is not for who is excluded, with history or without', async () => {
    const [tea, cake, plain] = [keptRoom(), keptRoom(), 'plain excluded'];
    const client = await member(1, tea, cake, plain);
    const other = await member(1, plain);
    await services[0].sendToRooms([tea, cake, plain], news, { exclude: [client.clientId, other.clientId] });
    await settled();
    expect([...taken(client), ...taken(other)]).toEqual([]);
  });

  it('that not all have, is completed by the same key: nobody gets it twice', async () => {
    const [tea, cake, plain] = [keptRoom(), keptRoom(), 'plain partial'];
    const [both, drinker, eater, other] = [
      await member(1, tea, cake),
      await member(1, tea),
      await member(0, cake),
      await member(1, plain),
    ];
    const [key] = (await redis.command<string[]>('KEYS', '*')).filter((name) => name.includes(cake));
    await redis.command('RENAME', key!, 'aside');
    await redis.command('SET', key!, 'no room');
    const send = (): Promise<void> => services[0].sendToRooms([tea, cake, plain], news, { idempotencyKey: 'order 7' });
    const failure = await send().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(WsRoomsError);
    expect(failure).toMatchObject({ code: 'UNAVAILABLE', retryable: true, rooms: [tea], details: undefined });
    await redis.command('RENAME', 'aside', key!);
    await settled();
    expect([both, drinker, eater, other].map((client) => taken(client).length)).toEqual([1, 1, 0, 0]);
    await send();
    await settled();
    expect([both, drinker, eater, other].map((client) => taken(client).length)).toEqual([2, 1, 1, 1]);
    // Of a room without history nobody can know that it has had the message.
    await send();
    await settled();
    expect([both, drinker, eater, other].map((client) => taken(client).length)).toEqual([2, 1, 1, 2]);
    // Its own client handles one of the two.
    expect(new Set(taken(both).map(({ copy }) => copy)).size).toBe(1);
    for (const room of [tea, cake])
      expect(await services[1].getHistory(room)).toMatchObject({ position: { offset: 1 } });
  });

  it('without a key goes at once to rooms without history, whatever becomes of the others', async () => {
    const [tea, plain] = [keptRoom(), 'plain at once'];
    const client = await member(1, plain);
    await cut();
    try {
      const failure = await services[1].sendToRooms([tea, plain], news).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'UNAVAILABLE', rooms: [] });
      expect(await client.next('news')).toEqual(news);
    } finally {
      await restored();
    }
  });
});

describe('A message that a room with history cannot take', () => {
  it.each<[what: string, message: unknown]>([
    ['with a room', { ...news, room: 'tea' }],
    ['with an offset', { ...news, offset: 0 }],
    ['with a copy', { ...news, copy: null }],
    ['with an event and a room', { event: 'news:flash', room: 'tea' }],
    ['whose toJSON adds an offset', { ...news, toJSON: () => ({ ...news, offset: 1 }) }],
    ['whose toJSON makes it a text', { ...news, toJSON: () => 'news' }],
    ['that only inherits its names', Object.create(news)],
    ['that is a list', Object.assign([], news)],
  ])('is refused: %s', async (_what, message) => {
    const room = keptRoom();
    const client = await member(0, room, 'plain refused');
    const sent = services[0].sendToRooms([room, 'plain refused'], message as typeof news);
    await expect(sent).rejects.toThrow(refused());
    const server = workers[0].app.get(PxlWebSocketServer);
    expect(() => server.broadcastToRoom({ roomName: room, data: message })).toThrow(refused());
    await settled();
    expect(taken(client)).toEqual([]);
    expect(await services[0].getHistory(room)).toMatchObject({ position: { offset: 0 } });
  });

  it.each<[what: string, data: unknown]>([
    ['a text', 'hello'],
    ['null', null],
    ['an object without names', { text: 'hello' }],
    ['undefined', undefined],
  ])('is refused by broadcastToRoom: %s', (_what, data) => {
    const server = workers[0].app.get(PxlWebSocketServer);
    expect(() => server.broadcastToRoom({ roomName: keptRoom(), data })).toThrow(refused());
  });

  it('is one like it without values in these fields', async () => {
    const room = keptRoom();
    const message: typeof news = { ...news, ...{ room: undefined, offset: undefined } };
    await services[0].sendToRooms([room], message);
    expect(await services[0].getHistory(room)).toMatchObject({ messages: [{ offset: 1, message: news }] });
  });
});

describe('What a send to rooms with history is called with', () => {
  const key = (idempotencyKey: unknown): object => ({ idempotencyKey });

  it.each<[what: string, roomNames: string[], options: object, code?: string]>([
    ['an empty key', ['kept bad'], key('')],
    ['a key that is too long', ['kept bad'], key('k'.repeat(129))],
    ['a key that is no text', ['kept bad'], key(7)],
    ['null as a key', ['kept bad'], key(null)],
    ['a key of what is volatile', ['kept bad'], { idempotencyKey: 'once', volatile: true }],
    ['a key where no room has history', ['plain bad'], key('once')],
    ['a key without rooms', [], key('once')],
    ['too many rooms', Array.from({ length: 33 }, (_, at) => `kept bad ${at}`), {}],
    ['a name that is too long', [`kept ${'x'.repeat(500)}`, 'plain bad'], {}, 'INVALID_ROOM'],
    ['an unknown option', ['kept bad'], { idempotencykey: 'once' }],
  ])('is refused, and nothing is sent: %s', async (_what, roomNames, options, code = 'BAD_MESSAGE') => {
    const client = await member(0, 'kept bad', 'plain bad');
    await expect(services[0].sendToRooms(roomNames, news, options)).rejects.toThrow(refused(code));
    await settled();
    expect(taken(client)).toEqual([]);
  });

  it('may be 32 rooms, and a key of 128 characters', async () => {
    const names = Array.from({ length: 32 }, () => keptRoom());
    await services[0].sendToRooms(names, news, { idempotencyKey: 'k'.repeat(128) });
    expect(await services[1].getHistory(names[31]!)).toMatchObject({ position: { offset: 1 } });
  });

  it('may be a key that another message has in another room', async () => {
    const [tea, cake] = [keptRoom(), keptRoom()];
    await services[0].sendToRooms([tea], news, { idempotencyKey: 'once' });
    await services[1].sendToRooms([tea], news, { idempotencyKey: 'once' });
    await services[0].sendToRooms([cake], news, { idempotencyKey: 'once' });
    for (const room of [tea, cake])
      expect(await services[1].getHistory(room)).toMatchObject({ position: { offset: 1 } });
  });
});

describe('Where Redis cannot be reached', () => {
  it('a message to a room with history is refused, reaches nobody, and is not there later', async () => {
    const room = keptRoom();
    const client = await member(1, room);
    await cut();
    try {
      await expect(services[1].sendToRooms([room], news)).rejects.toThrow(refused('UNAVAILABLE'));
      workers[1].app.get(PxlWebSocketServer).broadcastToRoom({ roomName: room, data: news });
      await eventually('it is reported', () => onError.mock.calls.length > 0);
      expect(onError.mock.calls).toMatchObject([[{ error: refused('UNAVAILABLE'), code: 'UNAVAILABLE' }]]);
      onError.mockClear();
      await settledLocally(client);
      expect(taken(client)).toEqual([]);
    } finally {
      await restored();
    }
    await services[1].sendToRooms([room], { ...news, action: 'next' });
    expect(await client.next('news')).toEqual({ ...news, action: 'next', room, offset: 1 });
  });
});

describe('getHistory', () => {
  const numbers = ({ messages }: WsKeptMessages): unknown[] => messages.map(({ message }) => message.data);
  /** Has five messages, of the numbers 1 to 5. */
  let room: string;
  let epoch: string;

  beforeAll(async () => {
    room = keptRoom();
    for (const number of [1, 2, 3, 4, 5]) {
      await services[0].sendToRooms([room], { type: 'count', action: 'to', data: number });
    }
    ({ epoch } = (await services[0].getHistory(room)).position);
  });

  it.each<[what: string, query: WsHistoryQuery | undefined, numbers: number[], more: boolean]>([
    ['everything, oldest first', undefined, [1, 2, 3, 4, 5], false],
    ['a page', { limit: 2 }, [1, 2], true],
    ['the newest, newest first', { limit: 2, reverse: true }, [5, 4], true],
    ['everything, newest first', { reverse: true, limit: 5 }, [5, 4, 3, 2, 1], false],
    ['the position alone', { limit: 0 }, [], true],
  ])('reads %s, on any worker', async (_what, query, read, more) => {
    for (const service of services) {
      const history = await service.getHistory(room, query);
      expect(numbers(history)).toEqual(read);
      expect(history).toEqual({ messages: history.messages, position: { epoch, offset: 5 }, more, reason: undefined });
    }
  });

  it.each<[what: string, offset: number, query: WsHistoryQuery, numbers: number[], more: boolean]>([
    ['behind a position', 3, {}, [4, 5], false],
    ['behind a position, in pages', 1, { limit: 3 }, [2, 3, 4], true],
    ['behind the top', 5, {}, [], false],
    ['before a position', 3, { reverse: true }, [2, 1], false],
    ['before a position, in pages', 5, { reverse: true, limit: 2 }, [4, 3], true],
    ['before the first', 1, { reverse: true }, [], false],
    ['before everything', 0, { reverse: true }, [], false],
  ])('reads what is %s', async (_what, offset, query, read, more) => {
    const history = await services[1].getHistory(room, { ...query, since: { epoch, offset } });
    expect(numbers(history)).toEqual(read);
    expect(history).toMatchObject({ more, reason: undefined });
  });

  it('tells that a position is of another epoch, and returns nothing that would not follow it', async () => {
    for (const since of [
      { epoch: 'another', offset: 3 },
      { epoch, offset: 6 },
    ]) {
      const history = await services[0].getHistory(room, { since });
      expect(history).toEqual({ messages: [], position: { epoch, offset: 5 }, more: false, reason: 'epoch' });
    }
  });

  it('tells that what was behind a position is not kept any more', async () => {
    const short = `kept short ${++rooms}`;
    for (const number of [1, 2, 3, 4]) {
      await services[0].sendToRooms([short], { type: 'count', action: 'to', data: number });
    }
    const { position } = await services[1].getHistory(short, { limit: 0 });
    const from = (offset: number): Promise<WsKeptMessages> =>
      services[1].getHistory(short, { since: { ...position, offset } });
    expect(await from(0)).toMatchObject({ messages: [{ offset: 3 }, { offset: 4 }], reason: 'trimmed' });
    expect(await from(1)).toMatchObject({ messages: [{ offset: 3 }, { offset: 4 }], reason: 'trimmed' });
    expect(await from(2)).toMatchObject({ messages: [{ offset: 3 }, { offset: 4 }], reason: undefined });
    expect(await services[1].getHistory(short, { reverse: true })).toMatchObject({ more: false, reason: undefined });
  });

  it.each<[what: string, room: unknown, query: unknown, code?: string]>([
    ['of a room without history', 'plain', {}, 'NOT_FOUND'],
    ['without a room', '', {}],
    ['of a number', 7, {}],
    ['with an unknown field', 'kept', { from: 3 }],
    ['with null', 'kept', null],
    ['with a limit below 0', 'kept', { limit: -1 }],
    ['with a limit that is not whole', 'kept', { limit: 1.5 }],
    ['with a limit above 10 000', 'kept', { limit: 10_001 }],
    ['with a limit that is no number', 'kept', { limit: '5' }],
    ['with a reverse that is no flag', 'kept', { reverse: 'yes' }],
    ['with a position that is a number', 'kept', { since: 3 }],
    ['with a position that is null', 'kept', { since: null }],
    ['with a position without an epoch', 'kept', { since: { offset: 3 } }],
    ['with an empty epoch', 'kept', { since: { epoch: '', offset: 3 } }],
    ['with an epoch that is too long', 'kept', { since: { epoch: 'e'.repeat(65), offset: 3 } }],
    ['with an offset below 0', 'kept', { since: { epoch: 'e', offset: -1 } }],
    ['with an offset that is not whole', 'kept', { since: { epoch: 'e', offset: 0.5 } }],
    ['with an offset that is not safe', 'kept', { since: { epoch: 'e', offset: 2 ** 53 } }],
    ['with an offset that is a text', 'kept', { since: { epoch: 'e', offset: '3' } }],
  ])('is refused %s', async (_what, name, query, code = 'BAD_MESSAGE') => {
    const read = services[0].getHistory(name as string, query as WsHistoryQuery);
    await expect(read).rejects.toThrow(refused(code));
  });
});

describe('clearHistory', () => {
  it('begins a new epoch, which members on every worker are told at once', async () => {
    const room = keptRoom();
    const members = [await member(0, room), await member(1, room)];
    await services[0].sendToRooms([room], news);
    const before = await services[0].getHistory(room);
    const position = await services[0].clearHistory(room);
    expect(position).toEqual({ epoch: expect.any(String), offset: 0 });
    expect(position.epoch).not.toBe(before.position.epoch);
    expect(await services[1].getHistory(room)).toMatchObject({ messages: [], position });
    for (const client of members) {
      expect(await client.next('room', 'lost')).toMatchObject({ data: { roomName: room, position, reason: 'epoch' } });
    }
    await services[1].sendToRooms([room], { ...news, action: 'next' });
    for (const client of members) {
      expect(await client.take(({ action }) => action === 'next')).toMatchObject({ room, offset: 1 });
    }
  });

  it('is refused for a room without history, and without a name', async () => {
    await expect(services[0].clearHistory('plain')).rejects.toThrow(refused('NOT_FOUND'));
    await expect(services[0].clearHistory(7 as unknown as string)).rejects.toThrow(refused());
  });
});

describe('A worker that knows of no history', () => {
  it.each([
    ['of this room', () => null],
    ['at all', undefined],
  ])('%s, delivers its messages as ordinary ones', async (_what, history) => {
    const stranger = await startApp({ options: { redis: redis.url, rooms: history && { history } } });
    const room = keptRoom();
    const client = await stranger.client();
    await stranger.app.get(WebSocketService).joinRooms({ clientIds: [client.clientId], rooms: [room] });
    await services[0].sendToRooms([room], news);
    expect(await client.next('news')).toEqual(news);
    await stranger.close();
  });
});

describe('In an application of one process', () => {
  let app: TestApp;
  let service: WebSocketService;

  beforeAll(async () => {
    app = await startApp({ options: { rooms: { history: historyOf } } });
    service = app.app.get(WebSocketService);
  });

  afterAll(() => app.close());

  it('rooms have history as well: numbers, copies, keys, reads and clears', async () => {
    const [tea, cake, plain] = [keptRoom(), keptRoom(), 'plain'];
    const [both, other] = [await app.client(), await app.client()];
    await service.joinRooms({ clientIds: [both.clientId], rooms: [tea, cake, plain] });
    await service.joinRooms({ clientIds: [other.clientId], rooms: [plain] });
    const options = { idempotencyKey: 'once' };
    await service.sendToRooms([tea, cake, plain], news, options);
    await service.sendToRooms([tea, cake, plain], news, options);
    app.app.get(PxlWebSocketServer).broadcastToRoom({ roomName: tea, data: { ...news, action: 'last' } });
    const [first, second, last] = [await both.next('news'), await both.next('news'), await both.next('news')];
    expect(first).toEqual({ ...news, room: tea, offset: 1, copy: expect.any(String) });
    expect(second).toEqual({ ...news, room: cake, offset: 1, copy: first.copy });
    expect(last).toEqual({ ...news, action: 'last', room: tea, offset: 2 });
    await other.request('system', 'ping');
    expect(other.pending).toEqual([news, news]);
    const history = await service.getHistory(tea);
    expect(history).toMatchObject({ messages: [{ offset: 1, message: news }, { offset: 2 }], more: false });
    expect((await service.clearHistory(tea)).epoch).not.toBe(history.position.epoch);
    expect(await both.next('room', 'lost')).toMatchObject({ data: { roomName: tea, reason: 'epoch' } });
  });
});

/** A port on which nobody listens; one that is only free may be another test's Redis in a moment. */
const NOWHERE = 1;

/** The second worker loses Redis. */
async function cut(): Promise<void> {
  proxy.target = NOWHERE;
  proxy.reset();
  await eventually('Redis is away', () => !services[1].getWebSocketHealth().redis.connected);
}

async function restored(): Promise<void> {
  proxy.target = redis.port;
  await eventually('Redis is there', () => services[1].getWebSocketHealth().ready);
}
