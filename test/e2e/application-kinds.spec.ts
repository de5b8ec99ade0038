import { beforeAll, describe, expect, it } from '@jest/globals';
import { Injectable, Module, type DynamicModule, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { WebSocketGateway } from '@nestjs/websockets';
import {
  ClientManager,
  PxlWebSocketModule,
  PxlWebSocketServer,
  RoomManager,
  WebSocketService,
  WsRoute,
} from 'nestjs-pxl-websocket';
import { freePort } from '../support/free-port.js';
import { Logbook } from '../support/logbook.js';
import { PLATFORMS, startApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';

@WebSocketGateway()
class EchoGateway {
  @WsRoute('echo', 'say')
  say(_client: unknown, data: unknown): unknown {
    return data;
  }
}

@Injectable()
class Settings {
  readonly path = '/from-settings';
}

@Module({ providers: [Settings], exports: [Settings] })
class SettingsModule {}

describe.each(PLATFORMS)('Applications beside each other on %s', (platform) => {
  it('have clients, rooms and messages of their own, and end each by itself', async () => {
    const apps = await Promise.all([1, 2, 3].map(() => startApp({ providers: [EchoGateway], platform })));
    const clients = await Promise.all(apps.map((app) => app.client()));
    for (const [at, { app }] of apps.entries()) {
      await app.get(RoomManager).addClientToRoom({ clientId: clients[at]!.clientId, roomName: 'lobby' });
      expect(app.get(ClientManager).getClients()).toHaveLength(1);
      expect(app.get(RoomManager).getRoomClients({ roomName: 'lobby' })).toEqual([clients[at]!.clientId]);
    }
    await apps[0]!.app.get(WebSocketService).broadcast({ type: 'news', action: 'published' });
    await apps[0]!.app.get(WebSocketService).sendToRooms(['lobby'], { type: 'news', action: 'discussed' });
    await clients[0]!.next('news', 'published');
    await clients[0]!.next('news', 'discussed');
    await Promise.all([clients[1]!.expectNothing(50), clients[2]!.expectNothing(50)]);
    await apps[0]!.close();
    expect(await clients[1]!.request('echo', 'say', 2)).toBe(2);
    await Promise.all(apps.slice(1).map((app) => app.close()));
  });
});

describe('Without a server', () => {
  let port: number;
  let OwnPortGateway: new () => object;

  beforeAll(async () => {
    port = await freePort();
    @WebSocketGateway(port, { path: '/own' })
    class Gateway extends EchoGateway {}
    OwnPortGateway = Gateway;
  });

  async function expectNoPort(context: INestApplicationContext): Promise<void> {
    await expect(TestClient.open(`ws://127.0.0.1:${port}/own`)).rejects.toThrow('ECONNREFUSED');
    const service = context.get(WebSocketService, { strict: false });
    await service.broadcast({ type: 'news', action: 'published' });
    await service.sendToUsers(['ada'], { type: 'news', action: 'published' });
    context.get(PxlWebSocketServer, { strict: false }).sendMessageToAll({ data: 'hello' });
    expect(context.get(RoomManager, { strict: false }).rooms.size).toBe(0);
  }

  it('a testing module that is initialized without an application opens no port', async () => {
    const module = await Test.createTestingModule({
      imports: [PxlWebSocketModule.forRoot()],
      providers: [OwnPortGateway],
    }).compile();
    await module.init();
    await expectNoPort(module);
    await module.close();
  });

  it('an application context sends, opens no port, and closes without the delay of a shutdown', async () => {
    const shutdown = { delay: 60_000 };
    @Module({ imports: [PxlWebSocketModule.forRoot({ shutdown })], providers: [OwnPortGateway] })
    class AppModule {}
    const context = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    await expectNoPort(context);
    await context.close();
  });

  it('an application context does not say that a server has started', async () => {
    const started: string[] = [];
    const events = { onServerStarted: () => void started.push('started') };
    @Module({ imports: [PxlWebSocketModule.forRoot({ events })] })
    class AppModule {}
    const context = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    await context.close();
    expect(started).toEqual([]);
  });
});

describe('NestFactory', () => {
  it.each(PLATFORMS)('starts, serves and closes an application on %s', async (platform) => {
    @Module({ imports: [PxlWebSocketModule.forRoot()], providers: [EchoGateway] })
    class AppModule {}
    const settings = { logger: false as const, abortOnError: false };
    const app = await (platform === 'fastify'
      ? NestFactory.create(AppModule, new FastifyAdapter(), settings)
      : NestFactory.create(AppModule, settings));
    await app.listen(0, '127.0.0.1');
    const client = await TestClient.connect((await app.getUrl()).replace('http', 'ws') + '/ws');
    expect(await client.request('echo', 'say', 3)).toBe(3);
    await app.close();
    expect((await client.closed).code).toBe(1001);
  });

  it.each<[string, () => DynamicModule]>([
    ['forRoot()', () => PxlWebSocketModule.forRoot()],
    [
      'forRootAsync() whose factory injects something',
      () =>
        PxlWebSocketModule.forRootAsync({
          imports: [SettingsModule],
          inject: [Settings],
          useFactory: (...[settings]: unknown[]) => ({ path: (settings as Settings).path }),
        }),
    ],
  ])('starts in preview mode with %s, without an instance of anything', async (_name, module) => {
    let instances = 0;
    @WebSocketGateway()
    class Counting {
      constructor() {
        instances++;
      }

      @WsRoute('count', 'up')
      up(): void {}
    }
    @Module({ imports: [module()], providers: [Counting] })
    class AppModule {}
    const logbook = new Logbook();
    const app = await NestFactory.create(AppModule, { preview: true, logger: logbook, abortOnError: false });
    await app.init();
    await app.close();
    expect(instances).toBe(0);
    expect(logbook.lines.join('\n')).not.toContain('socket.io');
  });
});
