import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { WebSocketService, type PxlWebSocketModuleOptions, type WsPosition } from 'nestjs-pxl-websocket';
import { WebSocketEmitter } from 'nestjs-pxl-websocket/emitter';
import { eventually } from '../../lib/testing/eventually.js';
import { formerWorker } from '../support/former/former-version.js';
import { Logbook } from '../support/logbook.js';
import { RedisServer } from '../support/redis-server.js';
import { startApp, type TestApp } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';
import { WorkerProcess } from '../support/worker-process.js';

const news = { type: 'news', action: 'flash', data: { text: 'hello' } };
const former = formerWorker();

/** A worker of version 0.1.0 beside two of this one, as during an update. */
(former ? describe : describe.skip)('Beside a worker of version 0.1.0', () => {
  const logbook = new Logbook();
  let redis: RedisServer;
  let workers: [TestApp, TestApp];
  let services: [WebSocketService, WebSocketService];
  let old: WorkerProcess;
  const clients: TestClient[] = [];
  let rooms = 0;

  beforeAll(async () => {
    redis = await RedisServer.start();
    const common = { redis: redis.url };
    old = new WorkerProcess({ ...common, rooms: { announce: true, open: true } }, former);
    const options: PxlWebSocketModuleOptions = {
      ...common,
      rooms: {
        history: (roomName) => (roomName.startsWith('plain') ? null : { size: 100, ttl: 60_000 }),
        filters: { everybody: () => true },
        announce: true,
        open: true,
      },
    };
    workers = await Promise.all([startApp({ options, logger: logbook }), startApp({ options, logger: logbook })]);
    services = [workers[0].app.get(WebSocketService), workers[1].app.get(WebSocketService)];
    await old.started;
    // It keeps another registry: the versions have the bus in common, and with it all that is sent.
    await eventually('the old one hears the bus', () => old.run(({ service }) => service.getWebSocketHealth().ready));
  });

  afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())));

  afterAll(async () => {
    await Promise.all([...workers, old].map((worker) => worker.close()));
    await redis.stop();
  });

  async function member(worker: TestApp | WorkerProcess, roomName: string): Promise<TestClient> {
    const client = await worker.client();
    clients.push(client);
    await client.join(roomName);
    return client;
  }

  /** One member on each worker, that of the old one last. They have got all announcements. */
  async function membersOf(roomName: string): Promise<[TestClient, TestClient, TestClient]> {
    const first = await member(workers[0], roomName);
    const second = await member(workers[1], roomName);
    const third = await member(old, roomName);
    for (const client of [first, first, second]) await client.next('room', 'memberJoined');
    return [first, second, third];
  }

  /** A room whose history began some minutes ago, with its members: that of a younger one is not cleared. */
  async function lastingRoom(): Promise<{ room: string; members: [TestClient, TestClient, TestClient] }> {
    const room = `room ${++rooms}`;
    await position(room);
    const [key] = (await redis.command<string[]>('KEYS', '*:history:*')).filter((name) => name.includes(room));
    await redis.command('HSET', key!, 'e', `${Date.now() - 120_000}-lasting`);
    return { room, members: await membersOf(room) };
  }

  async function position(roomName: string): Promise<WsPosition> {
    return (await services[0].getHistory(roomName, { limit: 0 })).position;
  }

  function unnumbered(at: 0 | 1): number {
    return services[at].getMetrics().find(({ name }) => name === 'pxl_ws_history_unnumbered_total')!.value;
  }

  it('numbered messages reach its clients as ordinary ones', async () => {
    const room = `room ${++rooms}`;
    const members = await membersOf(room);
    await services[0].sendToRooms([room], news);
    for (const client of members.slice(0, 2)) expect(await client.next('news')).toEqual({ ...news, room, offset: 1 });
    expect(await members[2].next('news')).toEqual(news);
  });

  it('reads what leaves out users and rooms, and gets nothing that goes by a filter, which it does not know', async () => {
    const [room, plain] = [`room ${++rooms}`, 'plain'];
    const members = await membersOf(room);
    for (const client of members) await client.join(plain);
    await services[0].sendToRooms([room], news, { exclude: { users: ['7'], rooms: ['nowhere'] } });
    for (const client of members) expect(await client.next('news')).toMatchObject(news);
    await services[0].sendToRooms([plain], news, { where: ['everybody'] });
    await services[0].sendToRooms([plain], { ...news, action: 'last' }, { exclude: { users: ['7'] } });
    for (const client of members.slice(0, 2)) expect(await client.next('news')).toEqual(news);
    for (const client of members) expect(await client.next('news')).toMatchObject({ action: 'last' });
  });

  it('what it sends is delivered everywhere, counted and warned of, and clears the history that has a hole now', async () => {
    const { room, members } = await lastingRoom();
    await services[0].sendToRooms([room], news);
    const before = await position(room);
    const counted = unnumbered(1);
    await old.run(({ service }, sent) => service.sendToRooms([sent.room], sent.news), { room, news });
    for (const client of members) {
      await client.next('news');
      expect(await client.next('news')).toEqual(news);
    }
    for (const client of members.slice(0, 2)) {
      expect(await client.next('room', 'lost')).toMatchObject({ data: { roomName: room, reason: 'epoch' } });
    }
    expect((await position(room)).epoch).not.toBe(before.epoch);
    expect(unnumbered(1)).toBe(counted + 1);
    // Who was away would miss it, and is told so.
    const returned = await workers[0].client();
    clients.push(returned);
    const data = { roomName: room, since: { ...before, offset: 1 } };
    expect(await returned.call('system', 'joinRoom', data)).toMatchObject({
      response: { data: { recovered: false, reason: 'epoch' } },
    });
    const warned = logbook.of('warn').filter((line) => line.startsWith('A message without a number came'));
    expect(warned).toHaveLength(workers.length);
  });

  it('its announcements of members and what is volatile clear nothing', async () => {
    const { room, members } = await lastingRoom();
    const before = await position(room);
    const counted = unnumbered(0);
    await member(old, room);
    await old.run(({ service }, sent) => service.sendToRooms([sent.room], sent.news, { volatile: true }), {
      room,
      news,
    });
    for (const client of members.slice(0, 2)) {
      await client.next('room', 'memberJoined');
      expect(await client.next('news')).toEqual(news);
    }
    expect(await position(room)).toEqual(before);
    expect(unnumbered(0)).toBe(counted);
  });

  it('it knows nothing of the command that follows a clear, and lives on', async () => {
    const room = `room ${++rooms}`;
    const members = await membersOf(room);
    await services[0].clearHistory(room);
    await services[0].sendToRooms([room], news);
    for (const client of members) expect(await client.next('news')).toMatchObject(news);
  });

  it('an emitter without the option sends unnumbered ones too', async () => {
    const { room, members } = await lastingRoom();
    const before = await position(room);
    const emitter = new WebSocketEmitter({ redis: redis.url });
    try {
      await emitter.toRoom({ room, ...news });
    } finally {
      await emitter.shutdown();
    }
    for (const client of members) expect(await client.next('news')).toEqual(news);
    await eventually('the history is cleared', async () => (await position(room)).epoch !== before.epoch);
  });
});
