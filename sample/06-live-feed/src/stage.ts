import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Machines } from './machines/machines.js';
import { StageModule } from './stage.module.js';

const port = process.env.PORT ?? '3000';

// Nest tells of each module and route when it starts; here one line says it all.
Logger.overrideLogger(['warn', 'error']);
const app = await NestFactory.create<NestExpressApplication>(StageModule, { forceCloseConnections: true });
app.useStaticAssets(fileURLToPath(new URL('../../../sample/06-live-feed/public', import.meta.url)), {
  setHeaders: (page: ServerResponse) => page.setHeader('Content-Security-Policy', "default-src 'self'; img-src data:"),
});
// The library's client: one file, too.
app.useStaticAssets(fileURLToPath(import.meta.resolve('nestjs-pxl-websocket/client/browser')), {
  prefix: '/client.js',
});
const { entrance } = app.get(Machines);
app.getHttpServer().on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
  entrance.take(request, socket, head);
});
app.enableShutdownHooks();
await app.listen(port);

Logger.overrideLogger(['log', 'warn', 'error']);
Logger.log(`Watch the feed, and break what carries it, on http://localhost:${port}`, 'Live feed');
