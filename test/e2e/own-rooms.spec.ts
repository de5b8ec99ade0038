import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WebSocketGateway } from '@nestjs/websockets';
import {
  ClientManager,
  PxlWebSocketServer,
  RoomManager,
  WebSocketEmitter,
  WebSocketService,
  type PxlWebSocketModuleOptions,
} from 'nestjs-pxl-websocket';
import { WebSocketServer, type WebSocket } from 'ws';
import { eventually } from '../../lib/testing/eventually.js';
import { Gate } from '../support/gate.js';
import { RedisServer } from '../support/redis-server.js';
import { refused } from '../support/refused.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';

/** An id of our form, of a client that is not there. */
const NOBODY = 'AAAAAAAA.BBBBBBBBBBBBBBBB';
const news = { event: 'news:flash', data: { text: 'hello' } };

@WebSocketGateway({ path: '/typed' })
class Typed {}

@WebSocketGateway({ path: '/one' })
class OneRoom {}

/** Until it is open, nobody is told whether he may join the room `slow`. */
const gate = new Gate<boolean>();

let redis: RedisServer;
let emitter: WebSocketEmitter;
/** Two workers, and a client on each. */
let workers: [TestApp, TestApp];
let ada: TestClient;
let bo: TestClient;
let foreign: WebSocketServer;

beforeAll(async () => {
  redis = await RedisServer.start();
  const options: PxlWebSocketModuleOptions = {
    protocol: 'event',
    redis: redis.url,
    cluster: { probe: 200 },
    rooms: { own: true, authorize: ({ roomName }) => (roomName === 'slow' ? gate.passed : true) },
    endpoints: {
      '/typed': { protocol: 'pxl', rooms: { own: false, defaults: [] } },
      '/one': { rooms: { clientCanJoinMultipleRooms: false, defaults: ['lobby'] } },
    },
  };
  const start = (): Promise<TestApp> => startApp({ options, providers: [Typed, OneRoom] });
  workers = await Promise.all([start(), start()]);
  [ada, bo] = [await workers[0].client(), await workers[1].client()];
  emitter = new WebSocketEmitter({ redis: redis.url });
  foreign = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await Promise.all([once(foreign, 'listening'), emitter.configure()]);
});

afterAll(async () => {
  await emitter.shutdown();
  await Promise.all(workers.map((worker) => worker.close()));
  for (const ws of foreign.clients) ws.terminate();
  foreign.close();
  await redis.stop();
});

const roomsOf = (client: TestClient, worker = workers[0]): string[] => [
  ...(worker.app.get(ClientManager).getClient({ clientId: client.clientId })?.rooms ?? []),
];
const membersOf = (room: string, worker = workers[0]): string[] =>
  worker.app
    .get(ClientManager)
    .getClientsByRoom({ room })
    .map(({ clientId }) => clientId);

/** A client whose socket another server has accepted, and whose id the application has given. */
async function adopt(clientId: string): Promise<TestClient> {
  const connected = once(foreign, 'connection') as Promise<[WebSocket]>;
  const client = await TestClient.open(`ws://127.0.0.1:${(foreign.address() as AddressInfo).port}`);
  workers[0].app.get(ClientManager).addClient({ clientId, ws: (await connected)[0] });
  await client.welcomed();
  return client;
}

/** What was sent before the answer has arrived before it. */
async function expectReached(client: TestClient, ...messages: unknown[]): Promise<void> {
  for (const message of messages) expect(await client.next()).toEqual(message);
  await client.request('system', 'ping');
  expect(client.pending).toEqual([]);
}

const left = (roomName: string, reason: string): object => ({ event: 'room:left', data: { roomName, reason } });

describe('rooms.own', () => {
  it('puts each client into a room that is called like its id, before its default rooms', async () => {
    const rooms = [ada.clientId, 'ws-default', 'ws-notification'];
    expect(roomsOf(ada)).toEqual(rooms);
    await eventually('the other worker knows it', () => roomsOf(ada, workers[1]).length === 3);
    expect(roomsOf(ada, workers[1])).toEqual(rooms);
  });

  it('lets rooms reach one client from every worker and by the emitter, and names it as their member', async () => {
    for (const { app } of workers) {
      await app.get(WebSocketService).sendToRooms([ada.clientId], news);
      await app.get(WebSocketService).sendToRooms([ada.clientId, 'ws-default'], news, { exclude: [bo.clientId] });
    }
    await emitter.toRoom({ room: ada.clientId, ...news });
    await expectReached(ada, news, news, news, news, news);
    await expectReached(bo);
    for (const worker of workers) expect(membersOf(ada.clientId, worker)).toEqual([ada.clientId]);
    const { clients } = await workers[1].app.get(WebSocketService).fetchClients({ room: ada.clientId });
    expect(clients).toMatchObject([{ clientId: ada.clientId }]);
  });

  it('does nothing for the clients of an endpoint that does not have it', async () => {
    const cy = await workers[0].client({ path: '/typed' });
    expect(roomsOf(cy)).toEqual([]);
    await workers[1].app.get(WebSocketService).sendToRooms([cy.clientId], news);
    await expectReached(cy);
    await cy.close();
  });

  it('keeps others out who ask, whatever rooms.authorize says, of any endpoint, and before the client is there', async () => {
    const cy = await workers[0].client({ path: '/typed' });
    for (const roomName of [bo.clientId, NOBODY]) {
      await expect(cy.join(roomName)).rejects.toThrow('FORBIDDEN');
      await expect(ada.join(roomName)).rejects.toThrow('FORBIDDEN');
    }
    ada.send({ event: 'join', data: { rooms: [bo.clientId, 'tea', NOBODY, ada.clientId] }, id: 1 });
    expect((await ada.next()).data).toEqual({
      rooms: ['tea', ada.clientId],
      refused: [bo.clientId, NOBODY].map((room) => ({ room, code: 'FORBIDDEN' })),
    });
    expect(membersOf(NOBODY)).toEqual([]);
    await cy.close();
  });

  it('lets the server put others in', async () => {
    await workers[0].app.get(WebSocketService).joinRooms({ clientIds: [bo.clientId], rooms: [ada.clientId] });
    await emitter.toRoom({ room: ada.clientId, ...news });
    await Promise.all([expectReached(ada, news), expectReached(bo, news)]);
    workers[1].app.get(PxlWebSocketServer).leaveRoom({ clientId: bo.clientId, roomName: ada.clientId });
    expect(await bo.next()).toEqual(left(ada.clientId, 'removed'));
    await eventually('the other worker knows that he left', () => membersOf(ada.clientId).length === 1);
  });

  it('keeps the room when one-room mode leaves others', async () => {
    const cy = await workers[0].client({ path: '/one' });
    await cy.join('tea');
    await cy.join('chess');
    expect(roomsOf(cy)).toEqual([cy.clientId, 'lobby', 'chess']);
    await cy.join(cy.clientId);
    expect(roomsOf(cy)).toEqual([cy.clientId, 'lobby', 'chess']);
    await cy.close();
  });

  it('lets a client leave its room and come back, and nobody take its place', async () => {
    const { clientId } = ada;
    await ada.request('system', 'leaveRoom', { roomName: clientId });
    await ada.next('user', 'leftRoom');
    await emitter.toRoom({ room: clientId, ...news });
    await expectReached(ada);
    await expect(bo.join(clientId)).rejects.toThrow('FORBIDDEN');
    await ada.join(clientId);
    expect(membersOf(clientId)).toEqual([clientId]);
  });
});

describe('rooms.own of a client with an id of the application', () => {
  it('is its own: who has asked for it before goes, on every worker, and who asks later is refused', async () => {
    const squatters = [ada, bo];
    for (const client of squatters) await client.join('robot');
    const operator = await workers[1].client();
    await operator.join('robot');
    workers.forEach(({ app }, at) =>
      expect(app.get(RoomManager).rooms.get('robot')).toContain(squatters[at]!.clientId),
    );
    await workers[1].app.get(WebSocketService).joinRooms({ clientIds: [operator.clientId], rooms: ['robot'] });

    const robot = await adopt('robot');
    for (const worker of workers) {
      const expected = ['robot', operator.clientId].sort();
      await eventually('only those are left', () => String(membersOf('robot', worker).sort()) === String(expected));
    }
    for (const client of squatters) {
      expect(await client.next('room')).toEqual(left('robot', 'rule'));
      await expect(client.join('robot')).rejects.toThrow('FORBIDDEN');
    }
    await emitter.toRoom({ room: 'robot', ...news });
    await Promise.all([expectReached(robot, news), expectReached(operator, news)]);
    await Promise.all([expectReached(ada), expectReached(bo)]);
    await Promise.all([robot.close(), operator.close()]);
  });

  it('is not entered by who is still about to join it', async () => {
    const joins = [ada.join('slow'), bo.join('slow')].map((join) => expect(join).rejects.toThrow('CONFLICT'));
    await Promise.all([ada.request('system', 'ping'), bo.request('system', 'ping')]);
    const slow = await adopt('slow');
    await eventually('the other worker knows it', () => membersOf('slow', workers[1]).length === 1);
    gate.open(true);
    await Promise.all(joins);
    for (const worker of workers) expect(membersOf('slow', worker)).toEqual(['slow']);
    await slow.close();
  });

  it('has to be a room’s name', async () => {
    await expect(adopt('x'.repeat(129))).rejects.toThrow(refused('INVALID_ROOM'));
  });
});

it('rooms.own refuses no connection while Redis is away, and hears the room once it is back', async () => {
  await bo.join('machine');
  await redis.kill();
  await eventually('it is noticed', () => !workers[0].app.get(WebSocketService).getWebSocketHealth().ready);
  const cy = await workers[0].client();
  // Nobody can tell the other worker to whom the room belongs from now on.
  const machine = await adopt('machine');
  await machine.request('system', 'ping');
  await cy.request('system', 'ping');
  expect(roomsOf(cy)).toContain(cy.clientId);
  await redis.run();
  const service = workers[1].app.get(WebSocketService);
  await eventually('it is reached', async () => {
    await service.sendToRooms([cy.clientId], news).catch(() => undefined);
    return cy.pending.length > 0;
  });
  await eventually('the other client is out', () => membersOf('machine', workers[1]).join() === 'machine');
  await machine.close();
  await cy.close();
});
