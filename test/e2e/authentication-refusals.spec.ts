import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { UnauthorizedException, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { WebSocketService, type PxlWebSocketModuleOptions, type WsAuthenticate } from 'nestjs-pxl-websocket';
import { Runtime } from '../../lib/runtime/runtime.js';
import { Logbook } from '../support/logbook.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { ODD_ANSWERS } from '../support/odd-answers.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { THROWN_REFUSALS } from '../support/thrown-refusals.js';
import { hs256, rs256, rsaKeys, SECRET, unsigned } from '../support/tokens.js';
import { upgradeStatus } from '../support/upgrade-answer.js';

let app: TestApp;
let clock: ManualRuntime;
let logger: Logbook;
let debugLines: string[];

beforeEach(() => {
  clock = new ManualRuntime();
  debugLines = [];
  logger = Object.assign(new Logbook(), { debug: (line: string) => void debugLines.push(line) });
});
afterEach(() => app.close());

@WebSocketGateway({ path: '/admin' })
class Admin {}

async function start(options: PxlWebSocketModuleOptions): Promise<void> {
  app = await startApp({
    options: { heartbeat: false, ...options },
    providers: [Admin],
    logger,
    override: (builder) => builder.overrideProvider(Runtime).useValue(clock),
  });
}

const now = (later = 0): number => Math.floor(clock.now() / 1_000) + later;
const good = (more: object = {}): object => ({ sub: 'ada', iat: now(), exp: now(60), iss: 'us', aud: 'chat', ...more });
const upgrade = (query: string, path = '/ws'): Promise<number> => upgradeStatus(app.port, {}, `${path}?${query}`);
const bring = (token: string): Promise<number> => upgrade(`token=${token}`);

const codeOf = (error: unknown): unknown => (error as Error).message.split(':')[0];

/** How often each reason was counted. */
function counts(): Record<string, number> {
  const metrics = app.app.get(WebSocketService).getMetrics();
  const refused = metrics.filter(({ name }) => name === 'pxl_ws_authentications_refused_total');
  return Object.fromEntries(refused.map(({ labels, value }) => [labels?.reason ?? '', value]));
}

describe('A refused authentication', () => {
  it('by its token is counted by what is wrong with it, and the log has a line for each reason', async () => {
    const jwt = { secret: SECRET, issuer: 'us', audience: 'chat', maxAge: 100, requireExp: true };
    await start({ auth: { jwt, timeout: 1_000 } });
    const { privateKey } = rsaKeys();
    const wrong: Record<string, string[]> = {
      malformed: ['garbage', 'a.b.c', `${Buffer.from('{').toString('base64url')}.e30.x`],
      algorithm: [rs256(good(), privateKey)],
      signature: [hs256(good(), 'another secret'), unsigned(good())],
      expired: [hs256(good({ exp: now(-1) }))],
      not_before: [hs256(good({ nbf: now(10) }))],
      too_old: [hs256(good({ iat: now(-200) })), hs256(good({ iat: undefined }))],
      issuer: [hs256(good({ iss: 'them' }))],
      audience: [hs256(good({ aud: 'mail' }))],
      no_subject: [hs256(good({ sub: undefined })), hs256(good({ sub: '' })), hs256(good({ sub: { id: 'ada' } }))],
      no_expiry: [hs256(good({ exp: undefined }))],
      invalid: [hs256(good({ exp: 'never' }))],
    };
    for (const [reason, tokens] of Object.entries(wrong)) {
      for (const token of tokens) expect([reason, await bring(token)]).toEqual([reason, 401]);
      expect(counts()).toMatchObject({ [reason]: tokens.length });
    }
    expect(await upgrade('')).toBe(401);
    expect(await upgradeStatus(app.port, { Authorization: 'Bearer one' }, '/ws?token=two')).toBe(401);
    const token = hs256(good({ jti: 'a' }));
    const ada = await TestClient.connect(app.url(`/ws?token=${token}`));
    await expect(ada.request('system', 'refresh', { token: hs256(good({ sub: 'eve' })) })).rejects.toThrow('FORBIDDEN');
    await app.app.get(WebSocketService).revoke({ jti: 'a' });
    expect(await bring(token)).toBe(401);

    const once = { missing: 1, several_tokens: 1, other_user: 1, revoked: 1 };
    const all = Object.fromEntries(Object.entries(wrong).map(([reason, tokens]) => [reason, tokens.length]));
    expect(counts()).toEqual({ ...all, ...once });
    const lines = debugLines.filter((line) => line.startsWith('An authentication was refused'));
    expect(lines).toHaveLength(Object.keys(counts()).length);
    expect(lines).toContain('An authentication was refused: the token has expired (exp).');
    expect(lines.join()).not.toMatch(/\bada\b|\bthem\b|eyJ/);
  });

  it('by an authenticator or a guard is counted too, and the line names it', async () => {
    const byQuery: WsAuthenticate = ({ request, token }) => {
      const query = request.url.split('?')[1];
      if (query === 'odd') return ODD_ANSWERS[0]?.[0] as never;
      if (query === 'thrown') throw new UnauthorizedException();
      if (query === 'failing') throw new Error('the database is gone');
      if (query === 'slow') return new Promise(() => undefined);
      return query === 'false' ? false : token === undefined ? { userId: query ?? '' } : null;
    };
    class NoEve implements CanActivate {
      canActivate(context: { switchToWs(): { getClient(): { user: { userId: string } } } }): boolean {
        return context.switchToWs().getClient().user.userId !== 'eve';
      }
    }
    const auth = { authenticate: [byQuery, () => null] };
    await start({ auth, connectionGuards: [NoEve], limits: { upgradeTimeout: 500 } });
    for (const query of ['odd', 'thrown', 'false', 'failing', 'eve', 'token=x']) await upgrade(query);
    const slow = upgrade('slow');
    // Its time begins when it has arrived.
    while (!('timeout' in counts())) {
      await clock.advance(100);
    }
    expect(await slow).toBe(503);
    expect(counts()).toEqual({ no_user: 1, refused: 2, failed: 1, guard: 1, nobody_knows: 1, timeout: 1 });
    const text = debugLines.join('\n');
    expect(text).toContain('an authenticator has refused it (auth.authenticate[0] (byQuery)).');
    expect(text).toContain('a connection guard has refused it (NoEve).');
    expect(logger.of('error').join('\n')).toContain('auth.authenticate[0] (byQuery) has returned true');
  });

  it('by what an authenticator or a guard throws is none where somebody cannot be asked', async () => {
    const thrownBy = (which: unknown): never => {
      throw THROWN_REFUSALS[Number(which)]?.[1];
    };
    const guard: CanActivate = {
      canActivate: (context: ExecutionContext) => {
        const { user } = context.switchToWs().getClient<{ user: { userId: string } }>();
        return user.userId.startsWith('guard') ? thrownBy(user.userId.slice(5)) : true;
      },
    };
    const authenticate: WsAuthenticate = ({ request, source, data }) => {
      const who = String(source === 'message' ? (data as { who: unknown }).who : request.url.split('?')[1]);
      if (who === 'later') return null;
      return who.startsWith('auth') ? thrownBy(who.slice(4)) : { userId: who };
    };
    await start({ auth: { authenticate, mode: 'either' }, connectionGuards: [guard] });
    const expected: Record<string, number> = {};
    const ada = await TestClient.connect(app.url('/ws?ada'));
    for (const [which, [what, , outcome]] of THROWN_REFUSALS.entries()) {
      if (outcome?.[1] === 'missing') continue; // no refusal, as long as there may be a token
      const status = outcome ? { unauthenticated: 401, forbidden: 403 }[outcome[0]] : 500;
      const code = outcome ? { unauthenticated: 'UNAUTHENTICATED', forbidden: 'FORBIDDEN' }[outcome[0]] : 'INTERNAL';
      const close = outcome ? { unauthenticated: 4003, forbidden: 3003 }[outcome[0]] : 1011;
      const late = await TestClient.open(app.url('/ws?later'));
      const refused = late.request('system', 'authenticate', { who: `auth${which}` });
      const refreshed = ada.request('system', 'refresh', { who: `auth${which}` });
      const codes = [refused, refreshed].map((request) => request.catch(codeOf));
      expect([what, await upgrade(`auth${which}`), await upgrade(`guard${which}`)]).toEqual([what, status, status]);
      expect([what, ...(await Promise.all(codes))]).toEqual([what, code, code]);
      expect([what, (await late.closed).code]).toEqual([what, close]);
      const [byAuthenticator, byGuard] = outcome
        ? [outcome[1] ?? 'refused', outcome[1] ?? 'guard']
        : ['failed', 'failed'];
      for (const reason of [...Array<string>(3).fill(byAuthenticator), byGuard]) {
        expected[reason] = (expected[reason] ?? 0) + 1;
      }
    }
    expect(counts()).toEqual(expected);
    expect(ada.socket.readyState).toBe(1);
    const failures = THROWN_REFUSALS.filter(([, , outcome]) => !outcome).length;
    expect(logger.of('error').length).toBeGreaterThanOrEqual(Math.min(failures, 5));
  });

  it('by message is counted too, and so is one that never comes', async () => {
    await start({ auth: { jwt: { secret: SECRET }, mode: 'message', timeout: 1_000 } });
    const [silent, wrong] = [await TestClient.open(app.url()), await TestClient.open(app.url())];
    await expect(wrong.request('system', 'authenticate', { token: 'garbage' })).rejects.toThrow('UNAUTHENTICATED');
    await wrong.closed;
    await clock.advance(1_000);
    expect((await silent.closed).code).toBe(4001);
    expect(counts()).toEqual({ malformed: 1, timeout: 1 });
  });

  it('has one line a minute for its reason, which tells how many others there were', async () => {
    await start({ auth: { jwt: { secret: SECRET } } });
    for (let count = 0; count < 3; count++) await bring('garbage');
    await clock.advance(59_999);
    await bring('garbage');
    expect(debugLines.filter((line) => line.includes('refused'))).toHaveLength(1);
    await clock.advance(1);
    await bring('garbage');
    const line = 'An authentication was refused: the token is no JSON Web Token.';
    expect(debugLines.filter((line) => line.includes('refused'))).toEqual([
      line,
      `${line} 3 more were since the last such line.`,
    ]);
  });

  it('is a warning where ten in a row were, and nobody was admitted between them', async () => {
    const admins = { '/admin': { auth: { jwt: { secret: 'another' } } } };
    await start({ auth: { jwt: { secret: SECRET } }, endpoints: admins });
    const token = hs256({ sub: 'ada' });
    const refuse = async (times: number, path?: string): Promise<void> => {
      for (let count = 0; count < times; count++) await upgrade(`token=${path ? token : 'garbage'}`, path);
    };
    await refuse(9);
    expect(await bring(token)).toBe(101);
    await refuse(9);
    expect(logger.of('warn')).toEqual([]);
    await upgrade('');
    expect(logger.of('warn')).toEqual([
      'The last 10 authentications were all refused (9 × malformed, 1 × missing). ' +
        'The most frequent reason: the token is no JSON Web Token.',
    ]);
    await refuse(20);
    expect(logger.of('warn')).toHaveLength(1);
    // Those of another endpoint are another matter, whoever gets in here.
    await refuse(9, '/admin');
    expect(await bring(token)).toBe(101);
    await refuse(1, '/admin');
    expect(logger.of('warn').at(-1)).toMatch(
      /^The last 10 authentications on \/admin were all refused \(10 × signature\)/,
    );
    await clock.advance(60_000);
    await refuse(10);
    expect(logger.of('warn')).toHaveLength(3);
  });
});
