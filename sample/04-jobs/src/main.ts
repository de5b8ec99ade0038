import type { ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module.js';

const port = process.env.PORT ?? '3000';

// Nest tells of each module and route when it starts; here one line says it all.
Logger.overrideLogger(['warn', 'error']);
const app = await NestFactory.create<NestExpressApplication>(AppModule);
app.useStaticAssets(fileURLToPath(new URL('../../../sample/04-jobs/public', import.meta.url)), {
  setHeaders: (page: ServerResponse) => page.setHeader('Content-Security-Policy', "default-src 'self'; img-src data:"),
});
// The library's client: one file, too.
app.useStaticAssets(fileURLToPath(import.meta.resolve('nestjs-pxl-websocket/client/browser')), {
  prefix: '/client.js',
});
app.enableShutdownHooks();
await app.listen(port);

Logger.overrideLogger(['log', 'warn', 'error']);
Logger.log(`Order postcards on http://localhost:${port}; they are painted by dist/sample/04-jobs/worker.js`, 'Jobs');
