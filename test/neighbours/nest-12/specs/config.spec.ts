import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { WebSocketGateway } from '@nestjs/websockets';
import { PxlWebSocketModule, WsRoute } from 'nestjs-pxl-websocket';
import { PLATFORMS, startsApps } from '../support/app.js';

@WebSocketGateway()
class Gateway {
  constructor(private readonly config: ConfigService) {}

  @WsRoute('config', 'path')
  path() {
    return this.config.get<string>('sockets.path');
  }
}

describe('@nestjs/config', () => {
  const start = startsApps();
  for (const platform of PLATFORMS) {
    describe(platform, () => {
      it('`forRootAsync` takes the options from `ConfigService`, with and without a global `ConfigModule`', async () => {
        const load = [() => ({ sockets: { path: '/live', limits: { connections: 1 } } })];
        for (const isGlobal of [true, false]) {
          const config = ConfigModule.forRoot({ isGlobal, load, ignoreEnvFile: true });
          const { client, url } = await start({
            platform,
            options: false,
            imports: [
              config,
              PxlWebSocketModule.forRootAsync({
                imports: isGlobal ? [] : [config],
                inject: [ConfigService],
                useFactory: (config: ConfigService) => config.getOrThrow('sockets'),
              }),
            ],
            providers: [Gateway],
          });
          assert.match(url(), /\/live$/);
          assert.equal(await (await client()).request('config', 'path'), '/live');
          await assert.rejects(client(), /429|503/);
        }
      });
    });
  }
});
