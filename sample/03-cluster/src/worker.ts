import cluster from 'node:cluster';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WebSocketService } from 'nestjs-pxl-websocket';
import { AppModule } from './app.module.js';

Logger.overrideLogger(['warn', 'error']);
// Browsers open connections in advance and keep them: those must not hold up the end of a worker.
const app = await NestFactory.create(AppModule, { forceCloseConnections: true });
// SIGTERM sends the clients to the other workers, instead of cutting them off.
app.enableShutdownHooks();
await app.listen(process.env.PORT ?? '3000');

// One says it for all.
if (cluster.worker?.id === 1 && !app.get(WebSocketService).getWebSocketHealth().redis.connected) {
  Logger.warn('The workers wait for Redis: start one on this machine, or say in REDIS_URL where it is.', 'Cluster');
}
