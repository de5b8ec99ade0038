import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { ForbiddenException, Injectable, UnauthorizedException, type LoggerService } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  ClientManager,
  WsRoute,
  type PxlWebSocketModuleOptions,
  type WsAuthenticate,
  type WsClient,
  type WsCredentials,
  type WsIdentity,
  type WsVerdict,
} from 'nestjs-pxl-websocket';
import { Runtime } from '../../lib/runtime/runtime.js';
import { EndpointRegistry } from '../../lib/transport/endpoint/endpoint.registry.js';
import { closeRefusal } from '../support/close-refusal.js';
import { Gate } from '../support/gate.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { ODD_ANSWERS } from '../support/odd-answers.js';
import { RawClient, type RawResponse } from '../support/raw-client.js';
import { ServerSockets } from '../support/server-sockets.js';
import { PLATFORMS, startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { upgradeStatus } from '../support/upgrade-answer.js';

@Injectable()
class WhoAmI {
  @WsRoute('test', 'whoami')
  whoami({ user, metadata }: WsClient): unknown {
    return { user, metadata };
  }
}

/** Collects the lines of the levels that tell of trouble. */
class Lines implements LoggerService {
  readonly lines: string[] = [];

  log(): void {}

  warn(...parts: unknown[]): void {
    this.lines.push(parts.join(' '));
  }

  error(...parts: unknown[]): void {
    this.lines.push(parts.join(' '));
  }
}

describe.each(PLATFORMS)('auth.authenticate (%s)', (platform) => {
  let running: TestApp | null = null;
  const clients: RawClient[] = [];

  async function start(authenticate: WsAuthenticate, more: TestAppOptions = {}): Promise<TestApp> {
    const options: PxlWebSocketModuleOptions = { ...more.options, auth: { authenticate } };
    return (running = await startApp({ platform, providers: [WhoAmI], ...more, options }));
  }

  async function upgrade(port: number): Promise<RawClient> {
    const client = await RawClient.upgrading(port);
    clients.push(client);
    return client;
  }

  async function refusal(port: number): Promise<RawResponse> {
    const client = await upgrade(port);
    const response = await client.response();
    await client.ended;
    expect(response.headers.connection).toBe('close');
    expect(response.headers['content-length']).toBe(String(Buffer.byteLength(response.body)));
    expect(client.unread).toHaveLength(0);
    return response;
  }

  afterEach(async () => {
    for (const { socket } of clients.splice(0)) socket.destroy();
    await running?.close();
    running = null;
  });

  describe('accepts', () => {
    const ada = { userId: 'ada', userType: 'admin', payload: { plan: 'pro' }, metadata: { seat: 7 } };

    it.each<[string, WsAuthenticate]>([
      ['at once', () => ada],
      ['later', async () => ada],
    ])('an identity that it returns %s', async (_when, authenticate) => {
      const { url } = await start(authenticate);

      const ada = await TestClient.open(url());

      expect(await ada.next()).toMatchObject({ type: 'system', action: 'connected', data: { userId: 'ada' } });
      expect(await ada.next()).toEqual({
        type: 'auth',
        action: 'authenticated',
        data: { userId: 'ada', message: expect.any(String) },
      });
      expect(await ada.request('test', 'whoami')).toEqual({
        user: { userId: 'ada', userType: 'admin', payload: { plan: 'pro' } },
        metadata: { seat: 7 },
      });
    });

    it('a number as the decimal string of the user id', async () => {
      const { client } = await start(() => ({ userId: 42 }));

      const connected = await client();

      expect(connected.userId).toBe('42');
      expect(await connected.request('test', 'whoami')).toEqual({ user: { userId: '42', payload: {} }, metadata: {} });
    });

    it('an anonymous client by { anonymous: true }, though auth is required, and pushes no authentication', async () => {
      const { client } = await start(() => ({ anonymous: true, metadata: { seat: 1 } }));

      const connected = await client();

      expect(await connected.call('test', 'whoami')).toMatchObject({ response: { user: null, metadata: { seat: 1 } } });
      expect(connected.pending).toEqual([]);
    });

    it('by what the request carries, and knows the id that the connection will have', async () => {
      const ids: string[] = [];
      const { client, url } = await start(({ source, request, clientId }) => {
        ids.push(clientId);
        const token = new URL(request.url, 'ws://localhost').searchParams.get('token');
        return source === 'upgrade' && token === 'secret' ? { userId: 'ada' } : null;
      });

      const ada = await client({ path: '/ws?token=secret' });

      expect(ids).toEqual([ada.clientId]);
      await expect(client({ path: '/ws?token=guess' })).rejects.toThrow('401');
      expect(url()).toContain('/ws');
    });
  });

  describe('refuses', () => {
    it.each<[number, string, WsAuthenticate]>([
      [401, 'null', () => null],
      [401, 'undefined', () => undefined],
      [401, 'false', () => false],
      [401, 'a promise of null', async () => null],
      [
        401,
        'an UnauthorizedException',
        () => {
          throw new UnauthorizedException('no such user: ada');
        },
      ],
      [401, 'a promise that rejects with one', () => Promise.reject(new UnauthorizedException('no such user: ada'))],
      [403, 'a ForbiddenException', () => Promise.reject(new ForbiddenException('banned: ada'))],
      [500, 'any other error', () => Promise.reject(new Error('select password from ada'))],
      [
        500,
        'something thrown that is no error',
        () => {
          // eslint-disable-next-line @typescript-eslint/only-throw-error
          throw 'ada';
        },
      ],
    ])('with %i for %s, telling no details', async (status, _name, authenticate) => {
      const { port } = await start(authenticate);

      const response = await refusal(port);

      expect(response.status).toBe(status);
      expect(response.body).not.toContain('ada');
    });

    it('with 500 and reports the error once, to the log and to events.onError', async () => {
      const logger = new Lines();
      const reported: string[] = [];
      const onError = ({ error }: { error: Error }): void => void reported.push(error.message);
      const failing = (): Promise<null> => Promise.reject(new Error('the database is gone'));
      const { port } = await start(failing, { logger, options: { events: { onError } } });

      expect((await refusal(port)).status).toBe(500);

      expect(reported).toEqual(['the database is gone']);
      expect(logger.lines.filter((line) => line.includes('the database is gone'))).toHaveLength(1);
    });

    it('with 401 every answer that names no user, and reports which authenticator gave what, without its values', async () => {
      const logger = new Lines();
      const reported: string[] = [];
      const onError = ({ error }: { error: Error }): void => void reported.push(error.message);
      function byCookie({ request }: WsCredentials): WsVerdict {
        const [answer] = ODD_ANSWERS[Number(new URL(request.url, 'ws://localhost').searchParams.get('n'))] ?? [];
        return answer as WsVerdict;
      }
      const { port } = await start(byCookie, { logger, options: { events: { onError } } });

      for (const [n, [, kind]] of ODD_ANSWERS.entries()) {
        expect([kind, await upgradeStatus(port, {}, `/ws?n=${n}`)]).toEqual([kind, 401]);
        expect(reported.at(-1)).toContain(
          `auth.authenticate (byCookie) has returned ${kind}, not an object with a userId`,
        );
      }

      expect(reported).toHaveLength(ODD_ANSWERS.length);
      expect(logger.lines.length).toBeGreaterThan(0);
      expect([...reported, ...logger.lines].filter((line) => /\bada\b/.test(line))).toEqual([]);
    });

    it('by a close code where the client offers pxl.refusals, and nobody hears of it', async () => {
      const heard: string[] = [];
      const verdicts: Record<string, () => WsVerdict> = {
        ada: () => ({ userId: 'ada' }),
        outside: () => {
          throw new ForbiddenException();
        },
        broken: () => {
          throw new Error('The database is away.');
        },
      };
      const authenticate: WsAuthenticate = ({ request }) => verdicts[request.url.split('?')[1] ?? '']?.() ?? null;
      const events = { onConnected: () => void heard.push('connected'), onDisconnected: () => void heard.push('gone') };
      const { app, url, port } = await start(authenticate, { options: { events, compression: true }, logger: false });
      const server = app.get(EndpointRegistry).all[0]!.webSocketServer;
      server.on('connection', () => heard.push('connection'));

      const common = { protocol: 'pxl.v1', pending: 0 };
      expect(await closeRefusal(url('/ws?nobody'))).toEqual({
        code: 4003,
        told: { error: 'Unauthorized.' },
        ...common,
      });
      const refused = await closeRefusal(url('/ws?outside'), { codec: 'event.v1' });
      expect(refused).toEqual({ code: 3003, told: { error: 'Forbidden.' }, ...common, protocol: 'event.v1' });
      await expect(closeRefusal(url('/ws?broken'))).rejects.toThrow('500');
      expect([heard, app.get(ClientManager).size, server.clients.size]).toEqual([[], 0, 0]);

      const stubborn = await RawClient.upgrading(port, '/ws?nobody', {
        headers: { 'Sec-WebSocket-Protocol': 'pxl.v1, pxl.refusals' },
      });
      expect((await stubborn.response()).status).toBe(101);
      expect(await stubborn.closeCode()).toBe(4003);
      await stubborn.ended; // without having answered the close frame
      const accepted = await TestClient.open(url('/ws?ada'), { protocols: ['pxl.refusals', 'pxl.v1'] });
      expect(await accepted.next()).toMatchObject({ action: 'connected' });
      expect(accepted.socket.protocol).toBe('pxl.v1');
    });

    it('with 503 when it has not settled after limits.upgradeTimeout, and what it says later changes nothing', async () => {
      const clock = new ManualRuntime();
      const [asked, verdict] = [new Gate(), new Gate<WsIdentity>()];
      const hanging: WsAuthenticate = () => {
        asked.open();
        return verdict.passed;
      };
      const logger = new Lines();
      const override: TestAppOptions['override'] = (b) => b.overrideProvider(Runtime).useValue(clock);
      const { app, port } = await start(hanging, { override, logger });
      const sockets = new ServerSockets(app.getHttpServer() as Server);
      const client = await upgrade(port);
      await asked.passed;

      await clock.advance(9_999);
      expect(client.chunks).toHaveLength(0);
      await clock.advance(1);
      const response = await client.response();
      expect([response.status, response.headers['retry-after']]).toEqual([503, '1']);
      await client.ended;
      verdict.open({ userId: 'ada' });
      client.end();
      await sockets.allClosed();

      expect(client.unread).toHaveLength(0);
      expect(logger.lines).toEqual([]);
    });
  });

  it('survives 1,000 resets while it takes its time', async () => {
    const asked = Array.from({ length: 1_000 }, () => new Gate());
    const [verdict, allSettled] = [new Gate(), new Gate()];
    let settled = 0;
    const slow: WsAuthenticate = async ({ request }) => {
      const number = /n=(\d+)/.exec(request.url)?.[1];
      if (number !== undefined) asked[Number(number)]?.open();
      await verdict.passed;
      if (++settled === 1_000) allSettled.open();
      return { userId: 'ada' };
    };
    let connected = 0;
    const logger = new Lines();
    const { app, port, client } = await start(slow, {
      logger,
      options: { events: { onConnected: () => connected++ }, limits: { upgradeTimeout: 60_000 } },
    });
    const sockets = new ServerSockets(app.getHttpServer() as Server);

    await Promise.all(
      asked.map(async ({ passed }, number) => {
        const raw = await RawClient.upgrading(port, `/ws?n=${number}`);
        await passed;
        raw.reset();
      }),
    );
    await sockets.allClosed();

    // A reset ends its connection at once, not with the verdict.
    expect(await sockets.count()).toBe(0);
    verdict.open();
    await allSettled.passed;
    await client();
    expect([settled, connected]).toEqual([1_001, 1]);
    expect(logger.lines).toEqual([]);
  });
});

describe('an upgrade listener that listens to no errors', () => {
  it('ends its process when a client resets during the authentication', async () => {
    const naive = `
      const server = require('node:http').createServer();
      server.on('upgrade', async (request, socket) => {
        console.log('upgrading');
        await new Promise((resolve) => setTimeout(resolve, 10_000));
        socket.end();
      });
      server.listen(0, '127.0.0.1', () => console.log(server.address().port));
    `;
    const child = spawn(process.execPath, ['-e', naive], { stdio: ['ignore', 'pipe', 'pipe'] });
    let complaint = '';
    child.stderr.on('data', (data: Buffer) => (complaint += data.toString()));
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const client = await RawClient.upgrading(Number(line.toString()));
    await once(child.stdout, 'data');

    client.reset();

    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(1);
    expect(complaint).toContain('ECONNRESET');
  });
});
