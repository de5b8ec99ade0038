import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  PxlWebSocketServer,
  RoomManager,
  WebSocketService,
  type WsSendOptions,
  type WebSocketMessage,
} from 'nestjs-pxl-websocket';
import { refused } from '../support/refused.js';
import { startApp, type TestApp } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

const news: WebSocketMessage = { type: 'news', action: 'flash', data: { text: 'hello' } };

let app: TestApp;
let service: WebSocketService;
let server: PxlWebSocketServer;
/** Two sessions of user 7, one of user 8, one anonymous client. */
let ada: TestClient;
let adaAgain: TestClient;
let bob: TestClient;
let nobody: TestClient;
let all: TestClient[];

beforeAll(async () => {
  app = await startApp({ options: { auth: { authenticate: urlIdentity } } });
  service = app.app.get(WebSocketService);
  server = app.app.get(PxlWebSocketServer);
});

afterAll(() => app.close());

beforeEach(async () => {
  ada = await connectAs(app, { userId: '7' });
  adaAgain = await connectAs(app, { userId: '7' });
  bob = await connectAs(app, { userId: '8' });
  nobody = await app.client();
  all = [ada, adaAgain, bob, nobody];
});

afterEach(async () => {
  for (const client of all) await client.close();
});

async function join(client: TestClient, ...roomNames: string[]): Promise<void> {
  for (const roomName of roomNames) {
    await app.app.get(RoomManager).addClientToRoom({ clientId: client.clientId, roomName });
  }
}

async function leave(client: TestClient, roomName: string): Promise<void> {
  app.app.get(RoomManager).removeClientFromRoom({ clientId: client.clientId, roomName });
  expect((await client.next('room', 'left')).data).toEqual({ roomName, reason: 'removed' });
}

/** Checks that these clients, and no others, have got one message each; what was sent before a ping arrives before its pong. */
async function expectReached(expected: readonly TestClient[], message: unknown = news): Promise<void> {
  for (const client of all) {
    await client.request('system', 'ping');
    expect(client.pending).toEqual(expected.includes(client) ? [message] : []);
    if (expected.includes(client)) await client.next();
  }
}

describe('broadcast', () => {
  it('reaches everybody once, users and anonymous clients', async () => {
    await service.broadcast(news);
    await expectReached(all);
  });

  it('leaves out who is excluded; unknown ids in the list are no error', async () => {
    await service.broadcast(news, { exclude: [ada.clientId, nobody.clientId, 'nobody'] });
    await expectReached([adaAgain, bob]);
  });
});

describe('sendToClients', () => {
  it('reaches the named clients and nobody else, each once however often it is named', async () => {
    await service.sendToClients([ada.clientId, bob.clientId, ada.clientId], news);
    await expectReached([ada, bob]);
  });

  it('reaches nobody for an empty list, and nobody else for unknown ids', async () => {
    await service.sendToClients([], news);
    await service.sendToClients(['nobody', '__proto__', ''], news);
    await expectReached([]);
  });

  it('leaves out who is excluded', async () => {
    await service.sendToClients([ada.clientId, bob.clientId], news, { exclude: [ada.clientId] });
    await expectReached([bob]);
  });
});

describe('sendToUsers', () => {
  it('reaches every session of the users, by text or by number', async () => {
    await service.sendToUsers([7], news);
    await expectReached([ada, adaAgain]);
    await service.sendToUsers(['8', '7', 8], news);
    await expectReached([ada, adaAgain, bob]);
  });

  it('leaves out an excluded session of a user', async () => {
    await service.sendToUsers(['7'], news, { exclude: [ada.clientId] });
    await expectReached([adaAgain]);
  });

  it('reaches no anonymous client, whatever is named', async () => {
    await service.sendToUsers([], news);
    await service.sendToUsers(['', 'undefined', 'null', '__proto__'], news);
    await expectReached([]);
  });
});

describe('sendToRooms', () => {
  it('reaches the members of the rooms, and one that is in several of them once', async () => {
    await join(ada, 'chess', 'go');
    await join(bob, 'go');
    await service.sendToRooms(['chess', 'go', 'chess'], news);
    await expectReached([ada, bob]);
  });

  it('leaves out who is excluded, and who has left', async () => {
    await join(ada, 'chess');
    await join(bob, 'chess');
    await join(nobody, 'chess');
    await leave(nobody, 'chess');
    await service.sendToRooms(['chess'], news, { exclude: [ada.clientId] });
    await expectReached([bob]);
  });

  it('reaches nobody for an empty list and for unknown rooms', async () => {
    await service.sendToRooms([], news);
    await service.sendToRooms(['nowhere', '*', '__proto__'], news);
    await expectReached([]);
  });
});

describe('an exclusion of clients, users and rooms', () => {
  const exclusions: [what: string, exclude: () => WsSendOptions['exclude'], reached: () => TestClient[]][] = [
    ['a user, on all devices', () => ({ users: ['7'] }), () => [bob, nobody]],
    ['users by text and by number', () => ({ users: [7, '8', 'nobody', ''] }), () => [nobody]],
    ['the members of a room', () => ({ rooms: ['loud'] }), () => [ada, adaAgain, nobody]],
    ['members of any of some rooms', () => ({ rooms: ['nowhere', 'loud', 'quiet'] }), () => [adaAgain, nobody]],
    [
      'a client, a user and a room',
      () => ({ clients: [ada.clientId], users: [8], rooms: ['quiet'] }),
      () => [adaAgain, nobody],
    ],
    ['clients, as the list does', () => ({ clients: [bob.clientId] }), () => [ada, adaAgain, nobody]],
    ['nobody', () => ({ clients: [], users: [], rooms: undefined }), () => all],
    [
      'very many',
      () => ({
        clients: [...names('client'), nobody.clientId],
        users: [...names('user'), '8'],
        rooms: [...names('room'), 'quiet'],
      }),
      () => [adaAgain],
    ],
  ];
  const names = (what: string): string[] => Array.from({ length: 20 }, (_, at) => `${what} ${at}`);

  it.each(exclusions)('leaves out %s, by every send', async (_what, exclusion, reached) => {
    for (const client of all) await join(client, 'tea', 'chess');
    await join(ada, 'quiet');
    await join(bob, 'loud');
    const exclude = exclusion();
    const clientIds = all.map(({ clientId }) => clientId);
    await service.broadcast(news, { exclude });
    await expectReached(reached());
    await service.sendToClients(clientIds, news, { exclude });
    await expectReached(reached());
    await service.sendToUsers(['7', '8'], news, { exclude });
    await expectReached(reached().filter((client) => client !== nobody));
    await service.sendToRooms(['tea', 'chess', 'quiet', 'loud'], news, { exclude });
    await expectReached(reached());
    await service.send({ destination: { room: 'tea' }, payload: { topic: 'news:flash', data: news.data }, exclude });
    await expectReached(reached());
  });

  it('goes by the rooms in which somebody is now', async () => {
    await join(ada, 'quiet');
    await service.broadcast(news, { exclude: { rooms: ['quiet'] } });
    await expectReached([adaAgain, bob, nobody]);
    await leave(ada, 'quiet');
    await service.broadcast(news, { exclude: { rooms: ['quiet'] } });
    await expectReached(all);
  });
});

describe('clients, users and rooms are three name spaces', () => {
  it("does not bring a room's messages to the client whose id is the room's name, nor the other way round", async () => {
    await join(bob, ada.clientId);
    await service.sendToRooms([ada.clientId], news);
    await expectReached([bob]);
    await service.sendToClients([ada.clientId], news);
    await expectReached([ada]);
  });

  it("does not bring a room's messages to the user whose id is the room's name, nor the other way round", async () => {
    await join(bob, '7');
    await service.sendToRooms(['7'], news);
    await expectReached([bob]);
    await service.sendToUsers(['7'], news);
    await expectReached([ada, adaAgain]);
  });

  it.each(['*', '__proto__', 'constructor', 'chess:*', 'a\u0000b', '🎲', ' ', 'x'.repeat(128)])(
    'treats the room %j as any other',
    async (roomName) => {
      await join(bob, roomName);
      await join(ada, 'chess');
      await service.sendToRooms([roomName], news);
      await expectReached([bob]);
    },
  );
});

describe('a message', () => {
  const cycle: Record<string, unknown> = { type: 'news', action: 'flash' };
  cycle.data = cycle;
  const unsendable: [string, unknown][] = [
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('news')],
    ['a BigInt', 1n],
    ['a BigInt inside', { type: 'news', action: 'flash', data: { size: 1n } }],
    ['a cycle', cycle],
  ];

  it.each(unsendable)('that is %s is refused with BAD_MESSAGE at the call and reaches nobody', async (_, message) => {
    const ids = [ada.clientId];
    const sent = message as WebSocketMessage;
    await expect(service.broadcast(sent)).rejects.toThrow(refused());
    await expect(service.sendToClients(ids, sent)).rejects.toThrow(refused());
    await expect(service.sendToClients([], sent)).rejects.toThrow(refused());
    await expect(service.sendToUsers(['7'], sent)).rejects.toThrow(refused());
    await expect(service.sendToRooms(['nowhere'], sent)).rejects.toThrow(refused());
    const client = server.clientManager.getClient({ clientId: ada.clientId, requireWs: true })!;
    const verbs = [
      () => server.sendMessageToAll({ data: message }),
      () => server.broadcastToAllClients({ data: message, predicate: () => false }),
      () => server.broadcastToRoom({ roomName: 'nowhere', data: message }),
      () => server.broadcastToUsers({ userIds: [7], data: message }),
      () => server.broadcastToClient({ clientId: ada.clientId, data: message }),
      () => server.sendClientMessage(client, message),
      () => server.sendClientMessage(client, message, true),
      () => client.send(message),
    ];
    for (const verb of verbs) expect(verb).toThrow(refused());
    await expectReached([]);
  });

  it.each<[string, unknown, unknown]>([
    ['null', null, null],
    ['a number', 7, 7],
    ['a text', 'hello', 'hello'],
    ['a list', [1, { a: null }], [1, { a: null }]],
    ['an object of another shape', { hello: 'world' }, { hello: 'world' }],
    ['a message with more fields', { ...news, offset: 3 }, { ...news, offset: 3 }],
    ['a date inside', { ...news, data: new Date(0) }, { ...news, data: '1970-01-01T00:00:00.000Z' }],
    ['nothing but names', { type: 'news', action: 'flash' }, { type: 'news', action: 'flash' }],
  ])(
    'that is %s goes out as it is by the verbs, and by the service when it has a name',
    async (_, message, received) => {
      server.sendMessageToAll({ data: message });
      await expectReached(all, received);
      const sent = service.broadcast(message as WebSocketMessage);
      const hasName = typeof message === 'object' && message !== null && 'type' in message;
      if (hasName) await sent;
      else await expect(sent).rejects.toThrow(refused());
      await expectReached(hasName ? all : [], received);
    },
  );

  it.each([{}, { type: 'news' }, { action: 'flash' }, { type: 'news', action: 7 }, { event: '' }, { event: 7 }])(
    'without its names, %j, is refused by every send of the service',
    async (given) => {
      const nameless = given as WebSocketMessage;
      await expect(service.sendToClients([ada.clientId], nameless)).rejects.toThrow(refused());
      await expect(service.sendToUsers([7], nameless)).rejects.toThrow(refused());
      await expect(service.sendToRooms(['tea'], nameless)).rejects.toThrow(refused());
      await expectReached([]);
    },
  );

  it.each<[WebSocketMessage, unknown]>([
    [
      { event: 'news', data: 1 },
      { type: 'event', action: 'news', data: 1 },
    ],
    [
      { event: 'chat:said', data: 1 },
      { type: 'chat', action: 'said', data: 1 },
    ],
    [{ event: 'chat:said:loud' }, { type: 'chat', action: 'said:loud' }],
    [{ event: ':said' }, { type: '', action: 'said' }],
  ])('in the event shape, %j, becomes the pair that its name stands for', async (message, received) => {
    await service.broadcast(message);
    await expectReached(all, received);
  });

  it('is encoded when it is sent: changing it afterwards changes nothing', async () => {
    const message = { type: 'news', action: 'flash', data: { text: 'hello' } };
    const sent = service.broadcast(message);
    message.data.text = 'changed';
    await sent;
    await expectReached(all, news);
  });
});

const NO_EXCLUDE = "exclude is a list of clients' ids, or an object with clients, users or rooms.";

describe('what a send is called with', () => {
  it.each<[unknown, string]>([
    [{ except: ['x'] }, 'There is no send option except; did you mean exclude? There are exclude, volatile, conflate.'],
    [{ exlude: ['x'] }, 'There is no send option exlude; did you mean exclude? There are exclude, volatile, conflate.'],
    [{ exclude: 'x' }, NO_EXCLUDE],
    [{ exclude: null }, NO_EXCLUDE],
    [{ exclude: new Set(['x']) }, NO_EXCLUDE],
    [{ exclude: [7] }, NO_EXCLUDE],
    [
      { exclude: { user: ['7'] } },
      'There is no field of exclude user; did you mean users? There are clients, users, rooms.',
    ],
    [{ exclude: { clients: 'x' } }, 'exclude.clients is a list of texts.'],
    [{ exclude: { users: '7' } }, 'exclude.users is a list of numbers and texts.'],
    [{ exclude: { rooms: ['tea', 7] } }, 'exclude.rooms is a list of texts.'],
    [{ volatile: 'yes' }, 'volatile is true or false.'],
    [{ conflate: '' }, 'conflate is a text of 1 to 128 characters.'],
    [['x'], 'An object with exclude, volatile, conflate was expected.'],
    [null, 'An object with exclude, volatile, conflate was expected.'],
  ])('is refused with BAD_MESSAGE, and reaches nobody: %j', async (options, sentence) => {
    const given = options as WsSendOptions;
    const refusal = expect.objectContaining({ code: 'BAD_MESSAGE', message: sentence }) as unknown;
    await expect(service.broadcast(news, given)).rejects.toEqual(refusal);
    await expect(service.sendToClients([ada.clientId], news, given)).rejects.toEqual(refusal);
    await expect(service.sendToUsers([7], news, given)).rejects.toEqual(refusal);
    const named = sentence.replace(/(exclude), (volatile), (conflate)/, '$1, $2, $3, where, idempotencyKey, namespace');
    await expect(service.sendToRooms(['tea'], news, given)).rejects.toMatchObject({ message: named });
    await expectReached([]);
  });

  it('is no idempotencyKey where no room has history', async () => {
    await join(ada, 'tea');
    const sent = service.sendToRooms(['tea'], news, { idempotencyKey: 'once' });
    await expect(sent).rejects.toThrow('An idempotencyKey is for rooms with history.');
    await expectReached([]);
  });

  it('is a list where there may be several: a text would be taken for its letters', async () => {
    await join(ada, 'a', 'tea');
    const text = 'tea' as unknown as string[];
    await expect(service.sendToRooms(text, news)).rejects.toThrow('roomNames is a list of texts.');
    await expect(service.sendToClients(text, news)).rejects.toThrow('clientIds is a list of texts.');
    await expect(service.sendToUsers(text, news)).rejects.toThrow('userIds is a list of numbers and texts.');
    await expect(service.sendToUsers([undefined as unknown as string], news)).rejects.toThrow(refused());
    expect(() => server.broadcastToUsers({ userIds: text, data: news })).toThrow('userIds is a list');
    await expectReached([]);
  });

  it('is checked by the verbs too, on this worker and on all', async () => {
    await join(ada, 'tea');
    type Loose = Record<string, (given: unknown) => void>;
    for (const verbs of [server, server.local] as unknown as Loose[]) {
      const cases: [verb: string, given: unknown, sentence: string][] = [
        ['broadcastToAllClients', { data: news, except: 'x' }, 'except; did you mean excludeClientId?'],
        ['broadcastToAllClients', { data: news, excludeClientId: ['x'] }, 'excludeClientId is a text'],
        ['broadcastToRoom', { room: 'tea', data: news }, 'no option room; did you mean roomName?'],
        ['broadcastToRoom', { roomName: ['tea'], data: news }, 'roomName is a text'],
        ['broadcastToUsers', { userId: 7, data: news }, 'no option userId; did you mean userIds?'],
        ['broadcastToClient', { clientId: 7, data: news }, 'clientId is a text'],
        ['sendMessageToAll', { message: news }, 'no option message; there is only data.'],
        ['sendMessageToAll', undefined, 'An object with data was expected.'],
        ['getClients', { type: 'bot' }, 'no query type; did you mean userType?'],
      ];
      for (const [verb, given, sentence] of cases) expect(() => verbs[verb]!(given)).toThrow(sentence);
    }
    await expectReached([]);
  });
});

describe('the short-hands', () => {
  it('send to everybody under the type that they are named after', async () => {
    await service.sendUserMessage('renamed', { name: 'Ada' });
    await expectReached(all, { type: 'user', action: 'renamed', data: { name: 'Ada' } });
    await service.sendSystemMessage('maintenance', { minutes: 5 });
    await expectReached(all, { type: 'system', action: 'maintenance', data: { minutes: 5 } });
    await service.sendErrorMessage('payment', { reason: 'declined' });
    await expectReached(all, { type: 'error', action: 'payment', data: { reason: 'declined' } });
  });

  it('send of an Error its message and code, never its stack', async () => {
    await service.sendErrorMessage('payment', Object.assign(new Error('Declined.'), { code: 'E_CARD', secret: 1 }));
    await expectReached(all, { type: 'error', action: 'payment', data: { error: 'Declined.', code: 'E_CARD' } });
    await service.sendErrorMessage('payment', new Error('Declined.'));
    await expectReached(all, { type: 'error', action: 'payment', data: { error: 'Declined.', code: 'INTERNAL' } });
  });
});
