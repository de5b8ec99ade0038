import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

const port = process.env.PORT ?? '3000';

// Nest tells of each module and route when it starts; here one line says it all.
Logger.overrideLogger(['warn', 'error']);
const app = await NestFactory.create(AppModule);
app.enableShutdownHooks();
await app.listen(port);

Logger.overrideLogger(['log', 'warn', 'error']);
Logger.log(`Sign in on http://localhost:${port}`, 'JwtAuth');
