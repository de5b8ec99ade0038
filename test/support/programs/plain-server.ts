import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { PxlWebSocketModule, WsRoute } from 'nestjs-pxl-websocket';

/**
 * Serves on the port that it is given, or on any one, until it is ended. Writes the port. Its heartbeat is quick; with a
 * second argument it has none.
 */
const [, , place = '0', isPatient] = process.argv;
const heartbeat = isPatient === undefined && { interval: 1_000, timeout: 1_000 };

class Gateway {
  @WsRoute('test', 'echo')
  echo(_client: unknown, data: unknown): unknown {
    return data;
  }
}

@Module({
  imports: [PxlWebSocketModule.forRoot({ rooms: { open: true }, heartbeat })],
  providers: [Gateway],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
app.enableShutdownHooks();
await app.listen(Number(place), '127.0.0.1');
const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
process.stdout.write(`${JSON.stringify({ port })}\n`);
