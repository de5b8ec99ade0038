import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocketGateway } from '@nestjs/websockets';
import {
  ClientManager,
  defineWebSocketSubscriber,
  PxlWebSocketServer,
  readRoomKey,
  roomKey,
  RoomManager,
  WebSocketService,
  WsError,
  WsRoute,
  type PxlWebSocketModuleOptions,
  type WsClient,
  type WsRoomOptions,
} from 'nestjs-pxl-websocket';
import { resolveOptions } from '../../lib/pxl-websocket.module-options.js';
import { eventually } from '../../lib/testing/eventually.js';
import { refusalOf } from '../support/history-requests.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient, type Received } from '../support/test-client.js';
import { claimsOf, hs256, SECRET } from '../support/tokens.js';
import { urlIdentity } from '../support/url-identity.js';

@WebSocketGateway()
class Gateway {
  @WsRoute('test', 'join')
  join(client: WsClient, data: { roomName: string; namespace?: string }): Promise<boolean> {
    return client.join(data.roomName, { namespace: data.namespace });
  }

  @WsRoute('test', 'leave')
  leave(client: WsClient, data: { roomName: string; namespace?: string }): boolean {
    client.leave(data.roomName, { namespace: data.namespace });
    return true;
  }

  @WsRoute('test', 'rooms')
  rooms(client: WsClient): string[] {
    return [...client.rooms];
  }

  @WsRoute('test', 'tenant')
  tenant(client: WsClient, tenant: unknown): boolean {
    client.metadata.tenant = tenant;
    return true;
  }
}

@WebSocketGateway({ path: '/events' })
class EventGateway {}

@WebSocketGateway({ path: '/plain' })
class PlainGateway {}

const namespace = (client: WsClient): string | undefined =>
  (client.metadata.tenant ?? client.user?.payload.tenant) as string | undefined;
const ACME = { namespace: 'acme' };
const KEY = roomKey({ roomName: 'lobby', namespace: 'acme' });

let app: TestApp | null = null;
/** What the application's functions were asked: their name, the room's, and the namespace. */
let asked: unknown[][];
let events: unknown[];
afterEach(async () => {
  await app?.close();
  app = null;
});

async function start(rooms: WsRoomOptions = {}, options: PxlWebSocketModuleOptions = {}): Promise<void> {
  asked = [];
  events = [];
  app = await startApp({
    providers: [Gateway, EventGateway, PlainGateway],
    options: {
      auth: { authenticate: urlIdentity },
      ...options,
      rooms: { open: true, namespace, ...options.rooms, ...rooms },
      endpoints: {
        '/events': { protocol: 'event', rooms: { defaults: [] } },
        '/plain': { rooms: { namespace: undefined } },
      },
      subscribers: [
        defineWebSocketSubscriber({
          channels: ['clientJoinedRoom', 'clientLeftRoom', 'roomOccupied', 'presenceJoined'],
          handle: ({ channel, message }) => void events.push([channel, message]),
        }),
      ],
    },
  });
}

/** Notes what a function is asked, and answers the same. */
function noted<Answer>(name: string, answer: Answer): (request: { roomName: string; namespace?: string }) => Answer {
  return ({ roomName, namespace: of }) => {
    asked.push([name, roomName, of]);
    return answer;
  };
}

async function connect(tenant?: string, path = '/ws', userId = tenant ?? 'nobody'): Promise<TestClient> {
  const query = new URLSearchParams(tenant === undefined ? {} : { userId, tenant });
  const client = await TestClient.open(running().url(`${path}?${query.toString()}`));
  await client.welcomed();
  return client;
}

async function member(tenant: string, path = '/ws', roomName = 'lobby'): Promise<TestClient> {
  const client = await connect(tenant, path);
  await client.join(roomName);
  return client;
}

function running(): TestApp {
  if (!app) throw new Error('There is no application.');
  return app;
}

const sockets = (): WebSocketService => running().app.get(WebSocketService);
const server = (): PxlWebSocketServer => running().app.get(PxlWebSocketServer);
const manager = (): RoomManager => running().app.get(RoomManager);
const NEWS = { type: 'test', action: 'news', data: 1 };
const heard = (client: TestClient): Promise<Received> => client.next('test', 'news');

/** What a client was sent, its own answers left out, holds no key. */
function expectNames(...clients: TestClient[]): void {
  for (const { pending } of clients) expect(JSON.stringify(pending)).not.toMatch(/\\u001f|acme|globex/);
}

describe('Clients of two namespaces in rooms of the same name', () => {
  const sends: [string, (namespace?: string) => unknown][] = [
    ['sendToRooms', (of) => sockets().sendToRooms(['lobby', 'other'], NEWS, { namespace: of })],
    [
      'send',
      (of) =>
        sockets().send({ destination: { room: 'lobby', namespace: of }, payload: { topic: 'test:news', data: 1 } }),
    ],
    ['broadcastToRoom', (of) => server().broadcastToRoom({ roomName: 'lobby', namespace: of, data: NEWS })],
    ['local.broadcastToRoom', (of) => server().local.broadcastToRoom({ roomName: 'lobby', namespace: of, data: NEWS })],
    ['a literal key', (of) => sockets().sendToRooms([roomKey({ roomName: 'lobby', namespace: of })], NEWS)],
  ];

  it('are reached by each verb in their namespace, and without one nobody is', async () => {
    await start({ named: true });
    const [ada, eve, bob] = [await member('acme'), await member('acme', '/events'), await member('globex')];
    for (const [verb, send] of sends) {
      await send();
      await send('initech');
      await send('acme');
      expect([verb, await heard(ada)]).toEqual([verb, { ...NEWS, room: 'lobby' }]);
      expect([verb, await heard(eve)]).toEqual([verb, { event: 'test:news', data: 1, room: 'lobby' }]);
      expect([verb, ...ada.pending, ...eve.pending, ...bob.pending]).toEqual([verb]);
    }
    await bob.expectNothing(30);
  });

  it('do not learn of each other: announcements, whispers, presence', async () => {
    await start({
      announce: true,
      named: true,
      whisper: noted('whisper', true),
      presence: (roomName, of) => {
        asked.push(['presence', roomName, of]);
        return { interval: 20 };
      },
      authorize: noted('authorize', true),
      profile: noted('profile', { team: 'tea' }),
    });
    const members = async (client: TestClient): Promise<unknown[]> =>
      (await client.members('lobby')).members.map(({ userId }) => userId);
    const bob = await member('globex', '/events');
    const ada = await connect('acme');
    await ada.request('system', 'joinRoom', { roomName: 'lobby', presence: true });
    const eve = await connect('acme', '/events', 'eve');
    const answer = (await eve.request('system', 'joinRoom', { roomName: 'lobby', presence: true, state: 'new' })) as {
      data: { roomName: string; count: number };
    };
    expect(answer.data).toMatchObject({ roomName: 'lobby', count: 2 });
    expect(await ada.next('room', 'memberJoined')).toMatchObject({
      data: { roomName: 'lobby', member: { userId: 'eve' } },
      room: 'lobby',
    });
    expect(await ada.next('room', 'presence')).toMatchObject({
      data: { roomName: 'lobby', joined: [{ userId: 'eve' }], count: 2 },
      room: 'lobby',
    });
    await ada.whisper('lobby', 'typing', 'x');
    expect(await eve.next('whisper', 'typing')).toMatchObject({ room: 'lobby', data: 'x', from: { userId: 'acme' } });
    await eve.request('system', 'presence', { roomName: 'lobby', state: 'busy' });
    expect(await ada.next('room', 'presence')).toMatchObject({ data: { updated: [{ userId: 'eve', state: 'busy' }] } });
    expect(await members(ada)).toEqual(['acme', 'eve']);
    expect(await members(bob)).toEqual(['globex']);

    expect(await sockets().countMembers('lobby', ACME)).toMatchObject({ count: 2 });
    expect(await sockets().countMembers('lobby')).toMatchObject({ count: 0 });
    expect((await sockets().getMembers('lobby', { ...ACME, limit: 1 })).members).toMatchObject([{ userId: 'acme' }]);
    await sockets().setPresence({ room: 'lobby', userId: 'eve', state: 'set', ...ACME });
    expect(await ada.next('room', 'presence')).toMatchObject({ data: { updated: [{ state: 'set' }] } });
    await eve.close();
    expect(await ada.next('room', 'memberLeft')).toMatchObject({ data: { roomName: 'lobby' }, room: 'lobby' });
    await bob.expectNothing(60);
    expectNames(ada);
    expect(asked.filter(([rule]) => rule !== 'presence')).toEqual([
      ...[
        ['authorize', 'lobby', 'globex'],
        ['profile', 'lobby', 'globex'],
      ],
      ...[
        ['authorize', 'lobby', 'acme'],
        ['profile', 'lobby', 'acme'],
      ],
      ...[
        ['authorize', 'lobby', 'acme'],
        ['profile', 'lobby', 'acme'],
      ],
      ['whisper', 'lobby', 'acme'],
    ]);
    expect(asked).toContainEqual(['presence', 'lobby', 'acme']);
    expect(events).toContainEqual([
      'clientJoinedRoom',
      expect.objectContaining({ clientId: ada.clientId, roomName: 'lobby', namespace: 'acme' }),
    ]);
    expect(events).toContainEqual(['roomOccupied', { roomName: 'lobby', namespace: 'acme' }]);
    expect(events).toContainEqual([
      'presenceJoined',
      expect.objectContaining({ roomName: 'lobby', namespace: 'globex' }),
    ]);
  });

  it('hear a list of members that is too long for an answer by the bare name', async () => {
    const profile = { text: 'x'.repeat(700) };
    await start(
      { presence: { interval: 20 }, named: true, profile: () => profile },
      { limits: { maxPushBytes: 1_024 } },
    );
    const ada = await connect('acme');
    const wish = { roomName: 'lobby', presence: true };
    expect(await ada.request('system', 'joinRoom', wish)).toMatchObject({ data: { members: [], partial: true } });
    expect(await ada.next('room', 'presence')).toMatchObject({
      data: { roomName: 'lobby', members: [{ profile }] },
      room: 'lobby',
    });
  });

  it('have histories of their own', async () => {
    await start({
      history: (roomName, of) => {
        asked.push(['history', roomName, of]);
        return { size: 10, ttl: 60_000 };
      },
      mayRead: noted('mayRead', true),
    });
    const [ada, bob] = [await member('acme'), await member('globex')];
    await sockets().sendToRooms(['lobby'], NEWS, ACME);
    expect(await heard(ada)).toEqual({ ...NEWS, room: 'lobby', offset: 1 });
    const eve = await connect('acme', '/events');
    expect(await eve.join('lobby', { history: 5 })).toMatchObject({ roomName: 'lobby', replayed: 1 });
    expect(await heard(eve)).toEqual({ event: 'test:news', data: 1, room: 'lobby', offset: 1 });
    const page = (client: TestClient): Promise<unknown> => client.request('system', 'history', { roomName: 'lobby' });
    expect(await page(eve)).toMatchObject({ messages: [{ offset: 1 }] });
    expect(await page(bob)).toMatchObject({ messages: [] });
    const { position } = (await page(bob)) as { position: object };
    const recover = { roomName: 'lobby', since: position };
    expect(await bob.request('system', 'recover', recover)).toMatchObject({ roomName: 'lobby', recovered: true });

    expect((await sockets().getHistory('lobby', ACME)).messages).toMatchObject([{ message: NEWS }]);
    expect((await sockets().getHistory('lobby')).messages).toEqual([]);
    await sockets().sendToRooms(['lobby'], NEWS, { ...ACME, exclude: { users: ['acme'] } });
    expect(await ada.next('room', 'position')).toMatchObject({ data: { roomName: 'lobby', position: { offset: 2 } } });
    await sockets().clearHistory('lobby', ACME);
    expect(await ada.next('room', 'lost')).toMatchObject({ data: { roomName: 'lobby', reason: 'epoch' } });
    // A position of another namespace's room means nothing.
    await bob.request('system', 'leaveRoom', { roomName: 'lobby' });
    const { position: acme } = await sockets().getHistory('lobby', { ...ACME, limit: 0 });
    expect(await bob.join('lobby', { since: acme })).toMatchObject({ recovered: false, reason: 'epoch' });
    await bob.next('user', 'leftRoom');
    await bob.expectNothing(30);
    expect(asked).toContainEqual(['history', 'lobby', 'acme']);
    expect(asked).toContainEqual(['history', 'lobby', undefined]);
    expect(asked).toContainEqual(['mayRead', 'lobby', 'acme']);
    expect(asked.filter((question) => JSON.stringify(question).includes('\\u001f'))).toEqual([]);
  });

  it('are told apart by filters and by who is left out', async () => {
    await start({
      filters: {
        seen: ({ roomName, namespace: of, userId }) => noted('filter', userId !== null)({ roomName, namespace: of }),
      },
    });
    const [ada, bob] = [await member('acme'), await member('globex')];
    await sockets().sendToRooms(['lobby'], NEWS, { ...ACME, where: ['seen', null] });
    await heard(ada);
    expect(asked).toEqual([['filter', 'lobby', 'acme']]);
    // `exclude.rooms` is in the same namespace.
    await ada.join('muted');
    await bob.join('muted');
    await sockets().sendToRooms(['lobby'], NEWS, { ...ACME, exclude: { rooms: ['muted'] } });
    await sockets().sendToRooms(['lobby'], NEWS, { namespace: 'globex', exclude: { rooms: ['muted'] } });
    await sockets().broadcast(NEWS, { exclude: { rooms: [roomKey({ roomName: 'muted', namespace: 'acme' })] } });
    await heard(bob);
    await Promise.all([ada.expectNothing(30), bob.expectNothing(30)]);
  });

  it('join and leave lists of rooms, and one room after the other, by bare names', async () => {
    await start({ clientCanJoinMultipleRooms: false });
    const [ada, eve, bob] = [await member('acme'), await connect('acme', '/events'), await member('globex')];
    expect(await eve.request('event', 'join', { rooms: ['lobby', { room: 'tea' }, KEY] })).toEqual({
      rooms: ['tea'],
      refused: [
        { room: KEY, code: 'INVALID_ROOM' },
        { room: 'lobby', code: 'CONFLICT' },
      ],
    });
    await ada.join('tea');
    expect(await ada.next('room', 'left')).toEqual({
      type: 'room',
      action: 'left',
      data: { roomName: 'lobby', reason: 'replaced' },
    });
    expect(await ada.request('test', 'rooms')).toEqual([roomKey({ roomName: 'tea', namespace: 'acme' })]);
    expect(await eve.request('event', 'leave', { rooms: ['tea'] })).toEqual({ rooms: ['tea'], refused: [] });
    await ada.request('system', 'leaveRoom', { roomName: 'tea' });
    expect(await ada.request('test', 'rooms')).toEqual([]);
    expect(await bob.request('test', 'rooms')).toEqual([roomKey({ roomName: 'lobby', namespace: 'globex' })]);
    expect([...manager().rooms.keys()].map((key) => readRoomKey(key))).toEqual([
      { roomName: 'lobby', namespace: 'globex' },
    ]);
  });
});

describe('The name of a room', () => {
  const crafted = [KEY, 'globex\u001flobby', '\u001flobby', 'lobby\u001f', '\u001f', 'a\u001fb\u001fc'];
  const requests: [string, (roomName: string) => object][] = [
    ...['joinRoom', 'leaveRoom', 'members', 'history'].map((action): [string, (roomName: string) => object] => [
      action,
      (roomName) => ({ roomName }),
    ]),
    ['presence', (roomName) => ({ roomName, state: 1 })],
    ['whisper', (roomName) => ({ roomName, action: 'typing' })],
    ['recover', (roomName) => ({ roomName, since: { epoch: 'e', offset: 0 } })],
  ];

  it('reaches no other namespace, on any endpoint, by any request', async () => {
    await start({ whisper: true, presence: true, history: { size: 5, ttl: 1_000 } });
    const [ada, bob] = [await member('acme'), await member('globex')];
    // A client without the function, and one whose namespace there is none of.
    const [eve, cy] = [await connect('initech', '/events'), await connect('acme', '/plain')];
    for (const client of [bob, eve, cy]) {
      for (const roomName of crafted) {
        for (const [action, fields] of requests) {
          expect([action, await refusalOf(client, action, fields(roomName))]).toEqual([action, 'INVALID_ROOM']);
        }
      }
      const list = { rooms: crafted };
      expect(await client.request('system', 'join', list)).toMatchObject({
        rooms: [],
        refused: crafted.map((room) => ({ room, code: 'INVALID_ROOM' })),
      });
    }
    await cy.join('lobby');
    await sockets().sendToRooms(['lobby'], NEWS);
    await heard(cy);
    expect(await refusalOf(eve, 'members', { roomName: 'lobby' })).toBe('FORBIDDEN');
    expect(manager().getRoomClients({ roomName: KEY })).toEqual([ada.clientId]);
    await Promise.all([ada.expectNothing(30), bob.expectNothing(30)]);
  });

  it('may be any where there are no namespaces', async () => {
    await start({
      namespace: undefined,
      named: true,
      whisper: true,
      history: (roomName) => {
        asked.push([roomName]);
        return { size: 5, ttl: 1_000 };
      },
    });
    const ada = await member('acme', '/ws', KEY);
    await sockets().sendToRooms([KEY], NEWS);
    expect(await heard(ada)).toEqual({ ...NEWS, room: KEY, offset: 1 });
    expect(asked).toEqual([[KEY]]);
    expect(events).toContainEqual(['clientJoinedRoom', expect.not.objectContaining({ namespace: 'acme' })]);
    expect(events).toContainEqual(['clientJoinedRoom', expect.objectContaining({ roomName: KEY })]);
    const noNamespaces = {
      code: 'BAD_MESSAGE',
      message: 'There are no namespaces without the option rooms.namespace.',
    };
    await expect(sockets().sendToRooms(['lobby'], NEWS, ACME)).rejects.toMatchObject(noNamespaces);
    expect(() => server().broadcastToRoom({ roomName: 'lobby', data: NEWS, ...ACME })).toThrow(noNamespaces.message);
  });

  it('is as long as limits.roomName allows, without its namespace', async () => {
    const roomName = 'r'.repeat(128);
    await start({ namespace: () => 'n'.repeat(128) });
    const ada = await member('acme', '/ws', roomName);
    const key = (await ada.request('test', 'rooms')) as string[];
    expect(key).toEqual([roomKey({ roomName, namespace: 'n'.repeat(128) })]);
    const bob = await connect('globex');
    await sockets().joinRooms({ clientIds: [bob.clientId], rooms: key });
    expect(manager().getRoomClients({ roomName, namespace: 'n'.repeat(128) })).toEqual([ada.clientId, bob.clientId]);
    await expect(
      sockets().joinRooms({ clientIds: [bob.clientId], rooms: [`${roomName}r`], namespace: 'n' }),
    ).rejects.toMatchObject({ code: 'INVALID_ROOM' });
  });
});

describe('The verbs of the server', () => {
  it('put clients into rooms of a namespace, and take them out, by name and by key', async () => {
    await start();
    const ada = await connect('acme');
    const { clientId } = ada;
    const left = { type: 'room', action: 'left', data: { roomName: 'lobby', reason: 'removed' } };
    const rounds: [() => unknown, () => unknown][] = [
      [
        () => sockets().joinRooms({ clientIds: [clientId], rooms: ['lobby'], ...ACME }),
        () => sockets().leaveRooms({ clientIds: [clientId], rooms: ['lobby'], ...ACME }),
      ],
      [
        () => server().joinRoom({ clientId, roomName: 'lobby', ...ACME }),
        () => server().leaveRoom({ clientId, roomName: 'lobby', ...ACME }),
      ],
      [
        () => manager().addClientToRoom({ clientId, roomName: 'lobby', ...ACME }),
        () => manager().removeClientFromRoom({ clientId, roomName: 'lobby', ...ACME }),
      ],
      [
        () => ada.request('test', 'join', { roomName: 'lobby', ...ACME }),
        () => ada.request('test', 'leave', { roomName: 'lobby', ...ACME }),
      ],
      [
        () => sockets().joinRooms({ clientIds: [clientId], rooms: [KEY] }),
        () => sockets().leaveRooms({ clientIds: [clientId], rooms: [KEY] }),
      ],
    ];
    for (const [enter, exit] of rounds) {
      await enter();
      expect(await ada.request('test', 'rooms')).toEqual([KEY]);
      expect(manager().isClientInRoom({ clientId, roomName: 'lobby', ...ACME })).toBe(true);
      expect(manager().isClientInRoom({ clientId, roomName: 'lobby' })).toBe(false);
      expect(
        running()
          .app.get(ClientManager)
          .getClientsByRoom({ room: 'lobby', ...ACME }),
      ).toHaveLength(1);
      expect(await sockets().countClients({ room: 'lobby', ...ACME })).toMatchObject({ count: 1 });
      expect(await sockets().countClients({ room: 'lobby', userId: 'acme', ...ACME })).toMatchObject({ count: 1 });
      expect((await sockets().fetchClients({ room: 'lobby', ...ACME })).clients).toMatchObject([{ roomName: KEY }]);
      expect(await sockets().countClients({ room: 'lobby' })).toMatchObject({ count: 0 });
      expect(await sockets().getUserRooms('acme')).toMatchObject({ rooms: [KEY] });
      await exit();
      expect(await ada.next('room', 'left')).toEqual(left);
    }
    await ada.join('lobby');
    await sockets().disconnectRoom({ room: 'lobby' });
    await sockets().disconnectRoom({ room: 'lobby', namespace: 'globex' });
    await ada.request('system', 'ping');
    await sockets().disconnectRoom({ room: 'lobby', ...ACME });
    expect(await ada.closed).toMatchObject({ code: 4506 });
  });

  it('refuse what is no namespace', async () => {
    await start();
    const calls: ((of: string) => Promise<unknown>)[] = [
      (of) => sockets().sendToRooms(['lobby'], NEWS, { namespace: of }),
      (of) => sockets().joinRooms({ clientIds: [], rooms: ['lobby'], namespace: of }),
      (of) => sockets().getHistory('lobby', { namespace: of }),
      (of) => sockets().fetchClients({ room: 'lobby', namespace: of }),
    ];
    for (const wrong of ['', 'a\u001fb', 'n'.repeat(129), 7 as unknown as string, null as unknown as string]) {
      for (const call of calls) await expect(call(wrong)).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
    }
  });

  it('take no key together with a namespace, and no namespace without a room', async () => {
    await start();
    await expect(sockets().sendToRooms([KEY], NEWS, ACME)).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
    await expect(sockets().countClients(ACME)).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
    const both = { userId: 'ada', ...ACME } as { userId: string };
    await expect(sockets().reauthorize(both)).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
    const toUser = { destination: { user: 'ada', ...ACME }, payload: { topic: 'x', data: 1 } };
    await expect(sockets().send(toUser)).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
  });
});

describe('A client in a literal room', () => {
  it('hears it by its literal name, and cannot be in its own room of that name too', async () => {
    await start({ named: true, whisper: true });
    const [ada, bob] = [await connect('acme'), await connect('globex')];
    await sockets().joinRooms({ clientIds: [ada.clientId, bob.clientId], rooms: ['lobby'] });
    // What the server has put them into is what they call so.
    await ada.join('lobby');
    await ada.whisper('lobby', 'typing');
    expect(await bob.next('whisper', 'typing')).toMatchObject({ room: 'lobby' });
    await sockets().sendToRooms(['lobby'], NEWS);
    expect(await heard(ada)).toMatchObject({ room: 'lobby' });
    const alike = { code: 'CONFLICT', message: 'The client is in another room that it calls by this name.' };
    await expect(server().joinRoom({ clientId: ada.clientId, roomName: 'lobby', ...ACME })).rejects.toMatchObject(
      alike,
    );
    await ada.request('system', 'leaveRoom', { roomName: 'lobby' });
    await ada.join('lobby');
    expect(await ada.request('test', 'rooms')).toEqual([KEY]);
    for (const other of [undefined, 'globex']) {
      const join = sockets().joinRooms({ clientIds: [ada.clientId], rooms: ['lobby'], namespace: other });
      await expect(join).rejects.toMatchObject(alike);
    }
    await sockets().joinRooms({ clientIds: [ada.clientId], rooms: ['tea'], namespace: 'globex' });
    await ada.whisper('tea', 'typing');
    expect(await ada.request('test', 'rooms')).toEqual([KEY, roomKey({ roomName: 'tea', namespace: 'globex' })]);
  });
});

describe('rooms.namespace', () => {
  it('that answers no namespace lets a client join nothing; a mistake is reported', async () => {
    let answer: unknown;
    const errors: string[] = [];
    await start(
      { namespace: () => answer as string },
      { events: { onError: ({ error }) => void errors.push(error.message) } },
    );
    const ada = await connect('acme');
    const none = [undefined, null, false, Promise.resolve(undefined)];
    const mistakes = ['', 'a\u001fb', 'n'.repeat(129), 7, true, new Error('returned'), Promise.resolve({})];
    for (answer of [...none, ...mistakes]) {
      expect([answer, await refusalOf(ada, 'joinRoom', { roomName: 'lobby' })]).toEqual([answer, 'FORBIDDEN']);
    }
    expect(errors).toHaveLength(mistakes.length);
    expect(await ada.request('test', 'rooms')).toEqual([]);
  });

  it('that fails lets a client join nothing', async () => {
    let answer: () => string | Promise<string>;
    await start({ namespace: () => answer() }, { timeouts: { hook: 50 } });
    const ada = await connect('acme');
    const failures: [() => string | Promise<string>, string][] = [
      [() => fail(new Error('database')), 'INTERNAL'],
      [() => Promise.reject(new Error('database')), 'INTERNAL'],
      [() => fail(new WsError('NOT_FOUND', 'No tenant.')), 'NOT_FOUND'],
      [() => new Promise(() => undefined), 'TIMEOUT'],
    ];
    for (const [failure, code] of failures) {
      answer = failure;
      expect(await refusalOf(ada, 'joinRoom', { roomName: 'lobby' })).toBe(code);
    }
    expect(await ada.request('test', 'rooms')).toEqual([]);
  });

  it('is awaited; who leaves meanwhile is not put in', async () => {
    let answer: (of: string) => void = () => undefined;
    await start(
      { namespace: () => new Promise<string>((resolve) => (answer = resolve)) },
      { inbound: { concurrency: 3 } },
    );
    const ada = await connect('acme');
    const join = refusalOf(ada, 'joinRoom', { roomName: 'lobby' });
    await ada.request('system', 'leaveRoom', { roomName: 'lobby' });
    answer('acme');
    expect(await join).toBe('CONFLICT');
    expect(await ada.request('test', 'rooms')).toEqual([]);
    const again = ada.join('lobby');
    await ada.request('test', 'rooms');
    answer('acme');
    await again;
    expect(await ada.request('test', 'rooms')).toEqual([KEY]);
  });

  it('that changes takes a client out of the rooms that it has asked for, and of no others', async () => {
    await start();
    const ada = await connect('acme');
    await ada.join('lobby');
    await ada.join('tea');
    await sockets().joinRooms({ clientIds: [ada.clientId], rooms: ['staff'], ...ACME });
    const rooms = (...keys: [string, string][]): string[] =>
      keys.map(([of, roomName]) => roomKey({ roomName, namespace: of }));
    const left = (roomName: string): object => ({ type: 'room', action: 'left', data: { roomName, reason: 'rule' } });

    await ada.request('test', 'tenant', 'globex');
    await ada.join('lobby');
    expect([await ada.next('room', 'left'), await ada.next('room', 'left')]).toEqual([left('lobby'), left('tea')]);
    expect(await ada.request('test', 'rooms')).toEqual(rooms(['acme', 'staff'], ['globex', 'lobby']));
    await ada.request('test', 'tenant', 'initech');
    await sockets().reauthorize({ userId: 'acme' });
    expect(await ada.next('room', 'left')).toEqual(left('lobby'));
    expect(await ada.request('test', 'rooms')).toEqual(rooms(['acme', 'staff']));
  });

  it('is asked again when who the client is changes; an answer about who it was is not used', async () => {
    const answers: (() => void)[] = [];
    let isSlow = false;
    const tenantOf = (client: WsClient): string => (client.user?.payload.tenant as string | undefined) ?? 'public';
    await start(
      {
        namespace: (client) => {
          const answer = tenantOf(client);
          return isSlow ? new Promise((resolve) => answers.push(() => resolve(answer))) : answer;
        },
      },
      { auth: { jwt: { secret: SECRET }, required: false, mode: 'either' }, inbound: { concurrency: 2 } },
    );
    const client = await member('nobody');
    const rooms = (): Promise<unknown> => client.request('test', 'rooms');
    const left = { type: 'room', action: 'left', data: { roomName: 'lobby', reason: 'rule' } };
    const lobbyOf = (of: string): string[] => [roomKey({ roomName: 'lobby', namespace: of })];
    const token = (tenant: string): object => ({ token: hs256(claimsOf('ada', { tenant })) });
    expect(await rooms()).toEqual(lobbyOf('public'));
    await client.request('system', 'authenticate', token('acme'));
    expect(await client.next('room', 'left')).toEqual(left);
    await client.join('lobby');
    expect(await rooms()).toEqual(lobbyOf('acme'));
    await client.request('system', 'refresh', token('acme'));
    expect(await rooms()).toEqual(lobbyOf('acme'));
    await client.request('system', 'refresh', token('globex'));
    expect(await client.next('room', 'left')).toEqual(left);

    isSlow = true;
    const join = client.join('lobby');
    await eventually('it is asked', () => answers.length === 1);
    await client.request('system', 'refresh', token('initech'));
    answers[0]!();
    await eventually('it is asked about who the client is now', () => answers.length === 2);
    answers[1]!();
    await join;
    expect(await rooms()).toEqual(lobbyOf('initech'));
  });

  it.each<[string, () => Promise<void>]>([
    ['the user', () => sockets().reauthorize({ userId: 'acme' })],
    ['a room', () => sockets().reauthorize({ room: 'lobby', ...ACME })],
  ])('is asked once for a list, and again when reauthorize asks about %s meanwhile', async (_what, reauthorize) => {
    let tenant = 'acme';
    const answers: (() => void)[] = [];
    await start({
      namespace: () => {
        const answer = tenant;
        return new Promise((resolve) => answers.push(() => resolve(answer)));
      },
    });
    const ada = await connect('acme');
    const join = ada.request('system', 'join', { rooms: ['lobby', 'tea', 'chess'] });
    await eventually('it is asked', () => answers.length === 1);
    tenant = 'globex';
    await reauthorize();
    answers[0]!();
    await eventually('it is asked again', () => answers.length === 2);
    answers[1]!();
    expect(await join).toEqual({ rooms: ['lobby', 'tea', 'chess'], refused: [] });
    const keys = ['lobby', 'tea', 'chess'].map((roomName) => roomKey({ roomName, namespace: 'globex' }));
    expect(await ada.request('test', 'rooms')).toEqual(keys);
    expect(answers).toHaveLength(2);
  });

  it('leaves the own rooms of clients as they are', async () => {
    await start({}, { protocol: 'event', rooms: { own: true, defaults: [] } });
    const [ada, bob] = [await connect('acme'), await connect('acme')];
    const { clientId } = ada;
    expect(await bob.request('event', 'join', { rooms: [clientId] })).toMatchObject({
      refused: [{ room: clientId, code: 'FORBIDDEN' }],
    });
    await ada.request('event', 'leave', { rooms: [clientId] });
    await ada.request('event', 'join', { rooms: [clientId] });
    await sockets().sendToRooms([clientId], { event: 'own' });
    await ada.next('event', 'own');
    expect(manager().getRoomClients({ roomName: clientId })).toEqual([clientId]);
  });

  it('that fails when it is asked again leaves everything as it was', async () => {
    let isDown = false;
    const errors: string[] = [];
    await start(
      { namespace: () => (isDown ? fail(new Error('database')) : 'acme') },
      { events: { onError: ({ error }) => void errors.push(error.message) } },
    );
    const ada = await member('acme');
    isDown = true;
    await sockets().reauthorize({ room: 'lobby', ...ACME });
    expect(await ada.request('test', 'rooms')).toEqual([KEY]);
    expect(errors).toHaveLength(1);
  });

  it.each<[string, PxlWebSocketModuleOptions, string]>([
    [
      'anything but a function',
      { rooms: { namespace: 'acme' as unknown as () => string } },
      'rooms.namespace is a function',
    ],
    [
      'default rooms where members are announced',
      { rooms: { namespace, defaults: ['news'], announce: true } },
      'rooms.defaults is an empty list where there are rooms.namespace and rooms.announce',
    ],
    ['default rooms with presence', { rooms: { namespace, defaults: ['news'], presence: true } }, 'rooms.presence'],
    ['default rooms with whispers', { rooms: { namespace, defaults: ['news'], whisper: true } }, 'rooms.whisper'],
    [
      'a client list of rooms',
      { rooms: { namespace }, clientList: { enabled: true } },
      'clientList.fields has no rooms',
    ],
  ])('refuses %s', (_what, options, sentence) => {
    expect(() => resolveOptions(options)).toThrow(sentence);
  });
});

function fail(error: Error): never {
  throw error;
}
