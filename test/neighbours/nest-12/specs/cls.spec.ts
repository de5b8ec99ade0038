import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ConnectedSocket, MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { ClsModule, ClsService } from 'nestjs-cls';
import { WsRoute, WsSubscriber, type WsClient } from 'nestjs-pxl-websocket';
import { interval, map, take } from 'rxjs';
import { RequestContextModule } from '../src/request-context.module.js';
import { PLATFORMS, startsApps } from '../support/app.js';
import { until } from '../support/until.js';

const seenBySubscribers: boolean[] = [];

@Injectable()
class Store {
  constructor(private readonly cls: ClsService) {}

  async read() {
    await wait(5);
    return { name: this.cls.get<string>('name'), id: this.cls.getId() };
  }

  write(name: string) {
    this.cls.set('name', name);
  }
}

@WebSocketGateway()
class Gateway {
  constructor(
    private readonly store: Store,
    private readonly cls: ClsService,
  ) {}

  @WsRoute('cls', 'tell')
  async tell(@MessageBody() name: string) {
    this.store.write(name);
    return this.store.read();
  }

  @WsRoute('cls', 'user')
  user(@ConnectedSocket() client: WsClient) {
    return { user: this.cls.get<string>('userId'), same: client.user?.userId };
  }

  @WsRoute('cls', 'stream')
  async *stream(@MessageBody() name: string) {
    this.store.write(name);
    for (let count = 0; count < 3; count++) yield (await this.store.read()).name;
  }

  @WsRoute('cls', 'observable')
  observable(@MessageBody() name: string) {
    this.store.write(name);
    return interval(5).pipe(
      take(3),
      map(() => this.cls.get<string>('name')),
    );
  }

  @WsSubscriber({ channels: ['clientJoinedRoom'] })
  joined() {
    seenBySubscribers.push(this.cls.isActive());
  }
}

/** Waits, as guards that ask a store do. */
class SlowGuard implements CanActivate {
  async canActivate(_context: ExecutionContext) {
    await wait(1);
    return true;
  }
}

const providers = [Gateway, Store];
const guardMount = ClsModule.forRoot({ global: true, guard: { mount: true, generateId: true } });

describe('nestjs-cls', () => {
  const start = startsApps();
  for (const platform of PLATFORMS) {
    describe(platform, () => {
      it('mounted as an interceptor, it gives each message a context of its own, also where many are under way', async () => {
        const { client } = await start({ platform, imports: [RequestContextModule], providers });
        const [ada, bob] = [await client(), await client()];
        const asked = ['a', 'b', 'c', 'd'].map((name, at) => (at % 2 ? ada : bob).request('cls', 'tell', name));
        const answers = (await Promise.all(asked)) as { name: string; id: string }[];
        assert.deepEqual(
          answers.map(({ name }) => name),
          ['a', 'b', 'c', 'd'],
        );
        assert.equal(new Set(answers.map(({ id }) => id)).size, 4);
      });

      it('what its `setup` finds in the client is there in the handler', async () => {
        const { client } = await start({
          platform,
          imports: [RequestContextModule],
          providers,
          options: { auth: { authenticate: () => ({ userId: 'ada' }) } },
        });
        assert.deepEqual(await (await client()).request('cls', 'user'), { user: 'ada', same: 'ada' });
      });

      for (const [kind, imports] of [
        ['an interceptor', [RequestContextModule]],
        ['a guard', [guardMount]],
      ] as const) {
        it(`mounted as ${kind}, its context lives until the end of a stream, of an async generator or an Observable`, async () => {
          const { client } = await start({ platform, imports: [...imports], providers });
          const tester = await client();
          for (const action of ['stream', 'observable']) {
            tester.send({ type: 'cls', action, data: 'ada', id: action });
            for (let count = 0; count < 3; count++) assert.equal((await tester.next('cls', action)).response, 'ada');
            await tester.next('cls', action);
          }
        });
      }

      it('mounted as a guard, it works where no guard that waits runs before it, and only there', async () => {
        const withSlow = [{ provide: APP_GUARD, useClass: SlowGuard }, ...providers];
        const well = await start({ platform, imports: [guardMount], providers });
        assert.equal(((await (await well.client()).request('cls', 'tell', 'ada')) as { name: string }).name, 'ada');
        const { client } = await start({ platform, imports: [guardMount], providers: withSlow });
        // The handler has no context: this is nestjs-cls' own limit, over HTTP too.
        await assert.rejects((await client()).request('cls', 'tell', 'ada'), { code: 'INTERNAL' });
      });

      it('a subscriber sees no context of the message that has caused its event', async () => {
        seenBySubscribers.length = 0;
        const { client } = await start({
          platform,
          imports: [RequestContextModule],
          providers,
          options: { rooms: { open: true } },
        });
        await (await client()).join('lobby');
        await until(() => seenBySubscribers.length > 0);
        assert.deepEqual(seenBySubscribers, [false]);
      });
    });
  }
});
