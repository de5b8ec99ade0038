import { afterEach, describe, expect, it } from '@jest/globals';
import {
  WebSocketService,
  type PxlWebSocketModuleOptions,
  type WsMemberList,
  type WsPresencePush,
} from 'nestjs-pxl-websocket';
import { Runtime } from '../../lib/runtime/runtime.js';
import type { ReturnNotice } from '../../lib/protocol/messages.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { TestClient } from '../support/test-client.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { until } from '../support/until.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const joinedAt = expect.stringMatching(ISO_TIME);
/** How long "nothing" is watched: several intervals. */
const INTERVAL = 30;
const QUIET = 4 * INTERVAL;

let app: TestApp;

async function start(
  presence: NonNullable<PxlWebSocketModuleOptions['rooms']>['presence'] = { interval: INTERVAL },
  options: PxlWebSocketModuleOptions = {},
  runtime = new Runtime(),
): Promise<void> {
  const rooms = { open: true, presence, ...options.rooms };
  app = await startApp({
    options: { auth: { authenticate: urlIdentity }, ...options, rooms },
    override: (builder) => builder.overrideProvider(Runtime).useValue(runtime),
  });
}

afterEach(() => app.close());

async function join(client: TestClient, data: object = {}): Promise<WsMemberList & Record<string, unknown>> {
  const wish = { roomName: 'tea', presence: true, ...data };
  const { data: answer } = (await client.request('system', 'joinRoom', wish)) as {
    data: WsMemberList & Record<string, unknown>;
  };
  return answer;
}

/** An anonymous client that presents a secret. */
async function comesWith(secret?: string): Promise<{ client: TestClient; clientId: string } & ReturnNotice> {
  const query = secret === undefined ? '' : `?${new URLSearchParams({ resume: secret }).toString()}`;
  const client = await TestClient.open(app.url(`/ws${query}`));
  const { data } = await client.next('system', 'connected');
  return { client, ...(data as { clientId: string } & ReturnNotice) };
}

async function told(client: TestClient): Promise<WsPresencePush> {
  const { data } = await client.next('room', 'presence');
  return data as WsPresencePush;
}

describe('A room with presence', () => {
  it('tells a joiner who is there, itself included', async () => {
    await start();
    const ada = await connectAs(app, { userId: 'ada' });
    expect(await join(ada, { username: 'Ada' })).toMatchObject({
      roomName: 'tea',
      members: [{ userId: 'ada', username: 'Ada', clients: 1, joinedAt }],
      count: 1,
    });
    const bob = await connectAs(app, { userId: 'bob' });
    const { members, count } = await join(bob);
    expect(members).toEqual([
      { userId: 'ada', username: 'Ada', clients: 1, joinedAt },
      { userId: 'bob', clients: 1, joinedAt },
    ]);
    expect(count).toBe(2);
    expect(await told(ada)).toEqual({ roomName: 'tea', joined: [{ userId: 'bob', joinedAt }], count: 2 });
    await bob.expectNothing(QUIET);
  });

  it.each(['drop', 'dropOldest', 'disconnect'] as const)(
    'tells the whole list to a member that reads too slowly, whatever the policy %s does with other messages',
    async (slowConsumer) => {
      const limits = {
        maxBufferedBytes: 65_536,
        slowConsumer,
        slowConsumerGrace: slowConsumer === 'drop' ? 0 : 60_000,
      };
      await start({ interval: INTERVAL, limit: 3 }, { limits });
      const service = app.app.get(WebSocketService);
      const [ada, eve, bob] = [await app.client(), await app.client(), await app.client()];
      await join(ada);
      await join(eve);
      await told(ada);
      const isSlow = (): boolean => {
        const { now, dropped } = service.getWebSocketHealth().slowConsumers;
        return slowConsumer === 'drop' ? dropped > 0 : now > 0;
      };
      ada.socket.pause();
      while (!isSlow()) {
        await service.sendToClients([ada.clientId], { event: 'flood', data: 'x'.repeat(100_000) });
        await new Promise((resolve) => setImmediate(resolve));
      }
      await join(bob);
      expect(await told(eve)).toMatchObject({ joined: [{ clientId: bob.clientId }] });
      await bob.request('system', 'presence', { roomName: 'tea', state: 'away' });
      expect(await told(eve)).toMatchObject({ updated: [{ clientId: bob.clientId }] });
      ada.socket.resume();
      const { members, ...rest } = await told(ada);
      expect(rest).toEqual({ roomName: 'tea', count: 3 });
      expect(members).toHaveLength(3);
      expect(members).toContainEqual({ clientId: bob.clientId, clients: 1, state: 'away', joinedAt });
      await bob.request('system', 'leaveRoom', { roomName: 'tea' });
      expect(await told(ada)).toMatchObject({ left: [{ clientId: bob.clientId }], count: 2 });
    },
  );

  it('tells nobody who has not asked, and nothing about rooms without presence', async () => {
    await start((roomName) => roomName === 'tea');
    const ada = await connectAs(app, { userId: 'ada' });
    expect(await join(ada, { presence: undefined })).not.toHaveProperty('members');
    expect(await join(ada, { roomName: 'plain' })).not.toHaveProperty('members');
    const bob = await connectAs(app, { userId: 'bob' });
    await join(bob);
    await ada.expectNothing(QUIET);
    await expect(ada.request('system', 'members', { roomName: 'plain' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('has one member for all devices of a user, and one for each anonymous client', async () => {
    await start();
    const [phone, laptop] = [await connectAs(app, { userId: 'ada' }), await connectAs(app, { userId: 'ada' })];
    const [first] = (await join(phone)).members;
    expect((await join(laptop)).members).toEqual([{ ...first, clients: 2 }]);
    await phone.expectNothing(QUIET);
    await phone.request('system', 'leaveRoom', { roomName: 'tea' });
    await laptop.expectNothing(QUIET); // she is there since the phone came
    expect(await join(phone)).toMatchObject({ members: [{ userId: 'ada', clients: 2, joinedAt: first!.joinedAt }] });
    await phone.next('user', 'leftRoom');
    const nobody = await app.client();
    await join(nobody);
    expect(await told(phone)).toMatchObject({ joined: [{ clientId: nobody.clientId }], count: 2 });
    await laptop.close();
    await nobody.close();
    expect(await told(phone)).toMatchObject({ left: [{ clientId: nobody.clientId }], count: 1 });
  });

  it('tells of many joins once, and not of who came and went in between', async () => {
    // The interval ends when all of them have come, however long that takes.
    const clock = new ManualRuntime();
    await start({ interval: INTERVAL }, {}, clock);
    const ada = await connectAs(app, { userId: 'ada' });
    await join(ada);
    const others = await Promise.all(['b', 'c', 'd', 'e'].map((userId) => connectAs(app, { userId })));
    await join(others[0]!);
    expect(await told(ada)).toMatchObject({ joined: [{ userId: 'b' }] });
    for (const other of others.slice(1)) await join(other);
    await others[1]!.request('system', 'leaveRoom', { roomName: 'tea' });
    await clock.advance(INTERVAL);
    const { joined, left, count } = await told(ada);
    expect(joined?.map(({ userId }) => userId)).toEqual(['d', 'e']);
    expect([left, count]).toEqual([undefined, 4]);
  });

  it('tells of states, those of one interval as one, and none for the same again', async () => {
    await start();
    const [ada, bob] = [await connectAs(app, { userId: 'ada' }), await connectAs(app, { userId: 'bob' })];
    await join(ada, { state: { mood: 'busy' } });
    expect((await join(bob)).members).toMatchObject([{ userId: 'ada', state: { mood: 'busy' } }, { userId: 'bob' }]);
    await told(ada);
    await ada.request('system', 'presence', { roomName: 'tea', state: { mood: 'busy' } });
    await bob.expectNothing(QUIET);
    await ada.request('system', 'presence', { roomName: 'tea', state: 'away' });
    expect(await told(bob)).toEqual({
      roomName: 'tea',
      updated: [{ userId: 'ada', state: 'away', joinedAt }],
      count: 2,
    });
    await ada.request('system', 'presence', { roomName: 'tea', state: null });
    expect((await told(bob)).updated).toEqual([{ userId: 'ada', joinedAt }]);
  });

  it('shows the state that was set last, also when a client sets its own once more', async () => {
    await start();
    const watcher = await connectAs(app, { userId: 'watcher' });
    const [phone, laptop] = [await connectAs(app, { userId: 'ada' }), await connectAs(app, { userId: 'ada' })];
    await join(phone, { state: 'away', presence: undefined });
    await join(laptop, { state: 'online', presence: undefined });
    expect((await join(watcher)).members).toMatchObject([{ state: 'online' }, { userId: 'watcher' }]);
    await phone.request('system', 'presence', { roomName: 'tea', state: 'away' });
    expect((await told(watcher)).updated).toMatchObject([{ userId: 'ada', state: 'away' }]);
    // The state of a join is what the client has said before: a laptop that comes back does not speak over the phone.
    await laptop.close(4000);
    await join(await connectAs(app, { userId: 'ada' }), { state: 'online', presence: undefined });
    await watcher.expectNothing(QUIET);
  });

  it.each([
    ['too large', { roomName: 'tea', state: 'x'.repeat(255) }, 'BAD_MESSAGE'],
    ['missing', { roomName: 'tea' }, 'BAD_MESSAGE'],
    ['of another room', { roomName: 'milk', state: 1 }, 'FORBIDDEN'],
    ['of no room', { roomName: '', state: 1 }, 'INVALID_ROOM'],
  ])('refuses a state that is %s, and changes nothing', async (_what, data, code) => {
    await start();
    const ada = await connectAs(app, { userId: 'ada' });
    await join(ada, { state: 'here' });
    await expect(ada.request('system', 'presence', data)).rejects.toMatchObject({ code });
    expect(await ada.request('system', 'members', { roomName: 'tea' })).toMatchObject({ members: [{ state: 'here' }] });
  });

  it('lets nobody in with a bad state', async () => {
    await start();
    const ada = await connectAs(app, { userId: 'ada' });
    await expect(join(ada, { state: 'x'.repeat(300) })).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
    await expect(join(ada, { presence: 1 })).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
    await expect(ada.request('system', 'members', { roomName: 'tea' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  it('tells of each room of a list, beside what the rooms have kept', async () => {
    await start(undefined, { rooms: { history: { size: 10, ttl: 60_000 } } });
    const [ada, bob] = [await connectAs(app, { userId: 'ada' }), await connectAs(app, { userId: 'bob' })];
    const rooms = ['tea', 'milk', 'rum'];
    ada.send({
      type: 'system',
      action: 'join',
      data: { rooms: rooms.map((room) => ({ room, presence: true })) },
      id: 1,
    });
    const { response } = await ada.next();
    expect(response).toMatchObject({ joined: rooms.map((room) => ({ room, count: 1 })) });
    for (const roomName of rooms) {
      await join(bob, { roomName });
      expect(await told(ada)).toMatchObject({ roomName, joined: [{ userId: 'bob' }] });
      void app.app.get(WebSocketService).sendToRooms([roomName], { event: 'kept', data: roomName });
      for (const client of [ada, bob]) expect(await client.next()).toMatchObject({ data: roomName, offset: 1 });
    }
  });

  it('refuses the earlier room of a list in one-room mode as without a state', async () => {
    await start(undefined, { rooms: { clientCanJoinMultipleRooms: false } });
    const ada = await app.client({ path: '/ws?userId=ada', protocols: ['event.v1'] });
    ada.send({ event: 'join', data: { rooms: [{ room: 'tea', state: 'hi' }, 'milk'] }, id: 1 });
    const { data } = await ada.take(({ event }) => event === 'join');
    expect(data).toEqual({ rooms: ['milk'], refused: [{ room: 'tea', code: 'CONFLICT' }] });
  });

  it('shows members page by page', async () => {
    await start({ limit: 2, interval: INTERVAL });
    const clients = await Promise.all(['e', 'a', 'd', 'b', 'c'].map((userId) => connectAs(app, { userId })));
    for (const client of clients) await join(client, { presence: undefined });
    const pages: string[][] = [];
    let after: string | undefined;
    for (let more: boolean | undefined = true; more;) {
      const page = (await clients[0]!.request('system', 'members', { roomName: 'tea', after })) as WsMemberList;
      pages.push(page.members.map(({ userId }) => String(userId)));
      after = page.members.at(-1)?.userId;
      more = page.partial;
      expect(page.count).toBe(5);
    }
    expect(pages).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
    await expect(clients[0]!.request('system', 'members', { roomName: 'tea', limit: 3 })).rejects.toMatchObject({
      code: 'BAD_MESSAGE',
    });
  });

  it('tells the count alone in a big room, and the list once it is small again', async () => {
    await start({ limit: 5, interval: INTERVAL });
    const clients = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => connectAs(app, { userId: `u${n}` })));
    for (const client of clients.slice(0, 5)) await join(client);
    const [first, ...others] = clients;
    let push = await told(first!);
    while (push.count < 5) push = await told(first!);
    await first!.expectNothing(QUIET);
    expect(await join(others.at(-1)!)).toMatchObject({ members: [], count: 6, partial: true });
    expect(await told(first!)).toEqual({ roomName: 'tea', count: 6, partial: true });
    await others[0]!.close();
    expect(await told(first!)).toEqual({ roomName: 'tea', count: 5, partial: true });
    await others[1]!.close();
    const small = await told(first!);
    expect(small.members?.map(({ userId }) => userId)).toEqual(['u1', 'u4', 'u5', 'u6']);
    expect(small.count).toBe(4);
    await others[2]!.close();
    expect(await told(first!)).toMatchObject({ left: [{ userId: 'u4' }], count: 3 });
  });

  it('begins to tell a member that the server has put in when it asks, and ends', async () => {
    await start(undefined, { rooms: { open: false, defaults: ['tea'] } });
    const ada = await connectAs(app, { userId: 'ada' });
    expect(await ada.request('system', 'members', { roomName: 'tea', presence: true })).toEqual({
      members: [{ userId: 'ada', clients: 1, joinedAt }],
      count: 1,
    });
    const bob = await connectAs(app, { userId: 'bob' });
    expect(await told(ada)).toMatchObject({ joined: [{ userId: 'bob' }] });
    await ada.request('system', 'members', { roomName: 'tea', presence: false });
    await bob.close();
    await ada.expectNothing(QUIET);
  });

  it('speaks both envelopes', async () => {
    await start();
    const ada = await app.client({ path: '/ws?userId=ada', protocols: ['event.v1'] });
    ada.send({ event: 'join', data: { rooms: [{ room: 'tea', presence: true, state: 'hi' }, 'plain'] }, id: 1 });
    const { data } = (await ada.next()) as { data: unknown };
    const list = { members: [{ userId: 'ada', clients: 1, state: 'hi', joinedAt }], count: 1 };
    expect(data).toEqual({ rooms: ['tea', 'plain'], refused: [], joined: [{ room: 'tea', ...list }] });
    const bob = await connectAs(app, { userId: 'bob' });
    await join(bob);
    expect(await ada.next()).toMatchObject({
      event: 'room:presence',
      data: { roomName: 'tea', joined: [{ userId: 'bob' }], count: 2 },
    });
  });
});

describe('The grace of a room with presence', () => {
  it('keeps a member whose connection was lost, and tells nobody when it comes back', async () => {
    await start({ interval: INTERVAL, grace: 5_000 });
    const [ada, bob] = [await connectAs(app, { userId: 'ada' }), await connectAs(app, { userId: 'bob' })];
    await join(ada, { state: 'writes' });
    const { members } = await join(bob);
    await told(ada);
    await ada.close(4000);
    const again = await connectAs(app, { userId: 'ada' });
    expect(new Set((await join(again)).members)).toEqual(new Set(members));
    await bob.expectNothing(QUIET);
  });

  it('keeps a member that is lost again before it has joined, and its secrets work once', async () => {
    await start({ interval: INTERVAL, grace: 5_000 });
    const bob = await connectAs(app, { userId: 'bob' });
    const first = await comesWith();
    await join(first.client, { state: 'writes' });
    const { members } = await join(bob);
    await first.client.close(4000);
    const second = await comesWith(first.resume);
    await second.client.close(4000);
    const third = await comesWith(second.resume);
    expect([second.resumed, third.resumed]).toEqual([true, true]);
    expect(await comesWith(first.resume)).toMatchObject({ resumed: false });
    expect(new Set((await join(third.client)).members)).toEqual(new Set(members));
    await bob.expectNothing(QUIET);
    await third.client.close();
    expect(await told(bob)).toMatchObject({ left: [{ clientId: first.clientId }], count: 1 });
  });

  it('does not believe a client how long it has to wait', async () => {
    await start({ interval: INTERVAL, grace: 100 }, { shutdown: { reconnectSpread: 100 } });
    const [ada, bob] = [await connectAs(app, { userId: 'ada' }), await connectAs(app, { userId: 'bob' })];
    await join(ada);
    await join(bob);
    await ada.close(1012, '{"after":9999999}');
    expect(await told(bob)).toMatchObject({ left: [{ userId: 'ada' }] });
  });

  it('ends with one leave', async () => {
    const clock = new ManualRuntime();
    await start({ interval: INTERVAL, grace: 200 }, {}, clock);
    const [ada, bob] = [await connectAs(app, { userId: 'ada' }), await connectAs(app, { userId: 'bob' })];
    await join(ada);
    await join(bob);
    await ada.close(4000);
    const service = app.app.get(WebSocketService);
    await until('the server knows', () => service.getWebSocketHealth().activeConnections === 1);
    await clock.advance(199);
    await bob.expectNothing(QUIET);
    await clock.advance(1);
    expect(await told(bob)).toMatchObject({ left: [{ userId: 'ada' }], count: 1 });
  });

  it('is not for those who close their connection for good', async () => {
    await start();
    const [ada, bob] = [await connectAs(app, { userId: 'ada' }), await connectAs(app, { userId: 'bob' })];
    await join(ada);
    await join(bob);
    await ada.close(1000);
    expect(await told(bob)).toMatchObject({ left: [{ userId: 'ada' }], count: 1 });
  });
});
