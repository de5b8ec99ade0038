import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ClientManager, WebSocketService, type PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { WebSocket } from 'ws';
import { webCryptoEncryption } from '../../lib/client/encryption/index.js';
import {
  WebSocketClient,
  type PresenceChange,
  type RoomPresence,
  type WebSocketClientOptions,
} from '../../lib/client/index.js';
import { entered } from '../support/client-states.js';
import { RedisServer } from '../support/redis-server.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { until } from '../support/until.js';
import { urlIdentity } from '../support/url-identity.js';

const clients: WebSocketClient[] = [];
let redis: RedisServer;
let workers: TestApp[];

beforeAll(async () => {
  redis = await RedisServer.start();
  const options: PxlWebSocketModuleOptions = {
    redis: `redis://127.0.0.1:${redis.port}`,
    auth: { authenticate: urlIdentity },
    encryption: true,
    rooms: { open: true, presence: { interval: 20 }, whisper: true },
  };
  workers = [await startApp({ options }), await startApp({ options })];
});

afterEach(() => clients.splice(0).forEach((client) => client.destroy()));
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.close()));
  await redis.stop();
});

/** A client of one of the workers; `worker` may be changed for the next connection. */
async function comes(roomName: string, worker: number, userId?: string, options: Partial<WebSocketClientOptions> = {}) {
  const place = { worker };
  class Socket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      const { search } = new URL(url);
      super(`${workers[place.worker]!.url()}${search}`, protocols);
    }
  }
  const url = `ws://elsewhere/ws${userId === undefined ? '' : `?userId=${userId}`}`;
  const client = new WebSocketClient({ url, webSocket: Socket, ...options });
  clients.push(client);
  const presence = client.presence(roomName);
  const changes: PresenceChange[] = [];
  presence.onChange((change) => changes.push(change));
  await client.connect();
  await client.join(roomName);
  return { client, presence, changes, place };
}

const idsOf = ({ members }: Pick<RoomPresence, 'members'>) =>
  members.map(({ userId, clientId, state }) => [userId ?? clientId, state].filter(Boolean).join(' ')).sort();
const shows = (presence: RoomPresence, ...ids: string[]) =>
  until(`${ids.join()} are there`, () => idsOf(presence).join() === ids.sort().join());
const idOf = (client: WebSocketClient): string => client.clientId!;

describe('clients of two workers', () => {
  it('see the same members and states, and hear whispers, in both envelopes and encrypted', async () => {
    const ada = await comes('tea', 0, 'ada');
    const bo = await comes('tea', 1, 'bo', { protocol: 'event' });
    const cy = await comes('tea', 0, undefined, { encryption: webCryptoEncryption() });
    const all = [ada, bo, cy];
    const cyId = idOf(cy.client);
    for (const { presence } of all) await shows(presence, 'ada', 'bo', cyId);
    for (const { client } of all) await client.setPresence('tea', 'here');
    for (const { presence } of all) await shows(presence, 'ada here', 'bo here', `${cyId} here`);

    const heard: unknown[] = [];
    ada.client.on('whisper', 'typing', (data, { room, from }) => heard.push([data, room, from]));
    expect([bo, cy].map(({ client }, n) => client.whisper('tea', 'typing', n))).toEqual([true, true]);
    await until('both are heard', () => heard.length === 2);
    expect(heard).toEqual(
      expect.arrayContaining([
        [0, 'tea', { clientId: idOf(bo.client), userId: 'bo' }],
        [1, 'tea', { clientId: cyId }],
      ]),
    );

    await bo.client.leave('tea');
    for (const { presence } of [ada, cy]) await shows(presence, 'ada here', `${cyId} here`);
    await workers[1]!.app.get(WebSocketService).leaveRooms({ clientIds: [cyId], rooms: ['tea'] });
    await shows(ada.presence, 'ada here');
    // Who has left, and who was taken out, see nobody any more.
    for (const { presence } of [bo, cy]) await shows(presence);
  });

  it('come back on the other worker within the grace as the same member, with their state, and nobody hears of it', async () => {
    const ada = await comes('chess', 0, 'ada');
    const { client, presence, changes, place } = await comes('chess', 0);
    const former = idOf(client);
    await client.setPresence('chess', 'here');
    for (const own of [ada.presence, presence]) await shows(own, 'ada', `${former} here`);
    const [before, own] = [ada.changes.length, changes.length];
    for (const worker of [1, 0]) {
      place.worker = worker;
      workers[1 - worker]!.app.get(ClientManager)
        .getClient({ clientId: idOf(client) })!
        .ws!.terminate();
      await entered(client, 'reconnecting');
      await client.connect();
      // Behind the rooms. Once it is seen on the first worker, that one knows of the second connection.
      await client.setPresence('chess', `on ${worker}`);
      for (const shown of [ada.presence, presence]) await shows(shown, 'ada', `${former} on ${worker}`);
    }
    expect(idOf(client)).not.toBe(former);
    for (const told of [ada.changes.slice(before), changes.slice(own)]) {
      expect(told.flatMap(({ joined, left }) => [...joined, ...left])).toEqual([]);
      expect(told.flatMap(({ updated }) => updated.map(({ state }) => state))).toEqual(['on 1', 'on 0']);
    }
  });
});
