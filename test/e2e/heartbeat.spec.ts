import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocketGateway } from '@nestjs/websockets';
import { ClientManager, WsRoute, type PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import type { WebSocket } from 'ws';
import { Runtime } from '../../lib/runtime/runtime.js';
import { StallWatch } from '../../lib/testing/stall-watch.js';
import { isSoak } from '../support/cluster-periods.js';
import { ChildProgram } from '../support/child-program.js';
import { Diary } from '../support/diary.js';
import { Gate } from '../support/gate.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { RawClient } from '../support/raw-client.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { until } from '../support/until.js';

const INTERVAL = 15_000;
const TIMEOUT = 10_000;

let app: TestApp;
let clock: ManualRuntime;
let diary: Diary;
let gate: Gate;

@WebSocketGateway()
class Gateway {
  @WsRoute('echo', 'say')
  say(): string {
    return 'said';
  }

  @WsRoute('slow', 'wait')
  wait(): Promise<void> {
    return gate.passed;
  }
}

async function start(options: PxlWebSocketModuleOptions = {}, runtime: Runtime = new Runtime()): Promise<void> {
  diary = new Diary();
  gate = new Gate();
  const onDisconnected = ({ code, reason }: { code: number; reason: string }): void => diary.write(`${code} ${reason}`);
  app = await startApp({
    options: { events: { onDisconnected }, ...options },
    providers: [Gateway],
    override: (builder) => builder.overrideProvider(Runtime).useValue(runtime),
  });
}

function startWithClock(options?: PxlWebSocketModuleOptions): Promise<void> {
  clock = new ManualRuntime();
  return start(options, clock);
}

/** A client that leaves pings unanswered. */
function connectSilent(): Promise<TestClient> {
  return TestClient.connect(app.url(), { autoPong: false });
}

/** The server's socket of a client. */
function onServer({ clientId }: TestClient): WebSocket {
  return app.app.get(ClientManager).getClient({ clientId, requireWs: true })!.ws;
}

describe('The heartbeat', () => {
  afterEach(() => app.close());

  it('pings every client each interval, and one that answers stays', async () => {
    await startWithClock();
    const client = await app.client();
    for (let round = 1; round <= 3; round++) {
      let pings = 0;
      const heard = once(onServer(client), 'pong');
      client.socket.on('ping', () => pings++);
      await clock.advance(round === 1 ? INTERVAL - 1 : INTERVAL - TIMEOUT - 1);
      expect(pings).toBe(0);
      await clock.advance(1);
      await heard;
      expect(pings).toBe(1);
      await clock.advance(TIMEOUT);
      client.socket.removeAllListeners('ping');
    }
    expect(await client.request('echo', 'say')).toBe('said');
  });

  it('pings many clients in pieces, so that messages do not wait for all of them', async () => {
    const rests: (() => void)[] = [];
    let isHeld = true;
    class HeldRuntime extends ManualRuntime {
      override afterIo(callback: () => void): void {
        if (isHeld) rests.push(callback);
        else super.afterIo(callback);
      }
    }
    clock = new HeldRuntime();
    await start({}, clock);
    const clients = await Promise.all(Array.from({ length: 150 }, () => app.client()));
    let pings = 0;
    for (const { socket } of clients) socket.on('ping', () => pings++);
    await clock.advance(INTERVAL);
    await until(() => pings === 100);
    expect(await clients[149]!.request('echo', 'say')).toBe('said');
    expect(pings).toBe(100);
    for (const rest of rests.splice(0)) rest();
    await until(() => pings === 150);
    expect(rests).toEqual([]);
    isHeld = false;
  });

  it('tells clients its periods in the welcome', async () => {
    await startWithClock({ heartbeat: { interval: 7_000, timeout: 3_000 } });
    const client = await TestClient.open(app.url());
    expect((await client.next('system', 'connected')).data).toMatchObject({
      heartbeat: { interval: 7_000, timeout: 3_000 },
    });
    client.socket.terminate();
  });

  it('closes a client that sends no pong in time with 4002, and no other', async () => {
    await startWithClock();
    const [silent, healthy] = [await connectSilent(), await app.client()];
    const [pinged, heard] = [once(silent.socket, 'ping'), once(onServer(healthy), 'pong')];
    await clock.advance(INTERVAL);
    await Promise.all([pinged, heard]);
    await clock.advance(TIMEOUT - 1);
    expect(silent.socket.readyState).toBe(1);
    await clock.advance(1);
    expect(await silent.closed).toEqual({ code: 4002, reason: 'heartbeat timeout' });
    await diary.until('4002 heartbeat timeout');
    expect(await healthy.request('echo', 'say')).toBe('said');
  });

  it('cuts the socket of a client that does not answer the close frame either after a second', async () => {
    await startWithClock();
    const client = await RawClient.open(app.port);
    await clock.advance(INTERVAL);
    expect((await client.frame()).opcode).toBe(9);
    await clock.advance(TIMEOUT);
    expect(await client.closeCode()).toBe(4002);
    await clock.advance(999);
    expect(diary.entries).toEqual([]);
    await clock.advance(1);
    await diary.until('4002 heartbeat timeout');
    client.reset();
  });

  it('takes any message for a sign of life, a refused one too', async () => {
    await startWithClock();
    const [talking, babbling] = [await connectSilent(), await connectSilent()];
    const pings = [once(talking.socket, 'ping'), once(babbling.socket, 'ping')];
    await clock.advance(INTERVAL);
    await Promise.all(pings);
    expect(await talking.request('echo', 'say')).toBe('said');
    babbling.socket.send(Buffer.from('binary'));
    await babbling.next('error');
    await clock.advance(TIMEOUT);
    expect(await talking.request('echo', 'say')).toBe('said');
    expect(babbling.socket.readyState).toBe(1);
    talking.socket.terminate();
    babbling.socket.terminate();
  });

  it('leaves a client alone whose pongs are not read, since its queue is full', async () => {
    await startWithClock({ inbound: { queue: 2 } });
    const client = await app.client();
    for (let message = 0; message < 10; message++) client.send({ type: 'slow', action: 'wait' });
    await until('the socket is paused', () => onServer(client).isPaused);
    await clock.advance(INTERVAL);
    await clock.advance(TIMEOUT);
    expect(client.socket.readyState).toBe(1);
    gate.open();
    expect(await client.request('echo', 'say')).toBe('said');
  });

  it('sends no pings and says so when it is switched off', async () => {
    await startWithClock({ heartbeat: false });
    const client = await TestClient.open(app.url(), { autoPong: false });
    const pinged = once(client.socket, 'ping').then(() => diary.write('pinged'));
    expect((await client.next('system', 'connected')).data).toMatchObject({ heartbeat: null });
    await clock.advance(10 * INTERVAL);
    expect(await client.request('echo', 'say')).toBe('said');
    expect(diary.entries).toEqual([]);
    client.socket.terminate();
    void pinged;
  });

  it('leaves no timer behind when the application closes', async () => {
    await startWithClock();
    const silent = await connectSilent();
    await clock.advance(INTERVAL + TIMEOUT);
    expect((await silent.closed).code).toBe(4002);
    await app.close();
    expect(clock.size).toBe(0);
  });
});

describe('A connection whose other end is gone without a word', () => {
  afterEach(() => app.close());

  it('is removed within interval, timeout and five seconds', async () => {
    await start({ heartbeat: { interval: 200, timeout: 100 } });
    const client = await RawClient.open(app.port);
    client.socket.pause(); // it neither reads nor answers; its kernel still does
    const since = performance.now();
    await diary.until('4002 heartbeat timeout');
    expect(performance.now() - since).toBeLessThan(2 * (200 + 100 + 5_000));
    expect(app.app.get(ClientManager).getClients()).toEqual([]);
    client.reset();
  });
});

describe('A process that stood still', () => {
  afterEach(() => app.close());

  it('postpones its verdicts by one round', async () => {
    await startWithClock();
    const client = await connectSilent();
    const pinged = once(client.socket, 'ping');
    await clock.advance(INTERVAL);
    await pinged;
    const again = once(client.socket, 'ping');
    await clock.stall(TIMEOUT + 1_001);
    await again; // asked again, instead of judged
    const heard = once(onServer(client), 'pong');
    client.socket.pong();
    await heard;
    await clock.advance(TIMEOUT);
    expect(await client.request('echo', 'say')).toBe('said');
    client.socket.terminate();
  });

  it('still finds those who stay silent in the round after', async () => {
    await startWithClock();
    const client = await connectSilent();
    await clock.advance(INTERVAL);
    await clock.stall(TIMEOUT + 60_000);
    expect(client.socket.readyState).toBe(1);
    await clock.advance(TIMEOUT);
    expect((await client.closed).code).toBe(4002);
  });

  it('judges when it is late by less than a second', async () => {
    await startWithClock();
    const client = await connectSilent();
    const pinged = once(client.socket, 'ping');
    await clock.advance(INTERVAL);
    await pinged;
    await clock.stall(TIMEOUT + 1_000);
    expect((await client.closed).code).toBe(4002);
  });
});

describe('A server process that the system stops for longer than interval and timeout', () => {
  const CLIENTS = 20;
  /** Milliseconds that the program waits for a pong. */
  const PONG = 500;
  let program: ChildProgram;

  async function end(): Promise<void> {
    program.signal('SIGKILL');
    await program.exited;
  }

  afterEach(end);

  async function stopAndContinue(): Promise<TestClient[]> {
    const { port } = await program.next<{ port: number }>();
    const url = `ws://127.0.0.1:${port}/ws`;
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => TestClient.open(url)));
    await Promise.all(clients.map(({ socket }) => once(socket, 'ping')));
    for (const client of clients) await client.next(); // the welcome
    await clients[0]!.expectNothing(50); // the pongs have arrived: nobody owes the server anything
    program.signal('SIGSTOP');
    await clients[0]!.expectNothing(2_500);
    program.signal('SIGCONT');
    return clients;
  }

  it('closes no healthy client', async () => {
    // Clients whose own process stood still for as long as a pong may take are not healthy: then it is done again.
    for (let areHealthy = false; !areHealthy;) {
      program = new ChildProgram('heartbeat-server', 'pxl');
      const clients = await stopAndContinue();
      const watch = new StallWatch();
      for (let round = 0; round < 2; round++) {
        await Promise.all(clients.map(({ socket, closed }) => Promise.race([once(socket, 'ping'), closed])));
      }
      watch.stop();
      areHealthy = watch.longest < PONG / 2;
      if (areHealthy) expect(clients.map(({ socket }) => socket.readyState)).toEqual(clients.map(() => 1));
      for (const { socket } of clients) socket.terminate();
      if (!areHealthy) await end();
    }
  });

  (isSoak ? it : it.skip)('closes them all: control run, a sweep that does not ask whether it is late', async () => {
    program = new ChildProgram('heartbeat-server', 'naive');
    const clients = await stopAndContinue();
    const ends = await Promise.all(clients.map(({ closed }) => closed));
    expect(ends.filter(({ code }) => code === 1006)).toHaveLength(CLIENTS);
  });
});
