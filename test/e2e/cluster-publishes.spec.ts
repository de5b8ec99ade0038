import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { PxlWebSocketServer, RoomManager, WebSocketService } from 'nestjs-pxl-websocket';
import { eventually } from '../../lib/testing/eventually.js';
import { RedisServer } from '../support/redis-server.js';
import { refused } from '../support/refused.js';
import { startApp, type TestApp } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

const news = { type: 'news', action: 'flash', data: 'hello' };
const FENCE = 'the end of what was sent';

let redis: RedisServer;
let monitor: Redis;
/** Every command that Redis gets, as it was sent. */
const commands: string[][] = [];
let sender: TestApp;
let other: TestApp;
let own: TestClient;
let theirs: [TestClient, TestClient];

beforeAll(async () => {
  redis = await RedisServer.start();
  [sender, other] = [await start(), await start()];
  own = await connectAs(sender, { userId: '7' });
  theirs = [await connectAs(other, { userId: '7' }), await connectAs(other, { userId: '8' })];
  await serviceOf(sender).joinRooms({ userIds: [7, 8], rooms: ['chess', 'go'] });
  for (const { app } of [sender, other]) {
    const membersOf = (roomName: string): string[] => app.get(RoomManager).getRoomClients({ roomName });
    await eventually('it knows all members', () => membersOf('chess').length === 3 && membersOf('go').length === 3);
  }
  const connection = new Redis(redis.port, '127.0.0.1', { lazyConnect: true });
  monitor = await connection.monitor();
  monitor.on('monitor', (_time: string, command: string[]) => commands.push(command));
});

afterAll(async () => {
  monitor.disconnect();
  await Promise.all([sender.close(), other.close()]);
  await redis.stop();
});

/** A worker that tells Redis nothing by itself as long as the test takes. */
function start(): Promise<TestApp> {
  const cluster = { probe: 600_000, lease: 600_000 };
  return startApp({ options: { redis: redis.url, cluster, auth: { authenticate: urlIdentity } } });
}

function serviceOf({ app }: TestApp): WebSocketService {
  return app.get(WebSocketService);
}

/** What Redis is told by some work of the sender. What it sends behind that comes behind it. */
async function commandsOf(work: (service: WebSocketService) => unknown): Promise<string[][]> {
  const service = serviceOf(sender);
  const begin = commands.length;
  await work(service);
  const fence = `${FENCE} ${begin}`;
  await service.sendToRooms([fence], news);
  const isFence = ([, channel = '']: string[]): boolean => channel.endsWith(fence);
  await eventually('Redis has got everything', () => commands.slice(begin).some(isFence));
  const told = commands.slice(begin);
  return told.slice(0, told.findIndex(isFence));
}

describe('is published once:', () => {
  const manyRooms = Array.from({ length: 100 }, (_, at) => `room ${at}`);

  it.each<[what: string, channels: () => string[], send: (service: WebSocketService) => unknown]>([
    ['what is sent to a room', () => ['room:chess'], (service) => service.sendToRooms(['chess'], news)],
    ['what is sent to a room of nobody', () => ['room:empty'], (service) => service.sendToRooms(['empty'], news)],
    [
      'for each room, what is sent to several',
      () => ['room:chess', 'room:go'],
      (service) => service.sendToRooms(['chess', 'go', 'chess'], news),
    ],
    [
      'for everybody, what is sent to very many rooms',
      () => ['broadcast'],
      (service) => service.sendToRooms([...manyRooms, 'chess'], news),
    ],
    ['what is sent to a user', () => ['user:7'], (service) => service.sendToUsers([7], news)],
    ['what is sent to everybody', () => ['broadcast'], (service) => service.broadcast(news, { exclude: ['somebody'] })],
    [
      'what is sent to several clients of another worker',
      () => [`worker:${workerOf(other)}`],
      (service) =>
        service.sendToClients(
          [own, ...theirs].map(({ clientId }) => clientId),
          news,
        ),
    ],
    ['never, what is sent to clients of its own', () => [], (service) => service.sendToClients([own.clientId], news)],
    ['what a verb of the server sends', () => ['room:chess'], sendByVerb],
    ['an event', () => ['event:orders'], (service) => service.publish('orders', { id: 1 })],
    [
      'a command for several clients of another worker',
      () => [`worker:${workerOf(other)}`],
      (service) => service.leaveRooms({ clientIds: theirs.map(({ clientId }) => clientId), rooms: ['nowhere'] }),
    ],
  ])('%s', async (_, channels, send) => {
    const published = (await commandsOf(send)).map(([name, channel]) => [name!.toLowerCase(), channel]);
    expect(published).toEqual(channels().map((channel) => ['publish', `pxl:${channel}`]));
  });
});

function workerOf(app: TestApp): string {
  return serviceOf(app).getWebSocketHealth().workerId;
}

function sendByVerb(): void {
  sender.app.get(PxlWebSocketServer).broadcastToRoom({ roomName: 'chess', data: news });
}

it.each<[what: string, send: (service: WebSocketService) => Promise<void>]>([
  ['to a room', (service) => service.sendToRooms(['chess'], { ...news, data: 1n })],
  ['to a user', (service) => service.sendToUsers([7], { ...news, data: 1n })],
  ['to clients', (service) => service.sendToClients([theirs[0].clientId], { ...news, data: 1n })],
  ['to everybody', (service) => service.broadcast({ ...news, data: 1n })],
  ['with no destination', (service) => service.send({ destination: {} as never, payload: { topic: 'a', data: 1 } })],
  ['to subscribers', (service) => service.publish('orders', 1n)],
])('a message that cannot be sent tells Redis nothing: %s', async (_, send) => {
  const told = await commandsOf((service) => expect(send(service)).rejects.toThrow(refused()));
  expect(told).toEqual([]);
});
