import { afterEach, describe, expect, it } from '@jest/globals';
import { MessageBody } from '@nestjs/websockets';
import { ClientManager, WsRoute, type WsClient } from 'nestjs-pxl-websocket';
import { Runtime } from '../../lib/runtime/runtime.js';
import { Gate } from '../support/gate.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { PLATFORMS, startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';
import { until } from '../support/until.js';

let running: TestApp | undefined;

afterEach(async () => {
  await running?.close();
  running = undefined;
});

async function start(options: TestAppOptions): Promise<TestApp> {
  return (running = await startApp({ ...options, providers: [Gateway] }));
}

class Gateway {
  readonly gates: Gate[] = [];
  readonly order: number[] = [];
  running = 0;
  most = 0;

  @WsRoute('q', 'wait')
  async wait() {
    const gate = new Gate();
    this.gates.push(gate);
    this.most = Math.max(this.most, ++this.running);
    await gate.passed;
    this.running--;
  }

  @WsRoute('q', 'count')
  async count(@MessageBody() number: number) {
    this.order.push(number);
    if (number % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }

  @WsRoute('q', 'call')
  async call(client: WsClient) {
    return client.call({ type: 'ask', action: 'me' });
  }
}

function clientOf({ app }: TestApp, { clientId }: TestClient): WsClient {
  return app.get(ClientManager).getClient({ clientId, requireWs: true })!;
}

describe('inbound.concurrency', () => {
  it('is how many messages of one client run at once', async () => {
    const test = await start({ options: { inbound: { concurrency: 3 } } });
    const gateway = test.app.get(Gateway);
    const tester = await test.client();
    for (let id = 0; id < 5; id++) tester.send({ type: 'q', action: 'wait', id });
    await until(() => gateway.gates.length === 3);
    gateway.gates[1]?.open();
    expect((await tester.next()).id).toBe(1);
    await until(() => gateway.gates.length === 4);
    expect(gateway.most).toBe(3);
    for (const gate of gateway.gates) gate.open();
    await until(() => gateway.gates.length === 5);
    gateway.gates[4]?.open();
  });
});

describe.each(PLATFORMS)('a full queue on %s', (platform) => {
  it('stops the reading of its socket, and half of it free again resumes; nothing of 10,000 is lost', async () => {
    const test = await start({ platform, options: { inbound: { queue: 8 } } });
    const gateway = test.app.get(Gateway);
    const tester = await test.client();
    const { ws } = clientOf(test, tester);
    let paused = 0;
    const { pause } = ws;
    ws.pause = () => {
      paused++;
      pause.call(ws);
    };
    tester.send({ type: 'q', action: 'wait', id: 'gate' });
    for (let number = 1; number <= 10_000; number++) tester.send({ type: 'q', action: 'count', data: number });
    await until(() => ws.isPaused);
    gateway.gates[0]?.open();
    await until(() => gateway.order.length === 10_000);
    expect(gateway.order).toEqual(Array.from({ length: 10_000 }, (_, at) => at + 1));
    expect(ws.isPaused).toBe(false);
    expect(paused).toBeGreaterThan(1);
  });
});

describe('a paused client', () => {
  async function pause(test: TestApp, tester: TestClient): Promise<void> {
    for (let sent = 0; sent < 5; sent++) tester.send({ type: 'q', action: 'wait' });
    await until(() => clientOf(test, tester).ws.isPaused);
  }

  function manual(options: TestAppOptions['options'] = {}): [ManualRuntime, TestAppOptions] {
    const runtime = new ManualRuntime();
    const override: TestAppOptions['override'] = (builder) => builder.overrideProvider(Runtime).useValue(runtime);
    return [runtime, { options: { inbound: { queue: 2 }, ...options }, override }];
  }

  it('is no silent client for the heartbeat, and is one again afterwards', async () => {
    const [runtime, options] = manual({ heartbeat: { interval: 1_000, timeout: 1_000 } });
    const test = await start(options);
    const tester = await test.client();
    await pause(test, tester);
    await runtime.advance(10_000);
    expect(tester.socket.readyState).toBe(1);
    const gateway = test.app.get(Gateway);
    for (let at = 0; at < 5; at++) {
      await until(() => gateway.gates.length > at);
      gateway.gates[at]?.open();
    }
    expect(await tester.request('system', 'ping')).toBeDefined();
    expect(clientOf(test, tester).ws.isPaused).toBe(false);
  });

  it('for longer than 30 s is closed with 4008', async () => {
    const [runtime, options] = manual({ heartbeat: false });
    const test = await start(options);
    const tester = await test.client();
    await pause(test, tester);
    await runtime.advance(29_999);
    expect(tester.socket.readyState).toBe(1);
    await runtime.advance(1);
    expect(await tester.closed).toEqual({ code: 4008, reason: 'too slow' });
    await until(() => test.app.get(ClientManager).size === 0);
    for (const gate of test.app.get(Gateway).gates) gate.open();
  });

  it('stays as long as its messages are worked off, however slowly', async () => {
    const [runtime, options] = manual({ heartbeat: false });
    const test = await start(options);
    const tester = await test.client();
    await pause(test, tester);
    const { gates } = test.app.get(Gateway);
    await runtime.advance(29_000);
    gates[0]?.open();
    await until(() => gates.length === 2);
    await runtime.advance(30_999);
    expect(clientOf(test, tester).ws.isPaused).toBe(true);
    expect(tester.socket.readyState).toBe(1);
    await runtime.advance(1);
    expect((await tester.closed).code).toBe(4008);
    await until(() => test.app.get(ClientManager).size === 0);
    for (const gate of gates) gate.open();
  });

  it('sees the close code, and its own close frame is read', async () => {
    const test = await start({ options: { inbound: { queue: 2 } } });
    const tester = await test.client();
    await pause(test, tester);
    clientOf(test, tester).close(4100, 'enough');
    expect(await tester.closed).toEqual({ code: 4100, reason: 'enough' });
    await until(() => test.app.get(ClientManager).size === 0);
    for (const gate of test.app.get(Gateway).gates) gate.open();
  });

  it('is read on while a handler waits for its answer', async () => {
    const test = await start({ options: { inbound: { queue: 2 } } });
    const tester = await test.client();
    tester.send({ type: 'q', action: 'call', id: 'c' });
    for (let number = 1; number <= 20; number++) tester.send({ type: 'q', action: 'count', data: number });
    const { callId } = await tester.next('ask', 'me');
    tester.send({ type: 'system', action: 'answer', data: { callId, response: 'answered' } });
    expect((await tester.next('q', 'call')).response).toBe('answered');
    await until(() => test.app.get(Gateway).order.length === 20);
    await until(() => !clientOf(test, tester).ws.isPaused);
  });
});
