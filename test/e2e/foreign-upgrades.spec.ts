import type { Server } from 'node:http';
import { once } from 'node:events';
import { Body, Controller, Get, Headers, Injectable, Post } from '@nestjs/common';
import { createRequire } from 'node:module';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { Duplex } from 'node:stream';
import { Server as SocketIoServer } from 'socket.io';
import { WebSocket, WebSocketServer } from 'ws';
import { afterEach, describe, expect, it } from '@jest/globals';
import { WsRoute, type PxlWebSocketModuleOptions, type WsIdentity } from 'nestjs-pxl-websocket';
import { Runtime } from '../../lib/runtime/runtime.js';
import { Gate } from '../support/gate.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { RawClient } from '../support/raw-client.js';
import { ServerSockets } from '../support/server-sockets.js';
import { PLATFORMS, startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';

@Injectable()
class Echo {
  @WsRoute('test', 'echo')
  echo(_client: unknown, data: unknown): unknown {
    return data;
  }
}

@Controller('rest')
class Rest {
  @Get()
  get(): string {
    return 'got';
  }

  @Get('headers')
  headers(@Headers() { upgrade, connection, host, ...rest }: Record<string, string>): unknown {
    return { upgrade, connection, host, settings: rest['http2-settings'], own: rest['x-own'] };
  }

  @Post()
  post(@Body() body: { text: string }): { length: number; end: string } {
    return { length: body.text.length, end: body.text.slice(-3) };
  }
}

/** A CommonJS module, whose types need those of Fastify. */
const fastifyWebSocket: unknown = createRequire(import.meta.url)('@fastify/websocket');

/** What is used here of a Fastify instance with that plugin. */
interface FastifyWithPlugins {
  register(plugin: unknown): PromiseLike<unknown>;
  get(path: string, options: { websocket: true }, handler: (socket: WebSocket) => void): void;
}

/** Another listener for upgrades, which never answers any. */
function listenSilently(app: TestApp): Server {
  return (app.app.getHttpServer() as Server).on('upgrade', () => undefined);
}

function greetingServer(): WebSocketServer {
  return new WebSocketServer({ noServer: true }).on('connection', (socket) => {
    socket.send('hello from the other server');
    socket.on('message', (data) => socket.send((data as Buffer).toString()));
  });
}

async function closed(socket: WebSocket): Promise<void> {
  socket.close();
  await once(socket, 'close');
}

describe.each(PLATFORMS)('an upgrade that is not ours (%s)', (platform) => {
  let running: TestApp | null = null;
  const clients: RawClient[] = [];

  async function start(options: PxlWebSocketModuleOptions = {}, more: TestAppOptions = {}): Promise<TestApp> {
    return (running = await startApp({ platform, options, providers: [Echo], controllers: [Rest], ...more }));
  }

  async function upgrade(port: number, path: string): Promise<RawClient> {
    const client = await RawClient.upgrading(port, path);
    clients.push(client);
    return client;
  }

  afterEach(async () => {
    for (const { socket } of clients.splice(0)) socket.destroy();
    await running?.close();
    running = null;
  });

  describe('where another listener could answer it', () => {
    it('gets 404 once nobody has answered for upgrade.foreignTimeout', async () => {
      const clock = new ManualRuntime();
      const app = await start({}, { override: (b) => b.overrideProvider(Runtime).useValue(clock) });
      const arrived = once(listenSilently(app), 'upgrade');
      const client = await upgrade(app.port, '/other');
      await arrived;

      await clock.advance(9_999);
      expect(client.chunks).toHaveLength(0);
      await clock.advance(1);

      expect((await client.response()).status).toBe(404);
      await client.ended;
    });

    it('is left alone when somebody has answered it in time', async () => {
      const clock = new ManualRuntime();
      const app = await start({}, { override: (b) => b.overrideProvider(Runtime).useValue(clock) });
      const other = greetingServer();
      const server = app.app.getHttpServer() as Server;
      const taken = new Gate();
      server.on('upgrade', (request, socket, head) => {
        if (request.url !== '/other') return;
        taken.open();
        void taken.passed.then(() => other.handleUpgrade(request, socket, head, (ws) => other.emit('connection', ws)));
      });
      const client = await upgrade(app.port, '/other');
      expect((await client.response()).status).toBe(101);
      await client.frame();

      await clock.advance(60_000);

      client.writeFrame({ payload: 'still here' });
      expect((await client.frame()).payload.toString()).toBe('still here');
    });

    it('gets 503 when the application closes, also where upgrade.foreignTimeout is false', async () => {
      const clock = new ManualRuntime();
      const options = { upgrade: { foreignTimeout: false as const } };
      const app = await start(options, { override: (b) => b.overrideProvider(Runtime).useValue(clock) });
      const arrived = once(listenSilently(app), 'upgrade');
      const client = await upgrade(app.port, '/other');
      await arrived;
      await clock.advance(3_600_000);
      expect(client.chunks).toHaveLength(0);

      const closing = app.app.close();

      expect((await client.response()).status).toBe(503);
      await client.ended;
      client.end();
      await closing;
    });

    it.each(['FIN', 'RST'])(
      'keeps no descriptor when 50 clients are gone by %s, and the application closes',
      async (how) => {
        const app = await start({ upgrade: { foreignTimeout: 200 } });
        const server = listenSilently(app);
        const sockets = new ServerSockets(server);
        let arrived = 0;
        const all = new Gate();
        server.on('upgrade', () => ++arrived === 50 && all.open());
        for (let count = 0; count < 50; count++) await upgrade(app.port, '/other');
        await all.passed;
        expect(await sockets.count()).toBe(50);

        for (const client of clients) {
          if (how === 'FIN') client.end();
          else client.reset();
        }

        await sockets.allClosed();
        expect(await sockets.count()).toBe(0);
        await app.app.close();
      },
    );

    it('is held back by nobody else: the application closes with 50 of them waiting', async () => {
      const app = await start({ upgrade: { foreignTimeout: false } });
      const server = listenSilently(app);
      const sockets = new ServerSockets(server);
      let arrived = 0;
      const all = new Gate();
      server.on('upgrade', () => ++arrived === 50 && all.open());
      for (let count = 0; count < 50; count++) await upgrade(app.port, '/other');
      await all.passed;
      clients.forEach((client, at) => (at % 2 ? client.end() : client.reset()));

      await app.app.close();

      await sockets.allClosed();
    });
  });

  it('reaches a bare ws server on the same HTTP server, and ours reach us', async () => {
    const app = await start();
    const other = greetingServer();
    (app.app.getHttpServer() as Server).on('upgrade', (request, socket, head) => {
      if (request.url === '/other') other.handleUpgrade(request, socket, head, (ws) => other.emit('connection', ws));
    });

    const socket = new WebSocket(app.url('/other'));
    const [greeting] = (await once(socket, 'message')) as [Buffer];
    const ours = await app.client();

    expect(greeting.toString()).toBe('hello from the other server');
    expect(await ours.request('test', 'echo', 1)).toBe(1);
    socket.send('after');
    expect(String(((await once(socket, 'message')) as [Buffer])[0])).toBe('after');
    await closed(socket);
  });

  if (platform === 'fastify') {
    it('reaches @fastify/websocket on the same instance, and ours do not', async () => {
      const httpAdapter = new FastifyAdapter();
      const app = await start(
        {},
        {
          httpAdapter,
          configure: async () => {
            const fastify = httpAdapter.getInstance<FastifyWithPlugins>();
            await fastify.register(fastifyWebSocket);
            fastify.get('/other', { websocket: true }, (socket) => socket.send('hello from the plugin'));
          },
        },
      );

      const other = new WebSocket(app.url('/other'));
      const [greeting] = (await once(other, 'message')) as [Buffer];
      const ours = await app.client();

      expect(greeting.toString()).toBe('hello from the plugin');
      expect(await ours.request('test', 'echo', 1)).toBe(1);
      expect((await fetch(`${app.origin}/ws`)).status).toBe(426);
      await closed(other);
      expect(await ours.request('test', 'echo', 2)).toBe(2);
    });
  }

  describe('because it belongs to a Socket.IO server beside us', () => {
    /** Speaks Engine.IO by hand: opens a session, joins the default namespace, sends an event, reads its echo. */
    async function talkToSocketIo(app: TestApp): Promise<string> {
      const socket = new WebSocket(app.url('/socket.io/?EIO=4&transport=websocket'));
      const packets: string[] = [];
      const echoed = new Gate<string>();
      socket.on('message', (data) => {
        const packet = (data as Buffer).toString();
        packets.push(packet);
        if (packet.startsWith('0')) socket.send('40');
        if (packet.startsWith('40')) socket.send('42["echo","hello"]');
        if (packet.startsWith('42')) echoed.open(packet);
      });
      const answer = await echoed.passed;
      await closed(socket);
      return answer;
    }

    function attachSocketIo(app: TestApp, options: { destroyUpgrade?: boolean; destroyUpgradeTimeout?: number }): void {
      const io = new SocketIoServer(app.app.getHttpServer() as Server, { serveClient: false, ...options });
      io.on('connection', (socket) => socket.on('echo', (text) => socket.emit('echo', text)));
    }

    it.each([{ destroyUpgrade: false }, {}])('works with its options %j, and so do we', async (options) => {
      const app = await start();
      attachSocketIo(app, options);

      expect(await talkToSocketIo(app)).toBe('42["echo","hello"]');
      expect(await (await app.client()).request('test', 'echo', 1)).toBe(1);
      expect(await (await fetch(`${app.origin}/rest`)).text()).toBe('got');
    });

    it('which cuts our upgrades while they are authenticated for over a second: one line says what to do', async () => {
      const warnings: string[] = [];
      const asked = [new Gate(), new Gate()];
      const answer = new Gate<WsIdentity>();
      let calls = 0;
      const authenticate = (): Promise<WsIdentity> => {
        asked[calls++]?.open();
        return answer.passed;
      };
      const log = { log() {}, error() {}, warn: (message: string) => void warnings.push(message) };
      const app = await start({ auth: { authenticate } }, { logger: log });
      const sockets = new ServerSockets(app.app.getHttpServer() as Server);
      attachSocketIo(app, {});

      const cut = [await upgrade(app.port, '/ws'), await upgrade(app.port, '/ws')];
      await Promise.all(asked.map(({ passed }) => passed));
      await Promise.all(cut.map(({ ended }) => ended));
      expect(cut.map(({ chunks }) => chunks.length)).toEqual([0, 0]);
      answer.open({ anonymous: true });
      await sockets.allClosed();

      expect(warnings.filter((line) => line.includes('destroyUpgrade: false'))).toHaveLength(1);
      expect(warnings).toHaveLength(1);
    });

    it('which is not blamed for what our own limits.upgradeTimeout refuses', async () => {
      const warnings: string[] = [];
      const answer = new Gate<WsIdentity>();
      const log = { log() {}, error() {}, warn: (message: string) => void warnings.push(message) };
      const options = { auth: { authenticate: () => answer.passed }, limits: { upgradeTimeout: 50 } };
      const app = await start(options, { logger: log });
      const sockets = new ServerSockets(app.app.getHttpServer() as Server);
      attachSocketIo(app, {});

      const client = await upgrade(app.port, '/ws');
      expect((await client.response()).status).toBe(503);
      answer.open({ anonymous: true });
      client.end();
      await sockets.allClosed();

      expect(warnings).toEqual([]);
    });

    it('which leaves slow authentications alone with destroyUpgrade: false', async () => {
      const warnings: string[] = [];
      const passed = new Promise<WsIdentity>((resolve) => setTimeout(() => resolve({ userId: 1 }), 300));
      const log = { log() {}, error() {}, warn: (message: string) => void warnings.push(message) };
      const app = await start({ auth: { authenticate: () => passed } }, { logger: log });
      attachSocketIo(app, { destroyUpgrade: false, destroyUpgradeTimeout: 100 });

      expect(await (await app.client()).request('test', 'echo', 1)).toBe(1);
      expect(warnings).toEqual([]);
    });
  });

  describe('because it asks for another protocol than websocket', () => {
    const h2c = 'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\nConnection: Upgrade, HTTP2-Settings\r\n';
    const host = 'Host: localhost\r\n';

    async function connect(port: number): Promise<RawClient> {
      const client = await RawClient.connect(port);
      clients.push(client);
      return client;
    }

    it('is served as the request that it also is, and its connection serves further ones', async () => {
      const app = await start();
      const client = await connect(app.port);

      for (let times = 0; times < 3; times++) {
        client.write(`GET /rest HTTP/1.1\r\n${host}${h2c}\r\n`);
        expect(await client.response()).toMatchObject({ status: 200, body: 'got' });
        client.write(`GET /rest HTTP/1.1\r\n${host}\r\n`);
        expect(await client.response()).toMatchObject({ status: 200, body: 'got' });
      }
      client.requestUpgrade('/ws');
      expect((await client.response()).status).toBe(101);
    });

    it('reaches the application without its wish to upgrade, and otherwise as it was written', async () => {
      const app = await start();
      const client = await connect(app.port);

      const wish = h2c.replace('Connection: ', 'Connection: keep-alive, ');
      client.write(`GET /rest/headers HTTP/1.1\r\n${host}${wish}X-Own: \u00fc\r\n\r\n`);

      const { body } = await client.response();
      const own = Buffer.from('\u00fc').toString('latin1');
      expect(JSON.parse(body)).toEqual({ connection: 'keep-alive', host: 'localhost', own });
    });

    it('answers several that were written at once, in their order', async () => {
      const app = await start();
      const client = await connect(app.port);

      client.write(`GET /rest HTTP/1.1\r\n${host}${h2c}\r\nGET /nothing HTTP/1.1\r\n${host}\r\n`);

      expect((await client.response()).status).toBe(200);
      expect((await client.response()).status).toBe(404);
    });

    it.each([
      ['at once', 2],
      ['in pieces', 50_000],
    ])('is served with its body by Content-Length, sent %s', async (how, size) => {
      const app = await start();
      const client = await connect(app.port);
      const body = JSON.stringify({ text: `${'x'.repeat(size)}end` });
      const head = `POST /rest HTTP/1.1\r\n${host}${h2c}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;

      for (let times = 0; times < 2; times++) {
        if (how === 'at once') client.write(head + body);
        else await writeInPieces(client, app, head, body);
        const response = await client.response();
        expect([response.status, JSON.parse(response.body)]).toEqual([201, { length: size + 3, end: 'end' }]);
      }
    });

    it.each([
      ['at once', 2],
      ['in pieces', 50_000],
    ])('is served with its body in chunks, sent %s', async (how, size) => {
      const app = await start();
      const client = await connect(app.port);
      const text = JSON.stringify({ text: `${'x'.repeat(size)}end` });
      const half = text.length >> 1;
      const chunks = [text.slice(0, half), text.slice(half), ''].map(
        (part) => `${part.length.toString(16)}\r\n${part}\r\n`,
      );
      const head = `POST /rest HTTP/1.1\r\n${host}${h2c}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;

      for (let times = 0; times < 2; times++) {
        if (how === 'at once') client.write(head + chunks.join(''));
        else await writeInPieces(client, app, head, chunks.join(''));
        const response = await client.response();
        expect([response.status, JSON.parse(response.body)]).toEqual([201, { length: size + 3, end: 'end' }]);
      }
    });

    it('is told to upgrade to websocket on our path', async () => {
      const app = await start();
      const client = await connect(app.port);

      client.write(`GET /ws HTTP/1.1\r\n${host}${h2c}\r\n`);

      expect(await client.response()).toMatchObject({ status: 426, headers: { upgrade: 'websocket' } });
    });

    it('ends with its client, whatever it was doing', async () => {
      const app = await start();
      const sockets = new ServerSockets(app.app.getHttpServer() as Server);
      const head = `POST /rest HTTP/1.1\r\n${host}${h2c}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"te`;

      for (let count = 0; count < 10; count++) {
        const client = await connect(app.port);
        const arrived = once(app.app.getHttpServer() as Server, 'upgrade');
        client.write(head);
        await arrived;
        if (count % 2) client.end();
        else client.reset();
      }

      await sockets.allClosed();
      expect(await sockets.count()).toBe(0);
    });

    it.each<[string, (socket: Duplex) => void]>([
      ['ended', (socket) => socket.end()],
      ['destroyed', (socket) => socket.destroy()],
    ])('is left to a listener that has %s it', async (_how, refuse) => {
      const app = await start();
      const server = app.app.getHttpServer() as Server;
      const sockets = new ServerSockets(server);
      server.prependListener('upgrade', (_request, socket) => refuse(socket));
      const client = await connect(app.port);

      client.write(`GET /rest HTTP/1.1\r\n${host}${h2c}\r\n`);

      await client.ended;
      expect(client.chunks).toHaveLength(0);
      client.end();
      await sockets.allClosed();
      expect(await (await fetch(`${app.origin}/rest`)).text()).toBe('got');
    });

    /** The second half of the body leaves after the server has seen the upgrade: it arrives in reads of its own. */
    async function writeInPieces(client: RawClient, app: TestApp, head: string, body: string): Promise<void> {
      const seen = once(app.app.getHttpServer() as Server, 'upgrade');
      client.write(head);
      await seen;
      client.write(body.slice(0, 1_000));
      client.write(body.slice(1_000));
    }
  });
});
