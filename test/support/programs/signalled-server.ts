import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { PxlWebSocketModule } from 'nestjs-pxl-websocket';

/** Serves until a signal ends it, with `hooks` as its argument by `app.close()`. Writes the port. */
@Module({ imports: [PxlWebSocketModule.forRoot()] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
if (process.argv[2] === 'hooks') app.enableShutdownHooks();
await app.listen(0, '127.0.0.1');
const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
process.stdout.write(`${JSON.stringify({ port })}\n`);
