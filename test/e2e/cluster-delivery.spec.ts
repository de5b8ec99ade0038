import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Audience } from '../support/audience.js';
import { eventually } from '../../lib/testing/eventually.js';
import type { WorkerContext } from '../support/programs/cluster-worker.js';
import { TestCluster } from '../support/test-cluster.js';
import type { TestClient } from '../support/test-client.js';
import type { WorkerProcess } from '../support/worker-process.js';

const news = { type: 'news', action: 'flash', data: { text: 'hello' } };

interface Given {
  message: typeof news;
  /** The ids of ada0 and nobody1. */
  ids: [string, string];
}

type Send = (worker: WorkerContext, given: Given) => void | Promise<void>;

let cluster: TestCluster;
let audience: Audience;
let given: Given;

/**
 * On each worker: ada (user 7), a member of both rooms; bob (user 8), a member of go; nobody, anonymous and in no room.
 */
beforeAll(async () => {
  cluster = await TestCluster.start({ isDirect: true });
  const clients = cluster.workers.map(async (worker, at): Promise<[name: string, client: TestClient][]> => {
    const [ada, bob, nobody] = [
      await worker.client({ userId: '7', userType: 'admin' }),
      await worker.client({ userId: '8' }),
      await worker.client(),
    ];
    const [members, both] = [[ada.clientId, bob.clientId], [ada.clientId]];
    await worker.run(({ service }, clientIds) => service.joinRooms({ clientIds, rooms: ['go'] }), members);
    await worker.run(({ service }, clientIds) => service.joinRooms({ clientIds, rooms: ['chess'] }), both);
    return [
      [`ada${at}`, ada],
      [`bob${at}`, bob],
      [`nobody${at}`, nobody],
    ];
  });
  audience = new Audience(new Map((await Promise.all(clients)).flat()));
  const [ada, nobody] = audience.ids('ada0', 'nobody1') as [string, string];
  given = { message: news, ids: [ada, nobody] };
  // What predicates ask about is known everywhere.
  for (const worker of cluster.workers) {
    await eventually('it knows all clients and members', () =>
      worker.run(({ clients, rooms }) => {
        const [go, chess] = ['go', 'chess'].map((roomName) => rooms.getRoomClients({ roomName }).length);
        return clients.getClients().length === 9 && go === 6 && chess === 3;
      }),
    );
  }
});

afterAll(() => cluster.close());

const everywhere = (...names: string[]): string[] => names.flatMap((name) => [`${name}0`, `${name}1`, `${name}2`]);
const all = everywhere('ada', 'bob', 'nobody');

const sends: [what: string, recipients: string[], send: Send, received?: unknown][] = [
  ['service.broadcast', all, ({ service }, { message }) => service.broadcast(message)],
  [
    'service.broadcast with an exclusion',
    all.filter((name) => name !== 'ada0' && name !== 'nobody1'),
    ({ service }, { message, ids }) => service.broadcast(message, { exclude: ids }),
  ],
  [
    'service.sendToClients, with unknown ones',
    ['ada0', 'nobody1'],
    ({ service }, { message, ids }) => service.sendToClients([...ids, 'adopted', 'AAAAAAAA.BBBBBBBBBBBBBBBB'], message),
  ],
  [
    'service.sendToUsers',
    everywhere('ada'),
    ({ service }, { message }) => service.sendToUsers([7, 'unknown'], message),
  ],
  [
    'service.sendToUsers of several users',
    everywhere('ada', 'bob'),
    ({ service }, { message }) => service.sendToUsers(['7', 8], message),
  ],
  [
    'service.sendToRooms of a room',
    everywhere('ada'),
    ({ service }, { message }) => service.sendToRooms(['chess'], message),
  ],
  [
    'service.sendToRooms of rooms with members in common',
    everywhere('ada', 'bob'),
    ({ service }, { message }) => service.sendToRooms(['chess', 'go', 'nowhere'], message),
  ],
  [
    'service.sendToRooms of more rooms than it pays to address each',
    everywhere('ada', 'bob'),
    ({ service }, { message }) => {
      const others = Array.from({ length: 100 }, (_, at) => `room ${at}`);
      return service.sendToRooms([...others, 'chess', 'go'], message);
    },
  ],
  [
    'service.sendToRooms with an exclusion',
    ['ada1', 'ada2'],
    ({ service }, { message, ids }) => service.sendToRooms(['chess'], message, { exclude: ids }),
  ],
  [
    'service.broadcast but for a user, a room and a client',
    ['nobody0', 'nobody2'],
    ({ service }, { message, ids: [, nobody] }) =>
      service.broadcast(message, { exclude: { users: [8], rooms: ['chess'], clients: [nobody] } }),
  ],
  [
    'service.sendToRooms but for the members of a room',
    everywhere('bob'),
    ({ service }, { message }) => service.sendToRooms(['go'], message, { exclude: { rooms: ['chess'] } }),
  ],
  [
    'service.sendUserMessage',
    all,
    ({ service }) => service.sendUserMessage('renamed', { name: 'Ada' }),
    { type: 'user', action: 'renamed', data: { name: 'Ada' } },
  ],
  [
    'service.sendSystemMessage',
    all,
    ({ service }) => service.sendSystemMessage('maintenance', 5),
    { type: 'system', action: 'maintenance', data: 5 },
  ],
  [
    'service.sendErrorMessage',
    all,
    ({ service }) => service.sendErrorMessage('payment', { reason: 'declined' }),
    { type: 'error', action: 'payment', data: { reason: 'declined' } },
  ],
  [
    'service.send without a destination',
    all,
    ({ service }) => service.send({ payload: { topic: 'news:flash', data: { text: 'hello' } } }),
  ],
  [
    'service.send to a client',
    ['ada0'],
    ({ service }, { ids: [client] }) =>
      service.send({ destination: { client }, payload: { topic: 'news:flash', data: { text: 'hello' } } }),
  ],
  [
    'service.send to a user',
    everywhere('ada'),
    ({ service }) =>
      service.send({ destination: { user: 7 }, payload: { topic: 'news:flash', data: { text: 'hello' } } }),
  ],
  [
    'service.send to a room',
    everywhere('ada', 'bob'),
    ({ service }) =>
      service.send({ destination: { room: 'go' }, payload: { topic: 'news:flash', data: { text: 'hello' } } }),
  ],
  [
    'service.send to a text that is the id of a client',
    ['nobody1'],
    ({ service }, { ids: [, destination] }) =>
      service.send({ destination, payload: { topic: 'news:flash', data: { text: 'hello' } } }),
  ],
  [
    'service.send to a text that names a room',
    everywhere('ada', 'bob'),
    ({ service }) => service.send({ destination: 'go', payload: { topic: 'news:flash', data: { text: 'hello' } } }),
  ],
  ['server.sendMessageToAll', all, ({ server }, { message }) => server.sendMessageToAll({ data: message })],
  [
    'server.broadcastToAllClients with an exclusion',
    all.filter((name) => name !== 'ada0'),
    ({ server }, { message, ids: [excludeClientId] }) =>
      server.broadcastToAllClients({ data: message, excludeClientId }),
  ],
  [
    'server.broadcastToRoom with an exclusion',
    ['ada1', 'ada2'],
    ({ server }, { message, ids: [excludeClientId] }) =>
      server.broadcastToRoom({ roomName: 'chess', data: message, excludeClientId }),
  ],
  [
    'server.broadcastToUsers',
    everywhere('ada', 'bob'),
    ({ server }, { message }) => server.broadcastToUsers({ userIds: [7, '8'], data: message }),
  ],
  [
    'server.broadcastToClient',
    ['nobody1'],
    ({ server }, { message, ids: [, clientId] }) => server.broadcastToClient({ clientId, data: message }),
  ],
  [
    'server.sendMessageError',
    ['ada0'],
    ({ server }, { ids: [webSocketClientId] }) => server.sendMessageError({ webSocketClientId, error: 'Declined.' }),
    { type: 'error', action: 'message', data: { error: 'Declined.', code: 'APPLICATION', retryable: false } },
  ],
];

describe('from whichever worker it is called', () => {
  it.each(sends)('%s reaches whom it names on every worker, once', async (_, recipients, send, received = news) => {
    for (const worker of cluster.workers) {
      await worker.run(send, given);
      await audience.expectReached(worker, recipients, received);
    }
  });
});

const predicates: [what: string, recipients: string[], send: Send][] = [
  [
    'the user data that workers share',
    everywhere('ada'),
    ({ server }, { message }) =>
      server.broadcastToAllClients({ data: message, predicate: ({ userData }) => userData?.userType === 'admin' }),
  ],
  [
    'the rooms of a client',
    everywhere('ada', 'bob'),
    ({ server }, { message }) =>
      server.broadcastToAllClients({ data: message, predicate: ({ client }) => client.rooms.has('go') }),
  ],
];

it.each(predicates)('server.broadcastToAllClients picks clients of every worker by %s', async (_, recipients, send) => {
  for (const worker of cluster.workers) {
    await worker.run(send, given);
    await audience.expectReached(worker, recipients, news);
  }
});

describe('server.local reaches the clients of its own worker alone', () => {
  const local: [what: string, recipients: string[], send: Send][] = [
    [
      'sendMessageToAll',
      ['ada1', 'bob1', 'nobody1'],
      ({ server }, { message }) => server.local.sendMessageToAll({ data: message }),
    ],
    [
      'broadcastToAllClients',
      ['ada1', 'bob1'],
      ({ server }, { message, ids: [, excludeClientId] }) =>
        server.local.broadcastToAllClients({ data: message, excludeClientId }),
    ],
    [
      'broadcastToRoom',
      ['ada1'],
      ({ server }, { message }) => server.local.broadcastToRoom({ roomName: 'chess', data: message }),
    ],
    [
      'broadcastToUsers',
      ['ada1'],
      ({ server }, { message }) => server.local.broadcastToUsers({ userIds: [7], data: message }),
    ],
    [
      'broadcastToClient',
      [],
      ({ server }, { message, ids: [clientId] }) => server.local.broadcastToClient({ clientId, data: message }),
    ],
  ];

  it.each(local)('%s', async (_, recipients, send) => {
    const sender = cluster.workers[1]!;
    await sender.run(send, given);
    await audience.expectReached(sender, recipients, news);
  });
});

it('what runs on every worker sees all clients and rooms, and does something to those of its own worker only', async () => {
  const worker = cluster.workers[1]!;
  const [ada0, ada1] = audience.ids('ada0', 'ada1') as [string, string];
  const seen = await worker.run(
    async ({ everyWorkerServer }, [other, own]) => {
      const view = everyWorkerServer.for({ channel: 'a', message: null, isResponsible: false });
      const { clientManager: clients, roomManager: rooms } = view;
      for (const clientId of [other, own]) clients.updateClient({ clientId, key: 'theme', data: 'dark' });
      clients.disconnectClient({ clientId: other });
      clients.removeClient(other);
      view.leaveRoom({ clientId: other, roomName: 'go' });
      rooms.removeClientFromAllRooms({ clientId: other });
      const hasJoined = [];
      for (const clientId of [other, own]) hasJoined.push(await view.joinRoom({ clientId, roomName: 'tea' }));
      rooms.removeClientFromRoom({ clientId: own, roomName: 'tea' });
      const found = clients.getClient({ clientId: other });
      const asked: string[] = [];
      view.broadcastToAllClients({ data: null, predicate: ({ clientId }) => asked.push(clientId) === 0 });
      return {
        asked: [asked.length, asked.includes(other)],
        found: [found?.clientId, found?.ws, clients.getClient({ clientId: other, requireWs: true })],
        counts: [clients.size, clients.getClients().length, view.getClients({ userType: 'admin' }).length],
        ofUser: clients.getClientsByUser({ userId: 7 }).length,
        byKey: clients.getClientByKey({ key: 'clientId', value: other })?.clientId,
        inRoom: [clients.getClientsByRoom({ room: 'go' }).length, rooms.getRoomClients({ roomName: 'chess' }).length],
        rooms: [view.rooms.get('go')?.size, rooms.isClientInRoom({ clientId: other, roomName: 'go' })],
        hasJoined,
      };
    },
    [ada0, ada1] as const,
  );
  expect(seen).toEqual({
    asked: [3, false],
    found: [ada0, null, null],
    counts: [3, 9, 3],
    ofUser: 3,
    byKey: ada0,
    inRoom: [6, 3],
    rooms: [6, true],
    hasJoined: [false, true],
  });
  const metadataOf = (at: number, clientId: string): Promise<unknown> =>
    cluster.workers[at]!.run(({ clients }, id) => clients.getClient({ clientId: id })?.metadata, clientId);
  expect([await metadataOf(0, ada0), await metadataOf(1, ada1)]).toEqual([{}, { theme: 'dark' }]);
  await worker.run(({ service }, message) => service.sendToRooms(['go', 'tea'], message), news);
  await audience.expectReached(worker, everywhere('ada', 'bob'), news);
});

it('brings the messages of one worker to a room in the order in which they were sent', async () => {
  const [sender, other] = cluster.workers as [WorkerProcess, WorkerProcess];
  const count = 2_000;
  const member = await other.client();
  await other.run(({ service }, clientIds) => service.joinRooms({ clientIds, rooms: ['order'] }), [member.clientId]);
  await sender.run(async ({ service }, messages) => {
    const sent = Array.from({ length: messages }, (_, at) => {
      return service.sendToRooms(at % 3 === 0 ? ['order', 'elsewhere'] : ['order'], {
        type: 'count',
        action: 'up',
        data: at,
      });
    });
    await Promise.all(sent);
  }, count);
  await member.take(({ data }) => data === count - 1);
  expect(member.pending.map(({ data }) => data)).toEqual(Array.from({ length: count - 1 }, (_, at) => at));
  await member.close();
});
