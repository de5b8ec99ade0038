import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Controller, Get } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { SkipThrottle, Throttle, ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import { WebSocketGateway } from '@nestjs/websockets';
import { WsRoute } from 'nestjs-pxl-websocket';
import { PLATFORMS, startsApps } from '../support/app.js';

@WebSocketGateway()
class Gateway {
  @WsRoute('limit', 'two')
  two() {
    return 'done';
  }

  @WsRoute('limit', 'one')
  @Throttle({ default: { limit: 1, ttl: 60_000 } })
  one() {
    return 'done';
  }

  @WsRoute('limit', 'none')
  @SkipThrottle()
  none() {
    return 'done';
  }
}

@Controller()
class Page {
  @Get()
  get() {
    return 'page';
  }
}

const app = {
  imports: [ThrottlerModule.forRoot([{ limit: 2, ttl: 60_000 }])],
  providers: [Gateway, { provide: APP_GUARD, useClass: ThrottlerGuard }],
  controllers: [Page],
  options: { trustProxy: true },
};

describe('@nestjs/throttler', () => {
  const start = startsApps();
  for (const platform of PLATFORMS) {
    describe(platform, () => {
      it('`ThrottlerGuard` as `APP_GUARD` answers `RATE_LIMITED` above the limit of an address, and serves other addresses', async () => {
        const { client } = await start({ ...app, platform });
        const from = (ip: string) => client({ headers: { 'x-forwarded-for': ip } });
        const [ada, tabOfAda, bob] = [await from('1.1.1.1'), await from('1.1.1.1'), await from('2.2.2.2')];
        assert.equal(await ada.request('limit', 'two'), 'done');
        assert.equal(await tabOfAda.request('limit', 'two'), 'done');
        await assert.rejects(ada.request('limit', 'two'), { code: 'RATE_LIMITED' });
        await assert.rejects(tabOfAda.request('limit', 'two'), { code: 'RATE_LIMITED' });
        assert.equal(await bob.request('limit', 'two'), 'done');
      });

      it('`@Throttle` and `@SkipThrottle` hold for routes; the pages of the application keep their own counts', async () => {
        const { client, origin } = await start({ ...app, platform });
        const ada = await client();
        assert.equal(await ada.request('limit', 'one'), 'done');
        await assert.rejects(ada.request('limit', 'one'), { code: 'RATE_LIMITED' });
        for (let times = 0; times < 5; times++) assert.equal(await ada.request('limit', 'none'), 'done');
        const statuses = [await fetch(origin), await fetch(origin), await fetch(origin)].map(({ status }) => status);
        assert.deepEqual(statuses, [200, 200, 429]);
      });
    });
  }
});
