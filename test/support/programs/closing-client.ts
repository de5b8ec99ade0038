import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { PxlWebSocketClientModule } from 'nestjs-pxl-websocket';
import { WebSocketClient } from 'nestjs-pxl-websocket/client';

/** Starts a client of a server, asks it once, closes, and does nothing more: the process has to end by itself. */
@Module({ imports: [PxlWebSocketClientModule.forRoot({ url: `ws://127.0.0.1:${process.argv[2]}/ws` })] })
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const answer = await app.get(WebSocketClient).request('desk', 'who', 'Hi');
await app.close();
process.stdout.write(`${JSON.stringify({ answer })}\n`);
