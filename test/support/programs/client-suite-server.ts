import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WebSocketGateway } from '@nestjs/websockets';
import {
  PxlWebSocketModule,
  WebSocketService,
  WsError,
  WsRoute,
  type WsClient,
  type WsCredentials,
  type WsVerdict,
} from 'nestjs-pxl-websocket';
import { of } from 'rxjs';

/** The server of `test/matrix/client-suite.mjs`, on any port until it is ended. Writes the port. */

@WebSocketGateway()
class SuiteGateway {
  constructor(private readonly service: WebSocketService) {}

  @WsRoute('suite', 'echo')
  echo(_client: WsClient, data: unknown): unknown {
    return data;
  }

  @WsRoute('suite', 'fail')
  fail(): never {
    throw new WsError('TEAPOT', 'Refused.');
  }

  @WsRoute('suite', 'stream')
  stream(): unknown {
    return of(1, 2, 3);
  }

  @WsRoute('suite', 'whoami')
  whoami({ user, rooms, encrypted }: WsClient): unknown {
    return { userId: user?.userId ?? null, rooms: [...rooms], encrypted };
  }

  @WsRoute('suite', 'call')
  call(client: WsClient): Promise<unknown> {
    return client.call({ type: 'suite', action: 'question', data: 6 });
  }

  @WsRoute('suite', 'push')
  async push(_client: WsClient, { room, text }: { room: string; text: string }): Promise<void> {
    await this.service.sendToRooms([room], { type: 'news', action: 'flash', data: text });
  }

  @WsRoute('suite', 'close')
  close(client: WsClient, { code, reason }: { code: number; reason: string }): void {
    client.close(code, reason);
  }

  @WsRoute('suite', 'cut')
  cut(client: WsClient): void {
    client.ws.terminate();
  }
}

@WebSocketGateway({ path: '/strict' })
class StrictGateway {}

/** A token is the name of its user. */
function authenticate({ token }: WsCredentials): WsVerdict {
  if (token === undefined) return { anonymous: true };
  return token.startsWith('refused') ? null : { userId: token };
}

@Module({
  imports: [
    PxlWebSocketModule.forRoot({
      auth: { authenticate },
      rooms: { open: true, named: true },
      encryption: true,
      endpoints: { '/strict': { limits: { messagesPerSecond: 20, burst: 20, maxPayload: 1_000 } } },
    }),
  ],
  providers: [SuiteGateway, StrictGateway],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
app.enableShutdownHooks();
await app.listen(0, '127.0.0.1');
const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
process.stdout.write(`${JSON.stringify({ port })}\n`);
