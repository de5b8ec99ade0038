import { dirname, join } from 'node:path';
import { ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module';

async function bootstrap() {
  const app = await NestFactory.create<NestExpressApplication>(AppModule);
  app.useGlobalPipes(new ValidationPipe());
  app.enableShutdownHooks();
  app.useStaticAssets(join(__dirname, '../public'));
  // The library's client as one file, /client/browser.js.
  app.useStaticAssets(dirname(require.resolve('nestjs-pxl-websocket/client/browser')), { prefix: '/client' });
  await app.listen(process.env.PORT ?? 3000);
}
void bootstrap();
