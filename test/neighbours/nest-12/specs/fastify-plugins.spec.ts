import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import fastifyHttpProxy from '@fastify/http-proxy';
import fastifyWebSocket from '@fastify/websocket';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { WebSocketGateway } from '@nestjs/websockets';
import type { FastifyInstance } from 'fastify';
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

async function firstText(url: string): Promise<string> {
  const socket = new WebSocket(url);
  const [data] = (await once(socket, 'message')) as [Buffer];
  socket.terminate();
  return data.toString();
}

describe('@fastify/websocket, @fastify/http-proxy', () => {
  const start = startsApps();
  const startWith = (configure: (fastify: FastifyInstance) => unknown) => {
    const httpAdapter = new FastifyAdapter();
    return start({
      httpAdapter,
      providers: [Gateway],
      configure: async () => void (await configure(httpAdapter.getInstance() as unknown as FastifyInstance)),
    });
  };

  describe('Fastify', () => {
    it('the sockets of a plugin’s routes are its own, ours are ours, and what is of neither gets 404', async () => {
      const { client, url } = await startWith(async (fastify) => {
        await fastify.register(fastifyWebSocket);
        fastify.get('/other', { websocket: true }, (socket) => socket.send('of the plugin'));
      });
      assert.equal(await firstText(url('/other')), 'of the plugin');
      assert.equal(await (await client()).request('test', 'echo', 1), 1);
      await assert.rejects(firstText(url('/nothing')), /404/);
    });

    it('the proxy passes on the sockets of its prefix, also where that is `/`, and ours reach us', async () => {
      const server = createServer((_request, response) => response.end('legacy'));
      new WebSocketServer({ server }).on('connection', (socket, { url }) => socket.send(`legacy ${url}`));
      await once(server.listen(0, '127.0.0.1'), 'listening');
      after(() => {
        server.close();
        server.closeAllConnections();
      });
      const upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      for (const prefix of ['/legacy', '/']) {
        const { client, url } = await startWith((fastify) => {
          return fastify.register(fastifyHttpProxy, { upstream, prefix, rewritePrefix: prefix, websocket: true });
        });
        assert.equal(await firstText(url('/legacy/socket')), 'legacy /legacy/socket');
        assert.equal(await (await client()).request('test', 'echo', 1), 1);
      }
    });
  });
});
