import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { WebSocketService } from 'nestjs-pxl-websocket';
import { WorkerModule } from './worker.module.js';

Logger.overrideLogger(['error']);
// The stage has ended.
process.once('disconnect', () => process.exit());

const app = await NestFactory.create<NestExpressApplication>(WorkerModule);
await app.listen(0, '127.0.0.1');

// As a load balancer does, the stage sends visitors to a worker that is ready.
while (!app.get(WebSocketService).getWebSocketHealth().ready) await setTimeout(50);
process.send?.((app.getHttpServer().address() as AddressInfo).port);
