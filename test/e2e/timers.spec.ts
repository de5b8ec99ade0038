import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ClientManager, WebSocketService, type PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { eventually } from '../../lib/testing/eventually.js';
import { Runtime, type RuntimeTimer } from '../../lib/runtime/runtime.js';
import { RedisServer } from '../support/redis-server.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

/** The usual clock, which knows what set each timer that has not fired yet. */
class WatchedRuntime extends Runtime {
  readonly pending = new Set<string>();
  #count = 0;

  override timeout(ms: number, callback: () => void): RuntimeTimer {
    return this.#watched(ms, (fire) => super.timeout(ms, fire), callback);
  }

  override deadline(ms: number, callback: () => void): RuntimeTimer {
    return this.#watched(ms, (fire) => super.deadline(ms, fire), callback);
  }

  #watched(ms: number, set: (fire: () => void) => RuntimeTimer, callback: () => void): RuntimeTimer {
    const what = `${ms} ms ${new Error().stack?.split('\n').slice(3, 6).join(' <')} #${++this.#count}`;
    this.pending.add(what);
    const timer = set(() => {
      this.pending.delete(what);
      callback();
    });
    return {
      cancel: () => {
        this.pending.delete(what);
        timer.cancel();
      },
    };
  }
}

/** Until all have fired that wait for something short, in ms; those that begin anew, or wait for long, are left over. */
const SOON = 5_000;

let redis: RedisServer;

beforeAll(async () => {
  redis = await RedisServer.start();
});

afterAll(() => redis.stop());

describe.each([
  ['alone', () => ({})],
  ['with Redis', () => ({ redis: redis.url })],
])('A worker %s', (_, more: () => PxlWebSocketModuleOptions) => {
  it('has no timer left when it is closed', async () => {
    const runtime = new WatchedRuntime();
    const options: PxlWebSocketModuleOptions = {
      ...more(),
      auth: { authenticate: urlIdentity },
      delivery: { window: 20 },
      clientList: { enabled: true },
      cluster: { lastSeen: 60_000 },
      limits: { connectionLifetime: 600_000, connectionsPerUser: { max: 3 }, messagesPerSecond: 1_000 },
      rooms: { open: true, announce: true, presence: true, history: { size: 10, ttl: 3_600_000 } },
    };
    const app: TestApp = await startApp({ options, override: (b) => b.overrideProvider(Runtime).useValue(runtime) });
    const clients = await Promise.all(['ada', 'bob', 'eve'].map((userId) => connectAs(app, { userId })));
    for (const client of clients) await client.join('tea');
    const service = app.app.get(WebSocketService);
    await service.sendToRooms(['tea'], { type: 'news', action: 'flash', data: 1 });
    await service.clearHistory('tea');
    await service.revoke({ userId: 'eve' });
    await service.disconnectUser({ userId: 'bob' });
    await eventually('he has gone', () => app.app.get(ClientManager).getClients().length === 1);
    await app.close();
    await eventually('no timer is left', () => runtime.pending.size === 0, SOON).catch(() => undefined);
    expect([...runtime.pending]).toEqual([]);
  });
});
