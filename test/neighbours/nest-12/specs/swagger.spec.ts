import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Controller, Get } from '@nestjs/common';
import { ApiProperty, DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { PxlWebSocketClientModule, WebSocketClientController, WsRoute, WsUser } from 'nestjs-pxl-websocket';
import { PLATFORMS, startsApps } from '../support/app.js';

class Order {
  @ApiProperty()
  product = '';
}

@WebSocketGateway()
class Gateway {
  @WsRoute('order', 'place')
  place(@MessageBody() order: Order, @WsUser() _user: unknown) {
    return order;
  }
}

@WebSocketClientController()
class OfClient {
  @WsRoute('order', 'placed')
  placed(@MessageBody() _order: Order) {}
}

/** A controller with pages and routes. */
@Controller('orders')
class Both {
  @Get()
  list(): Order[] {
    return [];
  }

  @WsRoute('order', 'list')
  routed(@MessageBody() _order: Order): Order[] {
    return [];
  }
}

describe('@nestjs/swagger', () => {
  const start = startsApps();
  for (const platform of PLATFORMS) {
    describe(platform, () => {
      it('its document and page are served beside gateways, and have the pages of controllers, not the routes', async () => {
        const server = await start({ platform, providers: [Gateway], controllers: [Both] });
        const { origin, client } = await start({
          platform,
          imports: [PxlWebSocketClientModule.forRoot({ url: server.url() })],
          providers: [Gateway, OfClient],
          controllers: [Both],
          configure: (app) => {
            SwaggerModule.setup('api', app, () => SwaggerModule.createDocument(app, new DocumentBuilder().build()));
          },
        });
        const document = (await (await fetch(`${origin}/api-json`)).json()) as { paths: object };
        assert.deepEqual(Object.keys(document.paths), ['/orders']);
        assert.match(await (await fetch(`${origin}/api`)).text(), /swagger-ui/);
        assert.deepEqual(await (await client()).request('order', 'list', { product: 'tea' }), []);
      });
    });
  }
});
