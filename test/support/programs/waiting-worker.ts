import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Redis } from 'ioredis';
import { PXL_WS_REDIS, PxlWebSocketModule, WebSocketService } from 'nestjs-pxl-websocket';
import { WebSocketEmitter } from 'nestjs-pxl-websocket/emitter';

// A worker without a server of its own, whose Redis is not there yet: nothing else keeps its process alive. It closes once
// Redis has come, and has gone again. Argument: the url of Redis.

const redis = process.argv[2]!;
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const emitter = new WebSocketEmitter({ redis });
const failure = await emitter
  .toUser({ userId: 1, event: 'e', data: 1 })
  .catch((error: unknown) => (error as { code: string }).code);
await emitter.shutdown();
say({ failure });

@Module({ imports: [PxlWebSocketModule.forRoot({ redis })] })
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const sockets = app.get(WebSocketService);
say({ startedWithRedis: sockets.getWebSocketHealth().redis.connected });
const redisOfApp = app.get<Redis>(PXL_WS_REDIS);
let isThere = false;
const looking = setInterval(() => void look(), 20).unref();

async function look(): Promise<void> {
  if (!isThere && sockets.getWebSocketHealth().redis.connected) {
    isThere = true;
    await redisOfApp.ping();
    say({ connected: true });
  } else if (redisOfApp.status === 'reconnecting') {
    clearInterval(looking);
    await app.close();
    const closed = performance.now();
    process.once('exit', () => say({ isHeld: performance.now() - closed > 1_000 }));
  }
}
