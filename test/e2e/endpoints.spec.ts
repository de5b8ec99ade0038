import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, Module } from '@nestjs/common';
import { WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import { ClientManager, PxlWebSocketServer, WebSocketService, WsRoute, type WsClient } from 'nestjs-pxl-websocket';
import type { WebSocketServer as WsServer } from 'ws';
import type { GatewayAddress } from '../../lib/routing/discovery/ws-metadata.accessor.js';
import { Logbook } from '../support/logbook.js';
import { failureOf } from '../support/failure-of.js';
import { freePort } from '../support/free-port.js';
import { createApp, PLATFORMS, startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';

const open: TestApp[] = [];

async function start(test: TestAppOptions): Promise<TestApp> {
  const app = await startApp(test);
  open.push(app);
  return app;
}

afterEach(async () => {
  for (const app of open.splice(0)) await app.close();
});

/** A gateway at an address, which tells its name and whom it has met. */
function gateway(name: string, { port = 0, path }: Partial<GatewayAddress> = {}): new () => { met: string[] } {
  @WebSocketGateway(port, path === undefined ? {} : { path })
  class Gateway {
    readonly met: string[] = [];

    handleConnection(client: WsClient): void {
      this.met.push(client.path);
    }

    @WsRoute('who', 'are')
    who(): string {
      return name;
    }
  }
  return Gateway;
}

describe.each(PLATFORMS)('Endpoints on %s', (platform) => {
  it('of the same server answer each with their own gateway, and run only its hooks', async () => {
    const [Main, Admin] = [gateway('main', { path: '/ws' }), gateway('admin', { path: '/admin' })];
    const { app, client } = await start({ platform, providers: [Main, Admin] });
    expect(await (await client({ path: '/ws' })).request('who', 'are')).toBe('main');
    expect(await (await client({ path: '/admin' })).request('who', 'are')).toBe('admin');
    expect([app.get(Main).met, app.get(Admin).met]).toEqual([['/ws'], ['/admin']]);
  });

  it('at a port of their own are there as soon as the application is, and gone with it', async () => {
    const port = await freePort();
    const Own = gateway('own', { port, path: '/own' });
    const { app, close, client, url } = await start({ platform, providers: [Own] });
    const own = await TestClient.connect(`ws://127.0.0.1:${port}/own`);
    expect(await own.request('who', 'are')).toBe('own');
    await expect((await client({ path: '/ws' })).request('who', 'are')).rejects.toThrow('UNKNOWN_ROUTE');
    await expect(TestClient.open(url('/own'))).rejects.toThrow('404');
    await expect(TestClient.open(`ws://127.0.0.1:${port}/ws`)).rejects.toThrow('404');
    expect(app.get(Own).met).toEqual(['/own']);
    await close();
    expect(await own.closed).toEqual({ code: 1001, reason: 'server is shutting down' });
    await expect(TestClient.open(`ws://127.0.0.1:${port}/own`)).rejects.toThrow('ECONNREFUSED');
  });

  it('at a port of their own without a path have the path of the module', async () => {
    const port = await freePort();
    await start({ platform, options: { path: '/live' }, providers: [gateway('own', { port })] });
    const own = await TestClient.connect(`ws://127.0.0.1:${port}/live`);
    expect(await own.request('who', 'are')).toBe('own');
  });

  it('answer a plain GET with 426, unless the application has a route there', async () => {
    @Controller()
    class Pages {
      @Get('page')
      page(): string {
        return 'a page';
      }
    }
    const port = await freePort();
    const { origin, client } = await start({
      platform,
      controllers: [Pages],
      providers: [gateway('own', { port }), gateway('page', { path: '/page' }), gateway('admin', { path: '/admin' })],
    });
    for (const url of [`${origin}/ws`, `${origin}/admin`, `http://127.0.0.1:${port}/ws`]) {
      const response = await fetch(url);
      expect([url, response.status, response.headers.get('upgrade')]).toEqual([url, 426, 'websocket']);
    }
    expect(await (await fetch(`${origin}/page`)).text()).toBe('a page');
    expect(await (await client({ path: '/page' })).request('who', 'are')).toBe('page');
  });

  it('share one name space of clients', async () => {
    const port = await freePort();
    const { app, client } = await start({
      platform,
      providers: [gateway('own', { port }), gateway('admin', { path: '/admin' })],
    });
    const clients = [
      await client({ path: '/ws' }),
      await client({ path: '/admin' }),
      await TestClient.connect(`ws://127.0.0.1:${port}/ws`),
    ];
    expect(
      app
        .get(ClientManager)
        .getClients()
        .map(({ clientId }) => clientId),
    ).toEqual(clients.map((c) => c.clientId));
    await app.get(WebSocketService).broadcast({ type: 'news', action: 'published' });
    for (const each of clients) await each.next('news', 'published');
  });
});

describe('A gateway without a path', () => {
  it('answers on every endpoint, as every provider with routes does, and so do the system routes', async () => {
    @Injectable()
    class Plain {
      @WsRoute('plain', 'say')
      say(client: WsClient): string {
        return `said on ${client.path}`;
      }
    }
    const Everywhere = gateway('everywhere');
    @WebSocketGateway({ path: '/other' })
    class Other {}
    const port = await freePort();
    @WebSocketGateway(port, { path: '/own' })
    class Own {}
    const { app, url } = await start({ providers: [Everywhere, Plain, Other, Own] });
    const urls = [url('/ws'), url('/other'), `ws://127.0.0.1:${port}/own`];
    for (const each of urls) {
      const client = await TestClient.connect(each);
      expect(await client.request('who', 'are')).toBe('everywhere');
      expect(await client.request('plain', 'say')).toBe(`said on ${new URL(each).pathname}`);
      client.send({ type: 'system', action: 'ping' });
      await client.next('system', 'pong');
    }
    expect(app.get(Everywhere).met).toEqual(['/ws', '/other', '/own']);
  });
});

describe('A gateway whose path is the path of the module', () => {
  it('shares that endpoint, with or without the slash', async () => {
    @WebSocketGateway({ path: 'live' })
    class Live {
      @WebSocketServer()
      server!: WsServer;

      @WsRoute('live', 'say')
      say(): string {
        return 'live';
      }
    }
    const { app, client } = await start({ options: { path: '/live' }, providers: [Live, gateway('main')] });
    const both = await client({ path: '/live' });
    expect(await both.request('live', 'say')).toBe('live');
    expect(await both.request('who', 'are')).toBe('main');
    expect(app.get(Live).server.clients.size).toBe(1);
    expect(app.get(PxlWebSocketServer).getPath()).toBe('/live');
  });
});

describe('A gateway that a factory provides', () => {
  it('answers at its own path and nowhere else', async () => {
    const Made = gateway('made', { path: '/made' });
    const { client, origin } = await start({ providers: [{ provide: 'MADE', useFactory: () => new Made() }] });
    const made = await client({ path: '/made' });
    expect(await made.request('who', 'are')).toBe('made');
    made.send({ type: 'system', action: 'ping' });
    await made.next('system', 'pong');
    await expect((await client({ path: '/ws' })).request('who', 'are')).rejects.toThrow('UNKNOWN_ROUTE');
    expect((await fetch(`${origin}/made`)).status).toBe(426);
  });
});

describe('Two handlers of one route', () => {
  it('fail the start where they meet on an endpoint, naming both', async () => {
    class First {
      @WsRoute('who', 'are')
      one(): void {}
    }
    class Second {
      @WsRoute('who', 'are')
      two(): void {}
    }
    WebSocketGateway({ path: '/shared' })(First);
    WebSocketGateway({ path: '/shared' })(Second);
    expect(await failureOf({ providers: [First, Second] })).toMatch(
      /^The route "who:are" of \/shared has two handlers, First\.one and Second\.two: /,
    );
  });

  it('fail the start where one is for every endpoint', async () => {
    expect(await failureOf({ providers: [gateway('everywhere'), gateway('admin', { path: '/admin' })] })).toMatch(
      /^The route "who:are" of \/admin has two handlers, /,
    );
  });

  it('are no conflict at different ports', async () => {
    const [one, two] = [await freePort(), await freePort()];
    const { close } = await start({ providers: [gateway('one', { port: one }), gateway('two', { port: two })] });
    expect(await (await TestClient.connect(`ws://127.0.0.1:${one}/ws`)).request('who', 'are')).toBe('one');
    expect(await (await TestClient.connect(`ws://127.0.0.1:${two}/ws`)).request('who', 'are')).toBe('two');
    await close();
  });
});

describe('A port that somebody else has', () => {
  it('fails app.init() with the error of the system, and the application can be closed', async () => {
    const other = createServer().listen(0);
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const free = await freePort();
    const app = await createApp({ providers: [gateway('free', { port: free }), gateway('taken', { port })] });
    await expect(app.init()).rejects.toMatchObject({ code: 'EADDRINUSE', port });
    await app.close();
    await expect(TestClient.open(`ws://127.0.0.1:${free}/ws`)).rejects.toThrow('ECONNREFUSED');
    await new Promise((resolve) => other.close(resolve));
  });
});

it('a start names every endpoint with what its clients speak', async () => {
  const logger = new Logbook();
  const free = await freePort();
  const providers = [gateway('admin', { path: '/admin' }), gateway('own', { port: free })];
  @Module({ providers })
  class AdminModule {}
  await start({ logger, options: { endpoints: { '/admin': { protocol: 'event' } } }, imports: [AdminModule] });
  expect(logger.of('log')).toContain(
    `Clients connect to /admin (event.v1), /ws (pxl.v1), /ws on port ${free} (pxl.v1).`,
  );
});

describe('debug.printRoutes', () => {
  it('logs every endpoint with its routes and their methods', async () => {
    const logger = new Logbook();
    @Module({ providers: [gateway('admin', { path: '/admin' })] })
    class AdminModule {}
    await start({ logger, options: { debug: { printRoutes: true } }, imports: [AdminModule] });
    const printed = logger.of('log').filter((line) => line.startsWith('Routes of '));
    expect(printed.map((text) => text.split('\n')[0]).sort()).toEqual(['Routes of /admin', 'Routes of /ws']);
    expect(printed.join('\n')).toContain('who:are → Gateway.who');
  });
});
