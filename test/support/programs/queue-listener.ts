import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { PxlWebSocketModule, WebSocketQueueEvents } from 'nestjs-pxl-websocket';

@Module({
  imports: [PxlWebSocketModule.forRoot()],
  providers: [WebSocketQueueEvents.forQueue('mail', { redis: process.argv[2]! })],
})
class AppModule {}

/** A process that hears a queue in the Redis of its argument, until it is told to end. */
const app = await NestFactory.create(AppModule, { logger: false });
app.enableShutdownHooks();
await app.listen(0, '127.0.0.1');
console.log('"listening"');
