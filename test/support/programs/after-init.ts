import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import { WebSocketGateway } from '@nestjs/websockets';
import { PxlWebSocketModule } from 'nestjs-pxl-websocket';

/** Arguments: `pxl` or `platform-ws`, and how `afterInit` fails. Writes what `init()` rejected with. */
const [adapter, how] = process.argv.slice(2);

@WebSocketGateway()
class FailingGateway {
  afterInit(): unknown {
    const error = new Error('no board');
    if (how === 'rejects') return Promise.reject(error);
    throw error;
  }
}

@Module({ imports: adapter === 'pxl' ? [PxlWebSocketModule.forRoot()] : [], providers: [FailingGateway] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
if (adapter === 'platform-ws') app.useWebSocketAdapter(new WsAdapter(app));
try {
  await app.init();
} catch (error) {
  process.stdout.write(`${JSON.stringify({ caught: (error as Error).message })}\n`);
}
await app.close();
