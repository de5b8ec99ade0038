import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { PxlWebSocketModule } from 'nestjs-pxl-websocket';
import { WebSocketServer } from 'ws';

const HEARTBEAT = { interval: 500, timeout: 500 };

/** Serves with the library's heartbeat, or with a sweep as applications write it. Writes the port. */
const port = process.argv[2] === 'naive' ? await serveNaively() : await serve();
process.stdout.write(`${JSON.stringify({ port })}\n`);

async function serve(): Promise<number> {
  @Module({ imports: [PxlWebSocketModule.forRoot({ heartbeat: HEARTBEAT })] })
  class AppModule {}
  const app = await NestFactory.create(AppModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  return (app.getHttpServer() as { address(): AddressInfo }).address().port;
}

async function serveNaively(): Promise<number> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  const lastHeard = new Map<object, number>();
  server.on('connection', (socket) => {
    const heard = (): void => void lastHeard.set(socket, performance.now());
    heard();
    socket.on('pong', heard);
    socket.send('{"type":"system","action":"connected"}');
  });
  setInterval(() => {
    for (const socket of server.clients) {
      const silence = performance.now() - (lastHeard.get(socket) ?? 0);
      if (silence > HEARTBEAT.interval + HEARTBEAT.timeout) socket.terminate();
      else socket.ping();
    }
  }, HEARTBEAT.interval);
  await new Promise((resolve) => server.once('listening', resolve));
  return (server.address() as AddressInfo).port;
}
