import type { Server } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Inject,
  Injectable,
  Module,
  Scope,
  UseGuards,
  type CanActivate,
  type DynamicModule,
  type Type,
} from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import { WebSocketGateway } from '@nestjs/websockets';
import {
  ClientManager,
  PxlWebSocketClientModule,
  PxlWebSocketEmitterModule,
  PxlWebSocketModule,
  WebSocketService,
  WsRoute,
  type WsBroadcaster,
  WsLocalBroadcaster,
  type PxlWebSocketModuleOptions,
  type PxlWebSocketOptionsFactory,
} from 'nestjs-pxl-websocket';
import { AfterInitHooks } from '../../lib/transport/endpoint/after-init-hooks.js';
import { ChildProgram } from '../support/child-program.js';
import { isSoak } from '../support/cluster-periods.js';
import { failureOf } from '../support/failure-of.js';
import { Logbook } from '../support/logbook.js';
import { freePort } from '../support/free-port.js';
import { createApp, PLATFORMS, startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';
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

@Injectable()
class SettingsOptions implements PxlWebSocketOptionsFactory {
  constructor(private readonly settings: Settings) {}

  create(): PxlWebSocketModuleOptions {
    return { path: this.settings.path };
  }
}

@Module({ imports: [SettingsModule], providers: [SettingsOptions], exports: [SettingsOptions] })
class SettingsOptionsModule {}

const open: TestApp[] = [];

async function start(test: TestAppOptions): Promise<TestApp> {
  const app = await startApp(test);
  open.push(app);
  return app;
}

afterEach(async () => {
  for (const app of open.splice(0)) await app.close();
});

describe.each(PLATFORMS)('PxlWebSocketModule on %s', (platform) => {
  it.each<[string, DynamicModule, string]>([
    ['forRoot() without an argument', PxlWebSocketModule.forRoot(), '/ws'],
    ['forRoot() with options', PxlWebSocketModule.forRoot({ path: '/live' }), '/live'],
    [
      'forRootAsync() with a late factory that injects a provider of another module',
      PxlWebSocketModule.forRootAsync({
        imports: [SettingsModule],
        inject: [Settings],
        useFactory: async (...[settings]: unknown[]) => {
          await new Promise((resolve) => setTimeout(resolve, 20));
          return { path: (settings as Settings).path };
        },
      }),
      '/from-settings',
    ],
    [
      'forRootAsync() with a class',
      PxlWebSocketModule.forRootAsync({ imports: [SettingsModule], useClass: SettingsOptions }),
      '/from-settings',
    ],
    [
      'forRootAsync() with an existing factory',
      PxlWebSocketModule.forRootAsync({ imports: [SettingsOptionsModule], useExisting: SettingsOptions }),
      '/from-settings',
    ],
  ])('answers with %s', async (_name, module, path) => {
    const app = await start({ options: false, imports: [module], providers: [EchoGateway], platform });
    const client = await app.client({ path });
    expect(await client.request('echo', 'say', 'hello')).toBe('hello');
  });

  it('starts when another provider of the application waits for the network in its onModuleInit', async () => {
    @Injectable()
    class Slow {
      async onModuleInit(): Promise<void> {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    const app = await start({ providers: [Slow, EchoGateway], platform });
    expect(await (await app.client()).request('echo', 'say', 1)).toBe(1);
  });

  it('serves providers with routes where no class is a gateway', async () => {
    @Injectable()
    class Plain {
      @WsRoute('plain', 'say')
      say(): string {
        return 'said';
      }
    }
    const app = await start({ providers: [Plain], platform });
    expect(await (await app.client()).request('plain', 'say')).toBe('said');
  });

  it('opens nothing when it is not enabled, while everything stays injectable and sends do nothing', async () => {
    const port = await freePort();
    @WebSocketGateway(port)
    class OwnPort {}
    const app = await start({ options: { enabled: false }, providers: [EchoGateway, OwnPort], platform });
    await expect(TestClient.open(app.url())).rejects.toThrow();
    await expect(TestClient.open(`ws://127.0.0.1:${port}/ws`)).rejects.toThrow('ECONNREFUSED');
    expect(app.app.get(ClientManager).getClients()).toEqual([]);
    await app.app.get(WebSocketService).broadcast({ type: 'news', action: 'published' });
    expect((app.app.getHttpServer() as Server).listenerCount('upgrade')).toBe(0);
  });
});

describe('The scope of the module', () => {
  @Injectable()
  class Sender {
    constructor(@Inject(WebSocketService) readonly service: WebSocketService) {}
  }

  @Module({ providers: [Sender] })
  class FeatureModule {}

  it('is global by default: a module that does not import it injects its services', async () => {
    const app = await start({ imports: [FeatureModule] });
    expect(app.app.get(Sender, { strict: false }).service).toBeInstanceOf(WebSocketService);
  });

  it('is the importing module with isGlobal: false', async () => {
    const local = PxlWebSocketModule.forRoot({ isGlobal: false });
    await expect(createApp({ options: false, imports: [local, FeatureModule] })).rejects.toThrow(
      /can't resolve dependencies of the Sender/,
    );

    @Module({ imports: [local], providers: [Sender] })
    class ImportingModule {}
    const app = await start({ options: false, imports: [local, ImportingModule] });
    expect(app.app.get(Sender, { strict: false }).service).toBeInstanceOf(WebSocketService);
    await app.client();
  });

  it('is the importing module with forRootAsync({ isGlobal: false })', async () => {
    const local = PxlWebSocketModule.forRootAsync({ isGlobal: false, useFactory: () => ({}) });
    await expect(createApp({ options: false, imports: [local, FeatureModule] })).rejects.toThrow(
      /can't resolve dependencies of the Sender/,
    );
  });
});

describe('A start that cannot work', () => {
  it('is refused when forRoot is imported twice', async () => {
    expect(await failureOf({ imports: [PxlWebSocketModule.forRoot({ path: '/second' })] })).toBe(
      'PxlWebSocketModule.forRoot() was imported twice: an application has one.',
    );
  });

  it.each([PxlWebSocketModule, PxlWebSocketClientModule, PxlWebSocketEmitterModule])(
    'is refused when %p is imported without forRoot',
    async (module) => {
      const sentence = await failureOf({ imports: [module] });
      expect(sentence).toContain(`${module.name} was imported without options: import ${module.name}.forRoot(...)`);
    },
  );

  it('is refused with a bus that lacks methods, naming them', async () => {
    class HalfABus {
      start(): void {}
      publish(): void {}
    }
    const broadcaster = HalfABus as unknown as Type<WsBroadcaster>;
    expect(await failureOf({ options: { broadcaster } })).toMatch(
      /^The broadcaster HalfABus lacks stop, onChange, acquireRoom, .*: it has to implement WsBroadcaster\.$/,
    );
  });

  it('is refused with rooms.history and a bus that keeps none, or only what its own worker sends', async () => {
    const rooms = { history: { size: 10, ttl: 60_000 } };
    class OwnBus extends WsLocalBroadcaster {
      override readonly isAlone = false;
    }
    const sentence =
      'The broadcaster OwnBus lacks append, read, top, clear: with rooms.history it has to implement WsRoomStore as well.';
    expect(await failureOf({ options: { broadcaster: OwnBus, rooms } })).toBe(sentence);
    const app = await startApp({ options: { broadcaster: OwnBus } });
    await app.close();
    class AloneBus extends WsLocalBroadcaster {}
    const alone = await startApp({ options: { broadcaster: AloneBus, rooms } });
    await alone.close();
  });

  it('is refused when the application sets an adapter of its own', async () => {
    const configure: TestAppOptions['configure'] = (app) => void app.useWebSocketAdapter(new WsAdapter(app));
    expect(await failureOf({ configure, providers: [EchoGateway] })).toBe(
      'PxlWebSocketModule registers its own adapter: remove app.useWebSocketAdapter(new WsAdapter(...)).',
    );
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['namespace', { namespace: 'chat' }, 'use a path'],
    ['verifyClient', { verifyClient: () => true }, 'use auth.authenticate of PxlWebSocketModule'],
    ['handleProtocols', { handleProtocols: () => false }, 'the subprotocol names the codec'],
    ['maxPayload', { maxPayload: 10 }, 'use limits.maxPayload of PxlWebSocketModule'],
    ['perMessageDeflate', { perMessageDeflate: true }, 'use compression of PxlWebSocketModule'],
    ['cors', { cors: true }, 'remove it'],
    ['transports', { transports: ['websocket'] }, 'remove it'],
  ])('is refused when a gateway has the option %s, which has no effect', async (option, options, instead) => {
    @WebSocketGateway(options)
    class Misled {}
    expect(await failureOf({ providers: [Misled] })).toBe(
      `The option ${option} of @WebSocketGateway() has no effect here: ${instead}.`,
    );
  });

  it('is refused when a gateway has a path that no request can have', async () => {
    @WebSocketGateway({ path: '/chat?room=1' })
    class Misled {}
    expect(await failureOf({ providers: [Misled] })).toBe(
      'The path "/chat?room=1" of a @WebSocketGateway() cannot be: it has a query, or blanks.',
    );
  });

  it('is refused when events.onServerStarted throws', async () => {
    const onServerStarted = (): never => {
      throw new Error('no database');
    };
    expect(await failureOf({ options: { events: { onServerStarted } } })).toBe('no database');
  });

  it('is warned of beside other workers without a bus between them', async () => {
    const kept = { ...process.env };
    Object.assign(process.env, { pm_id: '3', instances: '2', NODE_APP_INSTANCE: '0' });
    const logger = new Logbook();
    try {
      await start({ logger });
    } finally {
      process.env = kept;
    }
    expect(logger.of('warn')).toEqual([
      'PM2 runs this application in several processes, and there is neither the option redis nor a broadcaster: clients ' +
        'of other workers are not reached, and rooms, users and limits are of this worker alone.',
    ]);
  });

  it('lets the application close, with nothing left open', async () => {
    const app = await createApp({
      options: { events: { onServerStarted: () => Promise.reject(new Error('no database')) } },
      providers: [EchoGateway],
    });
    await expect(app.init()).rejects.toThrow('no database');
    await app.close();
    expect((app.getHttpServer() as Server).listenerCount('upgrade')).toBe(0);
  });
});

describe('afterInit of a gateway', () => {
  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('no board');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no board'))],
    ['rejects late', () => new Promise((_resolve, reject) => setTimeout(() => reject(new Error('no board')), 20))],
  ])('fails the start when it %s', async (_how, afterInit) => {
    @WebSocketGateway()
    class Failing {
      afterInit(): unknown {
        return afterInit();
      }
    }
    expect(await failureOf({ providers: [Failing] })).toBe('no board');
  });

  it('is awaited before onModuleInit of the application, gets the ws server, and is called once', async () => {
    const calls: string[] = [];
    @WebSocketGateway({ path: '/board' })
    class Board {
      async afterInit(server: { clients: Set<unknown> }): Promise<void> {
        await new Promise((resolve) => setTimeout(resolve, 20));
        calls.push(`afterInit with ${server.clients.size} clients`);
      }

      onApplicationBootstrap(): void {
        calls.push('bootstrap');
      }
    }
    const { app } = await start({ providers: [Board] });
    expect(calls).toEqual(['afterInit with 0 clients', 'bootstrap']);
    expect(Object.keys(app.get(Board))).not.toContain('afterInit');
  });

  (isSoak ? it.concurrent : it.concurrent.skip).each(['throws', 'rejects'])(
    'that %s: control run, the adapter of platform-ws',
    async (how) => {
      const child = new ChildProgram('after-init', 'platform-ws', how);
      const { code, errors } = await child.exited;
      expect(code).not.toBe(0);
      expect(errors).toContain('no board');
      await expect(child.next()).rejects.toThrow(/before it wrote/); // init() resolved or died: nothing was caught
    },
  );

  it.concurrent.each(['throws', 'rejects'])('that %s rejects app.init() and leaves the process alive', async (how) => {
    const child = new ChildProgram('after-init', 'pxl', how);
    expect(await child.next()).toEqual({ caught: 'no board' });
    expect((await child.exited).code).toBe(0);
  });

  it('is refused on a gateway that is made anew for each message, naming what makes it so', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Tenant {}
    @Injectable()
    class Boards {
      constructor(readonly tenant: Tenant) {}
    }
    @WebSocketGateway()
    class Board {
      constructor(readonly boards: Boards) {}

      afterInit(): void {}
    }
    expect(await failureOf({ providers: [Tenant, Boards, Board] })).toMatch(
      /^Board\.afterInit cannot run: it injects Boards, which injects Tenant, which is request-scoped, so /,
    );
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest implements CanActivate {
      canActivate(): boolean {
        return true;
      }
    }
    @UseGuards(PerRequest)
    @WebSocketGateway()
    class Guarded {
      afterInit(): void {}
    }
    expect(await failureOf({ providers: [Guarded] })).toContain(
      'Guarded.afterInit cannot run: it injects PerRequest, which is request-scoped',
    );
  });

  it('stays as it was when the hooks are settled', async () => {
    const own = { afterInit: () => 'own' };
    const { afterInit } = own;
    const hooks = new AfterInitHooks();
    hooks.watch([own]);
    expect(own.afterInit).not.toBe(afterInit);
    await hooks.settle();
    expect(own.afterInit).toBe(afterInit);
  });
});
