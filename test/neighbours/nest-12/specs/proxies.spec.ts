import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import type { INestApplication } from '@nestjs/common';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { createProxyMiddleware as createProxyMiddleware3 } from 'http-proxy-middleware-3';
import { WebSocketGateway } from '@nestjs/websockets';
import { WsRoute } from 'nestjs-pxl-websocket';
import { WebSocket, WebSocketServer } from 'ws';
import { startsApps } from '../support/app.js';

@WebSocketGateway()
class Gateway {
  @WsRoute('test', 'echo')
  echo(_client: unknown, data: unknown) {
    return data;
  }
}

/** Says its path to each socket, and `legacy` to each request. */
async function startLegacy(): Promise<string> {
  const server = createServer((_request, response) => response.end('legacy'));
  new WebSocketServer({ server }).on('connection', (socket, { url }) => {
    socket.on('error', () => undefined);
    socket.send(`legacy ${url}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function firstText(url: string): Promise<string> {
  const socket = new WebSocket(url);
  const [data] = (await once(socket, 'message')) as [Buffer];
  socket.terminate();
  return data.toString();
}

describe('http-proxy-middleware, http-proxy-middleware-3', async () => {
  const start = startsApps();
  const target = await startLegacy();
  const startWith = (configure: (app: INestApplication) => void) => {
    return start({ providers: [Gateway], configure: (app) => configure(app) });
  };

  for (const [version, create] of [
    ['4', createProxyMiddleware],
    ['3', createProxyMiddleware3 as typeof createProxyMiddleware],
  ] as const) {
    it(`version ${version} with \`ws: true\` and a \`pathFilter\` passes on its own pages and sockets, and ours reach us, before and after`, async () => {
      const { client, origin, url } = await startWith((app) => {
        app.use(create({ target, ws: true, pathFilter: '/legacy' }));
      });
      const before = await client();
      assert.equal(await (await fetch(`${origin}/legacy`)).text(), 'legacy');
      assert.equal(await firstText(url('/legacy/socket')), 'legacy /legacy/socket');
      const later = await client();
      for (const tester of [before, later]) assert.equal(await tester.request('test', 'echo', 1), 1);
      await later.expectNothing();
    });

    it(`version ${version} with \`ws: true\` and no \`pathFilter\` breaks each of our sockets (1006) after the first request that it has passed on`, async () => {
      const { client, origin, url } = await startWith((app) => {
        app.use('/legacy', create({ target, ws: true }));
      });
      const before = await client();
      assert.equal(await before.request('test', 'echo', 1), 1);
      assert.equal(await (await fetch(`${origin}/legacy`)).text(), 'legacy');
      // Both have answered: what the other server says arrives in the middle of what we say.
      const torn = new WebSocket(url('/ws')).on('error', () => undefined);
      assert.equal(await new Promise((resolve) => torn.on('close', resolve)), 1006);
    });

    it(`version ${version} without \`ws\`, its \`upgrade\` called for its paths alone, leaves ours alone too`, async () => {
      const { client, url } = await startWith((app) => {
        const proxy = create({ target });
        app.use('/legacy', proxy);
        const server = app.getHttpServer() as Server;
        server.on('upgrade', (request, socket, head) => {
          if (request.url?.startsWith('/legacy/')) proxy.upgrade?.(request, socket as never, head);
        });
      });
      assert.equal(await firstText(url('/legacy/socket')), 'legacy /legacy/socket');
      assert.equal(await (await client()).request('test', 'echo', 1), 1);
    });
  }
});
