import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WebSocketGateway } from '@nestjs/websockets';
import { ClientManager, PxlWebSocketModule, RoomManager, WebSocketService, WsRoute } from 'nestjs-pxl-websocket';

/** What nobody caught. */
const uncaught: string[] = [];
process.on('uncaughtException', (error) => void uncaught.push(`exception: ${error.message}`));
process.on('unhandledRejection', (reason) => void uncaught.push(`rejection: ${(reason as Error).message}`));

@WebSocketGateway()
class TestGateway {
  constructor(
    private readonly clients: ClientManager,
    private readonly rooms: RoomManager,
    private readonly service: WebSocketService,
  ) {}

  @WsRoute('test', 'echo')
  echo(_client: unknown, data: unknown): unknown {
    return data;
  }

  @WsRoute('test', 'slow')
  async slow(): Promise<string> {
    await this.service.sendToRooms(['lobby', '*'], { type: 'test', action: 'note' });
    return new Promise((resolve) => setImmediate(() => resolve('slow')));
  }

  @WsRoute('test', 'report')
  report(): unknown {
    return { clients: this.clients.size, rooms: this.rooms.rooms.size, uncaught };
  }

  /** For the control run. */
  @WsRoute('test', 'leak')
  leak(): string {
    void Promise.reject(new Error('a leaked rejection'));
    setImmediate(() => {
      throw new Error('a leaked exception');
    });
    return 'leaked';
  }
}

@WebSocketGateway({ path: '/events' })
class EventGateway {}

@Module({
  imports: [
    PxlWebSocketModule.forRoot({
      rooms: {
        open: true,
        announce: true,
        defaults: ['lobby'],
        presence: { interval: 20 },
        whisper: true,
        history: (roomName) => (roomName.length < 10 ? { size: 20, ttl: 60_000 } : null),
      },
      clientList: { enabled: true, fields: ['clientId'] },
      disconnectInactiveClients: { enabled: true },
      endpoints: { '/events': { protocol: 'event' } },
      events: { onMessage: () => undefined },
    }),
  ],
  providers: [TestGateway, EventGateway],
})
class AppModule {}

/** Writes its port; ends in peace on SIGTERM. */
const app = await NestFactory.create(AppModule, { logger: false });
app.enableShutdownHooks();
await app.listen(0, '127.0.0.1');
const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
process.stdout.write(`${JSON.stringify({ port })}\n`);
