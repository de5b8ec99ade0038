import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { Cluster, Redis } from 'ioredis';
import { ClientManager, RoomManager, WebSocketService, type WsRedisOption } from 'nestjs-pxl-websocket';
import { IgnisFleet } from '../support/ignis-fleet.js';
import { LEASE, PROBE } from '../support/cluster-periods.js';
import { eventually } from '../../lib/testing/eventually.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { RedisSentinel } from '../support/redis-sentinel.js';
import { RedisServer } from '../support/redis-server.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

let server: RedisServer;
let cluster: RedisCluster;
let sentinel: RedisSentinel;
let instance: Redis;
let clusterInstance: Cluster;
let apps: TestApp[] = [];

beforeAll(async () => {
  [server, cluster, sentinel] = await Promise.all([RedisServer.start(), RedisCluster.start(), RedisSentinel.start()]);
  instance = new Redis(server.port, '127.0.0.1');
  clusterInstance = new Cluster(cluster.startupNodes);
});

afterEach(async () => {
  await Promise.all(apps.map((app) => app.close()));
  apps = [];
});

afterAll(async () => {
  instance.disconnect();
  clusterInstance.disconnect();
  await Promise.all([server.stop(), cluster.stop(), sentinel.stop()]);
});

const kinds: Record<string, () => WsRedisOption> = {
  'options of ioredis': () => ({ host: '127.0.0.1', port: server.port, keyPrefix: 'ignored:' }),
  "an application's own client": () => instance,
  'a master that Sentinel names': () => ({ sentinels: [{ host: '127.0.0.1', port: sentinel.port }], name: 'main' }),
  'the start-up nodes of a Redis Cluster': () => ({ cluster: cluster.startupNodes }),
  "an application's own client of a Redis Cluster": () => clusterInstance,
  'a Redis Cluster, sharded': () => ({ cluster: cluster.startupNodes, sharded: true }),
};

async function start(redis: WsRedisOption, ignis = false): Promise<TestApp> {
  const app = await startApp({
    options: {
      redis,
      cluster: { lease: LEASE, probe: PROBE, ignis },
      auth: { authenticate: urlIdentity },
      limits: { connectionsPerUser: { max: 2 } },
    },
  });
  apps.push(app);
  return app;
}

it.each(Object.keys(kinds))('with %s two workers are one system', async (kind) => {
  const [one, two] = [await start(kinds[kind]!()), await start(kinds[kind]!())];
  const [ada, bob] = [await connectAs(one, { userId: '7' }), await connectAs(two, { userId: '8' })];
  const service = one.app.get(WebSocketService);
  await service.joinRooms({ clientIds: [ada.clientId, bob.clientId], rooms: ['chess', 'go'] });
  await service.broadcast({ event: 'to:everybody' });
  await service.sendToRooms(['chess', 'go'], { event: 'to:rooms' });
  await service.sendToUsers([8], { event: 'to:user' });
  await service.sendToClients([bob.clientId], { event: 'to:client' });
  // Of a sharded cluster rooms have a way of their own.
  const actions: unknown[] = [];
  while (actions.length < 4) actions.push((await bob.next()).action);
  expect(actions.sort()).toEqual(['client', 'everybody', 'rooms', 'user']);

  const knowsAll = ({ app }: TestApp): boolean => {
    return app.get(RoomManager).getRoomClients({ roomName: 'chess' }).length === 2;
  };
  await eventually('each knows all members', () => apps.every(knowsAll));
  const entry = one.app.get(ClientManager).getClient({ clientId: bob.clientId });
  expect(entry).toMatchObject({ ws: null, user: { userId: '8' } });
  expect(await service.countClients({ room: 'go' })).toEqual({ count: 2, partial: false });

  await connectAs(one, { userId: '8' });
  await expect(connectAs(two, { userId: '8' })).rejects.toThrow('429');
  await service.disconnectUser({ userId: 8 });
  expect(await bob.closed).toMatchObject({ code: 4506 });
  await two.close();
  await eventually('one worker is left', () => service.getWebSocketHealth().cluster.workers === 1);
});

const ofMany = ['a master that Sentinel names', 'the start-up nodes of a Redis Cluster', 'a Redis Cluster, sharded'];

it.each(ofMany)('with %s the channels of Ignis are heard and spoken', async (kind) => {
  const port = kind.includes('Sentinel') ? sentinel.master.port : cluster.startupNodes[0]!.port;
  const old = await IgnisFleet.start(port);
  const one = await start(kinds[kind]!(), true);
  const ada = await connectAs(one, { userId: '7' });
  const service = one.app.get(WebSocketService);
  await service.joinRooms({ clientIds: [ada.clientId], rooms: ['tea'] });
  const message = { event: 'to:room', data: null };
  await old.publish('ws:room:tea', { type: 'room', target: 'tea', ...message });
  expect(await ada.next()).toMatchObject({ type: 'to', action: 'room' });
  await service.sendToRooms(['tea'], message);
  expect(await ada.next()).toMatchObject({ type: 'to', action: 'room' });
  await eventually('the old server has heard it', async () => {
    const heard = await old.heard();
    expect(heard.length).toBeLessThanOrEqual(1);
    return heard[0]?.[0] === 'ws:room:tea' && heard[0][1].target === 'tea';
  });
  await ada.expectNothing();
  old.stop();
});
