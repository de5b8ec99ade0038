import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { MessageBody, WebSocketGateway } from '@nestjs/websockets';
import {
  WebSocketService,
  WsRoute,
  type PxlWebSocketModuleOptions,
  type WsClient,
  type WsExclude,
} from 'nestjs-pxl-websocket';
import { eventually } from '../../lib/testing/eventually.js';
import { EncryptedClient } from '../support/encrypted-client.js';
import { joinRoom, offsetsAt, refusalOf, type HistoryPage } from '../support/history-requests.js';
import { RedisServer } from '../support/redis-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { urlIdentity } from '../support/url-identity.js';

@WebSocketGateway()
class Gateway {
  @WsRoute('test', 'echo')
  echo(_client: WsClient, data: unknown): unknown {
    return data;
  }

  @WsRoute('test', 'enter')
  async enter(client: WsClient, @MessageBody('roomName') roomName: string): Promise<boolean> {
    return client.join(roomName);
  }
}

const CODECS = ['pxl.v1', 'event.v1'] as const;

let redis: RedisServer;
/** Between the second worker and Redis. */
let proxy: TcpProxy;
let workers: [TestApp, TestApp];
let services: [WebSocketService, WebSocketService];
const open: { socket: { terminate(): void } }[] = [];
let rooms = 0;

beforeAll(async () => {
  redis = await RedisServer.start();
  proxy = await TcpProxy.before(redis.port);
  const options: PxlWebSocketModuleOptions = {
    auth: { authenticate: urlIdentity },
    encryption: true,
    cluster: { secret: 'a secret of more than thirty-two characters' },
    rooms: { open: true, history: { size: 1_000, ttl: 60_000 } },
  };
  const providers = [Gateway];
  workers = await Promise.all([
    startApp({ providers, options: { ...options, redis: redis.url } }),
    startApp({ providers, options: { ...options, redis: `redis://127.0.0.1:${proxy.port}` } }),
  ]);
  services = [workers[0].app.get(WebSocketService), workers[1].app.get(WebSocketService)];
});

afterEach(() => open.splice(0).forEach(({ socket }) => socket.terminate()));

afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.close()));
  await proxy.close();
  await redis.stop();
});

/** A room that nobody has used. */
const newRoom = (): string => `kept ${++rooms}`;

async function connect(at: 0 | 1, codec: string, userId = 'ada'): Promise<TestClient> {
  const client = await TestClient.open(workers[at].url(`/ws?userId=${userId}`), { protocols: [codec] });
  open.push(client);
  await client.welcomed();
  return client;
}

function say(at: 0 | 1, roomName: string, n: number, exclude: WsExclude = []): Promise<void> {
  return services[at].sendToRooms([roomName], { type: 'chat', action: 'line', data: n }, { exclude });
}

/** 1, 2, 3, … */
const upTo = (last: number, first = 1): number[] => Array.from({ length: last - first + 1 }, (_, at) => first + at);

/** Resolves once the client has heard of so many numbered messages. */
async function heard(client: TestClient, count: number): Promise<number[]> {
  await eventually(`${count} messages`, async () => (await offsetsAt(client)).length >= count);
  return offsetsAt(client);
}

describe.each(CODECS)('a client that returns to another worker (%s)', (codec) => {
  it('gets what it has missed before what is new, while both workers go on sending', async () => {
    const [room, first] = [newRoom(), await connect(0, codec)];
    const { position } = await joinRoom(first, room);
    await Promise.all(upTo(50).map((n) => say((n % 2) as 0 | 1, room, n)));
    expect(await heard(first, 50)).toEqual(upTo(50));
    const sends = upTo(150, 51).map((n) => say((n % 2) as 0 | 1, room, n));
    const second = await connect(1, codec);
    const since = { ...position, offset: 20 };
    expect(await joinRoom(second, room, { since, was: first.clientId })).toMatchObject({
      position: since,
      recovered: true,
    });
    await Promise.all(sends);
    expect(await heard(second, 130)).toEqual(upTo(150, 21));
    expect(await heard(first, 150)).toEqual(upTo(150));
    const data = (client: TestClient): unknown[] =>
      (client.pending as { offset?: number; data?: unknown }[])
        .filter(({ offset }) => offset !== undefined && offset > 20)
        .map((message) => message.data);
    expect(data(second)).toEqual(data(first));
  });

  it('hears no echo of its own, which was sent on a former connection', async () => {
    const [room, first] = [newRoom(), await connect(0, codec)];
    const { position } = await joinRoom(first, room);
    await say(0, room, 1);
    await say(0, room, 2, [first.clientId]);
    await say(1, room, 3);
    const second = await connect(1, codec);
    expect(await joinRoom(second, room, { since: position, was: first.clientId })).toMatchObject({ replayed: 2 });
    expect(await offsetsAt(second)).toEqual([1, 3]);
  });

  it('gets nothing that leaves out its user or a room of its, live, at the return and in pages', async () => {
    const [room, loud] = [newRoom(), `loud ${newRoom()}`];
    const [first, other] = [await connect(0, codec), await connect(1, codec, 'bob')];
    const { position } = await joinRoom(first, room);
    await joinRoom(other, room);
    await joinRoom(first, loud);
    await say(1, room, 1, { users: ['ada'] });
    // What becomes of the lists afterwards changes nothing.
    const [rooms, clients] = [[loud], ['nobody']];
    const sent = say(0, room, 2, { rooms, clients });
    rooms[0] = 'nowhere';
    clients.push(other.clientId);
    await sent;
    await say(1, room, 3, { users: ['bob', 'cy'], rooms: ['nowhere'] });
    expect(await heard(first, 1)).toEqual([3]);
    expect(await heard(other, 2)).toEqual([1, 2]);
    // The worker of the first one has them at hand; the other one has to read them, once it has no member any more.
    const pages = async (client: TestClient): Promise<number[]> => {
      const { messages } = (await client.request('system', 'history', { roomName: room })) as HistoryPage;
      return messages.map(({ offset }) => offset);
    };
    expect(await pages(first)).toEqual([3]);
    expect(await pages(other)).toEqual([1, 2]);
    await other.close();
    for (const at of [0, 1] as const) {
      const second = await connect(at, codec);
      // In one request, whatever its order: what follows the answer comes to a member of both.
      const rooms = [{ room, since: position }, { room: loud }];
      expect(await second.request('system', 'join', { rooms })).toMatchObject({ rooms: [room, loud] });
      expect(await offsetsAt(second)).toEqual([3]);
      // Which rooms it is in counts when it gets them.
      const third = await connect(at, codec);
      expect(await joinRoom(third, room, { since: position })).toMatchObject({ replayed: 2 });
      expect(await offsetsAt(third)).toEqual([2, 3]);
      expect(await pages(third)).toEqual([2, 3]);
      await joinRoom(third, loud);
      expect(await pages(third)).toEqual([3]);
      await Promise.all([second.close(), third.close()]);
    }
  });

  it('recovers a room into which the server puts it', async () => {
    const [room, first] = [newRoom(), await connect(0, codec)];
    await first.request('test', 'enter', { roomName: room });
    const { position } = (await first.next('room', 'joined')).data as { position: { epoch: string; offset: number } };
    await say(0, room, 1);
    await say(1, room, 2);
    const second = await connect(1, codec);
    await second.request('test', 'enter', { roomName: room });
    expect((await second.next('room', 'joined')).data).toEqual({
      roomName: room,
      position: { ...position, offset: 2 },
    });
    const recover = { roomName: room, since: position };
    expect(await second.request('system', 'recover', recover)).toMatchObject({ recovered: true, replayed: 2 });
    await say(0, room, 3);
    expect(await heard(second, 3)).toEqual([1, 2, 3]);
  });

  it('gets it encrypted where it has agreed on keys', async () => {
    const [room, first] = [newRoom(), await connect(0, codec)];
    const { position } = await joinRoom(first, room);
    await Promise.all(upTo(20).map((n) => say(0, room, n)));
    const secret = await EncryptedClient.connect(workers[1].url('/ws?userId=ada'), { codec });
    open.push(secret);
    const names = codec === 'pxl.v1' ? { type: 'system', action: 'joinRoom' } : { event: 'system:joinRoom' };
    const data = { roomName: room, since: position };
    const isNumbered = ({ offset }: Record<string, unknown>): boolean => offset !== undefined;
    expect(await secret.request({ ...names, data, id: 1 })).not.toHaveProperty('data.code');
    await say(1, room, 21);
    for (const n of upTo(21)) expect(await secret.next(isNumbered)).toMatchObject({ room, offset: n });
    expect(secret.clear.some(isNumbered)).toBe(false);
  });
});

describe('a worker that cannot reach Redis', () => {
  it('refuses joins with UNAVAILABLE, and with the same position later nothing is missing', async () => {
    const room = newRoom();
    const [elsewhere, member, returning] = [
      await connect(0, 'pxl.v1'),
      await connect(1, 'pxl.v1'),
      await connect(1, 'event.v1'),
    ];
    const { position } = await joinRoom(elsewhere, room);
    await joinRoom(member, room);
    await say(0, room, 1);
    await heard(member, 1);
    proxy.blackHole();
    proxy.reset();
    await eventually('it has noticed', () => !services[1].getWebSocketHealth().ready);
    try {
      await say(0, room, 2);
      const since = { roomName: room, since: position };
      expect(await refusalOf(returning, 'joinRoom', since)).toBe('UNAVAILABLE');
      await say(0, room, 3);
    } finally {
      proxy.heal();
      proxy.reset();
    }
    await eventually('the link is back', () => services[1].getWebSocketHealth().ready);
    expect(await heard(member, 3)).toEqual([1, 2, 3]);
    await eventually('it is recovered', async () => {
      const answer = await returning
        .request('system', 'joinRoom', { roomName: room, since: position })
        .catch(() => null);
      return (answer as { data: { recovered: boolean } } | null)?.data.recovered === true;
    });
    await say(1, room, 4);
    expect(await heard(returning, 4)).toEqual([1, 2, 3, 4]);
    expect(await heard(elsewhere, 4)).toEqual([1, 2, 3, 4]);
  });
});
