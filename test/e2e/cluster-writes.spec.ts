import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { WebSocketService } from 'nestjs-pxl-websocket';
import { RedisServer } from '../support/redis-server.js';
import { startApp, type TestApp } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';
import { WriteCounter } from '../support/write-counter.js';

const COUNT = 10;

let redis: RedisServer;
let sender: TestApp;
let receiver: TestApp;
/** Members of the room at the receiver, each with what is written to its socket there. */
let members: [TestClient, WriteCounter][];

beforeAll(async () => {
  redis = await RedisServer.start();
  [sender, receiver] = [await start(), await start()];
  const counters: WriteCounter[] = [];
  (receiver.app.getHttpServer() as Server).on('connection', (socket: Socket) =>
    counters.push(new WriteCounter(socket)),
  );
  members = [];
  for (const userId of ['7', '8']) members.push([await connectAs(receiver, { userId }), counters.at(-1)!]);
  await serviceOf(receiver).joinRooms({ userIds: [7, 8], rooms: ['chess'] });
});

beforeEach(() => {
  for (const [, counter] of members) counter.count = 0;
});

afterAll(async () => {
  await Promise.all([sender.close(), receiver.close()]);
  await redis.stop();
});

function start(): Promise<TestApp> {
  return startApp({ options: { redis: redis.url, auth: { authenticate: urlIdentity } } });
}

function serviceOf({ app }: TestApp): WebSocketService {
  return app.get(WebSocketService);
}

const messages = Array.from({ length: COUNT }, (_, at) => ({ type: 'news', action: 'flash', data: at }));

async function take(from: TestClient): Promise<object[]> {
  const taken = [];
  while (taken.length < COUNT) taken.push(await from.next());
  return taken;
}

function writes(): number[] {
  return members.map(([, { count }]) => count);
}

it('messages to a room that arrive in one read from Redis cost each socket one write', async () => {
  const service = serviceOf(sender);
  await Promise.all(messages.map((each) => service.sendToRooms(['chess'], each)));
  for (const [client] of members) expect(await take(client)).toEqual(messages);
  expect(writes()).toEqual([1, 1]);
});

it('so do messages to users, clients, rooms and everybody in turn', async () => {
  const service = serviceOf(sender);
  const clientIds = members.map(([{ clientId }]) => clientId);
  const sends = messages.map((each, at) => {
    if (at % 4 === 0) return service.sendToUsers([7, 8], each);
    if (at % 4 === 1) return service.sendToClients(clientIds, each);
    return at % 4 === 2 ? service.broadcast(each) : service.sendToRooms(['chess'], each);
  });
  await Promise.all(sends);
  for (const [client] of members) expect(await take(client)).toEqual(messages);
  expect(writes()).toEqual([1, 1]);
});

it('messages that arrive one after the other cost a write each (control)', async () => {
  for (const each of messages) {
    await serviceOf(sender).sendToRooms(['chess'], each);
    for (const [client] of members) expect(await client.next()).toEqual(each);
  }
  expect(writes()).toEqual([COUNT, COUNT]);
});
