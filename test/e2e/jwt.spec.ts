import { createHmac, createSecretKey } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable, UnauthorizedException } from '@nestjs/common';
import { JwtModule, JwtService, type JwtModuleOptions } from '@nestjs/jwt';
import { ConnectedSocket, MessageBody, WebSocketGateway } from '@nestjs/websockets';
import {
  WsRoute,
  WsUser,
  type WsAuthOptions,
  type WsJwtOptions,
  type WsClient,
  type WsUserInfo,
} from 'nestjs-pxl-websocket';
import { failureOf } from '../support/failure-of.js';
import { PLATFORMS, startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { claimsOf, craftToken, hs256, rs256, rsaKeys, seconds, SECRET, unsigned } from '../support/tokens.js';
import { upgradeAnswer, upgradeStatus } from '../support/upgrade-answer.js';

@WebSocketGateway()
class WhoAmI {
  @WsRoute('who', 'am')
  am(@WsUser() user: WsUserInfo | null, @ConnectedSocket() client: WsClient, @MessageBody() data: unknown): unknown {
    return { user, state: client.state, data };
  }
}

const apps: TestApp[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function start(auth: WsAuthOptions, more: TestAppOptions = {}): Promise<TestApp> {
  const app = await startApp({ providers: [WhoAmI], ...more, options: { ...more.options, auth } });
  apps.push(app);
  return app;
}

const withSecret = (jwt: Partial<WsJwtOptions> = {}, more: TestAppOptions = {}): Promise<TestApp> =>
  start({ jwt: { secret: SECRET, ...jwt } }, more);

const statusFor = (app: TestApp, token: string): Promise<number> =>
  upgradeStatus(app.port, { Authorization: `Bearer ${token}` });

async function userOf(app: TestApp, token: string): Promise<unknown> {
  const client = await TestClient.connect(app.url(), { headers: { Authorization: `Bearer ${token}` } });
  const { user } = (await client.request('who', 'am')) as { user: unknown };
  await client.close();
  return user;
}

describe.each(PLATFORMS)('auth.jwt (%s)', (platform) => {
  it('makes the user of the claims, and says so after the welcome', async () => {
    const app = await withSecret({}, { platform });
    const claims = claimsOf('ada', { userType: 'admin', role: 'captain' });
    const client = await TestClient.open(app.url(), { headers: { Authorization: `Bearer ${hs256(claims)}` } });
    expect(await client.next()).toMatchObject({ action: 'connected', data: { userId: 'ada' } });
    expect(await client.next()).toMatchObject({ type: 'auth', action: 'authenticated', data: { userId: 'ada' } });
    expect(await client.request('who', 'am')).toEqual({
      user: { userId: 'ada', userType: 'admin', payload: claims },
      state: 'authenticated',
    });
  });

  it.each<[string, () => string]>([
    ['garbage', () => 'garbage'],
    ['three parts of garbage', () => 'a.b.c'],
    [
      'parts that are no JSON',
      () => `${Buffer.from('{').toString('base64url')}.${Buffer.from('[').toString('base64url')}.x`,
    ],
    ['an expired token', () => hs256(claimsOf('ada', { exp: seconds(-1) }))],
    ['a token that is not valid yet', () => hs256(claimsOf('ada', { nbf: seconds(60) }))],
    ['a token with another key', () => hs256(claimsOf('ada'), 'another secret')],
    ['alg none', () => unsigned(claimsOf('ada'))],
    ['alg None', () => unsigned(claimsOf('ada'), 'None')],
    ['HS256 without a signature', () => unsigned(claimsOf('ada'), 'HS256')],
    [
      'a changed payload',
      () => {
        const [header, , signature] = hs256(claimsOf('ada')).split('.');
        return [header, Buffer.from(JSON.stringify(claimsOf('eve'))).toString('base64url'), signature].join('.');
      },
    ],
    ['no sub', () => hs256({ iat: seconds() })],
    ['an empty sub', () => hs256(claimsOf(''))],
    ['a sub that is an object', () => hs256(claimsOf({ id: 'ada' }))],
    ['a sub that is null', () => hs256(claimsOf(null))],
    ['an exp that is no number', () => hs256(claimsOf('ada', { exp: 'never' }))],
    ['claims that are a text', () => hs256('ada')],
    [
      'a token of 15 KB that is signed with another key',
      () => hs256(claimsOf('ada', { pad: 'x'.repeat(11_000) }), 'other'),
    ],
  ])('refuses %s with 401 and tells nothing', async (_what, token) => {
    const app = await withSecret({}, { platform });
    const started = Date.now();
    const answer = await upgradeAnswer(app.port, { Authorization: `Bearer ${token()}` });
    expect([answer.status, answer.body]).toEqual([401, 'Unauthorized.']);
    // Long before an upgrade is given up.
    expect(Date.now() - started).toBeLessThan(5_000);
  });

  it('leaves a token that is larger than a request may be to Node, which answers 431', async () => {
    const app = await withSecret({}, { platform });
    expect(await statusFor(app, 'x'.repeat(17_000))).toBe(431);
  });

  it('refuses a connection without a token', async () => {
    const app = await withSecret({}, { platform });
    expect(await upgradeStatus(app.port)).toBe(401);
    expect(await upgradeStatus(app.port, { Authorization: 'Basic YWRhOmFkYQ==' })).toBe(401);
  });

  it('lets who has no token be anonymous with required: false, and refuses a bad token all the same', async () => {
    const app = await start({ jwt: { secret: SECRET }, required: false }, { platform });
    const client = await app.client();
    expect(await client.request('who', 'am')).toMatchObject({ user: null });
    expect(await statusFor(app, 'garbage')).toBe(401);
  });

  it('takes nothing of who one is from a message', async () => {
    const app = await withSecret({}, { platform });
    const client = await TestClient.connect(app.url(), {
      headers: { Authorization: `Bearer ${hs256(claimsOf('ada'))}` },
    });
    const lie = { userId: 'eve', userType: 'admin', user: { userId: 'eve' }, payload: { role: 'admin' }, sub: 'eve' };
    client.send({ type: 'who', action: 'am', data: lie, ...lie, id: 1 });
    expect(await client.next('who')).toMatchObject({ response: { user: { userId: 'ada' }, data: lie } });
    expect(await userOf(app, hs256(claimsOf('ada')))).not.toHaveProperty('userType', 'admin');
  });
});

describe('auth.jwt', () => {
  it('takes a token of 15 KB', async () => {
    const app = await withSecret();
    const token = hs256(claimsOf('ada', { pad: 'x'.repeat(11_000) }));
    expect(token.length).toBeGreaterThan(14_500);
    expect(await userOf(app, token)).toMatchObject({ userId: 'ada' });
  });

  it('takes a token without an end', async () => {
    const app = await withSecret();
    expect(await userOf(app, hs256({ sub: 'ada' }))).toMatchObject({ userId: 'ada' });
  });

  it('with requireExp refuses a token without an end', async () => {
    const app = await withSecret({ requireExp: true });
    expect(await statusFor(app, hs256({ sub: 'ada', iat: seconds() }))).toBe(401);
    expect(await userOf(app, hs256(claimsOf('ada')))).toMatchObject({ userId: 'ada' });
  });

  it('reads a number as a decimal string, and other claims where they are named', async () => {
    const app = await withSecret({ claims: { userId: 'uid', userType: 'role' } });
    expect(await userOf(app, hs256({ uid: 7, role: 'admin', sub: 'ignored' }))).toMatchObject({
      userId: '7',
      userType: 'admin',
    });
    expect(await statusFor(app, hs256({ sub: 'ada' }))).toBe(401);
  });

  it('asks for the issuer and the audience', async () => {
    const app = await withSecret({ issuer: 'https://id.example.com', audience: ['chat', 'games'] });
    const good = { iss: 'https://id.example.com', aud: ['mail', 'games'] };
    expect(await userOf(app, hs256(claimsOf('ada', good)))).toMatchObject({ userId: 'ada' });
    for (const wrong of [{ iss: 'https://id.example.com.evil.io' }, { iss: undefined }, { aud: 'mail' }, { aud: [] }]) {
      expect(await statusFor(app, hs256(claimsOf('ada', { ...good, ...wrong })))).toBe(401);
    }
  });

  it('bridges clocks that differ by the tolerance, and no more', async () => {
    const app = await withSecret({ clockTolerance: 30 });
    expect(await statusFor(app, hs256(claimsOf('ada', { exp: seconds(-10) })))).toBe(101);
    expect(await statusFor(app, hs256(claimsOf('ada', { nbf: seconds(10) })))).toBe(101);
    expect(await statusFor(app, hs256(claimsOf('ada', { exp: seconds(-40) })))).toBe(401);
  });

  it('refuses tokens older than maxAge, and those that do not tell their age', async () => {
    const app = await withSecret({ maxAge: 60 });
    expect(await statusFor(app, hs256(claimsOf('ada', { iat: seconds(-30) })))).toBe(101);
    expect(await statusFor(app, hs256(claimsOf('ada', { iat: seconds(-90) })))).toBe(401);
    expect(await statusFor(app, hs256({ sub: 'ada' }))).toBe(401);
  });

  describe('with a public key', () => {
    const { privateKey, publicKey } = rsaKeys();

    it('takes what its private key has signed', async () => {
      const app = await start({ jwt: { publicKey } });
      expect(await userOf(app, rs256(claimsOf('ada'), privateKey))).toMatchObject({ userId: 'ada' });
      expect(await statusFor(app, rs256(claimsOf('ada'), rsaKeys().privateKey))).toBe(401);
    });

    it('refuses HS256 signed with the public key itself, however it is written', async () => {
      const app = await start({ jwt: { publicKey } });
      for (const key of [publicKey, publicKey.trim(), Buffer.from(publicKey)]) {
        expect(await statusFor(app, hs256(claimsOf('eve'), key))).toBe(401);
      }
    });

    it('refuses such a token also where the key comes from a provider', async () => {
      const app = await start({ jwt: { secretOrKeyProvider: () => Promise.resolve(publicKey) } });
      expect(await statusFor(app, hs256(claimsOf('eve'), publicKey))).toBe(401);
      expect(await statusFor(app, unsigned(claimsOf('eve')))).toBe(401);
      expect(await userOf(app, rs256(claimsOf('ada'), privateKey))).toMatchObject({ userId: 'ada' });
    });

    it('keeps to the algorithms that are named', async () => {
      const app = await start({ jwt: { publicKey, algorithms: ['RS512'] } });
      expect(await statusFor(app, rs256(claimsOf('ada'), privateKey))).toBe(401);
    });
  });

  it('pins the algorithms of a secret to those that are named', async () => {
    const app = await withSecret({ algorithms: ['HS512'] });
    const hs512 = craftToken({ alg: 'HS512' }, claimsOf('ada'), (input) =>
      createHmac('sha512', SECRET).update(input).digest(),
    );
    expect(await statusFor(app, hs512)).toBe(101);
    expect(await statusFor(app, hs256(claimsOf('ada')))).toBe(401);
  });

  describe('with a key provider', () => {
    it('refuses tokens of keys that it does not know', async () => {
      const secretOrKeyProvider = (_type: number, token: string): string | null => {
        const [header = ''] = token.split('.');
        const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid?: string };
        if (kid === 'thrown') throw new UnauthorizedException();
        return kid === 'known' ? SECRET : null;
      };
      const app = await start({ jwt: { secretOrKeyProvider } });
      const tokenOf = (kid: string): string =>
        craftToken({ alg: 'HS256', kid }, claimsOf('ada'), (input) =>
          createHmac('sha256', SECRET).update(input).digest(),
        );
      expect(await statusFor(app, tokenOf('known'))).toBe(101);
      expect(await statusFor(app, tokenOf('unknown'))).toBe(401);
      expect(await statusFor(app, tokenOf('thrown'))).toBe(401);
    });

    it.each<[string, (bytes: Buffer) => unknown]>([
      ['a Buffer', (bytes) => bytes],
      ['an Uint8Array', (bytes) => new Uint8Array(bytes)],
      ['an ArrayBuffer', (bytes) => new Uint8Array(bytes).buffer],
      ['a KeyObject', createSecretKey],
    ])('refuses all tokens where the key is %s that is empty, which anybody can sign with', async (_what, keyOf) => {
      const key = { now: Buffer.from(process.env.NO_SUCH_KEY ?? '', 'base64') };
      // jsonwebtoken takes more than the types say.
      const secretOrKeyProvider = (): Buffer => keyOf(key.now) as Buffer;
      const app = await start({ jwt: { secretOrKeyProvider } });
      expect(await statusFor(app, hs256(claimsOf('eve'), ''))).toBe(401);
      key.now = Buffer.from(SECRET);
      expect(await statusFor(app, hs256(claimsOf('ada')))).toBe(101);
      key.now = Buffer.alloc(0);
      const imports = [JwtModule.register({ secretOrKeyProvider })];
      expect(await statusFor(await start({ jwt: true }, { imports }), hs256(claimsOf('eve'), ''))).toBe(401);
    });

    it('verifies a token that comes back by the key that is good now', async () => {
      const key = { now: SECRET };
      const app = await start({ jwt: { secretOrKeyProvider: () => key.now } });
      const token = hs256(claimsOf('ada'));
      for (const status of [101, 101]) expect(await statusFor(app, token)).toBe(status);
      key.now = 'the next secret';
      expect([await statusFor(app, token), await statusFor(app, hs256(claimsOf('ada'), key.now))]).toEqual([401, 101]);
      key.now = SECRET;
      expect(await statusFor(app, token)).toBe(101);
    });

    it('answers 500 when it fails, since the token may be good', async () => {
      const app = await start({ jwt: { secretOrKeyProvider: () => Promise.reject(new Error('key server is down')) } });
      const answer = await upgradeAnswer(app.port, { Authorization: `Bearer ${hs256(claimsOf('ada'))}` });
      expect([answer.status, answer.body]).toEqual([500, 'Internal server error.']);
    });

    it("does so too where it belongs to the application's own JwtService, and refuses what it does not know", async () => {
      const failure = { now: new Error('key server is down') };
      const secretOrKeyProvider = async (): Promise<string> => {
        if (failure.now.message === '') return SECRET;
        throw failure.now;
      };
      const app = await start({ jwt: true }, { imports: [JwtModule.register({ secretOrKeyProvider })] });
      expect(await statusFor(app, hs256(claimsOf('ada')))).toBe(500);
      failure.now = Object.assign(new Error('no key with this id'), { code: 'ERR_JWKS_NO_MATCHING_KEY' });
      expect(await statusFor(app, hs256(claimsOf('ada')))).toBe(401);
      failure.now = new Error('');
      expect(await statusFor(app, hs256(claimsOf('ada')))).toBe(101);
      expect(await statusFor(app, hs256(claimsOf('ada'), 'another key'))).toBe(401);
    });
  });

  it("uses the application's own JwtService with true", async () => {
    const imports = [JwtModule.register({ secret: SECRET, verifyOptions: { issuer: 'us' } })];
    const app = await start({ jwt: true }, { imports });
    expect(await userOf(app, hs256(claimsOf('ada', { iss: 'us' })))).toMatchObject({ userId: 'ada' });
    expect(await statusFor(app, hs256(claimsOf('ada')))).toBe(401);
    expect(await statusFor(app, unsigned(claimsOf('ada', { iss: 'us' })))).toBe(401);
  });

  describe('with true, where the JwtService', () => {
    const { privateKey, publicKey } = rsaKeys();
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

    it.each<[string, JwtModuleOptions, string]>([
      ['has no key', {}, 'no key to verify with'],
      ['has a secret that is not set', { secret: '' }, 'no key to verify with'],
      ['has an empty secret', { secret: Buffer.alloc(0), verifyOptions: { issuer: 'us' } }, 'an empty key'],
      ['can only sign', { privateKey: pem }, 'no key to verify with'],
    ])('%s, the application does not start', async (_what, options, problem) => {
      const failure = await failureOf({ options: { auth: { jwt: true } }, imports: [JwtModule.register(options)] });
      expect(failure).toContain(`The option auth.jwt is true, but the JwtService has ${problem}`);
      expect(failure).not.toContain('BEGIN');
    });

    it.each<[string, JwtModuleOptions]>([
      ['has a public key', { publicKey }],
      ['has a secret under its old name', { secretOrPrivateKey: SECRET }],
      ['has a provider, which knows no key yet', { secretOrKeyProvider: () => '' }],
    ])('%s, it does', async (_what, options) => {
      expect(await failureOf({ options: { auth: { jwt: true } }, imports: [JwtModule.register(options)] })).toBe(
        'started',
      );
    });

    it("is a class of the application's own, which brings the key with each call, it does", async () => {
      @Injectable()
      class Tokens extends JwtService {
        override verifyAsync<T extends object>(token: string): Promise<T> {
          return super.verifyAsync<T>(token, { secret: SECRET });
        }
      }
      const app = await start({ jwt: true }, { providers: [WhoAmI, { provide: JwtService, useClass: Tokens }] });
      expect(await userOf(app, hs256(claimsOf('ada')))).toMatchObject({ userId: 'ada' });
    });

    it('checks more in a method that the application has put in its place, that is asked each time', async () => {
      const tokens = new JwtService({ secret: SECRET });
      const verify = tokens.verifyAsync.bind(tokens);
      const stolen = hs256(claimsOf('eve'));
      const verifyAsync: typeof verify = (token, options) =>
        token === stolen ? Promise.reject(new UnauthorizedException()) : verify(token, options);
      Object.assign(tokens, { verifyAsync });
      const app = await start({ jwt: true }, { providers: [WhoAmI, { provide: JwtService, useValue: tokens }] });
      expect([await statusFor(app, stolen), await statusFor(app, hs256(claimsOf('ada')))]).toEqual([401, 101]);
    });

    it('is a class of its own with a provider, it is used as it is', async () => {
      class Tokens extends JwtService {}
      // What JwtService asks for the key, and hides from TypeScript.
      Object.defineProperty(Tokens.prototype, 'overrideSecretFromOptions', { value: () => SECRET });
      const tokens = new Tokens({ secretOrKeyProvider: () => 'another key' });
      const app = await start({ jwt: true }, { providers: [WhoAmI, { provide: JwtService, useValue: tokens }] });
      expect(await userOf(app, hs256(claimsOf('ada')))).toMatchObject({ userId: 'ada' });
    });
  });

  const { publicKey } = rsaKeys();
  it.each<[WsAuthOptions, string]>([
    [{ jwt: true }, 'there is no JwtService'],
    [{ jwt: {} }, 'auth.jwt.secret'],
    [{ jwt: { secret: '' } }, 'auth.jwt.secret'],
    [{ jwt: { secret: SECRET, publicKey } }, 'exactly one of them'],
    [{ jwt: { secret: publicKey } }, 'publicKey'],
    [{ jwt: { publicKey: 'no key' } }, 'auth.jwt.publicKey'],
    [{ jwt: { publicKey, algorithms: ['HS256'] } }, 'auth.jwt.algorithms'],
    [{ jwt: { secret: SECRET, algorithms: ['none' as 'HS256'] } }, 'auth.jwt.algorithms'],
    [{ jwt: { secret: SECRET, claims: { userId: '' } } }, 'auth.jwt.claims.userId'],
    [{ jwt: { secret: SECRET, expiresIn: 1 } as WsJwtOptions }, 'auth.jwt.expiresIn'],
    [{ jwt: { secret: SECRET, requireExp: 'yes' as never } }, 'auth.jwt.requireExp'],
    [{}, 'neither jwt nor authenticate'],
    [{ mode: 'message' }, 'neither jwt nor authenticate'],
    [{ required: true }, 'neither jwt nor authenticate'],
    [{ required: false }, 'neither jwt nor authenticate'],
    [{ jwt: undefined, authenticate: undefined }, 'neither jwt nor authenticate'],
    [{ authenticate: [] }, 'neither jwt nor authenticate'],
    [{ jwt: { secret: SECRET }, tokenFrom: ['body' as 'query'] }, 'auth.tokenFrom'],
  ])('fails at start-up for %j, naming what is wrong', async (auth, sentence) => {
    const failure = await failureOf({ options: { auth } });
    expect(failure).toContain(sentence);
    expect(failure).not.toContain(SECRET);
    expect(failure).not.toContain('BEGIN');
  });
});
