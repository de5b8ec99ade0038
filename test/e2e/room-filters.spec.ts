import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  WebSocketService,
  type PxlWebSocketModuleOptions,
  type WsEventOptions,
  type WsFilteredMember,
  type WsRoomFilter,
  type WsRoomSendOptions,
  type WsWhere,
} from 'nestjs-pxl-websocket';
import { WebSocketEmitter } from 'nestjs-pxl-websocket/emitter';
import { Logbook } from '../support/logbook.js';
import { RedisServer } from '../support/redis-server.js';
import { startApp, type TestApp } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

const news = { type: 'news', action: 'flash', data: { text: 'hello' } };
const onError = jest.fn<NonNullable<WsEventOptions['onError']>>();
/** What the filter `seen` has seen on the first worker. */
const seen: [member: WsFilteredMember, args: unknown][] = [];
const logbook = new Logbook();

const filters: Record<string, WsRoomFilter> = {
  users: ({ userId }, args) => (args as (string | null)[]).includes(userId),
  room: ({ roomName }, args) => roomName === args,
  /** Says yes once. */
  first: (_member, args) => (args as number[]).pop() !== undefined,
  desk: ({ state }, args) => (state as { desk?: string } | undefined)?.desk === args,
  seen: (member, args) => seen.push([member, args]) > 0,
  /** Fails for everybody but Bob. */
  odd: ({ userId }, answer) => {
    if (userId === 'bob') return true;
    if (answer === 'throws') throw new Error('no coordinates');
    if (answer === 'promise') return Promise.resolve(true) as unknown as boolean;
    if (answer === 'rejection') return Promise.reject(new Error('late')) as unknown as boolean;
    return answer as boolean;
  },
};

let redis: RedisServer;
/** The second one lacks the filters `seen` and `own`. */
let workers: [TestApp, TestApp];
let services: [WebSocketService, WebSocketService];
let emitter: WebSocketEmitter;
/** Ada, Cy and an anonymous client on the first worker, Bob and Ada again on the second one. */
let [ada, cy, nobody, bob, adaAgain]: TestClient[] = [];
let all: TestClient[];

beforeAll(async () => {
  redis = await RedisServer.start();
  const options = (rest: Record<string, WsRoomFilter>): PxlWebSocketModuleOptions => ({
    redis: redis.url,
    auth: { authenticate: urlIdentity },
    events: { onError },
    rooms: {
      named: true,
      open: true,
      authorize: ({ client }) => ({ desk: client.user?.userId ?? 'none' }),
      history: (roomName) => (roomName.startsWith('kept') ? { size: 10, ttl: 60_000 } : null),
      presence: (roomName) => roomName.startsWith('shop'),
      filters: rest,
    },
  });
  const { users, room, first, desk, odd } = filters;
  workers = await Promise.all([
    startApp({ options: options({ ...filters, own: () => true }), logger: logbook }),
    startApp({
      options: options({ users: users!, room: room!, first: first!, desk: desk!, odd: odd! }),
      logger: logbook,
    }),
  ]);
  services = [workers[0].app.get(WebSocketService), workers[1].app.get(WebSocketService)];
  emitter = new WebSocketEmitter({ redis: redis.url, rooms: { history: { size: 10, ttl: 60_000 } } });
});

beforeEach(async () => {
  [ada, cy, bob, adaAgain] = await Promise.all([
    connectAs(workers[0], { userId: 'ada' }),
    connectAs(workers[0], { userId: 'cy' }),
    connectAs(workers[1], { userId: 'bob' }),
    connectAs(workers[1], { userId: 'ada' }),
  ]);
  nobody = await workers[0].client();
  all = [ada, cy, nobody, bob, adaAgain];
  for (const client of all) await client.join('tea');
});

afterEach(async () => {
  await Promise.all(all.map((client) => client.close()));
  expect(onError.mock.calls).toEqual([]);
});

afterAll(async () => {
  await emitter.shutdown();
  await Promise.all(workers.map((worker) => worker.close()));
  await redis.stop();
});

function send(where: WsWhere, rooms = ['tea'], rest: WsRoomSendOptions = {}): Promise<void> {
  return services[0].sendToRooms(rooms, news, { where, ...rest });
}

/** Checks that these clients, and no others, have got one message each, as one of a room. @param sender who has sent it */
async function expectReached(
  expected: readonly (TestClient | undefined)[],
  room = 'tea',
  sender: Pick<WebSocketEmitter, 'broadcast'> = services[0],
): Promise<void> {
  await sender.broadcast({ type: 'fence', action: 'is' });
  for (const client of all) {
    await client.next('fence');
    expect(client.pending).toEqual(expected.includes(client) ? [{ ...news, room }] : []);
    if (expected.includes(client)) await client.next('news');
  }
}

describe('A send with a filter', () => {
  it('reaches the members for whom it says yes, on every worker', async () => {
    await send(['users', ['ada']]);
    await expectReached([ada, adaAgain]);
    await send(['users', [null, 'bob']]);
    await expectReached([nobody, bob]);
    await send(['users', []]);
    await expectReached([]);
  });

  it('leaves out who is excluded beside it, and may be volatile', async () => {
    await send(['users', ['ada', 'bob']], ['tea'], {
      exclude: { clients: [ada!.clientId], users: ['bob'] },
      volatile: true,
    });
    await expectReached([adaAgain]);
  });

  it('to several rooms reaches a member once, in the first room for which it says yes', async () => {
    for (const client of [ada!, bob!]) {
      await client.join('chess');
      await client.join('go');
    }
    await send(['room', 'go'], ['tea', 'chess', 'go', 'go']);
    await expectReached([ada, bob], 'go');
  });

  it('shows it what the other members see of each one, and its arguments as JSON', async () => {
    await ada!.request('system', 'joinRoom', { roomName: 'quiet', username: 'Ada' });
    await services[0].joinRooms({ clientIds: [nobody!.clientId], rooms: ['quiet'] });
    await send(['seen', { since: new Date(0), none: undefined }], ['quiet']);
    await send(['seen'], ['quiet']);
    const [[one, args], [two], , [, noArgs]] = seen.splice(0) as [
      (typeof seen)[0],
      (typeof seen)[0],
      unknown,
      (typeof seen)[0],
    ];
    const { client, ...member } = one;
    const known = { roomName: 'quiet', userId: 'ada', username: 'Ada', profile: { desk: 'ada' }, state: undefined };
    expect(member).toEqual(known);
    expect([client.clientId, client.user?.userId]).toEqual([ada!.clientId, 'ada']);
    expect(two).toMatchObject({ userId: null, username: undefined, profile: undefined });
    expect(args).toEqual({ since: '1970-01-01T00:00:00.000Z' });
    expect(noArgs).toBeUndefined();
    for (const reached of [ada!, ada!, nobody!, nobody!]) await reached.next('news');
    await expectReached([]);
  });

  it('has arguments of its own on each worker, whatever the filter makes of them', async () => {
    await send(['first', [1]]);
    await expectReached([ada, bob]);
  });

  it('goes by the state that the members of a room with presence have set', async () => {
    await ada!.request('system', 'joinRoom', { roomName: 'shop', state: { desk: 'north' } });
    await bob!.request('system', 'joinRoom', { roomName: 'shop', state: { desk: 'south' } });
    await cy!.request('system', 'joinRoom', { roomName: 'shop' });
    await send(['desk', 'south'], ['shop']);
    await expectReached([bob], 'shop');
    await cy!.request('system', 'presence', { roomName: 'shop', state: { desk: 'south' } });
    await bob!.request('system', 'presence', { roomName: 'shop', state: null });
    await send(['desk', 'south'], ['shop']);
    await expectReached([cy], 'shop');
  });

  it('comes from an emitter as well', async () => {
    const other = new WebSocketEmitter({ redis: redis.url });
    await other.toRoom({ room: 'tea', ...news, where: ['users', ['ada', 'cy']], exclude: { users: ['cy'] } });
    await expectReached([ada, adaAgain], 'tea', other);
    await other.shutdown();
  });
});

describe('A filter that a worker does not have', () => {
  const unknown = (at: 0 | 1): number | undefined =>
    services[at].getMetrics().find(({ name }) => name === 'pxl_ws_unknown_filters_total')?.value;

  it('refuses the send there', async () => {
    for (const name of ['seen', 'toString', '__proto__', 'x'.repeat(100)]) {
      const refusal = services[1].sendToRooms(['tea'], news, { where: [name] });
      await expect(refusal).rejects.toMatchObject({
        code: 'BAD_MESSAGE',
        message: expect.stringContaining('rooms.filters'),
      });
    }
    await expectReached([]);
    expect(unknown(1)).toBe(0);
  });

  it('delivers nothing there, is counted, and logged once', async () => {
    await send(['own']);
    await expectReached([ada, cy, nobody]);
    await send(['own']);
    await expectReached([ada, cy, nobody]);
    expect(unknown(1)).toBe(2);
    expect(logbook.of('warn').filter((line) => line.includes('rooms.filters'))).toEqual([
      'A message was sent with the filter "own", which rooms.filters of this worker does not have: the members that are ' +
        'here do not get it.',
    ]);
  });
});

describe('A filter that fails', () => {
  it.each([
    ['throws', 'no coordinates'],
    ['promise', 'It has answered a promise, not true or false.'],
    ['rejection', 'It has answered a promise, not true or false.'],
    [1, 'It has answered a number, not true or false.'],
    ['yes', 'It has answered a text, not true or false.'],
    [null, 'It has answered null, not true or false.'],
  ])('delivers nothing to that member, and is reported once for the send: %j', async (answer, message) => {
    await send(['odd', answer]);
    await expectReached([bob]);
    // Three members failed on the first worker, one on the second.
    expect(onError.mock.calls.splice(0).map(([{ error }]) => error.message)).toEqual([message, message]);
  });

  it('that says neither yes nor no says no', async () => {
    await send(['odd']);
    await expectReached([bob]);
    expect(onError.mock.calls.splice(0)).toHaveLength(2);
  });
});

describe('A filter is refused with BAD_MESSAGE', () => {
  it('in a room with history, also beside others, and by the emitter', async () => {
    const refusal = { code: 'BAD_MESSAGE', message: expect.stringContaining('has no where') };
    for (const rooms of [['kept 1'], ['tea', 'kept 1']]) {
      await expect(send(['users', []], rooms)).rejects.toMatchObject(refusal);
      await expect(send(['users', []], rooms, { volatile: true })).rejects.toMatchObject(refusal);
    }
    await expect(emitter.toRoom({ room: 'kept 1', ...news, where: ['users', []] })).rejects.toMatchObject(refusal);
    expect(await services[0].getHistory('kept 1')).toMatchObject({ messages: [] });
    await expectReached([]);
  });

  const cyclic: unknown[] = [];
  cyclic.push(cyclic);

  it.each<[what: string, where: unknown, sentence: string]>([
    ['a text', 'users', 'where is a list of two'],
    ['empty', [], 'where is a list of two'],
    ['without a name', [7], 'where is a list of two'],
    ['with an empty name', ['', 1], 'where is a list of two'],
    ['longer', ['users', 1, 2], 'where is a list of two'],
    ['null', null, 'where is a list of two'],
    ['an object', { name: 'users' }, 'where is a list of two'],
    ['with arguments of a byte too much', ['users', 'x'.repeat(1_023)], 'more than 1024 bytes'],
    ['with few characters of many bytes', ['users', 'é'.repeat(512)], 'more than 1024 bytes'],
    ['with a function', ['users', () => 1], 'no JSON form'],
    ['with a bigint', ['users', 1n], 'no JSON form'],
    ['with a cycle', ['users', cyclic], 'no JSON form'],
  ])('when it is %s', async (_what, where, sentence) => {
    const refusal = { code: 'BAD_MESSAGE', message: expect.stringContaining(sentence) };
    await expect(send(where as WsWhere)).rejects.toMatchObject(refusal);
    const other = new WebSocketEmitter({ redis: redis.url });
    await expect(other.toRoom({ room: 'tea', ...news, where: where as WsWhere })).rejects.toMatchObject(refusal);
    await other.shutdown();
  });

  it('where a send is not to rooms', async () => {
    const where = { where: ['users', ['ada']] } as WsRoomSendOptions;
    await expect(services[0].broadcast(news, where)).rejects.toThrow('There is no send option where');
    await expect(services[0].sendToUsers(['ada'], news, where)).rejects.toThrow('There is no send option where');
    await expectReached([]);
  });

  it('never for as many bytes as there may be', async () => {
    await send(['seen', 'x'.repeat(1_022)], ['tea']);
    await expectReached([ada, cy, nobody]);
    seen.splice(0);
  });
});
