import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { UseGuards, UseInterceptors, type CallHandler, type ExecutionContext } from '@nestjs/common';
import { MessageBody, WebSocketGateway } from '@nestjs/websockets';
import {
  ClientManager,
  PxlWebSocketClientModule,
  WebSocketClientController,
  WebSocketService,
  WsRoute,
  type WsClient,
} from 'nestjs-pxl-websocket';
import { WebSocketClient } from 'nestjs-pxl-websocket/client';
import { WebSocket, WebSocketServer } from 'ws';
import { Gate } from '../support/gate.js';
import { RedisServer } from '../support/redis-server.js';
import { startApp, startsOneApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { until } from '../support/until.js';

const storage = new AsyncLocalStorage<string>();
const start = startsOneApp();

/** Sets the store to what the message says, before its first await; nothing for an empty one. */
const entering = {
  async canActivate(context: ExecutionContext) {
    const name = context.switchToWs().getData<string>();
    if (name) storage.enterWith(name);
    await Promise.resolve();
    return true;
  },
};

class Gateway {
  readonly gate = new Gate();
  readonly open: Promise<void> = this.gate.passed;

  @WsRoute('als', 'wait')
  @UseGuards(entering)
  async wait() {
    await this.open;
    return storage.getStore() ?? 'nothing';
  }

  @WsRoute('als', 'call')
  @UseGuards(entering)
  async call(client: WsClient) {
    await this.open;
    await client.call({ type: 'ask', action: 'me' });
    return storage.getStore() ?? 'nothing';
  }

  @WsRoute('als', 'intercepted')
  @UseGuards(entering)
  @UseInterceptors({ intercept: (_context: ExecutionContext, next: CallHandler) => next.handle() })
  async intercepted() {
    return storage.getStore() ?? 'nothing';
  }

  @WsRoute('als', 'inside')
  inside(@MessageBody() name: string) {
    if (name) storage.enterWith(name);
    return storage.getStore() ?? 'nothing';
  }
}

describe('AsyncLocalStorage', () => {
  it('set by a guard is seen by its own handler, and by no message that waits or comes later', async () => {
    const { app, client } = await start({ providers: [Gateway] });
    const tester = await client();
    tester.send({ type: 'als', action: 'wait', data: 'first' });
    tester.send({ type: 'als', action: 'wait', data: '' });
    tester.send({ type: 'als', action: 'intercepted', data: 'third' });
    tester.send({ type: 'als', action: 'intercepted', data: '' });
    app.get(Gateway).gate.open();
    const answers = [await tester.next(), await tester.next(), await tester.next(), await tester.next()];
    expect(answers.map(({ response }) => response)).toEqual(['first', 'nothing', 'third', 'nothing']);
    expect(await tester.request('als', 'wait', '')).toBe('nothing');
    expect(await tester.request('als', 'inside', 'inside')).toBe('inside');
    expect(await tester.request('als', 'inside', '')).toBe('nothing');
  });

  it('does not pass from a handler that ends a pause to the messages that are read then', async () => {
    const { app, client } = await start({ options: { inbound: { queue: 2 } }, providers: [Gateway] });
    const tester = await client();
    const { ws } = app.get(ClientManager).getClient({ clientId: tester.clientId, requireWs: true })!;
    tester.send({ type: 'als', action: 'call', data: 'first' });
    for (let sent = 0; sent < 5; sent++) tester.send({ type: 'als', action: 'inside', data: '' });
    await until(() => ws.isPaused);
    for (let sent = 0; sent < 5; sent++) tester.send({ type: 'als', action: 'inside', data: '' });
    // They have arrived, and wait unread in the stream.
    const stream = Reflect.get(ws, '_socket') as Duplex;
    await until(() => stream.readableLength > 0);
    app.get(Gateway).gate.open();
    // To hear the answer to its call, the handler has the socket read again.
    const { callId } = await tester.next('ask', 'me');
    tester.send({ type: 'system', action: 'answer', data: { callId, response: null } });
    expect((await tester.next('als', 'call')).response).toBe('first');
    for (let sent = 0; sent < 10; sent++) expect((await tester.next()).response).toBe('nothing');
  });

  it('set by a connection hook, or by events.onMessage, stays there', async () => {
    const seen: unknown[] = [];
    @WebSocketGateway()
    class Hooked extends Gateway {
      handleConnection() {
        seen.push(storage.getStore());
        storage.enterWith('hook');
      }
    }
    const onMessage = (): void => storage.enterWith('event');
    const { client } = await start({ options: { events: { onMessage } }, providers: [Hooked] });
    const tester = await client();
    await client();
    expect(seen).toEqual([undefined, undefined]);
    expect(await tester.request('als', 'inside', '')).toBe('nothing');
    expect(await tester.request('als', 'inside', '')).toBe('nothing');
  });

  it('set by an authenticator that a message has asked is not seen by the hooks of its connection', async () => {
    const seen: unknown[] = [];
    @WebSocketGateway()
    class Hooked extends Gateway {
      handleConnection() {
        seen.push(storage.getStore());
      }
      handleDisconnect() {
        seen.push(storage.getStore());
      }
    }
    const authenticate = () => {
      storage.enterWith('authenticator');
      return { userId: 'ada' };
    };
    const { url } = await start({ options: { auth: { authenticate, mode: 'message' } }, providers: [Hooked] });
    const tester = await TestClient.open(url());
    tester.send({ type: 'system', action: 'authenticate', data: { token: 'any' } });
    await tester.welcomed();
    expect(await tester.request('als', 'inside', '')).toBe('nothing');
    await tester.close();
    await until(() => seen.length === 2);
    expect(seen).toEqual([undefined, undefined]);
  });

  it('in which the application starts is not seen by what other workers cause, and not by controllers of its clients', async () => {
    const seen: unknown[] = [];
    const see = (): boolean => seen.push(storage.getStore()) > 0;
    const server = await start({ providers: [Gateway] });
    @WebSocketClientController()
    class Controller {
      readonly connected = new Gate();

      @WsRoute('news', 'read')
      read() {
        see();
        storage.enterWith('controller');
        this.connected.open();
      }
    }
    const redis = await RedisServer.start();
    const options = { redis: redis.url, rooms: { authorize: see } };
    const imports = [PxlWebSocketClientModule.forRoot({ url: server.url() })];
    const one = await storage.run('start', () => startApp({ options, imports, providers: [Controller] }));
    const other = await startApp({ options });
    try {
      await (await one.client()).join('room');
      await other.app.get(WebSocketService).reauthorize({ room: 'room' });
      await until(() => seen.length === 2);
      const outside = one.app.get(WebSocketClient);
      await outside.connect();
      await server.app.get(WebSocketService).broadcast({ type: 'news', action: 'read' });
      await one.app.get(Controller).connected.passed;
      // A connection that a handler has opened is no part of its scope.
      outside.disconnect();
      await storage.run('reconnect', () => outside.connect());
      await server.app.get(WebSocketService).broadcast({ type: 'news', action: 'read' });
      await until(() => seen.length === 4);
      expect(seen).toEqual([undefined, undefined, undefined, undefined]);
    } finally {
      await one.close();
      await other.close();
      await redis.stop();
    }
  });

  it('control run: with a plain event handler of ws, every later message sees what the first one has set', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    server.on('connection', (socket) => {
      socket.on('message', (data: Buffer) => {
        const name = data.toString();
        if (name) storage.enterWith(name);
        socket.send(storage.getStore() ?? 'nothing');
      });
    });
    await once(server, 'listening');
    const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const answers: string[] = [];
    socket.on('message', (data: Buffer) => answers.push(data.toString()));
    await once(socket, 'open');
    try {
      // One after the other: what arrives together with the upgrade is read in a scope of its own.
      for (const name of ['', 'first', '', '']) {
        const before = answers.length;
        socket.send(name);
        await until(() => answers.length > before);
      }
      expect(answers).toEqual(['nothing', 'first', 'first', 'first']);
    } finally {
      socket.terminate();
      for (const client of server.clients) client.terminate();
      server.close();
    }
  });
});
