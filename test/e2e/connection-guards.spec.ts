import { afterEach, describe, expect, it } from '@jest/globals';
import {
  ForbiddenException,
  Injectable,
  Scope,
  SetMetadata,
  UnauthorizedException,
  type CanActivate,
  type ExecutionContext,
  type Type,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { WebSocketGateway } from '@nestjs/websockets';
import {
  UseConnectionGuards,
  WsRoute,
  type ConnectionCandidate,
  type PxlWebSocketModuleOptions,
} from 'nestjs-pxl-websocket';
import { EMPTY, of } from 'rxjs';
import { failureOf } from '../support/failure-of.js';
import { closeRefusal } from '../support/close-refusal.js';
import { Gate } from '../support/gate.js';
import { Logbook } from '../support/logbook.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { RawClient } from '../support/raw-client.js';
import { PLATFORMS, startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { claimsOf, hs256, SECRET } from '../support/tokens.js';
import { upgradeAnswer, upgradeStatus } from '../support/upgrade-answer.js';
import { Runtime } from '../../lib/runtime/runtime.js';

const apps: TestApp[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function start(test: TestAppOptions): Promise<TestApp> {
  const app = await startApp(test);
  apps.push(app);
  return app;
}

const guard = (canActivate: CanActivate['canActivate']): CanActivate => ({ canActivate });
const candidateOf = (context: ExecutionContext): ConnectionCandidate => context.switchToWs().getClient();
const Roles = (...roles: string[]): ClassDecorator => SetMetadata('roles', roles);

@Injectable()
class Directory {
  readonly admins = ['ada'];
}

@Injectable()
class RolesGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly directory: Directory,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const roles = this.reflector.getAllAndOverride<string[]>('roles', [context.getHandler(), context.getClass()]);
    const { user } = candidateOf(context);
    if (!user) throw new UnauthorizedException();
    if (roles.includes('admin') && !this.directory.admins.includes(user.userId)) throw new ForbiddenException();
    return true;
  }
}

@Roles('admin')
@UseConnectionGuards(RolesGuard)
@WebSocketGateway({ path: '/admin' })
class AdminGateway {
  @WsRoute('a', 'b')
  b(): string {
    return 'c';
  }
}

const auth: PxlWebSocketModuleOptions['auth'] = { jwt: { secret: SECRET }, required: false };
const as = (userId: string): Record<string, string> => ({ Authorization: `Bearer ${hs256(claimsOf(userId))}` });

describe.each(PLATFORMS)('@UseConnectionGuards (%s)', (platform) => {
  it('guards the connections of its gateway, with dependencies, metadata and the verified user', async () => {
    const app = await start({ platform, providers: [AdminGateway, Directory], options: { auth } });
    expect(await upgradeStatus(app.port, as('ada'), '/admin')).toBe(101);
    expect(await upgradeStatus(app.port, as('bo'), '/admin')).toBe(403);
    expect(await upgradeStatus(app.port, {}, '/admin')).toBe(401);
    expect(await upgradeStatus(app.port, {}, '/ws')).toBe(101);
  });
});

describe('connectionGuards', () => {
  it.each<[string, CanActivate['canActivate'], number]>([
    ['true', () => true, 101],
    ['a promise of true', () => Promise.resolve(true), 101],
    ['an Observable of true', () => of(true), 101],
    ['false', () => false, 401],
    ['a promise of false', () => Promise.resolve(false), 401],
    ['an UnauthorizedException', () => Promise.reject(new UnauthorizedException('secret')), 401],
    ['a ForbiddenException', () => Promise.reject(new ForbiddenException('secret')), 403],
    ['any other error', () => Promise.reject(new Error('secret')), 500],
    ['an Observable without a value', () => EMPTY, 500],
    ['nothing', () => undefined as never, 401],
    ['a promise of an Observable of false', (() => Promise.resolve(of(false))) as never, 401],
    ['a promise of an Observable of true', (() => Promise.resolve(of(true))) as never, 101],
  ])('that answer %s', async (_what, canActivate, status) => {
    const app = await start({ options: { connectionGuards: [guard(canActivate)] } });
    const answer = await upgradeAnswer(app.port);
    expect(answer.status).toBe(status);
    expect(answer.body).not.toContain('secret');
  });

  it('let nobody in by anything but true, and the log says what it was', async () => {
    const odd: [unknown, string][] = [
      ['no', 'a text'],
      [1, 'a number'],
      [{ allowed: false }, 'an object'],
      [new ForbiddenException('secret'), 'an error'],
      [of('no'), 'a text'],
    ];
    class Sloppy implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        const [answer] = odd[Number(candidateOf(context).request.url.split('?')[1])] ?? [];
        return answer as boolean;
      }
    }
    const logger = new Logbook();
    const app = await start({ logger, options: { connectionGuards: [new Sloppy()] } });
    for (const [n, [, kind]] of odd.entries()) {
      expect(await upgradeStatus(app.port, {}, `/ws?${n}`)).toBe(401);
      const line = `A connection guard failed. Sloppy has answered ${kind}, not true or false.`;
      expect(logger.of('error').at(-1)).toBe(line);
    }
  });

  it('see the id, the request and the user that the connection will have', async () => {
    const seen = new Gate<unknown>();
    const look = guard((context) => {
      const { clientId, request, user } = candidateOf(context);
      seen.open({ type: context.getType(), clientId, url: request.url, ip: request.ip, userId: user?.userId });
      return true;
    });
    const app = await start({ options: { auth, connectionGuards: [look] } });
    const client = await TestClient.connect(app.url('/ws?room=tea'), { headers: as('ada') });
    expect(await seen.passed).toEqual({
      type: 'ws',
      clientId: client.clientId,
      url: '/ws?room=tea',
      ip: '127.0.0.1',
      userId: 'ada',
    });
  });

  it('are asked in order, before those of the gateway, up to the first that refuses', async () => {
    const asked: string[] = [];
    const note = (name: string, answer: boolean): CanActivate => guard(() => asked.push(name) > 0 && answer);
    @UseConnectionGuards(note('gateway', true))
    @WebSocketGateway()
    class Gateway {}
    const app = await start({
      providers: [Gateway],
      options: { connectionGuards: [note('first', true), note('second', true)] },
    });
    expect(await upgradeStatus(app.port)).toBe(101);
    expect(asked).toEqual(['first', 'second', 'gateway']);
    asked.length = 0;
    const strict = await start({
      providers: [Gateway],
      options: { connectionGuards: [note('first', false), note('second', true)] },
    });
    expect(await upgradeStatus(strict.port)).toBe(401);
    expect(asked).toEqual(['first']);
  });

  it('are not asked about who has no valid credentials', async () => {
    let asked = 0;
    const app = await start({
      options: { auth: { jwt: { secret: SECRET } }, connectionGuards: [guard(() => ++asked > 0)] },
    });
    expect(await upgradeStatus(app.port, { Authorization: 'Bearer garbage' })).toBe(401);
    expect(asked).toBe(0);
  });

  it('may be request-scoped: each connection has its own', async () => {
    const instances = new Set<unknown>();
    @Injectable({ scope: Scope.REQUEST })
    class Scoped implements CanActivate {
      canActivate(): boolean {
        return instances.add(this).size > 0;
      }
    }
    const app = await start({ providers: [Scoped], options: { connectionGuards: [Scoped] } });
    expect([await upgradeStatus(app.port), await upgradeStatus(app.port)]).toEqual([101, 101]);
    expect(instances.size).toBe(2);
  });

  it('that never settle end at limits.upgradeTimeout with 503', async () => {
    const clock = new ManualRuntime();
    const [reached, again] = [new Gate(), new Gate()];
    let asked = 0;
    const never = guard(() => {
      (asked++ === 0 ? reached : again).open();
      return new Promise<boolean>(() => undefined);
    });
    const app = await start({
      options: { connectionGuards: [never], limits: { upgradeTimeout: 3_000 }, heartbeat: false },
      override: (builder) => builder.overrideProvider(Runtime).useValue(clock),
    });
    const client = await RawClient.upgrading(app.port);
    const closed = closeRefusal(app.url());
    await reached.passed;
    await again.passed;
    await clock.advance(3_000);
    expect((await client.response()).status).toBe(503);
    const told = { error: 'The upgrade took too long.', after: 1_000 };
    expect(await closed).toMatchObject({ code: 1013, told, pending: 0 });
    client.reset();
  });

  it('are reported when they fail', async () => {
    const logger = new Logbook();
    const failing = guard(() => {
      throw new Error('no database');
    });
    const app = await start({ logger, options: { connectionGuards: [failing] } });
    expect(await upgradeStatus(app.port)).toBe(500);
    expect(logger.of('error').join()).toContain('no database');
  });

  it('fail the start on a class that is no gateway, where they would guard nothing', async () => {
    @UseConnectionGuards(guard(() => false))
    @Injectable()
    class Routes {
      @WsRoute('a', 'b')
      b(): string {
        return 'c';
      }
    }
    expect(await failureOf({ providers: [Routes] })).toContain('@UseConnectionGuards(...) on Routes guards nothing');
  });

  it('fail the start on a gateway that names what is no guard', async () => {
    class NoGuard {
      canActivat(): boolean {
        return true;
      }
    }
    @UseConnectionGuards(NoGuard as unknown as Type<CanActivate>)
    @WebSocketGateway()
    class Open {}
    expect(await failureOf({ providers: [Open] })).toBe(
      '@UseConnectionGuards(...) on Open names the class NoGuard, which has no method canActivate; it has canActivat: a guard ' +
        'has a method canActivate.',
    );
  });

  it('fail the start when Nest cannot make one', async () => {
    @Injectable()
    class Needy implements CanActivate {
      constructor(readonly directory: Directory) {}

      canActivate(): boolean {
        return true;
      }
    }
    expect(await failureOf({ options: { connectionGuards: [Needy] } })).toContain('Nest cannot make Needy');
    expect(
      await failureOf({ options: { connectionGuards: [Directory as Type<unknown> as Type<CanActivate>] } }),
    ).toContain(
      'connectionGuards[0] is a guard: a class or an object with a method canActivate, not the class Directory',
    );
  });
});
