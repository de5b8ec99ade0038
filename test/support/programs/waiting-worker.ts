import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { PxlWebSocketModule, WebSocketService } from 'nestjs-pxl-websocket';
import { WebSocketEmitter } from 'nestjs-pxl-websocket/emitter';

// A worker without a server of its own, whose Redis is not there yet: nothing else keeps its process alive. Argument: its url.

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
const looking = setInterval(() => {
  if (!sockets.getWebSocketHealth().redis.connected) return;
  clearInterval(looking);
  say({ connected: true });
  void app.close();
}, 20).unref();
