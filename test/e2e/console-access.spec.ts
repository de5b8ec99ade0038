import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable, Module, UnauthorizedException, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { ClientManager, PxlWebSocketModule } from 'nestjs-pxl-websocket';
import { PxlWebSocketConsoleModule, type PxlWebSocketConsoleOptions } from 'nestjs-pxl-websocket/console';
import { LiveTraces } from '../../lib/clients/traces/live-traces.js';
import { Timings } from '../../lib/runtime/metrics/timings.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { HeaderGuard, LineLog, look, pageFolder, startConsole } from '../support/console-workers.js';
import { createApp, PLATFORMS, startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { refusalOf } from '../support/console-refusal.js';

let folder: Awaited<ReturnType<typeof pageFolder>>;
let guard: HeaderGuard;
let app: TestApp | undefined;

beforeAll(async () => {
  folder = await pageFolder();
});
afterAll(() => folder.remove());
beforeEach(() => {
  guard = new HeaderGuard();
});
afterEach(async () => {
  await app?.close();
  app = undefined;
});

async function start(console: Partial<PxlWebSocketConsoleOptions> = {}, test?: TestAppOptions): Promise<TestApp> {
  return (app = await startConsole({}, { guard, page: folder.page, ...console }, test));
}

function get(path: string, headers: Record<string, string> = { 'x-admin': 'ada' }): Promise<Response> {
  return fetch(`${app!.origin}${path}`, { headers, redirect: 'manual' });
}

/** Global enhancers that refuse or change everything. */
class Refusing implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

describe('The start', () => {
  it('fails without a guard, and says what to do', async () => {
    const console = { page: folder.page } as unknown as PxlWebSocketConsoleOptions;
    const failed = startConsole({}, console);
    await expect(failed).rejects.toMatchObject({
      name: 'PxlWebSocketSetupError',
      message: expect.stringContaining('PxlWebSocketConsoleModule.forRoot({ guard: AdminGuard })'),
    });
  });

  it.each<[string, object, string]>([
    ['a guard without canActivate', { guard: Set }, 'The option guard is a class or an object with'],
    ['an unknown action', { allow: ['kick'] }, 'The option allow[0] is of disconnect, leave, notice, revoke'],
    ['a path with a slash at its end', { path: '/console/' }, 'without a slash at its end, not "/console/".'],
    ['a path that browsers resolve', { path: '/ops/../console' }, 'not "/ops/../console".'],
    ['an unknown option', { payload: true }, 'There is no option payload'],
  ])('refuses %s', async (_what, wrong, message) => {
    await expect(start(wrong as Partial<PxlWebSocketConsoleOptions>)).rejects.toThrow(message);
  });

  it('says that the page is missing', async () => {
    await expect(start({ page: `${folder.page}/nowhere` })).rejects.toThrow('The page of the console cannot be read.');
  });

  it('refuses the path of an endpoint, and an application without the module', async () => {
    await expect(start({ path: '/ws' })).rejects.toThrow('The path of the console, /ws, is that of an endpoint');
    const socket = startConsole({ path: '/console/socket' }, { guard, page: folder.page });
    await expect(socket).rejects.toThrow('The path of the console, /console/socket, is that of an endpoint');
    const alone = startApp({ options: false, imports: [PxlWebSocketConsoleModule.forRoot({ guard })] });
    await expect(alone).rejects.toThrow('import PxlWebSocketModule.forRoot(...), too');
  });

  it('refuses a second console at the same path, whose guard would be asked for a part', async () => {
    const other = PxlWebSocketConsoleModule.forRoot({ guard: new HeaderGuard(), page: folder.page });
    await expect(start({}, { imports: [other] })).rejects.toThrow('There are two consoles at /console');
  });

  it('goes on without an HTTP server', async () => {
    const created = await createApp({ imports: [PxlWebSocketConsoleModule.forRoot({ guard, page: folder.page })] });
    await created.init();
    await created.close();
  });
});

describe.each(PLATFORMS)('The page on %s', (platform) => {
  it('is served with its files to whom the guard lets in', async () => {
    await start({}, { platform });
    const moved = await get('/console');
    expect([moved.status, moved.headers.get('location')]).toEqual([302, 'console/']);
    const page = await get('/console/');
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('<script src="console.js">');
    expect(Object.fromEntries(page.headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    });
    const policy = page.headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'; script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    const script = await get('/console/console.js');
    expect([script.status, await script.text()]).toEqual([200, 'console.log("console")']);
    const known = await get('/console/console.js', { 'x-admin': 'ada', 'if-none-match': script.headers.get('etag')! });
    expect([known.status, await known.text()]).toEqual([304, '']);
    expect(guard.asked.map((access) => access.kind === 'page' && access.file)).toEqual([
      '',
      '',
      'console.js',
      'console.js',
    ]);
  });

  it('is refused to all others, file by file, and has nothing else of the folder', async () => {
    await start({}, { platform });
    for (const path of ['/console', '/console/', '/console/console.js', '/console/nothing.js']) {
      const refused = await get(path, {});
      expect([refused.status, await refused.text()]).toEqual([403, 'Forbidden.']);
    }
    for (const path of ['/console/notes.txt', '/console/..%2fpackage.json', '/console/nothing.js']) {
      expect((await get(path)).status).toBe(404);
    }
  });

  it('is served at its path alone, not at others that a router takes for the same: its socket is not found there', async () => {
    await start({ path: '/ops/live' }, { platform, configure: (created) => created.setGlobalPrefix('api') });
    for (const path of [
      '/OPS/live/',
      '/ops/Live',
      '/Ops/live/console.js',
      '/ops/live/live/',
      '/ops/live/console.js/',
    ]) {
      expect([path, (await get(path)).status]).toEqual([path, 404]);
    }
    expect((await get('/ops/live/?from=mail')).status).toBe(200);
  });

  it('stands apart from the global prefix and global guards, at a path of its own', async () => {
    const test: TestAppOptions = {
      platform,
      providers: [
        { provide: APP_GUARD, useClass: Refusing },
        { provide: APP_INTERCEPTOR, useValue: { intercept: () => ['wrapped'] } },
      ],
      configure: (created) => created.setGlobalPrefix('api'),
    };
    await start({ path: '/ops/live' }, test);
    expect((await get('/ops/live/')).status).toBe(200);
    expect((await get('/api/ops/live/')).status).toBe(404);
    const page = await look(app!, { path: '/ops/live' });
    expect((await page.request('console', 'about')).who).toBe('ada');
  });

  it('lets the guard answer by itself', async () => {
    const own: CanActivate = {
      canActivate: (context: ExecutionContext) => {
        app!.app.getHttpAdapter().setHeader(context.switchToHttp().getResponse(), 'WWW-Authenticate', 'Basic');
        throw new UnauthorizedException();
      },
    };
    await start({ guard: own }, { platform });
    const refused = await get('/console/');
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Basic']);
  });
});

describe('The connection', () => {
  it('is closed at once for whom the guard refuses, so that a page knows', async () => {
    await start();
    guard.refuses = ({ kind }) => kind === 'connection';
    expect(await refusalOf(app!.url('/console/socket'), { 'x-admin': 'ada' })).toBe('3003');
    expect(guard.asked).toEqual([{ kind: 'connection' }]);
  });

  it('is refused to pages of other origins, whose browsers send cookies too', async () => {
    await start();
    const foreign = await refusalOf(app!.url('/console/socket'), { 'x-admin': 'ada', origin: 'https://evil.example' });
    expect(foreign).toBe('403');
    expect(guard.asked).toEqual([]);
    const own = await look(app!, { origin: app!.origin });
    expect(await own.request('console', 'about')).toMatchObject({ who: 'ada', allow: [], payloads: false });
  });

  it('is no client of the application', async () => {
    app = await startConsole({ limits: { connections: 1 } }, { guard, page: folder.page });
    const page = await look(app);
    await page.request('live', 'watch');
    expect(app.app.get(ClientManager).getClients()).toEqual([]);
    const client = await app.client();
    expect(app.app.get(ClientManager).size).toBe(1);
    client.socket.terminate();
  });

  it('is answered pings, and told what it does wrong', async () => {
    await start();
    const page = await app!.client({ path: '/console/socket', headers: { 'x-admin': 'ada' } });
    page.send({ type: 'system', action: 'ping', id: 1 });
    expect(await page.next('system', 'pong')).toMatchObject({ id: 1 });
    page.socket.send('nonsense');
    expect(await page.next('error', 'message')).toMatchObject({ data: { code: 'BAD_MESSAGE' } });
    await expect(page.request('no', 'such')).rejects.toMatchObject({ code: 'UNKNOWN_ROUTE' });
    await expect(page.request('rooms', 'list', { limit: 1_000 })).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
  });

  it('is cut when it asks on and on, and does not read', async () => {
    await start();
    const { socket } = await look(app!);
    socket.pause();
    const asked = JSON.stringify({ type: 'x'.repeat(64), action: 'y'.repeat(64), id: 'z'.repeat(64) });
    while (socket.readyState === socket.OPEN) {
      for (let sent = 0; sent < 500; sent++) socket.send(asked);
      await new Promise(setImmediate);
    }
  });

  it('ends once the guard lets nobody in any more: it is asked again every minute', async () => {
    const clock = new ManualRuntime();
    await start({}, { override: (builder) => builder.overrideProvider(Runtime).useValue(clock) });
    const page = await look(app!);
    await clock.advance(60_000);
    expect(await page.request('console', 'about')).toMatchObject({ who: 'ada' });
    guard.refuses = () => true;
    await clock.advance(60_000);
    expect((await page.closed).code).toBe(3003);
    expect(guard.asked).toEqual([{ kind: 'connection' }, { kind: 'connection' }, { kind: 'connection' }]);
  });

  it('costs nothing that goes on after the last look', async () => {
    const clock = new ManualRuntime();
    await start({}, { override: (builder) => builder.overrideProvider(Runtime).useValue(clock) });
    const timings = app!.app.get(Timings);
    const [page, other] = await Promise.all([look(app!), look(app!)]);
    expect(timings.isOn).toBe(false);
    const before = clock.size;
    await Promise.all([page, other].map((one) => one.request('live', 'watch')));
    expect(timings.isOn).toBe(true);
    await clock.advance(1_000);
    for (const one of [page, other]) expect(await one.next('live', 'sample')).toMatchObject({ data: { rates: {} } });
    await page.request('live', 'unwatch');
    await clock.advance(1_000);
    await other.next('live', 'sample');
    other.socket.terminate();
    await other.closed;
    await page.request('console', 'about');
    await clock.advance(3_000);
    expect([timings.isOn, clock.size]).toEqual([false, before]);
  });

  it('follows nobody longer than it has asked for', async () => {
    const clock = new ManualRuntime();
    await start({}, { override: (builder) => builder.overrideProvider(Runtime).useValue(clock) });
    const page = await look(app!);
    const subject = { kind: 'room', room: 'lobby' } as const;
    const { traceId } = await page.request('trace', 'start', { subject, seconds: 10 });
    const traces = app!.app.get(LiveTraces);
    await clock.advance(9_900);
    expect(traces.isOn).toBe(true);
    await clock.advance(100);
    expect((await page.next('trace')).data).toEqual({ traceId, reason: 'time' });
    expect(traces.isOn).toBe(false);
  });

  it('ends with the application', async () => {
    await start();
    const page = await look(app!);
    await app!.close();
    expect((await page.closed).code).toBe(1001);
  });
});

describe('A guard that is a class', () => {
  it('has its dependencies, of the modules that the console imports', async () => {
    @Injectable()
    class Admins {
      readonly names = ['ada'];
    }
    @Module({ providers: [Admins], exports: [Admins] })
    class AdminsModule {}
    @Injectable()
    class AdminGuard implements CanActivate {
      constructor(private readonly admins: Admins) {}

      canActivate(context: ExecutionContext): boolean {
        const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
        return this.admins.names.includes(headers['x-admin'] ?? '');
      }
    }
    const useFactory = (): PxlWebSocketConsoleOptions => ({ guard: AdminGuard, page: folder.page });
    app = await startApp({
      options: false,
      imports: [
        PxlWebSocketModule.forRoot({ isGlobal: false }),
        PxlWebSocketConsoleModule.forRootAsync({ imports: [AdminsModule], useFactory }),
      ],
    });
    expect((await get('/console/')).status).toBe(200);
    expect((await get('/console/', { 'x-admin': 'bob' })).status).toBe(403);
  });

  it('that fails lets nobody in, and is reported', async () => {
    const log = new LineLog();
    const broken: CanActivate = {
      canActivate: () => {
        throw new Error('The database is away.');
      },
    };
    await start({ guard: broken }, { logger: log });
    expect((await get('/console/')).status).toBe(500);
    expect(log.lines).toContainEqual('The guard of the console failed. The database is away.');
  });
});
