import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UseInterceptors } from '@nestjs/common';
import { CACHE_MANAGER, CacheInterceptor, CacheKey, CacheModule, type Cache } from '@nestjs/cache-manager';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { Inject } from '@nestjs/common';
import { MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { WsRoute } from 'nestjs-pxl-websocket';
import { startsApps } from '../support/app.js';

@WebSocketGateway()
class Gateway {
  calls = 0;

  constructor(@Inject(CACHE_MANAGER) private readonly cache: Cache) {}

  @WsRoute('price', 'plain')
  plain() {
    return ++this.calls;
  }

  @WsRoute('price', 'key')
  @UseInterceptors(CacheInterceptor)
  @CacheKey('price')
  keyed() {
    return ++this.calls;
  }

  @WsRoute('price', 'own')
  own(@MessageBody() name: string) {
    return this.cache.wrap(name, async () => ++this.calls, 60_000);
  }
}

describe('@nestjs/cache-manager, cache-manager', () => {
  const start = startsApps();

  it('`CacheInterceptor` for the application leaves messages alone, but for routes with a `@CacheKey`; the cache itself is used as ever', async () => {
    const { client } = await start({
      imports: [CacheModule.register({ isGlobal: true })],
      providers: [Gateway, { provide: APP_INTERCEPTOR, useClass: CacheInterceptor }],
    });
    const tester = await client();
    const ask = (action: string, data?: string) => tester.request('price', action, data);
    assert.deepEqual([await ask('plain'), await ask('plain')], [1, 2]);
    assert.deepEqual([await ask('key'), await ask('key')], [3, 3]);
    assert.deepEqual([await ask('own', 'tea'), await ask('own', 'tea'), await ask('own', 'milk')], [4, 4, 5]);
  });
});
