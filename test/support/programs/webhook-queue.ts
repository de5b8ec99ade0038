import 'reflect-metadata';
import { once } from 'node:events';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { PxlWebSocketModule } from 'nestjs-pxl-websocket';

const [url, redis] = process.argv.slice(2);

/** An application whose webhooks wait in BullMQ. It closes at SIGTERM, and does nothing more: the process has to end by itself. */
@Module({
  imports: [
    PxlWebSocketModule.forRoot({
      auth: { authenticate: () => ({ userId: 'ada' }) },
      shutdown: { timeout: 200 },
      webhooks: {
        endpoints: [
          { url: url!, events: ['userConnected'], secret: `whsec_${Buffer.alloc(32, 1).toString('base64')}` },
        ],
        queue: { redis: redis! },
      },
    }),
  ],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(0, '127.0.0.1');
process.stdout.write(`${JSON.stringify({ url: await app.getUrl() })}\n`);
await once(process, 'SIGTERM');
await app.close();
process.stdout.write(`${JSON.stringify({ isClosed: true })}\n`);
