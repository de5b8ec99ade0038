import { afterEach, describe, expect, it } from '@jest/globals';
import { PxlWebSocketServer, RoomManager, WebSocketService } from 'nestjs-pxl-websocket';
import { PXL_WS_BROADCASTER } from '../../lib/cluster/bus/broadcaster.interface.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { eventually } from '../../lib/testing/eventually.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { SlowBroadcaster } from '../support/slow-broadcaster.js';
import { startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';

let app: TestApp;
let clock: ManualRuntime;
let service: WebSocketService;

async function start(test: TestAppOptions = {}): Promise<void> {
  clock = new ManualRuntime();
  app = await startApp({
    options: { heartbeat: false },
    ...test,
    override: (builder) => {
      const turned = builder.overrideProvider(Runtime).useValue(clock);
      return test.override?.(turned) ?? turned;
    },
  });
  service = app.app.get(WebSocketService);
}

afterEach(() => app.close());

describe('getWebSocketHealth', () => {
  it("tells this worker's numbers", async () => {
    await start();
    expect(service.getWebSocketHealth()).toMatchObject({
      status: 'healthy',
      ready: true,
      workerId: expect.stringMatching(/^[\w-]{8}$/),
      activeConnections: 0,
      rooms: 0,
      messagesPerSecond: 0,
      connectsPerSecond: 0,
      disconnectsPerSecond: 0,
      cluster: { workers: 1, connections: 0 },
      redis: { connected: false, probeMs: null, lastError: null },
    });
    const ada = await app.client();
    await app.client();
    for (const roomName of ['chess', 'go']) {
      await app.app.get(RoomManager).addClientToRoom({ clientId: ada.clientId, roomName });
    }
    expect(service.getWebSocketHealth()).toMatchObject({
      activeConnections: 2,
      rooms: 2,
      cluster: { workers: 1, connections: 2 },
    });
    await ada.close();
    await eventually('she has gone', () => service.getWebSocketHealth().activeConnections === 1);
    expect(service.getWebSocketHealth()).toMatchObject({ rooms: 0 });
  });

  it('averages the rates over the last ten seconds', async () => {
    await start();
    await clock.advance(20_000);
    const [ada, bob] = [await app.client(), await app.client()];
    for (let count = 0; count < 30; count++) await ada.request('system', 'ping');
    ada.send('no JSON');
    await ada.next();
    await bob.close();
    await eventually('he has gone', () => service.getWebSocketHealth().activeConnections === 1);
    await ada.request('system', 'ping');
    await clock.advance(999);
    expect(service.getWebSocketHealth()).toMatchObject({
      messagesPerSecond: 3.2,
      connectsPerSecond: 0.2,
      disconnectsPerSecond: 0.1,
    });
    await clock.advance(8_001);
    expect(service.getWebSocketHealth().messagesPerSecond).toBeCloseTo(3.55, 1);
    await clock.advance(1_000);
    expect(service.getWebSocketHealth()).toMatchObject({
      messagesPerSecond: 0,
      connectsPerSecond: 0,
      disconnectsPerSecond: 0,
    });
  });

  it('averages since the start while that is less than ten seconds ago', async () => {
    await start();
    const ada = await app.client();
    for (let count = 0; count < 10; count++) await ada.request('system', 'ping');
    expect(service.getWebSocketHealth().messagesPerSecond).toBe(10);
    await clock.advance(5_000);
    expect(service.getWebSocketHealth().messagesPerSecond).toBe(2);
  });

  it('is unhealthy, and not ready, once the server takes no connections', async () => {
    await start();
    await app.app.get(PxlWebSocketServer).stop();
    expect(service.getWebSocketHealth()).toMatchObject({ status: 'unhealthy', ready: false });
  });

  it('is unhealthy, and everything stays injectable, where the module is switched off', async () => {
    await start({ options: { enabled: false } });
    expect(service.getWebSocketHealth()).toMatchObject({ status: 'unhealthy', ready: false, activeConnections: 0 });
    await service.broadcast({ type: 'news', action: 'flash' });
  });

  it('is degraded, and not ready, while the other workers cannot be reached', async () => {
    const bus = new SlowBroadcaster();
    await start({ override: (builder) => builder.overrideProvider(PXL_WS_BROADCASTER).useValue(bus) });
    expect(service.getWebSocketHealth()).toMatchObject({ status: 'healthy', ready: true });
    bus.isReady = false;
    expect(service.getWebSocketHealth()).toMatchObject({ status: 'degraded', ready: false });
  });
});
