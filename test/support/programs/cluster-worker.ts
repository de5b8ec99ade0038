import 'reflect-metadata';
import cluster from 'node:cluster';
import type { AddressInfo } from 'node:net';
import { runInThisContext } from 'node:vm';
import { Module, type INestApplication, type LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WebSocketGateway } from '@nestjs/websockets';
import {
  ClientManager,
  PxlWebSocketModule,
  PxlWebSocketServer,
  RoomManager,
  WebSocketService,
  WsError,
  WsRoute,
  type PxlWebSocketModuleOptions,
} from 'nestjs-pxl-websocket';
import { ClusterEvents } from '../../../lib/cluster/events/cluster-events.js';
import { EveryWorkerServer } from '../../../lib/server/facade/every-worker-server.js';
import { Gate } from '../gate.js';
import { SendLoad } from '../send-load.js';
import { urlIdentity } from '../url-identity.js';
import { additions } from '../worker-additions.js';

/** What a test's task gets on a worker. */
export interface WorkerContext {
  readonly app: INestApplication;
  readonly service: WebSocketService;
  readonly server: PxlWebSocketServer;
  readonly everyWorkerServer: EveryWorkerServer;
  readonly clients: ClientManager;
  readonly rooms: RoomManager;
  readonly load: SendLoad;
  /** Whoever asks for `test.hold` is answered once it is open. */
  readonly gate: Gate;
  /** Its slot in node:cluster, if there is one. */
  readonly slot: number | undefined;
}

/** A function of the test as text, with the value that it gets. */
export interface WorkerTask {
  readonly id: number;
  readonly source: string;
  readonly argument: unknown;
}

/** Something that a worker has heard of the cluster. */
export interface WorkerEvent {
  readonly channel: string;
  readonly message: Record<string, unknown>;
  /** Whether this worker acts where only one of the cluster may. */
  readonly isResponsible: boolean;
}

/** What a worker tells the test. */
export type WorkerReport =
  | { readonly kind: 'started'; readonly workerId: string; readonly port: number; readonly ms: number }
  | { readonly kind: 'done'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string; readonly code: string | undefined }
  | { readonly kind: 'event'; readonly event: WorkerEvent }
  | { readonly kind: 'log'; readonly line: string; readonly at: number }
  | { readonly kind: 'uncaught'; readonly error: string };

const gate = new Gate();

@WebSocketGateway()
class TestGateway {
  @WsRoute('test', 'hold')
  async hold(): Promise<string> {
    await gate.passed;
    return 'held';
  }

  @WsRoute('test', 'wait')
  async wait(_client: unknown, ms: number): Promise<string> {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return 'waited';
  }
}

process.on('uncaughtException', (error) => report({ kind: 'uncaught', error: `exception: ${error.stack}` }));
process.on('unhandledRejection', (error) => {
  report({ kind: 'uncaught', error: `rejection: ${(error as Error).stack}` });
});
// The test is gone.
process.on('disconnect', () => process.exit());

const given = JSON.parse(process.argv[2]!) as PxlWebSocketModuleOptions;

@Module({
  imports: [
    PxlWebSocketModule.forRoot({
      auth: { authenticate: urlIdentity },
      subscribers: additions.subscribers,
      ...given,
      ...(additions.rooms && { rooms: { ...given.rooms, ...additions.rooms } }),
    }),
  ],
  providers: [TestGateway, ...additions.providers],
})
class AppModule {}

const begin = performance.now();

/** A worker of a cluster: tells the test what happens to it, and carries out the test's tasks. */
const app = await NestFactory.create(AppModule, { logger: loggerToTest(), abortOnError: false });
app.enableShutdownHooks();
app.get(ClusterEvents).listen((event) => report({ kind: 'event', event: event as WorkerEvent }));
const context: WorkerContext = {
  app,
  service: app.get(WebSocketService),
  server: app.get(PxlWebSocketServer),
  everyWorkerServer: app.get(EveryWorkerServer),
  clients: app.get(ClientManager),
  rooms: app.get(RoomManager),
  load: new SendLoad(app.get(WebSocketService), app.get(PxlWebSocketServer), app.get(ClientManager)),
  gate,
  slot: cluster.worker?.id,
};
process.on('message', (task) => void carryOut(task as WorkerTask));
await app.listen(0, '127.0.0.1');
const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
const { workerId } = context.service.getWebSocketHealth();
report({ kind: 'started', workerId, port, ms: performance.now() - begin });

async function carryOut({ id, source, argument }: WorkerTask): Promise<void> {
  try {
    const task = runInThisContext(`(${source})`) as (context: WorkerContext, argument: unknown) => unknown;
    report({ kind: 'done', id, value: await task(context, argument) });
  } catch (error) {
    const code = error instanceof WsError ? error.code : undefined;
    report({ kind: 'failed', id, message: (error as Error).message, code });
  }
}

function report(message: WorkerReport): void {
  if (process.connected) process.send!(message);
}

function loggerToTest(): LoggerService {
  const write =
    (level: string) =>
    (...parts: unknown[]): void =>
      report({ kind: 'log', line: `${level} ${parts.map(String).join(' ')}`, at: Date.now() });
  // Of what is no warning, that of the library alone.
  const log = (...parts: unknown[]): void => {
    if (parts.at(-1) === 'PxlWebSocket') write('log')(...parts);
  };
  return { log, warn: write('warn'), error: write('error'), fatal: write('fatal') };
}
