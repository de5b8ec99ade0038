import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { Controller, Get, Injectable, type INestApplication } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { WebSocketGateway } from '@nestjs/websockets';
import { afterEach, describe, expect, it } from '@jest/globals';
import { WsRoute, type PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { WebSocket } from 'ws';
import { EndpointRegistry } from '../../lib/transport/endpoint/endpoint.registry.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { createCertificate } from '../support/certificate.js';
import { closeRefusal } from '../support/close-refusal.js';
import { freePort } from '../support/free-port.js';
import { Gate } from '../support/gate.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { RawClient, encodeFrame, type RawResponse, type UpgradeRequest } from '../support/raw-client.js';
import { ServerSockets } from '../support/server-sockets.js';
import { createApp, PLATFORMS, startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { WriteCounter } from '../support/write-counter.js';

@Injectable()
class Echo {
  @WsRoute('test', 'echo')
  echo(_client: unknown, data: unknown): unknown {
    return data;
  }
}

@Controller()
class PageOnOurPath {
  @Get('ws')
  page(): string {
    return 'the application answers';
  }
}

@WebSocketGateway({ path: '/game' })
class GameGateway {}

describe.each(PLATFORMS)('an upgrade (%s)', (platform) => {
  let running: TestApp | null = null;
  const clients: RawClient[] = [];

  async function start(options: PxlWebSocketModuleOptions = {}, more: TestAppOptions = {}): Promise<TestApp> {
    return (running = await startApp({ platform, options, providers: [Echo], ...more }));
  }

  async function upgrade(port: number, path?: string, request?: UpgradeRequest): Promise<RawClient> {
    const client = await RawClient.upgrading(port, path, request);
    clients.push(client);
    return client;
  }

  /** The refusal, which must be a complete response that the server ends. */
  async function refusal(port: number, path?: string, request?: UpgradeRequest): Promise<RawResponse> {
    return refusalOf(await upgrade(port, path, request));
  }

  async function refusalOf(client: RawClient): Promise<RawResponse> {
    const response = await client.response();
    await client.ended;
    expect(response.headers.connection).toBe('close');
    expect(response.headers['content-length']).toBe(String(Buffer.byteLength(response.body)));
    expect(response.body).not.toBe('');
    expect(client.unread.toString()).toBe('');
    client.end();
    await client.closed;
    return response;
  }

  afterEach(async () => {
    for (const { socket } of clients.splice(0)) socket.destroy();
    await running?.close();
    running = null;
  });

  it('is accepted on exactly the path of an endpoint, whatever the query', async () => {
    const { port } = await start({}, { providers: [Echo, GameGateway] });

    for (const path of ['/ws', '/ws?x=1', '/ws?', '/game', '/game?a=/ws']) {
      expect((await (await upgrade(port, path)).response()).status).toBe(101);
    }
    const others = ['/ws/', '/WS', '/', '//ws', '/%77s', '/ws#x', '/ws/..', '/game/', `http://127.0.0.1:${port}/ws`];
    for (const path of others) expect([path, (await refusal(port, path)).status]).toEqual([path, 404]);
  });

  it('reads what the client sent together with its request', async () => {
    const { port } = await start();
    const message = JSON.stringify({ type: 'test', action: 'echo', data: 'early', id: 1 });

    const client = await upgrade(port, '/ws', { head: encodeFrame({ payload: message }) });

    expect((await client.response()).status).toBe(101);
    expect((await client.frame()).payload.toString()).toContain('"connected"');
    expect(JSON.parse((await client.frame()).payload.toString())).toMatchObject({ id: 1, response: 'early' });
  });

  it('is answered with the 101 and the welcome in one write, the identity included', async () => {
    const authenticate = async (): Promise<{ userId: string }> => ({ userId: 'ada' });
    const { app, port } = await start({ auth: { authenticate } });
    const writes: WriteCounter[] = [];
    (app.getHttpServer() as Server).on('connection', (socket: Socket) => writes.push(new WriteCounter(socket)));

    const client = await upgrade(port);
    await client.response();
    const frames = [await client.frame(), await client.frame()].map(({ payload }) => payload.toString());

    expect(frames[0]).toContain('"connected"');
    expect(frames[1]).toContain('"authenticated"');
    expect(writes.map(({ count }) => count)).toEqual([1]);
  });

  describe('is refused', () => {
    it('with 400 for a key that is missing or malformed', async () => {
      const { port } = await start();

      for (const key of [null, '', 'short', 'dGhlIHNhbXBsZSBub25jZQ', 'dGhlIHNhbXBsZSBub25j!Q==']) {
        expect((await refusal(port, '/ws', { headers: { 'Sec-WebSocket-Key': key } })).status).toBe(400);
      }
    });

    it('with 400 for HTTP/1.0 and for a missing Host', async () => {
      const { port } = await start();

      for (const request of [{ version: '1.0' }, { headers: { Host: null } }, { headers: { Host: '' } }]) {
        expect((await refusal(port, '/ws', request)).status).toBe(400);
      }
    });

    it('with 405 for a method other than GET', async () => {
      const { port } = await start();

      for (const method of ['POST', 'PUT', 'HEAD', 'OPTIONS']) {
        const headers = { 'Content-Length': '4' };
        const { status, headers: answered } = await refusal(port, '/ws', { method, headers, head: 'body' });
        expect(status).toBe(405);
        expect(answered.allow).toBe('GET');
      }
    });

    it('with 426 for a version other than 13, which is named', async () => {
      const { port } = await start();

      for (const version of ['8', '12', '13, 8', 'x', null]) {
        const response = await refusal(port, '/ws', { headers: { 'Sec-WebSocket-Version': version } });
        expect(response.status).toBe(426);
        expect(response.headers['sec-websocket-version']).toBe('13');
        expect(response.headers.upgrade).toBe('websocket');
      }
    });

    it('with 400 for subprotocols that are not ours, malformed or named twice', async () => {
      const { port } = await start();

      const bad = ['graphql-ws', 'bearer.abc', 'pxl.v1,', ',pxl.v1', 'pxl v1', 'pxl.v1; q=1', '', 'PXL.V1', 'toString'];
      for (const offered of [...bad, 'pxl.v1, pxl.v1', 'pxl.v1, a, a', 'pxl.v1, ünï']) {
        const { status, body } = await refusal(port, '/ws', { headers: { 'Sec-WebSocket-Protocol': offered } });
        expect([offered, status]).toEqual([offered, 400]);
        expect(body).toContain('pxl.v1');
      }
    });

    it('before anybody is asked who it is', async () => {
      let asked = 0;
      const { port } = await start({ auth: { authenticate: () => (asked++, { anonymous: true }) } });

      await refusal(port, '/ws', { headers: { 'Sec-WebSocket-Key': null } });
      await refusal(port, '/ws', { headers: { 'Sec-WebSocket-Protocol': 'pxl.v1, pxl.v1' } });

      expect(asked).toBe(0);
    });

    it('and its socket is gone as soon as the client has ended its side too', async () => {
      const clock = new ManualRuntime();
      const { app, port } = await start({}, { override: (b) => b.overrideProvider(Runtime).useValue(clock) });
      const sockets = new ServerSockets(app.getHttpServer() as Server);

      const client = await upgrade(port, '/elsewhere');
      expect((await client.response()).status).toBe(404);
      client.write('what the client sends on');
      client.end();

      await sockets.allClosed();
    });

    it('and its socket is gone a second later, though the client keeps its side open', async () => {
      const clock = new ManualRuntime();
      const { app, port } = await start({}, { override: (b) => b.overrideProvider(Runtime).useValue(clock) });
      const sockets = new ServerSockets(app.getHttpServer() as Server);
      const client = await upgrade(port, '/elsewhere');
      expect((await client.response()).status).toBe(404);
      await client.ended;

      await clock.advance(999);
      expect(await sockets.count()).toBe(1);
      await clock.advance(1);
      await sockets.allClosed();
      expect(await sockets.count()).toBe(0);
    });

    it('with 503 before the server has started', async () => {
      const [reached, started] = [new Gate(), new Gate()];
      const onServerStarted = (): Promise<void> => {
        reached.open();
        return started.passed;
      };
      const app: INestApplication = await createApp({ platform, options: { events: { onServerStarted } } });
      const server = app.getHttpServer() as Server;
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const initialized = app.init();
      await reached.passed;

      const { status, headers } = await refusal(port);
      expect(status).toBe(503);
      expect(headers['retry-after']).toBe('1');
      const told = { error: 'The server takes no connections now.', after: 1_000 };
      expect(await closeRefusal(`ws://127.0.0.1:${port}/ws`)).toMatchObject({ code: 1013, told });
      const malformed = { headers: { 'Sec-WebSocket-Protocol': 'pxl.v1, pxl.refusals', 'Sec-WebSocket-Key': 'short' } };
      const bad = await RawClient.upgrading(port, '/ws', malformed);
      clients.push(bad);
      expect((await bad.response()).status).toBe(503);

      started.open();
      await initialized;
      expect((await (await upgrade(port)).response()).status).toBe(101);
      for (const { socket } of clients) socket.destroy();
      await app.close();
    });

    it('with 503 while the server drains, and so are those whose authentication still runs', async () => {
      const [begun, finish, asked] = [new Gate(), new Gate(), new Gate()];

      @Injectable()
      class Slow {
        @WsRoute('test', 'slow')
        async slow(): Promise<string> {
          begun.open();
          await finish.passed;
          return 'done';
        }
      }
      const authenticate: NonNullable<PxlWebSocketModuleOptions['auth']>['authenticate'] = ({ request }) => {
        if (request.url !== '/ws?never') return { anonymous: true };
        asked.open();
        return new Promise(() => undefined);
      };
      const options = { auth: { authenticate }, limits: { upgradeTimeout: false as const } };
      const { app, port, client, url } = await start(options, { providers: [Slow] });
      const busy = await client();
      const answer = busy.request('test', 'slow');
      await begun.passed;
      const undecided = await upgrade(port, '/ws?never');
      await asked.passed;

      const closing = app.close();

      expect((await refusalOf(undecided)).status).toBe(503);
      expect((await closeRefusal(url())).code).toBe(1013);
      expect((await refusal(port)).status).toBe(503);
      finish.open();
      expect(await answer).toBe('done');
      expect((await busy.closed).code).toBe(1001);
      await closing;
    });
  });

  describe('with a subprotocol', () => {
    it.each([
      [null, undefined],
      ['pxl.v1', 'pxl.v1'],
      ['pxl.v1, bearer.abc', 'pxl.v1'],
      ['bearer.abc , pxl.v1', 'pxl.v1'],
      ['graphql-ws, pxl.v1', 'pxl.v1'],
    ])('offering %s is answered %s', async (offered, answered) => {
      const { port } = await start();

      const client = await upgrade(port, '/ws', { headers: { 'Sec-WebSocket-Protocol': offered } });
      const { status, headers } = await client.response();

      expect(status).toBe(101);
      expect(headers['sec-websocket-protocol']).toBe(answered);
      expect(JSON.stringify(headers)).not.toContain('bearer');
    });
  });

  describe('a plain request on our path', () => {
    it('is told to upgrade, with 426', async () => {
      const { origin } = await start({}, { providers: [Echo, GameGateway] });

      for (const path of ['/ws', '/game', '/ws?x=1']) {
        const response = await fetch(origin + path);
        expect(response.status).toBe(426);
        expect(response.headers.get('upgrade')).toBe('websocket');
        expect(await response.text()).toContain('upgrade required');
      }
    });

    it("reaches the application's own route where it has one, and upgrades go on beside it", async () => {
      const { origin, port } = await start({}, { controllers: [PageOnOurPath] });

      const response = await fetch(`${origin}/ws`);

      expect([response.status, await response.text()]).toEqual([200, 'the application answers']);
      expect((await (await upgrade(port)).response()).status).toBe(101);
    });
  });

  // Express has no HTTP/2.
  if (platform === 'fastify') {
    it('is taken beside HTTP/2, where a plain request on our path gets 426 without the headers of a connection', async () => {
      const certificate = createCertificate();
      const https = { ...certificate, allowHTTP1: true };
      const adapters = { http: new FastifyAdapter({ http2: true }), https: new FastifyAdapter({ http2: true, https }) };
      for (const [scheme, httpAdapter] of Object.entries(adapters)) {
        const { port, close } = await start({}, { httpAdapter });
        const session = connectHttp2(`${scheme}://127.0.0.1:${port}`, { ca: certificate.cert });
        const request = session.request({ ':path': '/ws' });
        const [headers] = (await once(request, 'response')) as [IncomingHttpHeaders];
        expect(headers[':status']).toBe(426);
        expect(headers).not.toHaveProperty('upgrade');
        request.resume();
        session.close();
        if (scheme === 'https') {
          const client = await TestClient.connect(`wss://127.0.0.1:${port}/ws`, { ca: certificate.cert });
          expect(await client.request('test', 'echo', 1)).toBe(1);
          await client.close();
        }
        await close();
      }
    });
  }

  // As the `ws` of Bun before 1.4.4 has it: the control run without the second way is an upgrade that is cut.
  it('is served where ws makes sockets of its own class', async () => {
    const { app, client } = await start();
    const [endpoint] = app.get(EndpointRegistry).all;
    Object.assign(endpoint!.webSocketServer.options, { WebSocket });
    const ada = await client();
    expect(await ada.request('test', 'echo', 'well')).toBe('well');
    expect(await ada.close()).toMatchObject({ code: 1000 });
  });

  it('is taken on the port of a gateway of its own, which answers nothing else', async () => {
    const own = await freePort();

    @WebSocketGateway(own, { path: '/own' })
    class OwnGateway {
      @WsRoute('own', 'echo')
      echo(_client: unknown, data: unknown): unknown {
        return data;
      }
    }
    const { port } = await start({}, { providers: [OwnGateway] });

    expect((await (await upgrade(own, '/own')).response()).status).toBe(101);
    expect((await refusal(own, '/ws')).status).toBe(404);
    expect((await refusal(port, '/own')).status).toBe(404);
    const plain = await fetch(`http://127.0.0.1:${own}/anything`);
    expect([plain.status, plain.headers.get('upgrade')]).toEqual([426, 'websocket']);

    const silent = await RawClient.connect(own);
    for (const { socket } of clients) socket.destroy();
    await running?.close(); // it does not wait for that one
    await silent.ended;
    silent.end();
  });
});
