import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BullModule, InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import { ConnectedSocket, WebSocketGateway } from '@nestjs/websockets';
import type { Job, Queue } from 'bullmq';
import { PxlWebSocketModule, WebSocketService, WsRoute, type WsClient } from 'nestjs-pxl-websocket';
import { startRedis } from '../support/redis-server.js';
import { startsApps } from '../support/app.js';

@WebSocketGateway()
class Gateway {
  constructor(@InjectQueue('reports') private readonly queue: Queue) {}

  @WsRoute('report', 'make')
  async make(@ConnectedSocket() client: WsClient) {
    const { id } = await this.queue.add('make', { userId: client.user?.userId });
    return id;
  }
}

@Processor('reports')
class Reports extends WorkerHost {
  constructor(private readonly sockets: WebSocketService) {
    super();
  }

  async process({ id, data }: Job<{ userId: string }>) {
    await this.sockets.sendToUsers([data.userId], { type: 'report', action: 'progress', data: { id } });
  }
}

describe('@nestjs/bullmq, bullmq', async () => {
  const start = startsApps();
  const redis = await startRedis();

  it('a route adds a job, and its processor sends to the user, in one application that shares a Redis with the module', async () => {
    const { client } = await start({
      options: false,
      imports: [
        PxlWebSocketModule.forRoot({ redis: redis.url, auth: { authenticate: () => ({ userId: 'ada' }) } }),
        BullModule.forRoot({ connection: { host: redis.host, port: redis.port } }),
        BullModule.registerQueue({ name: 'reports' }),
      ],
      providers: [Gateway, Reports],
    });
    const tester = await client();
    const id = await tester.request('report', 'make');
    assert.deepEqual((await tester.next('report', 'progress')).data, { id });
  });
});
