import 'reflect-metadata';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { PxlWebSocketModule } from 'nestjs-pxl-websocket';
import { WebSocket } from 'ws';

/** Starts an application, connects clients to it, closes it, and does nothing more: the process has to end by itself. */
@Module({ imports: [PxlWebSocketModule.forRoot({ auth: { authenticate: () => ({ userId: 'ada' }) } })] })
class AppModule {}

const settings = { logger: false as const };
const app = await (process.argv[2] === 'fastify'
  ? NestFactory.create(AppModule, new FastifyAdapter(), settings)
  : NestFactory.create(AppModule, settings));
await app.listen(0, '127.0.0.1');
const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
const clients = [1, 2, 3].map(() => new WebSocket(`ws://127.0.0.1:${port}/ws`));
await Promise.all(clients.map((client) => once(client, 'open')));
const closed = Promise.all(clients.map((client) => once(client, 'close')));
await app.close();
const ends = (await closed).map(([code]: unknown[]) => code);
process.stdout.write(`${JSON.stringify({ ends })}\n`);
