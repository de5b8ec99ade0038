import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable, type LoggerService } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import {
  WsRoute,
  WsUser,
  type WsAuthOptions,
  type WsAuthenticator,
  type WsCredentials,
  type WsVerdict,
} from 'nestjs-pxl-websocket';
import { failureOf } from '../support/failure-of.js';
import { RawClient } from '../support/raw-client.js';
import { PLATFORMS, startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { claimsOf, hs256, SECRET } from '../support/tokens.js';
import { upgradeAnswer, upgradeStatus } from '../support/upgrade-answer.js';

@WebSocketGateway()
class WhoAmI {
  @WsRoute('who', 'am')
  am(@WsUser('userId') userId: string | undefined): string | null {
    return userId ?? null;
  }

  @WsRoute('who', 'fails')
  fails(): never {
    throw new Error('a defect');
  }
}

const apps: TestApp[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function start(auth: WsAuthOptions, more: TestAppOptions = {}): Promise<TestApp> {
  const app = await startApp({ ...more, providers: [WhoAmI, ...(more.providers ?? [])], options: { auth } });
  apps.push(app);
  return app;
}

const ada = hs256(claimsOf('ada'));
const bo = hs256(claimsOf('bo'));
const codec = { 'Sec-WebSocket-Protocol': `pxl.v1, bearer.${ada}` };

/** The user of a connection that is opened so; or the status of its refusal. */
async function userAt(app: TestApp, headers: Record<string, string>, path = '/ws'): Promise<unknown> {
  const { 'Sec-WebSocket-Protocol': offered, ...rest } = headers;
  const protocols = offered?.split(', ');
  try {
    const client = await TestClient.connect(app.url(path), { headers: rest, protocols });
    const user = await client.request('who', 'am');
    await client.close();
    return user;
  } catch (error) {
    return Number(/\d{3}$/.exec((error as Error).message)?.[0]);
  }
}

describe.each(PLATFORMS)('the token of an upgrade (%s)', (platform) => {
  it.each<[string, Record<string, string>, string]>([
    ['the Authorization header', { Authorization: `Bearer ${ada}` }, '/ws'],
    ['the Authorization header, in other letters', { Authorization: `bearer  ${ada}` }, '/ws'],
    ['bearer.<token> beside the codec', codec, '/ws'],
    ['the cookie token', { Cookie: `theme=dark; token=${ada}; a=b` }, '/ws'],
    ['the cookie token in quotes', { Cookie: `token="${ada}"` }, '/ws'],
    ['?token=', {}, `/ws?a=b&token=${ada}`],
    ['several places that agree', { Authorization: `Bearer ${ada}`, Cookie: `token=${ada}` }, `/ws?token=${ada}`],
  ])('is found in %s', async (_where, headers, path) => {
    const app = await start({ jwt: { secret: SECRET } }, { platform });
    expect(await userAt(app, headers, path)).toBe('ada');
  });

  it.each<[string, Record<string, string>, string]>([
    ['the header and the query', { Authorization: `Bearer ${ada}` }, `/ws?token=${bo}`],
    ['the cookie and the query, one of them being garbage', { Cookie: `token=${ada}` }, '/ws?token=garbage'],
    ['two cookies', { Cookie: `token=${ada}; token=${bo}` }, '/ws'],
    ['two parameters', {}, `/ws?token=${ada}&token=${bo}`],
    ['two subprotocols', { 'Sec-WebSocket-Protocol': `pxl.v1, bearer.${ada}, bearer.${bo}` }, '/ws'],
  ])('is refused with 401 when %s disagree', async (_where, headers, path) => {
    const app = await start({ jwt: { secret: SECRET } }, { platform });
    expect(await upgradeStatus(app.port, headers, path)).toBe(401);
  });

  it('is never echoed', async () => {
    const app = await start({ jwt: { secret: SECRET } }, { platform });
    const { status, headers } = await upgradeAnswer(app.port, codec);
    expect([status, headers['sec-websocket-protocol']]).toEqual([101, 'pxl.v1']);
  });

  it('needs a codec beside it: without one 400', async () => {
    const app = await start({ jwt: { secret: SECRET } }, { platform });
    expect(await upgradeStatus(app.port, { 'Sec-WebSocket-Protocol': `bearer.${ada}` })).toBe(400);
  });

  it('with rejectMode close is refused by a close code that browsers can read, and nobody hears of the client', async () => {
    let connected = 0;
    const app = await startApp({
      platform,
      options: { auth: { jwt: { secret: SECRET }, rejectMode: 'close' }, events: { onConnected: () => connected++ } },
    });
    apps.push(app);
    const client = await TestClient.open(app.url('/ws?token=garbage'), { protocols: ['pxl.v1'] });
    expect(await client.closed).toEqual({ code: 4003, reason: 'authentication failed' });
    expect([client.pending, connected]).toEqual([[], 0]);
    const stubborn = await RawClient.upgrading(app.port, '/ws');
    expect((await stubborn.response()).status).toBe(101);
    expect(await stubborn.closeCode()).toBe(4003);
    await stubborn.ended; // without having answered the close frame
  });
});

describe('auth.tokenFrom', () => {
  it('leaves out the places that are not named', async () => {
    const app = await start({ jwt: { secret: SECRET }, tokenFrom: ['header'] });
    expect(await userAt(app, { Authorization: `Bearer ${ada}`, Cookie: `token=${bo}` }, `/ws?token=${bo}`)).toBe('ada');
    expect(await userAt(app, { Cookie: `token=${ada}` })).toBe(401);
    expect(await userAt(app, {}, `/ws?token=${ada}`)).toBe(401);
    expect(await userAt(app, codec)).toBe(401);
  });
});

describe('auth.authenticate', () => {
  @Injectable()
  class Sessions {
    find(cookie: string | undefined): string | null {
      return cookie === 'sid=1' ? 'cleo' : null;
    }
  }

  @Injectable()
  class SessionAuthenticator implements WsAuthenticator {
    constructor(private readonly sessions: Sessions) {}

    authenticate({ request }: WsCredentials): WsVerdict {
      const userId = this.sessions.find(request.headers.cookie);
      return userId === null ? null : { userId };
    }
  }

  it('takes a class that the application provides, with its dependencies', async () => {
    const app = await start({ authenticate: SessionAuthenticator }, { providers: [SessionAuthenticator, Sessions] });
    expect(await userAt(app, { Cookie: 'sid=1' })).toBe('cleo');
    expect(await userAt(app, { Cookie: 'sid=2' })).toBe(401);
  });

  it('makes a class that nobody provides, where it can, and says at start-up where it cannot', async () => {
    class Everybody implements WsAuthenticator {
      authenticate(): WsVerdict {
        return { userId: 'x' };
      }
    }
    expect(await userAt(await start({ authenticate: Everybody }), {})).toBe('x');
    expect(await failureOf({ options: { auth: { authenticate: SessionAuthenticator } } })).toContain(
      'Nest cannot make SessionAuthenticator',
    );
  });

  it('asks the token first, then one after the other, until one of them answers', async () => {
    const asked: string[] = [];
    const app = await start({
      jwt: { secret: SECRET },
      authenticate: [
        ({ request }) => {
          asked.push('first');
          return request.headers.cookie === 'no' ? false : null;
        },
        ({ token }) => {
          asked.push('second');
          return token === undefined ? { userId: 'last' } : null;
        },
      ],
    });
    expect(await userAt(app, { Authorization: `Bearer ${ada}` })).toBe('ada');
    expect(asked.splice(0)).toEqual([]);
    expect(await userAt(app, {})).toBe('last');
    expect(asked.splice(0)).toEqual(['first', 'second']);
    expect(await userAt(app, { Cookie: 'no' })).toBe(401);
    expect(asked.splice(0)).toEqual(['first']);
    expect(await userAt(app, { Authorization: 'Bearer garbage' })).toBe(401);
    expect(asked).toEqual([]);
  });

  it('refuses a token that nobody knows, also where none is required', async () => {
    const app = await start({ authenticate: () => null, required: false });
    expect(await userAt(app, {})).toBeNull();
    expect(await userAt(app, { Authorization: 'Bearer unknown' })).toBe(401);
  });
});

describe('a token', () => {
  class Everything implements LoggerService {
    readonly lines: string[] = [];
    readonly #write = (...parts: unknown[]): void => void this.lines.push(parts.map(String).join(' '));
    log = this.#write;
    error = this.#write;
    warn = this.#write;
    debug = this.#write;
    verbose = this.#write;
    fatal = this.#write;
  }

  it('stands in no line of the log, whatever becomes of its connection', async () => {
    const logger = new Everything();
    const failing = ({ request }: WsCredentials): null => {
      if (request.url.startsWith('/ws?fail')) throw new Error('the session store is down');
      return null;
    };
    const app = await start({ authenticate: [failing], jwt: { secret: SECRET } }, { logger });
    const tokens = [ada, bo, 'garbage-token', hs256(claimsOf('eve'), 'another key')];
    for (const token of tokens) {
      for (const path of [`/ws?token=${token}`, `/elsewhere?token=${token}`, `/ws?fail&token=${token}`]) {
        await upgradeStatus(app.port, {}, path);
      }
      await upgradeStatus(app.port, { ...codec, Origin: 'https://evil.example', Cookie: `token=${token}` });
    }
    await upgradeStatus(app.port, {}, '/ws?fail');
    const client = await TestClient.connect(app.url(`/ws?token=${ada}`));
    await client.call('who', 'fails', { token: ada });
    await client.call('system', 'refresh', { token: bo });
    await client.call('system', 'refresh', { token: 'garbage-token' });
    await client.close();
    const log = logger.lines.join('\n');
    expect(log).toContain('session store is down');
    expect(log).toContain('a defect');
    for (const token of tokens) expect(log).not.toContain(token);
    expect(log).not.toContain(ada.split('.')[2]);
  });
});
