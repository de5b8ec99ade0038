import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ClientManager, WebSocketService } from 'nestjs-pxl-websocket';
import { ClusterEvents } from '../../lib/cluster/events/cluster-events.js';
import { eventually } from '../../lib/testing/eventually.js';
import { RawClient } from '../support/raw-client.js';
import { RedisServer } from '../support/redis-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { urlIdentity } from '../support/url-identity.js';

const CLIENTS = 300;
const ROOMS = 20;
/** What docs/scaling.md promises. */
const MOST = 5;

/** Milliseconds until Redis' answers are there: clients that come within them come at once, however busy the machine is. */
const ROUND_TRIP = 20;

let redis: RedisServer;
let proxy: TcpProxy;
let workers: [TestApp, TestApp];
const clients: RawClient[] = [];
/** Of whose users the second worker has heard. */
let online = 0;

/** With what costs something for each client: it is a user, whose connections are limited, in rooms with presence. */
beforeAll(async () => {
  redis = await RedisServer.start();
  proxy = await TcpProxy.before(redis.port);
  proxy.replies = ROUND_TRIP;
  const options = {
    redis: `redis://127.0.0.1:${proxy.port}`,
    auth: { authenticate: urlIdentity },
    limits: { connectionsPerUser: { max: 3 } },
    rooms: { open: true, presence: true },
  };
  workers = [await startApp({ options }), await startApp({ options })];
  await eventually('they know each other', () =>
    workers.every(({ app }) => app.get(WebSocketService).getWebSocketHealth().cluster.workers === 2),
  );
});

afterAll(async () => {
  for (const { socket } of clients) socket.destroy();
  await Promise.all(workers.map((worker) => worker.close()));
  await proxy.close();
  await redis.stop();
});

/** What Redis has processed, with what scripts have called. */
async function processed(): Promise<number> {
  const info = await redis.command<string>('INFO', 'stats');
  return Number(/^total_commands_processed:(\d+)/m.exec(info)?.[1]);
}

/** A client that takes next to no time of its own, so that all of them come at once. */
async function comeBack({ port }: TestApp, n: number): Promise<RawClient> {
  const client = await RawClient.upgrading(port, `/ws?userId=${n}`);
  await client.response();
  for (const step of [0, 7, 13]) {
    const data = { roomName: `room ${(n + step) % ROOMS}` };
    client.writeFrame({ payload: JSON.stringify({ type: 'system', action: 'joinRoom', data }) });
  }
  return client;
}

/** All clients come back. @returns how many commands each of them cost Redis */
async function crowd(): Promise<number> {
  const [worker, { app: other }] = workers;
  const before = await processed();
  clients.push(...(await Promise.all(Array.from({ length: CLIENTS }, (_, n) => comeBack(worker, n)))));
  await eventually('the other worker knows all of them', () => {
    const mirrored = other.get(ClientManager).getClients();
    return online === CLIENTS && mirrored.length === CLIENTS && mirrored.every(({ rooms }) => rooms.size === 3);
  });
  return ((await processed()) - before) / CLIENTS;
}

it('clients that come back at once cost Redis at most five commands each', async () => {
  workers[1].app.get(ClusterEvents).listen(({ channel }) => {
    if (channel === 'userConnected') online++;
  });
  expect(await crowd()).toBeLessThanOrEqual(MOST);
});
