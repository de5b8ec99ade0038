import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Controller, Inject } from '@nestjs/common';
import {
  ClientsModule,
  EventPattern,
  MessagePattern,
  Payload,
  Transport,
  type ClientProxy,
} from '@nestjs/microservices';
import { MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { WebSocketService, WsRoute } from 'nestjs-pxl-websocket';
import { firstValueFrom } from 'rxjs';
import { PLATFORMS, startsApps } from '../support/app.js';
import { startRedis } from '../support/redis-server.js';

@Controller()
class Prices {
  constructor(private readonly sockets: WebSocketService) {}

  @MessagePattern('price.of')
  of(@Payload() product: string) {
    return { product, price: product.length };
  }

  @EventPattern('price.changed')
  changed(@Payload() data: unknown) {
    return this.sockets.broadcast({ type: 'price', action: 'changed', data });
  }
}

@WebSocketGateway()
class Gateway {
  constructor(@Inject('PRICES') private readonly prices: ClientProxy) {}

  @WsRoute('price', 'of')
  of(@MessageBody() product: string) {
    return firstValueFrom(this.prices.send<unknown>('price.of', product));
  }

  @WsRoute('price', 'change')
  async change(@MessageBody() data: unknown) {
    await firstValueFrom(this.prices.emit('price.changed', data), { defaultValue: undefined });
  }
}

describe('@nestjs/microservices', async () => {
  const start = startsApps();
  const redis = await startRedis();

  for (const platform of PLATFORMS) {
    describe(platform, () => {
      it('a hybrid application on Redis: a route asks a microservice, and handlers of its events send to clients', async () => {
        const options = { host: redis.host, port: redis.port };
        const { client } = await start({
          platform,
          imports: [ClientsModule.register([{ name: 'PRICES', transport: Transport.REDIS, options }])],
          providers: [Gateway],
          controllers: [Prices],
          options: { redis: redis.url },
          configure: async (app) => {
            app.connectMicroservice({ transport: Transport.REDIS, options }, { inheritAppConfig: true });
            await app.startAllMicroservices();
          },
        });
        const tester = await client();
        assert.deepEqual(await tester.request('price', 'of', 'tea'), { product: 'tea', price: 3 });
        await tester.request('price', 'change', { product: 'tea' });
        assert.deepEqual((await tester.next('price', 'changed')).data, { product: 'tea' });
      });
    });
  }
});
