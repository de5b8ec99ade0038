import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { WsOrigins } from 'nestjs-pxl-websocket';
import { closeRefusal } from '../support/close-refusal.js';
import { failureOf } from '../support/failure-of.js';
import { Logbook } from '../support/logbook.js';
import { PLATFORMS, startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { upgradeAnswer, upgradeStatus } from '../support/upgrade-answer.js';

const apps: TestApp[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function start(origins?: WsOrigins, more: TestAppOptions = {}): Promise<TestApp> {
  const app = await startApp({ ...more, options: { origins } });
  apps.push(app);
  return app;
}

describe.each(PLATFORMS)('the origin of a page (%s)', (platform) => {
  let usual: TestApp;

  beforeAll(async () => {
    usual = await startApp({ platform });
  });

  afterAll(() => usual.close());

  it.each([
    ['http://app.example.com', 'app.example.com'],
    ['http://app.example.com', 'app.example.com:80'],
    ['https://app.example.com', 'app.example.com'],
    ['https://app.example.com', 'app.example.com:443'],
    ['http://app.example.com:3000', 'app.example.com:3000'],
    ['http://app.example.com:3000', 'APP.example.com:3000'],
    ['http://[::1]:3000', '[::1]:3000'],
  ])('%s may connect to the host %s', async (Origin, Host) => {
    expect(await upgradeStatus(usual.port, { Origin, Host })).toBe(101);
  });

  it.each([
    ['https://app.example.com.evil.io', 'app.example.com'],
    ['https://evil-app.example.com', 'app.example.com'],
    ['https://example.com', 'app.example.com'],
    ['https://app.example.com:8443', 'app.example.com'],
    ['https://app.example.com', 'app.example.com:8443'],
    ['https://app.example.com', 'app.example.com:80'],
    ['null', 'app.example.com'],
    ['HTTPS://APP.EXAMPLE.COM', 'app.example.com'],
    ['https://app.example.com/', 'app.example.com'],
    ['https://app.example.com@evil.io', 'app.example.com'],
    ['https://evil.io', 'evil.io/x'],
    ['https://evil.io', 'app@evil.io'],
    ['app.example.com', 'app.example.com'],
    ['', 'app.example.com'],
    ['https://app.example.com, https://evil.io', 'app.example.com'],
  ])('%s may not connect to the host %s: 403', async (Origin, Host) => {
    const answer = await upgradeAnswer(usual.port, { Origin, Host });
    expect([answer.status, answer.body]).toEqual([403, 'Pages of this origin may not connect.']);
  });

  it('that may not connect is told so by a close code to a page that offers pxl.refusals', async () => {
    const app = await start(['https://app.example.com'], { platform });
    const told = { error: 'Pages of this origin may not connect.' };
    expect(await closeRefusal(app.url(), { origin: 'https://evil.io' })).toMatchObject({ code: 3003, told });
  });

  it('none is no browser, and passes', async () => {
    const app = await start(['https://app.example.com'], { platform });
    expect(await upgradeStatus(app.port)).toBe(101);
  });
});

describe('the option origins', () => {
  it('as a list allows those and no other, not even the own host', async () => {
    const app = await start(['https://app.example.com', 'http://localhost:5173', 'capacitor://localhost']);
    for (const Origin of ['https://app.example.com', 'http://localhost:5173', 'capacitor://localhost']) {
      expect(await upgradeStatus(app.port, { Origin })).toBe(101);
    }
    for (const Origin of [
      'http://app.example.com',
      'https://app.example.com:444',
      'https://app.example.com.evil.io',
      'https://APP.example.com',
      'http://localhost',
      'null',
      app.origin,
    ]) {
      expect(await upgradeStatus(app.port, { Origin, Host: `127.0.0.1:${app.port}` })).toBe(403);
    }
  });

  it('as a function decides by the origin and the request', async () => {
    const app = await start((origin, request) => origin.endsWith('.example.com') && request.url === '/ws?a');
    expect(await upgradeStatus(app.port, { Origin: 'https://x.example.com' }, '/ws?a')).toBe(101);
    expect(await upgradeStatus(app.port, { Origin: 'https://x.example.com' })).toBe(403);
  });

  it('as a function allows nobody by anything but true, and the log says what it was', async () => {
    const odd: [unknown, string][] = [
      [Promise.resolve(true), 'a promise'],
      [Promise.reject(new Error('secret')), 'a promise'],
      ['yes', 'a text'],
      [{}, 'an object'],
    ];
    const logger = new Logbook();
    const app = await start((_, { url }) => odd[Number(url?.split('?')[1])]?.[0] as boolean, { logger });
    for (const [n, [, kind]] of odd.entries()) {
      expect(await upgradeStatus(app.port, { Origin: 'https://x.example.com' }, `/ws?${n}`)).toBe(403);
      expect(logger.of('error').at(-1)).toBe(`The option origins failed. It has answered ${kind}, not true or false.`);
    }
  });

  it('as a function that throws is answered 500 and reported', async () => {
    const logger = new Logbook();
    const app = await start(
      () => {
        throw new Error('no list');
      },
      { logger },
    );
    expect(await upgradeStatus(app.port, { Origin: 'https://x.example.com' })).toBe(500);
    expect(logger.of('error').join()).toContain('no list');
  });

  it("as '*' allows all", async () => {
    const app = await start('*');
    expect(await upgradeStatus(app.port, { Origin: 'null' })).toBe(101);
  });

  it.each<[WsOrigins]>([
    [['https://app.example.com/']],
    [['https://app.example.com:443']],
    [['app.example.com']],
    [['https://APP.example.com']],
    [['*']],
    [['null']],
  ])('fails at start-up for %j, which could match nothing', async (origins) => {
    expect(await failureOf({ options: { origins } })).toContain('The option origins[0] is');
  });

  it('is named in the log at the first refusal of each origin, and the log cannot be flooded', async () => {
    const logger = new Logbook();
    const app = await start(['https://app.example.com'], { logger });
    for (let round = 0; round < 3; round++) await upgradeStatus(app.port, { Origin: 'https://evil.io' });
    expect(logger.of('warn')).toEqual([
      'Connections from pages of "https://evil.io" are refused: see the option origins.',
    ]);
    for (let n = 0; n < 120; n++) await upgradeStatus(app.port, { Origin: `https://${n}.evil.io` });
    expect(logger.of('warn')).toHaveLength(100);
    expect(logger.of('warn').at(-1)).toContain('Further origins are not logged');
  });
});
