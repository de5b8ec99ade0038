import 'reflect-metadata';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Module, type CanActivate } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ConnectedSocket, MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { PxlWebSocketModule, WebSocketService, WsError, WsRoute, type WsClient } from 'nestjs-pxl-websocket';
import { PxlWebSocketConsoleModule } from 'nestjs-pxl-websocket/console';
import { urlIdentity } from '../support/url-identity.js';

/* A worker of the chat that is in the pictures. It tells its port. */

@WebSocketGateway()
class ChatGateway {
  constructor(private readonly sockets: WebSocketService) {}

  @WsRoute('chat', 'send')
  async send(
    @ConnectedSocket() client: WsClient,
    @MessageBody() { room, text }: { room: string; text: string },
  ): Promise<void> {
    if (text === '') throw new WsError('EMPTY', 'There is no text.');
    const data = { from: client.user?.userId, text };
    await this.sockets.sendToRooms([room], { type: 'chat', action: 'message', data });
  }

  @WsRoute('chat', 'history')
  async history(@MessageBody() { room }: { room: string }): Promise<{ room: string; messages: string[] }> {
    await wait(5 + Math.random() * 40);
    return { room, messages: [] };
  }

  @WsRoute('board', 'move')
  move(): null {
    return null;
  }
}

const guard: CanActivate = { canActivate: () => true };

@Module({
  imports: [
    PxlWebSocketModule.forRoot({
      redis: process.argv[2] ?? '',
      auth: { authenticate: urlIdentity },
      rooms: { open: true },
      limits: { messagesPerSecond: false },
    }),
    PxlWebSocketConsoleModule.forRoot({
      guard,
      allow: ['disconnect', 'leave', 'notice', 'revoke'],
      payloads: true,
    }),
  ],
  providers: [ChatGateway],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ['warn', 'error'] });
await app.listen(0, '127.0.0.1');
process.send?.(((app.getHttpServer() as Server).address() as AddressInfo).port);
