import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { runInThisContext } from 'node:vm';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  PxlWebSocketModule,
  RoomManager,
  WebSocketService,
  type PxlWebSocketModuleOptions,
} from 'nestjs-pxl-websocket';
import type { WorkerReport, WorkerTask } from '../programs/cluster-worker.js';

/** What a test's task gets on a worker of an earlier version. */
export interface FormerWorkerContext {
  readonly service: WebSocketService;
  readonly rooms: RoomManager;
}

process.on('uncaughtException', (error) => report({ kind: 'uncaught', error: `exception: ${error.stack}` }));
process.on('unhandledRejection', (error) => {
  report({ kind: 'uncaught', error: `rejection: ${(error as Error).stack}` });
});
// The test is gone.
process.on('disconnect', () => process.exit());

const options = JSON.parse(process.argv[2]!) as PxlWebSocketModuleOptions;

@Module({ imports: [PxlWebSocketModule.forRoot(options)] })
class AppModule {}

/** A worker that speaks with the test as `cluster-worker.ts` does, and uses only what the package of any version has. */
const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
const context: FormerWorkerContext = { service: app.get(WebSocketService), rooms: app.get(RoomManager) };
process.on('message', (task) => void carryOut(task as WorkerTask));
await app.listen(0, '127.0.0.1');
const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
report({ kind: 'started', workerId: context.service.getWebSocketHealth().workerId, port, ms: 0 });

async function carryOut({ id, source, argument }: WorkerTask): Promise<void> {
  try {
    const task = runInThisContext(`(${source})`) as (context: FormerWorkerContext, argument: unknown) => unknown;
    report({ kind: 'done', id, value: await task(context, argument) });
  } catch (error) {
    report({ kind: 'failed', id, message: (error as Error).message, code: undefined });
  }
}

function report(message: WorkerReport): void {
  if (process.connected) process.send!(message);
}
