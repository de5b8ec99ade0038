import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { RoomManager } from 'nestjs-pxl-websocket';
import type { WebSocketClientOptions } from '../../lib/client/index.js';
import { ChildProgram } from '../support/child-program.js';
import { entered } from '../support/client-states.js';
import { Gate } from '../support/gate.js';
import { ManualClientRuntime } from '../support/manual-client-runtime.js';
import { ScriptedServer, type Script } from '../support/scripted-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { startsOneApp } from '../support/test-app.js';
import { testsClients, type TestedClient } from '../support/test-clients.js';
import { until } from '../support/until.js';

const start = startsOneApp();
const newClient = testsClients();
let server: ScriptedServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

interface ServerProgram {
  readonly program: ChildProgram;
  readonly url: string;
  readonly port: number;
}

async function startProgram(port = 0): Promise<ServerProgram> {
  const program = new ChildProgram('plain-server', String(port));
  const told = await program.next<{ port: number }>();
  return { program, url: `ws://127.0.0.1:${told.port}/ws`, port: told.port };
}

/** What a client does when its connection is closed: its state, and the delay where it comes back. */
async function closedWith(code: number, reason = ''): Promise<TestedClient & { delay: number | undefined }> {
  server = await ScriptedServer.start();
  const clock = new ManualClientRuntime();
  const tested = newClient(server.url, { reconnect: { minDelay: 1_000, maxDelay: 8_000 } }, clock);
  await tested.client.connect();
  (await server.next()).socket.close(code, reason);
  await until(() => tested.client.state !== 'connected');
  const last = tested.changes.at(-1)!;
  return { ...tested, delay: 'delay' in last ? last.delay : undefined };
}

describe('a server of its own process', () => {
  /** The one that serves now; a test that ends it starts another one. */
  let serving: ServerProgram;

  beforeAll(async () => {
    serving = await startProgram();
  });

  afterEach(() => serving.program.signal('SIGCONT'));

  afterAll(async () => {
    serving.program.signal('SIGKILL');
    await serving.program.exited;
  });

  it('that is stopped gracefully and started again has its clients back', async () => {
    const { program, url, port } = serving;
    const { client, states, changes } = newClient(url);
    await client.connect();
    expect(await client.request('test', 'echo', 1)).toBe(1);
    program.signal('SIGTERM');
    await program.exited;
    await until(() => states.includes('reconnecting:1001'));
    expect(changes.at(-1)!.reason.length).toBeGreaterThan(0);
    const answer = client.request('test', 'echo', 2, { timeout: false });
    serving = await startProgram(port);
    expect(await answer).toBe(2);
    expect(client.state).toBe('connected');
  });

  it('that is killed and started again has its clients back', async () => {
    const { program, url, port } = serving;
    const { client, states } = newClient(url);
    await client.connect();
    program.signal('SIGKILL');
    await until(() => states.includes('reconnecting:1006'));
    serving = await startProgram(port);
    await client.connect();
    expect(await client.request('test', 'echo', 2)).toBe(2);
  });

  it('that freezes is noticed and given up, and found again once it goes on', async () => {
    const { program, url } = serving;
    const { client, states, changes } = newClient(url, { connectTimeout: 1_500 });
    await client.connect();
    program.signal('SIGSTOP');
    await until(() => states.includes('reconnecting:1006'));
    expect(changes.at(-1)).toMatchObject({ reason: 'There was no answer.' });
    await until('an attempt has found nobody', () => changes.length >= 4);
    program.signal('SIGCONT');
    await client.connect();
    expect(await client.request('test', 'echo', 3)).toBe(3);
  });

  it('that freezes is not noticed without the heartbeat', async () => {
    const { program, url } = serving;
    const { client } = newClient(url, { heartbeat: false });
    await client.connect();
    program.signal('SIGSTOP');
    await expect(client.request('test', 'echo', 1, { timeout: 1_000 })).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect(client.state).toBe('connected');
  });
});

describe('a connection in a quiet room', () => {
  it('is kept for as long as the server answers: eight intervals, which are two minutes at the usual pace', async () => {
    const app = await start({ options: { rooms: { open: true }, heartbeat: { interval: 500, timeout: 500 } } });
    const told: unknown[] = [];
    const { client, states, sockets, errors } = newClient(app.url(), {
      events: { onMessage: (event) => told.push(event) },
    });
    client.onAny((message) => told.push(message));
    await client.connect();
    await client.join('quiet');
    let pongs = 0;
    sockets.all[0]!.on('message', (data: Buffer) => (pongs += data.includes('"pong"') ? 1 : 0));
    await until('eight pongs have come', () => pongs >= 8);
    expect(states).toEqual(['connecting', 'connected']);
    expect([told, errors]).toEqual([[], []]);
    expect(app.app.get(RoomManager).getRoomClients({ roomName: 'quiet' })).toEqual([client.clientId]);
  });

  it('is asked for a sign of life only after a silence', async () => {
    server = await ScriptedServer.start((connection) =>
      connection.welcome({ heartbeat: { interval: 1_000, timeout: 500 } }),
    );
    const clock = new ManualClientRuntime();
    const { client, states } = newClient(server.url, {}, clock);
    await client.connect();
    const connection = await server.next();
    const say = async () => {
      connection.send({ type: 'a', action: 'b' });
      await new Promise((resolve) => client.on('a', 'b', resolve));
    };
    await clock.advance(900);
    await say();
    await clock.advance(900);
    expect(connection.heard).toEqual([]);
    await clock.advance(100);
    expect(await connection.next()).toEqual({ type: 'system', action: 'ping' });
    await say();
    await clock.advance(999);
    expect(connection.heard).toEqual([]);
    await clock.advance(1);
    await connection.next('ping');
    await clock.advance(500);
    expect(states.at(-1)).toBe('reconnecting:1006');
    expect(await connection.closed).toBe(1006);
  });

  /** A client that has just asked its silent server for a sign of life, for which it waits 500 ms. */
  async function asked() {
    server = await ScriptedServer.start((connection) =>
      connection.welcome({ heartbeat: { interval: 1_000, timeout: 500 } }),
    );
    const clock = new ManualClientRuntime();
    const { client } = newClient(server.url, {}, clock);
    await client.connect();
    const connection = await server.next();
    await clock.advance(1_000);
    await connection.next('ping');
    return { client, clock, connection };
  }

  it('is not judged by a machine that has slept itself', async () => {
    const { client, clock, connection } = await asked();
    await clock.stall(60_000);
    await clock.advance(0);
    expect(client.state).toBe('connected');
    await connection.next('ping');
    await clock.advance(500);
    expect(client.state).toBe('reconnecting');
  });

  it('is not judged before an answer that has arrived was read', async () => {
    const { client, clock, connection } = await asked();
    connection.send({ type: 'system', action: 'pong' });
    // The timer is due before anything is read.
    await clock.advance(500);
    expect(client.state).toBe('connected');
  });

  it("is treated as the client's own option says", async () => {
    server = await ScriptedServer.start((connection) => connection.welcome({ heartbeat: null }));
    const clock = new ManualClientRuntime();
    const { client } = newClient(server.url, { heartbeat: { interval: 50, timeout: 20 } }, clock);
    await client.connect();
    await clock.advance(50);
    await (await server.next()).next('ping');
    await clock.advance(20);
    expect(client.state).toBe('reconnecting');
  });

  it('is left alone where the server sends no pings either', async () => {
    server = await ScriptedServer.start((connection) => connection.welcome({ heartbeat: null }));
    const clock = new ManualClientRuntime();
    const { client } = newClient(server.url, {}, clock);
    await client.connect();
    await clock.advance(600_000);
    expect((await server.next()).heard).toEqual([]);
    expect(client.state).toBe('connected');
  });
});

describe('a connection that is closed', () => {
  it.each([1001, 1005, 1006, 1011, 1012, 1013, 1014, 3001, 4000, 4002, 4005, 4008, 4100])(
    'with %d comes back after a random part of the shortest wait',
    async (code) => {
      if (code === 1005 || code === 1006) {
        server = await ScriptedServer.start();
        const { client, changes } = newClient(server.url, {}, new ManualClientRuntime());
        await client.connect();
        const { socket } = await server.next();
        if (code === 1005) socket.close();
        else socket.terminate();
        await entered(client, 'reconnecting');
        expect(changes.at(-1)).toMatchObject({ code });
      } else {
        expect((await closedWith(code)).delay).toBe(500);
      }
    },
  );

  it.each([1000, 1002, 1003, 1007, 1008, 1009, 3003, 4004, 4500, 4506, 4510])('with %d stops', async (code) => {
    const { client, changes } = await closedWith(code, 'Because.');
    expect(client.state).toBe('disconnected');
    expect(changes.at(-1)).toMatchObject({ code, reason: 'Because.' });
  });

  it.each([3000, 4003])('with %d stops where there is no other token', async (code) => {
    expect((await closedWith(code)).client.state).toBe('disconnected');
  });

  it('with 4009 comes back after half of the longest wait at least', async () => {
    expect((await closedWith(4009)).delay).toBe(4_250);
  });

  it('with 1012 waits for as long as it is told to, and then its own time', async () => {
    expect((await closedWith(1012, '{"after":3000}')).delay).toBe(3_500);
  });

  it.each(['{"after":-1}', '{"after":"soon"}', '{', 'null', '[]', '{"after":null}'])(
    'with 1012 and %s comes back as usual',
    async (reason) => {
      expect((await closedWith(1012, reason)).delay).toBe(500);
    },
  );

  it('with 1012 and a wait beyond all measure comes back after five minutes', async () => {
    expect((await closedWith(1012, '{"after":1e300}')).delay).toBe(300_500);
  });

  it.each([4009, 1013])(
    'with %d and a reason for programs waits for as long as that says, and tells why',
    async (code) => {
      const { changes, delay } = await closedWith(code, '{"error":"Too many.","after":3000}');
      expect([delay, changes.at(-1)]).toMatchObject([3_500, { code, reason: 'Too many.' }]);
    },
  );

  it.each([3003, 4003])('with %d and a reason for programs stops, and tells why', async (code) => {
    const { changes } = await closedWith(code, '{"error":"Not you."}');
    expect(changes.at(-1)).toMatchObject({ state: 'disconnected', code, reason: 'Not you.' });
  });

  it.each(['{"error":7}', '[]', 'null'])('with 4009 and %s is told somehow', async (reason) => {
    const { changes, delay } = await closedWith(4009, reason);
    expect([delay, changes.at(-1)!.reason]).toEqual([4_250, reason]);
  });

  it('with another code tells its reason as it is', async () => {
    const { changes, delay } = await closedWith(4100, '{"error":"No.","after":3000}');
    expect([delay, changes.at(-1)!.reason]).toEqual([500, '{"error":"No.","after":3000}']);
  });

  it('with 4001 comes back three times in a row, and then stops', async () => {
    server = await ScriptedServer.start((connection) => connection.socket.close(4001, 'authentication timeout'));
    const { client } = newClient(server.url);
    await expect(client.connect()).rejects.toMatchObject({ code: 'UNAUTHENTICATED', closeCode: 4001 });
    expect(server.connections).toHaveLength(4);
  });
});

describe('a dial that a browser holds back', () => {
  let proxy: TcpProxy | undefined;

  afterEach(() => proxy?.close());

  /** A client whose dial hears nothing for so long, on a clock that stands still then. */
  async function held(time: number, options: Partial<WebSocketClientOptions> = {}, script?: Script) {
    server = await ScriptedServer.start(script);
    proxy = await TcpProxy.before(server.port);
    proxy.replies = 'hold';
    const clock = new ManualClientRuntime();
    const tested = newClient(`ws://127.0.0.1:${proxy.port}`, { reconnect: {}, ...options }, clock, true);
    const connecting = tested.client.connect();
    connecting.catch(() => undefined);
    await server.next();
    await clock.advance(time);
    return { ...tested, server, proxy, clock, connecting };
  }

  it('stands for a minute more, and has all its time for the welcome once it is let go', async () => {
    const welcome = new Gate();
    const script: Script = (connection) => void welcome.passed.then(() => connection.welcome());
    const { changes, clock, connecting, proxy, sockets } = await held(74_000, {}, script);
    proxy.replies = 'pass';
    await until('the socket is open', () => sockets.all[0]!.readyState === 1);
    await clock.advance(14_000);
    welcome.open();
    await connecting;
    expect(changes.map(({ state }) => state)).toEqual(['connecting', 'connected']);
    expect(sockets.all).toHaveLength(1);
  });

  it('counts as one attempt, and gives way to the next one', async () => {
    const { changes, clock, client, server } = await held(75_000);
    expect(changes.slice(1)).toMatchObject([{ state: 'reconnecting', code: 1006, attempt: 1, delay: 250 }]);
    await clock.advance(250);
    await server.next();
    await clock.advance(75_000);
    expect(changes.slice(2)).toMatchObject([{ state: 'reconnecting', attempt: 2 }]);
    client.disconnect();
    expect(changes.at(-1)).toMatchObject({ state: 'disconnected', code: 1000 });
  });

  it('is the last one where the attempts are used up', async () => {
    const { client, connecting } = await held(75_000, { reconnect: false });
    await expect(connecting).rejects.toMatchObject({ code: 'TIMEOUT', closeCode: 1006 });
    expect(client.state).toBe('disconnected');
  });
});

describe('attempts', () => {
  it('are told in whole milliseconds', async () => {
    server = await ScriptedServer.start((connection) => connection.socket.close(1013, '{"after":10.4}'));
    const clock = new ManualClientRuntime();
    clock.chance = 0.123456;
    const { client, changes } = newClient(server.url, { reconnect: { minDelay: 100 } }, clock);
    void client.connect();
    await entered(client, 'reconnecting');
    expect(changes.at(-1)).toMatchObject({ delay: 23 });
  });

  it('have windows that double up to the longest wait, each with the same place in it', async () => {
    server = await ScriptedServer.start((connection) => connection.socket.close(1013));
    const clock = new ManualClientRuntime();
    clock.chance = 0.25;
    const { client, changes } = newClient(server.url, { reconnect: { minDelay: 100, maxDelay: 800 } }, clock);
    void client.connect();
    const delays: number[] = [];
    for (let attempt = 1; attempt <= 6; attempt++) {
      await until(() => changes.length === attempt + 1);
      const change = changes.at(-1)!;
      if (change.state === 'reconnecting') delays.push(change.delay);
      await clock.advance(delays.at(-1)!);
    }
    // 25 of 100; then the other 75, and 50 of 200; and so on.
    expect(delays).toEqual([25, 125, 250, 500, 800, 800]);
  });

  it('are forgotten only after a connection that has stood for a while', async () => {
    server = await ScriptedServer.start();
    const clock = new ManualClientRuntime();
    const { client, changes } = newClient(server.url, { reconnect: { minDelay: 100, maxDelay: 10_000 } }, clock);
    await client.connect();
    const attemptsAfter = async (stood: number) => {
      await clock.advance(stood);
      (await server!.next()).socket.terminate();
      await entered(client, 'reconnecting');
      const change = changes.at(-1)!;
      await client.connect();
      return change.state === 'reconnecting' && change.attempt;
    };
    expect(await attemptsAfter(0)).toBe(1);
    expect(await attemptsAfter(9_999)).toBe(2);
    expect(await attemptsAfter(0)).toBe(3);
    expect(await attemptsAfter(10_000)).toBe(1);
  });

  it('are made at once by connect()', async () => {
    server = await ScriptedServer.start();
    const { client } = newClient(server.url, { reconnect: { minDelay: 60_000, maxDelay: 60_000 } });
    await client.connect();
    (await server.next()).socket.terminate();
    await entered(client, 'reconnecting');
    const [first, second] = [client.connect(), client.connect()];
    await Promise.all([first, second]);
    expect(server.connections).toHaveLength(2);
  });

  it('disturb no later connection', async () => {
    server = await ScriptedServer.start();
    const { client, states } = newClient(server.url);
    await client.connect();
    const first = await server.next();
    client.disconnect();
    await client.connect();
    const second = await server.next();
    await first.closed;
    second.send({ type: 'a', action: 'b' });
    await new Promise((resolve) => client.on('a', 'b', resolve));
    expect(states).toEqual(['connecting', 'connected', 'disconnected:1000', 'connecting', 'connected']);
  });

  it('never double a handler', async () => {
    server = await ScriptedServer.start();
    const { client } = newClient(server.url);
    let heard = 0;
    client.on('a', 'b', () => (heard += 1));
    await client.connect();
    for (let round = 0; round < 5; round++) {
      const connection = await server.next();
      connection.send({ type: 'a', action: 'b' });
      await until(() => heard === round + 1);
      connection.socket.terminate();
      await entered(client, 'reconnecting');
      await client.connect();
    }
    expect(heard).toBe(5);
  });
});
