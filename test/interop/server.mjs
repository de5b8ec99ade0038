import 'reflect-metadata';
import { UnauthorizedException } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WebSocketGateway } from '@nestjs/websockets';
import { PxlWebSocketModule, PxlWebSocketServer, WsRoute } from 'nestjs-pxl-websocket';

/** The clients have to answer two of these pings. */
const HEARTBEAT = { interval: 700, timeout: 700 };

/** What a client asks for; `test/interop/run.mjs` says in which order. */
class Asked {
  static parameters = [PxlWebSocketServer];

  constructor(server) {
    this.server = server;
  }

  echo(_client, data) {
    return data;
  }

  /** A push of so many characters, or the code of the error with which it was refused. */
  push(client, characters) {
    try {
      client.send({ type: 'asked', action: 'pushed', data: 'x'.repeat(characters) });
    } catch ({ code }) {
      client.send({ type: 'asked', action: 'refused', data: code });
    }
  }

  /** The answer comes once the client has answered two pings. */
  pings({ ws }) {
    return new Promise((resolve) => {
      let pongs = 0;
      ws.on('pong', () => ++pongs === 2 && resolve(pongs));
    });
  }

  /** Ends every connection as a server does that stops. */
  stop() {
    void this.server.stop();
  }
}

/** Whoever comes here needs a token, and has none. */
class Guarded {}

WebSocketGateway()(Asked);
WebSocketGateway({ path: '/guarded' })(Guarded);
Reflect.defineMetadata('design:paramtypes', Asked.parameters, Asked);
for (const action of ['echo', 'push', 'pings', 'stop']) {
  WsRoute('asked', action)(Asked.prototype, action, Object.getOwnPropertyDescriptor(Asked.prototype, action));
}

/** @returns an application on a free port, with both endpoints `/ws` and `/guarded` */
export async function startServer(maxPushBytes = false) {
  class App {}
  const refuse = () => Promise.reject(new UnauthorizedException('No token.'));
  Module({
    imports: [
      PxlWebSocketModule.forRoot({
        heartbeat: HEARTBEAT,
        limits: { maxPushBytes },
        endpoints: { '/guarded': { auth: { authenticate: refuse } } },
      }),
    ],
    providers: [Asked, Guarded],
  })(App);
  const app = await NestFactory.create(App, { logger: ['error', 'warn'] });
  await app.listen(0, '127.0.0.1');
  return { port: app.getHttpServer().address().port, close: () => app.close() };
}
