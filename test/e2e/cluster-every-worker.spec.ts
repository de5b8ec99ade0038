import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { Audience } from '../support/audience.js';
import { eventually } from '../../lib/testing/eventually.js';
import type { WorkerContext } from '../support/programs/cluster-worker.js';
import { TestCluster } from '../support/test-cluster.js';
import type { TestClient } from '../support/test-client.js';
import type { WorkerProcess } from '../support/worker-process.js';

/** A client to which one worker does something. Nobody else is of its user, or in its room. */
interface Subject {
  clientId: string;
  userId: string;
  room: string;
}

type Verb = (sender: WorkerContext, subject: Subject) => unknown;

let cluster: TestCluster;
let workers: [WorkerProcess, WorkerProcess, WorkerProcess];
/** By the worker that does something to them: a client of each worker. */
let clients: TestClient[][];
/** To whom nothing is done: one on each worker. */
let bystanders: TestClient[];
let audience: Audience;

beforeAll(async () => {
  cluster = await TestCluster.start({ isDirect: true });
  workers = cluster.workers as typeof workers;
});

beforeEach(async () => {
  clients = await Promise.all(workers.map((_, sender) => clientsFor(sender)));
  bystanders = await clientsFor(workers.length);
  const ids = [...clients.flat(), ...bystanders].map(({ clientId }) => clientId);
  for (const worker of workers) {
    await eventually('it knows all clients and members', () =>
      worker.run(({ rooms }, members) => {
        return members.every((clientId) => rooms.isClientInRoom({ clientId, roomName: 'all' }));
      }, ids),
    );
  }
  audience = new Audience(new Map([...clients.flat(), ...bystanders].map((client) => [client.userId!, client])));
});

afterEach(() => audience.close());

afterAll(() => cluster.close());

function clientsFor(sender: number): Promise<TestClient[]> {
  return Promise.all(
    workers.map(async (worker, at) => {
      const client = await worker.client({ userId: `${sender} ${at}` });
      const { clientId, room } = subjectOf(client);
      await worker.run(({ service }, move) => service.joinRooms(move), { clientIds: [clientId], rooms: [room, 'all'] });
      return client;
    }),
  );
}

function subjectOf({ clientId, userId }: TestClient): Subject {
  return { clientId, userId: userId!, room: `of ${userId}` };
}

/** Has each worker do something to its client on every worker. */
async function doEverywhere(verb: Verb): Promise<void> {
  for (const [at, sender] of workers.entries()) {
    for (const client of clients[at]!) await sender.run(verb, subjectOf(client));
  }
}

/** What an observer has heard of a client on a channel. */
function heardOf({ clientId }: TestClient, channel: string, observer: WorkerProcess): Record<string, unknown>[] {
  const messages = observer.events.filter((event) => event.channel === channel).map(({ message }) => message);
  return messages.filter((message) => message.clientId === clientId);
}

/** Fails unless every worker hears this of every client, and hears it once. */
async function expectHeardOnce(channel: string, about: (subject: Subject) => object): Promise<void> {
  const all = workers.flatMap((observer) => clients.flat().map((client) => ({ observer, client })));
  const isOfChange = ({ observer, client }: (typeof all)[number]): Record<string, unknown>[] => {
    const expected = Object.entries(about(subjectOf(client)));
    const heard = heardOf(client, channel, observer);
    return heard.filter((message) => expected.every(([key, value]) => message[key] === value));
  };
  await eventually(`all hear ${channel}`, () => all.every((one) => isOfChange(one).length > 0));
  await settled();
  expect(all.map((one) => isOfChange(one).length)).toEqual(all.map(() => 1));
}

let fences = 0;

/** Resolves once all that was done before by any worker to the clients of any is done, and heard of everywhere. */
async function settled(): Promise<void> {
  const fence = ++fences;
  for (const [at, sender] of workers.entries()) {
    for (const { clientId } of bystanders) {
      const given = { clientId, key: `fence of ${at}`, data: fence };
      await sender.run(({ clients }, update) => clients.updateClient(update), given);
    }
  }
  const isHeard = (observer: WorkerProcess, bystander: TestClient): boolean => {
    const heard = heardOf(bystander, 'clientUpdated', observer).filter(({ data }) => data === fence);
    return new Set(heard.map(({ key }) => key)).size === workers.length;
  };
  for (const observer of workers) {
    await eventually('all hear of the fences', () => bystanders.every((bystander) => isHeard(observer, bystander)));
  }
}

/** Fails unless what each worker sends to a room reaches these clients once. */
async function expectMembers(roomName: string, members: readonly TestClient[]): Promise<void> {
  const names = members.map(({ userId }) => userId!);
  for (const [at, worker] of workers.entries()) {
    const message = { type: 'news', action: 'flash', data: at };
    await worker.run(({ service }, given) => service.sendToRooms([given.roomName], given.message), {
      roomName,
      message,
    });
    await audience.expectReached(worker, names, message);
  }
}

it.each<[what: string, join: Verb]>([
  [
    'service.joinRooms of clients',
    ({ service }, { clientId }) => service.joinRooms({ clientIds: [clientId], rooms: ['chess'] }),
  ],
  [
    'service.joinRooms of users',
    ({ service }, { userId }) => service.joinRooms({ userIds: [userId], rooms: ['chess'] }),
  ],
  ['server.joinRoom', ({ server }, { clientId }) => server.joinRoom({ clientId, roomName: 'chess' })],
  ['rooms.addClientToRoom', ({ rooms }, { clientId }) => rooms.addClientToRoom({ clientId, roomName: 'chess' })],
])('%s puts clients of every worker into a room, by whichever worker', async (_, join) => {
  await doEverywhere(join);
  await expectMembers('chess', clients.flat());
  await expectHeardOnce('clientJoinedRoom', () => ({ roomName: 'chess' }));
});

it.each<[what: string, leave: Verb]>([
  [
    'service.leaveRooms of clients',
    ({ service }, { clientId }) => service.leaveRooms({ clientIds: [clientId], rooms: ['all'] }),
  ],
  [
    'service.leaveRooms of users',
    ({ service }, { userId }) => service.leaveRooms({ userIds: [userId], rooms: ['all'] }),
  ],
  ['server.leaveRoom', ({ server }, { clientId }) => server.leaveRoom({ clientId, roomName: 'all' })],
  [
    'rooms.removeClientFromRoom',
    ({ rooms }, { clientId }) => rooms.removeClientFromRoom({ clientId, roomName: 'all' }),
  ],
  ['rooms.removeClientFromAllRooms', ({ rooms }, { clientId }) => rooms.removeClientFromAllRooms({ clientId })],
])('%s takes clients of every worker out of a room, by whichever worker', async (_, leave) => {
  await expectMembers('all', [...clients.flat(), ...bystanders]);
  await doEverywhere(leave);
  await expectHeardOnce('clientLeftRoom', () => ({ roomName: 'all' }));
  await expectMembers('all', bystanders);
});

it.each<[what: string, disconnect: Verb]>([
  [
    'service.disconnectClients',
    ({ service }, { clientId }) => service.disconnectClients({ clientIds: [clientId], code: 4700, reason: 'enough' }),
  ],
  [
    'service.disconnectUser',
    ({ service }, { userId }) => service.disconnectUser({ userId, code: 4700, reason: 'enough' }),
  ],
  ['service.disconnectRoom', ({ service }, { room }) => service.disconnectRoom({ room, code: 4700, reason: 'enough' })],
  [
    'clientManager.disconnectClient',
    ({ clients }, { clientId }) => clients.disconnectClient({ clientId, code: 4700, reason: 'enough' }),
  ],
])('%s closes clients of every worker, by whichever worker, and nobody else', async (_, disconnect) => {
  await doEverywhere(disconnect);
  for (const { closed } of clients.flat()) expect(await closed).toEqual({ code: 4700, reason: 'enough' });
  await expectHeardOnce('clientDisconnected', () => ({ code: 4700, reason: 'enough' }));
  for (const bystander of bystanders) await bystander.request('system', 'ping');
});

it('clientManager.updateClient changes clients of every worker, by whichever worker', async () => {
  await doEverywhere(({ clients }, { clientId, userId }) => {
    clients.updateClient({ clientId, key: 'theme', data: userId });
  });
  await expectHeardOnce('clientUpdated', ({ userId }) => ({ key: 'theme', data: userId }));
  const known = workers.map((worker) =>
    worker.run(
      ({ clients }, ids) => ids.map((clientId) => clients.getClient({ clientId })?.metadata.theme ?? null),
      [...clients.flat(), ...bystanders].map(({ clientId }) => clientId),
    ),
  );
  const expected = [...clients.flat().map(({ userId }) => userId), ...bystanders.map(() => null)];
  expect(await Promise.all(known)).toEqual([expected, expected, expected]);
});
