import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Audience } from '../support/audience.js';
import { eventually } from '../../lib/testing/eventually.js';
import type { WorkerContext } from '../support/programs/cluster-worker.js';
import { refused } from '../support/refused.js';
import { TestCluster } from '../support/test-cluster.js';
import type { TestClient } from '../support/test-client.js';
import type { WorkerProcess } from '../support/worker-process.js';

let cluster: TestCluster;
/** Where the verbs are called. */
let caller: WorkerProcess;
/** Where most clients are. */
let other: WorkerProcess;
let ada: TestClient;
let adaElsewhere: TestClient;
let bob: TestClient;
let audience: Audience;

beforeAll(async () => {
  cluster = await TestCluster.start({ workers: 2, isDirect: true, options: { limits: { roomsPerClient: 3 } } });
  [caller, other] = cluster.workers as [WorkerProcess, WorkerProcess];
});

beforeEach(async () => {
  ada = await caller.client({ userId: '7' });
  adaElsewhere = await other.client({ userId: '7' });
  bob = await other.client({ userId: '8' });
  audience = new Audience({ ada, adaElsewhere, bob });
});

afterEach(() => audience.close());

afterAll(() => cluster.close());

/** Fails unless what is sent to a room reaches these clients, once. */
async function expectMembers(roomName: string, members: readonly string[]): Promise<void> {
  const message = { type: 'news', action: 'flash', data: roomName };
  await caller.run(({ service }, given) => service.sendToRooms([given.roomName], given.message), { roomName, message });
  await audience.expectReached(caller, members, message);
}

/** Runs a task of the caller with the id of a client of the other worker. */
function withBob<T>(task: (worker: WorkerContext, clientId: string) => T | Promise<T>): Promise<T> {
  return caller.run(task, bob.clientId);
}

describe('joins', () => {
  it('service.joinRooms puts clients of every worker into rooms, which are live when it resolves', async () => {
    const clientIds = audience.ids('ada', 'bob');
    await caller.run(({ service }, ids) => service.joinRooms({ clientIds: ids, rooms: ['chess', 'go'] }), clientIds);
    await expectMembers('chess', ['ada', 'bob']);
    await expectMembers('go', ['ada', 'bob']);
  });

  it('service.joinRooms takes the sessions that a user has on any worker', async () => {
    await caller.run(({ service }) => service.joinRooms({ userIds: [7], rooms: ['chess'] }));
    await expectMembers('chess', ['ada', 'adaElsewhere']);
  });

  it("service.joinRooms rejects with what another worker's client is refused, after all joins were tried", async () => {
    await withBob(({ service }, clientId) => service.joinRooms({ clientIds: [clientId], rooms: ['1', '2', '3'] }));
    const join = caller.run(
      ({ service }, clientIds) => service.joinRooms({ clientIds, rooms: ['chess'] }),
      audience.ids('bob', 'ada', 'adaElsewhere'),
    );
    await expect(join).rejects.toThrow(refused('ROOM_LIMIT'));
    await expectMembers('chess', ['ada', 'adaElsewhere']);
  });

  it('that the other worker was too slow for, so that the caller was told no, are undone there', async () => {
    // A room that the worker has a member in is joined at once, another one once Redis has answered.
    await caller.run(({ service }) => service.joinRooms({ userIds: [7], rooms: ['chess'] }));
    other.freeze();
    const joins = withBob(async ({ service, server }, clientId) => {
      const both = service.joinRooms({ clientIds: [clientId], rooms: ['chess', 'go'] });
      const one = server.joinRoom({ clientId, roomName: 'chess' });
      return [await both.catch((error: unknown) => (error as { code?: string }).code), await one];
    });
    expect(await joins).toEqual(['TIMEOUT', false]);
    other.thaw();
    // Behind what undoes the joins.
    await withBob(({ service }, clientId) => service.sendToClients([clientId], { event: 'last' }));
    await bob.take(({ action }) => action === 'last');
    const isIn = (): Promise<boolean[]> =>
      other.run(
        ({ rooms }, clientId) => ['chess', 'go'].map((roomName) => rooms.isClientInRoom({ clientId, roomName })),
        bob.clientId,
      );
    expect(await isIn()).toEqual([false, false]);
    await caller.run(({ service }) => service.joinRooms({ userIds: [8], rooms: ['late'] }));
    expect(await isIn()).toEqual([false, false]);
  });

  it('server.joinRoom and addClientToRoom answer true for a client of another worker once it is in', async () => {
    expect(await withBob(({ server }, clientId) => server.joinRoom({ clientId, roomName: 'chess' }))).toBe(true);
    await expectMembers('chess', ['bob']);
    expect(await withBob(({ rooms }, clientId) => rooms.addClientToRoom({ clientId, roomName: 'go' }))).toBe(true);
    await expectMembers('go', ['bob']);
  });

  it('server.joinRoom gives an anonymous client of another worker an identity, by which it is reached', async () => {
    const nobody = await other.client();
    const join = caller.run(
      ({ server }, clientId) => server.joinRoom({ clientId, roomName: 'chess', userId: 9, userType: 'member' }),
      nobody.clientId,
    );
    expect(await join).toBe(true);
    await caller.run(({ service }) => service.sendToUsers([9], { type: 'news', action: 'flash' }));
    expect(await nobody.next()).toEqual({ type: 'news', action: 'flash' });
    await nobody.close();
  });

  it('server.joinRoom tells the type of a user of another worker, by which every worker finds it', async () => {
    expect(
      await withBob(({ server }, clientId) =>
        server.joinRoom({ clientId, roomName: 'chess', userId: 8, userType: 'member' }),
      ),
    ).toBe(true);
    await eventually('both workers find it', async () => {
      const found = cluster.workers.map((worker) =>
        worker.run(({ clients }) => clients.getClients({ userType: 'member' }).map(({ clientId }) => clientId)),
      );
      return (await Promise.all(found)).every((ids) => ids.length === 1 && ids[0] === bob.clientId);
    });
    await expectMembers('chess', ['bob']);
  });

  it('server.joinRoom throws CONFLICT for an identity that contradicts that of a client of another worker', async () => {
    const join = withBob(({ server }, clientId) => server.joinRoom({ clientId, roomName: 'chess', userId: 7 }));
    await expect(join).rejects.toThrow(refused('CONFLICT'));
    await expectMembers('chess', []);
  });

  it('server.joinRoom answers false for a client of another worker that is gone, and for a worker that is none', async () => {
    await bob.close();
    audience = new Audience({ ada, adaElsewhere });
    const isGone = (): Promise<boolean> =>
      other.run(({ clients }, id) => !clients.getClients().some(({ clientId }) => clientId === id), bob.clientId);
    await eventually('its worker knows', isGone);
    expect(await withBob(({ server }, clientId) => server.joinRoom({ clientId, roomName: 'chess' }))).toBe(false);
    const join = caller.run(({ server }) =>
      server.joinRoom({ clientId: 'AAAAAAAA.BBBBBBBBBBBBBBBB', roomName: 'chess' }),
    );
    expect(await join).toBe(false);
    await expectMembers('chess', []);
  });
});

/** Fails unless the client has been told that it was taken out of the room. */
async function expectLeft(client: TestClient, roomName: string): Promise<void> {
  expect(await client.next()).toEqual({ type: 'room', action: 'left', data: { roomName, reason: 'removed' } });
}

describe('leaves, of which the clients are told,', () => {
  beforeEach(async () => {
    const clientIds = audience.ids('ada', 'adaElsewhere', 'bob');
    await caller.run(({ service }, ids) => service.joinRooms({ clientIds: ids, rooms: ['chess', 'go'] }), clientIds);
  });

  it('service.leaveRooms takes clients of every worker out of a room, and out of no other', async () => {
    await withBob(({ service }, clientId) =>
      service.leaveRooms({ clientIds: [clientId], rooms: ['chess', 'nowhere'] }),
    );
    await expectLeft(bob, 'chess');
    await expectMembers('chess', ['ada', 'adaElsewhere']);
    await expectMembers('go', ['ada', 'adaElsewhere', 'bob']);
  });

  it('service.leaveRooms takes the sessions that a user has on any worker', async () => {
    await caller.run(({ service }) => service.leaveRooms({ userIds: [7], rooms: ['chess'] }));
    for (const client of [ada, adaElsewhere]) await expectLeft(client, 'chess');
    await expectMembers('chess', ['bob']);
  });

  it('server.leaveRoom, removeClientFromRoom and removeClientFromAllRooms take clients of another worker', async () => {
    await withBob(({ server }, clientId) => server.leaveRoom({ clientId, roomName: 'chess' }));
    await expectLeft(bob, 'chess');
    await expectMembers('chess', ['ada', 'adaElsewhere']);
    await withBob(({ rooms }, clientId) => rooms.removeClientFromRoom({ clientId, roomName: 'go' }));
    await expectLeft(bob, 'go');
    await expectMembers('go', ['ada', 'adaElsewhere']);
    const [clientId] = audience.ids('adaElsewhere');
    await caller.run(({ rooms }, id) => rooms.removeClientFromAllRooms({ clientId: id! }), clientId);
    for (const roomName of ['chess', 'go']) await expectLeft(adaElsewhere, roomName);
    await expectMembers('chess', ['ada']);
    await expectMembers('go', ['ada']);
  });
});

describe('disconnections', () => {
  it.each<[string, (worker: WorkerContext, clientId: string) => void | Promise<void>]>([
    [
      'service.disconnectClients',
      ({ service }, clientId) => service.disconnectClients({ clientIds: [clientId], code: 4700, reason: 'enough' }),
    ],
    ['service.disconnectUser', ({ service }) => service.disconnectUser({ userId: 8, code: 4700, reason: 'enough' })],
    [
      'clientManager.disconnectClient',
      ({ clients }, clientId) => clients.disconnectClient({ clientId, code: 4700, reason: 'enough' }),
    ],
  ])('%s closes a client of another worker, and no other', async (_, disconnect) => {
    await withBob(disconnect);
    expect(await bob.closed).toEqual({ code: 4700, reason: 'enough' });
    for (const client of [ada, adaElsewhere]) await client.request('system', 'ping');
  });

  it('clientManager.removeClient closes a client of another worker, which then forgets it', async () => {
    await withBob(({ clients }, clientId) => clients.removeClient(clientId));
    expect(await bob.closed).toMatchObject({ code: 4506 });
    const isKnown = (): Promise<boolean> =>
      other.run(({ clients }, clientId) => clients.getClient({ clientId }) !== undefined, bob.clientId);
    await eventually('its worker has forgotten it', async () => !(await isKnown()));
    for (const client of [ada, adaElsewhere]) await client.request('system', 'ping');
  });

  it('service.disconnectRoom closes the members on every worker', async () => {
    const clientIds = audience.ids('ada', 'bob');
    await caller.run(({ service }, ids) => service.joinRooms({ clientIds: ids, rooms: ['chess'] }), clientIds);
    await caller.run(({ service }) => service.disconnectRoom({ room: 'chess' }));
    for (const client of [ada, bob]) expect(await client.closed).toMatchObject({ code: 4506 });
    await adaElsewhere.request('system', 'ping');
  });

  it('brings what was sent before to the client that it closes', async () => {
    await withBob(async ({ service }, clientId) => {
      await service.sendToClients([clientId], { type: 'news', action: 'flash', data: 'last words' });
      await service.disconnectClients({ clientIds: [clientId] });
    });
    expect(await bob.next()).toMatchObject({ data: 'last words' });
    expect(await bob.closed).toMatchObject({ code: 4506 });
  });
});

describe('clientManager.updateClient', () => {
  const metadataOf = (client: TestClient, on: WorkerProcess): Promise<unknown> =>
    on.run(({ clients }, clientId) => clients.getClient({ clientId })?.metadata, client.clientId);

  it('changes the metadata of a client of another worker', async () => {
    await withBob(({ clients }, clientId) => clients.updateClient({ clientId, key: 'theme', data: { dark: true } }));
    await eventually('it is changed', async () => JSON.stringify(await metadataOf(bob, other)).includes('dark'));
    expect(await metadataOf(bob, other)).toEqual({ theme: { dark: true } });
    expect(await metadataOf(adaElsewhere, other)).toEqual({});
  });

  it('refuses at the call what is no metadata', async () => {
    const update = withBob(({ clients }, clientId) => clients.updateClient({ clientId, key: '__proto__', data: 1 }));
    await expect(update).rejects.toThrow(refused());
  });
});
