import 'reflect-metadata';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Module, type LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WebSocketGateway } from '@nestjs/websockets';
import {
  WsLocalBroadcaster,
  PxlWebSocketClientModule,
  PxlWebSocketModule,
  PxlWebSocketServer,
  RoomManager,
  WebSocketService,
  WsRoute,
  type WsClient,
} from 'nestjs-pxl-websocket';
import { WebSocketClient } from 'nestjs-pxl-websocket/client';
import { WebSocketEmitter } from 'nestjs-pxl-websocket/emitter';
import { WebSocket } from 'ws';

// An application that awaits nothing, all of which fails. Writes what was reported, and what those saw who did wait.

const UNTAKEN = /(\S+) failed, and nobody waited for it\. ./;

const reported: string[] = [];
const told: string[] = [];
const seen: string[] = [];
const see =
  (who: string) =>
  (error: unknown): void =>
    void seen.push(`${who}: ${(error as Error).message}`);

class BrokenBus extends WsLocalBroadcaster {
  override readonly isAlone: boolean = false;

  override publish(): Promise<void> {
    return Promise.reject(new Error('no bus'));
  }
}

const logger: LoggerService = {
  log: () => undefined,
  warn: () => undefined,
  error: (line: string) => void reported.push(line),
};

@WebSocketGateway()
class Lobby {
  @WsRoute('lobby', 'enter')
  enter(client: WsClient): string {
    void client.join('');
    void client.call({ type: 'user', action: 'confirm' });
    return 'entered';
  }

  @WsRoute('lobby', 'returned')
  returned(client: WsClient): Promise<boolean> {
    return client.join('');
  }
}

@Module({
  imports: [
    PxlWebSocketModule.forRoot({
      broadcaster: BrokenBus,
      events: {
        onConnected: ({ joinRoom }) => void joinRoom({ roomName: '' }),
        onError: ({ error }) => void told.push(error.message),
      },
    }),
    PxlWebSocketClientModule.forRoot({ url: 'ws://127.0.0.1:1', reconnect: false, queue: false }),
  ],
  providers: [Lobby],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger });
await app.listen(0, '127.0.0.1');
const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
await once(socket, 'message');
socket.send(JSON.stringify({ type: 'lobby', action: 'returned', id: 1 }));
const [answer] = (await once(socket, 'message')) as [Buffer];
seen.push(`returned: ${(JSON.parse(answer.toString()) as { data: { code: string } }).data.code}`);
socket.send(JSON.stringify({ type: 'lobby', action: 'enter' }));
await once(socket, 'message');
socket.close();

const sockets = app.get(WebSocketService);
const message = { type: 't', action: 'a', data: 1 };
const users = { userIds: ['u'], rooms: ['r'] };
void sockets.broadcast(message);
void sockets.sendToClients(['c'], message);
void sockets.sendToUsers(['u'], message);
void sockets.sendToRooms(['r'], message);
void sockets.sendUserMessage('a', 1);
void sockets.sendSystemMessage('a', 1);
void sockets.sendErrorMessage('a', 1);
void sockets.send({ payload: { topic: 't', data: 1 } });
void sockets.publish('news', 1);
void sockets.joinRooms({ ...users, rooms: [''] });
void sockets.leaveRooms(users);
void sockets.disconnectClients({ clientIds: ['c'] });
void sockets.disconnectUser({ userId: 'u' });
void sockets.disconnectRoom({ room: 'r', code: 1 });
void sockets.revoke({});
void app.get(PxlWebSocketServer).joinRoom({ clientId: 'c', roomName: '' });
void app.get(RoomManager).addClientToRoom({ clientId: 'c', roomName: '' });
const client = app.get(WebSocketClient);
void client.connect();
void client.connectToServer();
void client.request('a', 'b');
void client.join('r');
void client.refresh();
void client.stream('a', 'b').next();

const emitter = new WebSocketEmitter({ redis: 'redis://127.0.0.1:1', log: (_level, line) => void reported.push(line) });
await emitter.shutdown();
void emitter.configure();
void emitter.toUser({ userId: 'u', event: 'e', data: 1 });
void emitter.broadcast(1 as never);
void emitter.publish('', 1);

// What is derived is nobody's either.
void sockets.broadcast(1n as never).then(() => undefined);
void sockets.broadcast(2n as never).finally(() => undefined);

// Those who wait, however they do it.
await sockets.broadcast(message).catch(see('catch'));
await sockets.broadcast(message).then(undefined, see('then'));
await sockets
  .broadcast(message)
  .finally(() => undefined)
  .catch(see('finally'));
await Promise.all([sockets.broadcast(message)]).catch(see('all'));
await Promise.allSettled([sockets.broadcast(message)]).then(([{ status }]) => seen.push(`allSettled: ${status}`));
try {
  await sockets.broadcast(message);
} catch (error) {
  see('await')(error);
}
const late = sockets.leaveRooms({ ...users, userIds: ['late'] });

const untaken = (): string[] => reported.flatMap((line) => UNTAKEN.exec(line)?.[1] ?? []);
const deadline = Date.now() + 5_000;
while (untaken().length < Number(process.argv[2]) && Date.now() < deadline) await nextTurn();
await late.catch(see('late'));
await app.close();
process.stdout.write(`${JSON.stringify({ untaken: untaken().sort(), told: told.length, seen })}\n`);
