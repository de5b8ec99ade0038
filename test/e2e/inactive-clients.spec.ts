import { afterEach, describe, expect, it } from '@jest/globals';
import { PxlWebSocketServer, WebSocketService, type PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { Runtime } from '../../lib/runtime/runtime.js';
import { Logbook } from '../support/logbook.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { startApp, type TestApp } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';

const MINUTE = 60_000;

let app: TestApp;
let clock: ManualRuntime;
let logbook: Logbook;

/** Nobody can tell from it that a timer came late. */
class BlindRuntime extends ManualRuntime {
  override monotonic(): number {
    return 0;
  }
}

async function start(
  disconnectInactiveClients: PxlWebSocketModuleOptions['disconnectInactiveClients'],
  runtime = new ManualRuntime(),
): Promise<void> {
  clock = runtime;
  logbook = new Logbook();
  app = await startApp({
    options: { heartbeat: false, disconnectInactiveClients },
    logger: logbook,
    override: (builder) => builder.overrideProvider(Runtime).useValue(clock),
  });
}

/** Waits until the server has read everything that the client has sent. */
function settled(client: TestClient): Promise<unknown> {
  return client.request('system', 'ping');
}

afterEach(() => app.close());

describe('disconnectInactiveClients', () => {
  it('closes with 4510 who has sent nothing for five minutes, at the sweep of the next minute', async () => {
    await start({ enabled: true });
    const client = await app.client();
    await clock.advance(4 * MINUTE);
    await settled(client);
    await clock.advance(MINUTE);
    expect(await client.closed).toEqual({ code: 4510, reason: 'inactive' });
  });

  it('disconnects nobody unless it is enabled', async () => {
    await start({});
    const client = await app.client();
    await clock.advance(60 * MINUTE);
    await settled(client);
  });

  it('takes any message for activity, a refused one too', async () => {
    await start({ enabled: true, inactiveTime: 10_000, intervalCheckTime: 1_000 });
    const active = await app.client();
    const messages = [
      { type: 'no', action: 'route' },
      { type: 'system', action: 'pong' },
    ];
    for (const message of [...messages, ...messages]) {
      await clock.advance(9_000);
      active.send(message);
      await settled(active);
    }
    await clock.advance(9_000);
    await settled(active);
    await clock.advance(1_000);
    expect((await active.closed).code).toBe(4510);
  });

  it("takes neither the client library's own pings nor what it is sent for activity", async () => {
    await start({ enabled: true, inactiveTime: 10_000, intervalCheckTime: 1_000 });
    const client = await app.client();
    for (let second = 0; second < 9; second++) {
      await clock.advance(1_000);
      await app.app.get(WebSocketService).broadcast({ type: 'news', action: 'flash' });
      await settled(client);
    }
    await clock.advance(1_000);
    expect((await client.closed).code).toBe(4510);
  });

  it('logs how many it has disconnected when told to, and nothing otherwise', async () => {
    for (const log of [true, false]) {
      await start({ enabled: true, inactiveTime: 1_000, intervalCheckTime: 1_000, log });
      const clients = [await app.client(), await app.client()];
      await clock.advance(1_000);
      for (const client of clients) await client.closed;
      const lines = logbook.lines.filter((line) => line.includes('inactive'));
      expect(lines).toEqual(log ? ['log Disconnected 2 inactive clients.'] : []);
      if (log) await app.close();
    }
  });

  const stall = { enabled: true, inactiveTime: 10_000, intervalCheckTime: 5_000 };

  it('judges nobody after this process stood still; the next round does', async () => {
    await start(stall);
    const [silent, active] = [await app.client(), await app.client()];
    await clock.stall(20_000);
    for (const client of [silent, active]) await settled(client);
    active.send({ type: 'system', action: 'pong' });
    await settled(active);
    await clock.advance(5_000);
    expect((await silent.closed).code).toBe(4510);
    await settled(active);
  });

  it('would, without that rule, close everybody at once (control: a clock that shows no delay)', async () => {
    await start(stall, new BlindRuntime());
    const clients = [await app.client(), await app.client()];
    await clock.stall(20_000);
    for (const client of clients) expect((await client.closed).code).toBe(4510);
  });

  it('stops with the server', async () => {
    await start({ enabled: true });
    expect(clock.size).toBe(1);
    await app.app.get(PxlWebSocketServer).stop();
    expect(clock.size).toBe(0);
  });
});
