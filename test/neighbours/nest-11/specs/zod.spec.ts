import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UsePipes } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { ConnectedSocket, MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { createZodDto, ZodValidationPipe } from 'nestjs-zod';
import { WsRoute, type WsClient } from 'nestjs-pxl-websocket';
import { z } from 'zod';
import { PLATFORMS, startsApps } from '../support/app.js';

class Order extends createZodDto(z.object({ product: z.string(), count: z.coerce.number().int().default(1) })) {}

@WebSocketGateway()
class AppWide {
  @WsRoute('order', 'place')
  place(@ConnectedSocket() client: WsClient, @MessageBody() order: Order) {
    return { ...order, id: client.clientId === '' };
  }

  @WsRoute('order', 'plain')
  plain(@MessageBody('product') product: string) {
    return product;
  }
}

@WebSocketGateway()
class OfMethod {
  @WsRoute('order', 'place')
  @UsePipes(new ZodValidationPipe(Order))
  place(@MessageBody() order: unknown) {
    return order;
  }
}

describe('nestjs-zod, zod, @nestjs/core', () => {
  const start = startsApps();
  for (const platform of PLATFORMS) {
    describe(platform, () => {
      it('its pipe as `APP_PIPE` gives handlers what a `createZodDto` makes of the data, and refuses the rest as `VALIDATION_FAILED`', async () => {
        const providers = [AppWide, { provide: APP_PIPE, useClass: ZodValidationPipe }];
        const { client } = await start({ platform, providers });
        const tester = await client();
        assert.deepEqual(await tester.request('order', 'place', { product: 'tea', more: 1 }), {
          product: 'tea',
          count: 1,
          id: false,
        });
        const refused = await tester.call('order', 'place', { count: 'x' });
        const { code, details } = refused.data as { code: string; details: { errors: { path: string[] }[] } };
        assert.equal(code, 'VALIDATION_FAILED');
        assert.deepEqual(
          details.errors.map(({ path }) => path.join('.')),
          ['product', 'count'],
        );
        assert.equal(await tester.request('order', 'plain', { product: 'tea' }), 'tea');
      });

      it('its pipe on a method does the same', async () => {
        const { client } = await start({ platform, providers: [OfMethod] });
        const tester = await client();
        assert.deepEqual(await tester.request('order', 'place', { product: 'tea' }), { product: 'tea', count: 1 });
        await assert.rejects(tester.request('order', 'place', {}), { code: 'VALIDATION_FAILED' });
      });
    });
  }

  it('a document of `@nestjs/swagger` is made beside gateways with such types', async () => {
    const { app } = await start({ providers: [AppWide] });
    const document = SwaggerModule.createDocument(app, new DocumentBuilder().build());
    assert.deepEqual(document.paths, {});
  });
});
