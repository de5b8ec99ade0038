import dns from 'node:dns';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { verifyWebhook, WebSocketService, type PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { Runtime } from '../../lib/runtime/runtime.js';
import { Logbook } from '../support/logbook.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { until } from '../support/until.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';
import { standardSignature, WebhookTarget, type WebhookAnswer } from '../support/webhook-target.js';

const [SECRET, NEXT] = [1, 2].map((byte) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`) as [string, string];
const USERS = ['userConnected', 'userDisconnected'] as const;

type Webhooks = NonNullable<PxlWebSocketModuleOptions['webhooks']>;

let target: WebhookTarget;
let logger: Logbook;
let clock: ManualRuntime;
let apps: TestApp[];

beforeEach(async () => {
  target = await WebhookTarget.start();
  logger = new Logbook();
  clock = new ManualRuntime();
  // No wait is longer or shorter than it is said to be.
  clock.random = () => 0.5;
  apps = [];
});

afterEach(async () => {
  await Promise.all(apps.map((app) => app.close()));
  await target.stop();
});

/** The receiver of this test. */
function ours(more: Partial<Webhooks['endpoints'][number]> = {}): Webhooks['endpoints'][number] {
  return { url: target.url, name: 'billing', events: USERS, secret: SECRET, ...more };
}

async function start(webhooks: Partial<Webhooks> = {}, options: PxlWebSocketModuleOptions = {}): Promise<TestApp> {
  const all = { endpoints: [ours()], ...webhooks };
  const app = await startApp({
    logger,
    options: { auth: { authenticate: urlIdentity }, webhooks: all, ...options },
    override: (builder) => builder.overrideProvider(Runtime).useValue(clock),
  });
  apps.push(app);
  return app;
}

/** As {@link start}, with a clock that goes by itself. */
async function startLive(webhooks: Partial<Webhooks> = {}, options: PxlWebSocketModuleOptions = {}): Promise<TestApp> {
  const all = { endpoints: [ours()], ...webhooks };
  const app = await startApp({ logger, options: { auth: { authenticate: urlIdentity }, webhooks: all, ...options } });
  apps.push(app);
  return app;
}

/** What the worker tells of its webhooks: `delivered`, `failed`, `pending`, `dropped full`. */
function countsOf({ app }: TestApp): Record<string, number> {
  const metrics = app.get(WebSocketService).getMetrics();
  const ours = metrics.filter(({ name }) => name.startsWith('pxl_ws_webhooks_'));
  return Object.fromEntries(
    ours.map(({ name, value, labels }) => {
      expect(labels?.endpoint).toBe('billing');
      return [[name.replace(/pxl_ws_webhooks_|_total/g, ''), labels?.reason].filter(Boolean).join(' '), value];
    }),
  );
}

async function failures(app: TestApp, count: number): Promise<void> {
  await until(`${count} attempts have failed`, () => countsOf(app).failed === count);
}

describe('A webhook', () => {
  it('tells of a user, signed as Standard Webhooks says, by the old secret and by the new one', async () => {
    const app = await startLive({ endpoints: [ours({ secret: [NEXT, SECRET] })] });
    const ada = await connectAs(app, { userId: 'ada', email: 'ada@example.com' });
    await target.has(1);
    await (await connectAs(app, { userId: 'ada' })).close();
    await ada.close();
    await target.has(2);
    expect(target.told).toEqual(['userConnected ada', 'userDisconnected ada']);
    const [connected] = target.requests;
    expect(JSON.parse(connected!.body)).toEqual({
      type: 'userConnected',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      data: { userId: 'ada' },
    });
    expect(connected!.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'nestjs-pxl-websocket',
      'webhook-id': expect.stringMatching(/^msg_[\w-]{24}$/),
      'webhook-signature': `${standardSignature(NEXT, connected!)} ${standardSignature(SECRET, connected!)}`,
    });
    const sentAt = Number(connected!.headers['webhook-timestamp']) * 1_000;
    expect(Math.abs(Date.now() - sentAt)).toBeLessThan(60_000);
    expect(verifyWebhook(connected!.headers, connected!.body, SECRET)).toEqual(JSON.parse(connected!.body));
    expect(new Set(target.ids).size).toBe(2);
    await until('both are counted', () => countsOf(app).delivered === 2);
    expect(countsOf(app)).toEqual({ delivered: 2, failed: 0, pending: 0 });
  });

  it('tells each receiver what it wants to hear, with one id', async () => {
    const rooms = { open: true, presence: true, profile: () => ({ city: 'London' }) };
    const events = ['roomOccupied', 'presenceJoined', 'clientConnected', 'clientJoinedRoom'] as const;
    const endpoints = [ours(), ours({ name: 'crm', url: `${target.url}/crm`, events })];
    const app = await startLive({ endpoints: [...endpoints, ours({ name: 'third' })] }, { rooms });
    const ada = await connectAs(app, { userId: 'ada', email: 'ada@example.com' });
    await ada.join('tea');
    await target.has(6);
    const ofCrm = target.requests.filter(({ path }) => path === '/hooks/crm');
    expect(ofCrm.map(({ type }) => type).sort()).toEqual([...events].sort());
    const ofOthers = target.requests.filter(({ path }) => path === '/hooks');
    expect(ofOthers.map(({ type }) => type)).toEqual(['userConnected', 'userConnected']);
    expect(ofOthers[0]!.headers['webhook-id']).toBe(ofOthers[1]!.headers['webhook-id']);
    const joined = ofCrm.find(({ type }) => type === 'presenceJoined');
    expect(joined!.data).toEqual({ roomName: 'tea', member: { userId: 'ada', joinedAt: expect.any(String) } });
    expect(target.requests.map(({ body }) => body).join()).not.toMatch(/example\.com|London/);
  });

  it('is sent again with the same id and body, and a signature of its own, later and later', async () => {
    const app = await start();
    target.refuses(500);
    await connectAs(app, { userId: 'ada' });
    await failures(app, 1);
    await clock.advance(4_999);
    expect(target.requests).toHaveLength(1);
    await clock.advance(1);
    await failures(app, 2);
    await clock.advance(9_999);
    expect(target.requests).toHaveLength(2);
    target.takes();
    await clock.advance(1);
    await until('it is taken', () => countsOf(app).delivered === 1);
    const [first, second, third] = target.requests;
    expect(new Set(target.ids).size).toBe(1);
    expect([second!.body, third!.body]).toEqual([first!.body, first!.body]);
    const times = target.requests.map(({ headers }) => Number(headers['webhook-timestamp']));
    expect(times.map((time) => time - times[0]!)).toEqual([0, 5, 15]);
    expect(third!.headers['webhook-signature']).toBe(standardSignature(SECRET, third!));
    expect(countsOf(app)).toEqual({ delivered: 1, failed: 2, pending: 0 });
    expect(logger.of('warn')).toEqual(['Webhooks to billing fail, and are tried again: It answered 500.']);
    expect(logger.of('log')).toContain('This is over: webhooks to billing failed.');
  });

  it('comes when the receiver has said', async () => {
    const app = await start();
    target.refuses(429, { 'retry-after': '60' });
    await connectAs(app, { userId: 'ada' });
    await failures(app, 1);
    await clock.advance(59_000);
    expect(target.requests).toHaveLength(1);
    target.takes();
    await clock.advance(1_000);
    await target.has(2);
  });

  it('is given up after the last attempt, which is reported', async () => {
    const failed: string[] = [];
    const app = await start({ attempts: 2 }, { events: { onError: ({ error }) => failed.push(error.message) } });
    target.refuses(400);
    await connectAs(app, { userId: 'ada' });
    await failures(app, 1);
    await clock.advance(5_000);
    await failures(app, 2);
    expect(countsOf(app)).toEqual({ delivered: 0, failed: 2, pending: 0, 'dropped attempts': 1 });
    expect(logger.of('error')).toEqual([
      `A webhook to billing was given up (userConnected, ${target.ids[0]}). It answered 400.`,
    ]);
    expect(failed).toEqual(['It answered 400.']);
  });

  it('ends where the receiver does not answer in time, and where nobody listens', async () => {
    const app = await start();
    target.answer = () => undefined;
    await connectAs(app, { userId: 'ada' });
    await target.has(1);
    await clock.advance(15_000);
    await failures(app, 1);
    await target.stop();
    await clock.advance(5_000);
    await failures(app, 2);
    expect(logger.of('warn')).toEqual([
      'Webhooks to billing fail, and are tried again: It did not answer within webhooks.timeout (15000 ms).',
    ]);
    target = await WebhookTarget.start();
  });

  it('follows no redirect', async () => {
    const app = await start();
    const other = await WebhookTarget.start();
    target.refuses(307, { location: other.url });
    await connectAs(app, { userId: 'ada' });
    await failures(app, 1);
    expect(other.requests).toEqual([]);
    expect(logger.of('warn')).toEqual(['Webhooks to billing fail, and are tried again: It answered 307.']);
    await other.stop();
  });

  it('is taken by its status, whatever becomes of the body', async () => {
    const app = await startLive({ timeout: 300 });
    const unfinished: WebhookAnswer[] = [
      (response) => response.writeHead(200).write('it hangs'),
      (response) => response.writeHead(200, { 'content-length': 9 }).write('cut', () => response.destroy()),
    ];
    for (const [at, answer] of unfinished.entries()) {
      target.takes(answer);
      await connectAs(app, { userId: String(at) });
      await until('it is counted', () => countsOf(app).delivered === at + 1);
    }
    expect(countsOf(app)).toEqual({ delivered: 2, failed: 0, pending: 0 });
  });

  it('is taken by an answer that this process was too busy to read in time', async () => {
    const app = await startLive({ timeout: 100 });
    target.takes((response) => {
      response.writeHead(204).end(() => {
        for (const begin = performance.now(); performance.now() - begin < 300;);
      });
    });
    await connectAs(app, { userId: 'ada' });
    await until('it is counted', () => countsOf(app).delivered === 1);
    expect(countsOf(app)).toEqual({ delivered: 1, failed: 0, pending: 0 });
  });

  it('that no address of a host takes fails with what each of them says', async () => {
    const addresses = ['127.0.0.1', '::1'].map((address, at) => ({ address, family: at === 0 ? 4 : 6 }));
    // No name has two addresses on every machine.
    const lookup: unknown = (_host: string, _options: object, found: (error: null, all: object[]) => void) =>
      found(null, addresses);
    const app = await start({ endpoints: [ours({ url: target.url.replace('127.0.0.1', 'two.localhost') })] });
    await target.stop();
    const { lookup: ofNode } = dns;
    Object.assign(dns, { lookup });
    try {
      await connectAs(app, { userId: '1' });
      await failures(app, 1);
    } finally {
      Object.assign(dns, { lookup: ofNode });
      target = await WebhookTarget.start();
    }
    const [said] = logger.of('warn');
    for (const { address } of addresses) expect(said).toContain(`ECONNREFUSED ${address}:`);
  });

  it('goes no more to who is gone', async () => {
    const app = await start();
    target.refuses(500);
    for (const userId of ['1', '2']) await connectAs(app, { userId });
    await failures(app, 2);
    target.refuses(410);
    await connectAs(app, { userId: '3' });
    await failures(app, 3);
    await connectAs(app, { userId: '4' });
    await clock.advance(3_600_000);
    expect(target.requests).toHaveLength(3);
    expect(countsOf(app)).toEqual({ delivered: 0, failed: 3, pending: 0, 'dropped gone': 4 });
    expect(logger.of('warn')).toContain(
      'The receiver billing of webhooks is gone (410): nothing is sent to it until this worker starts anew.',
    );
  });

  it('of a slow receiver holds up no other, and of too many the oldest are dropped', async () => {
    const quick = ours({ name: 'quick', url: `${target.url}/quick` });
    const app = await start({ endpoints: [ours(), quick], limit: 3, concurrency: 1 });
    target.answer = (response, { path }) => {
      if (path === '/hooks/quick') response.end();
    };
    for (const userId of ['1', '2', '3', '4', '5']) await connectAs(app, { userId });
    await until('the quick one has all', () => target.requests.length === 6);
    const metrics = app.app.get(WebSocketService).getMetrics();
    const slow = metrics.filter(({ labels }) => labels?.endpoint === 'billing').map(({ name, value }) => [name, value]);
    expect(slow).toEqual([
      ['pxl_ws_webhooks_delivered_total', 0],
      ['pxl_ws_webhooks_failed_total', 0],
      ['pxl_ws_webhooks_dropped_total', 2],
      ['pxl_ws_webhooks_pending', 3],
    ]);
    expect(logger.of('warn')).toEqual(['Over 3 events wait for billing: the oldest are dropped.']);
    target.takes();
    await clock.advance(15_000);
    await until('the newest have come', () => target.told.includes('userConnected 5'));
    const told = target.requests.filter(({ path }) => path === '/hooks').map(({ data }) => data.userId);
    expect(told.slice(0, 3)).toEqual(['1', '4', '5']);
  });
});

describe('When the application stops', () => {
  it('what waits is tried once more, and the ends of the last connections are told', async () => {
    const app = await startLive({ backoff: 60_000 });
    target.refuses(503);
    await connectAs(app, { userId: 'ada' });
    await failures(app, 1);
    target.takes();
    await app.close();
    apps = [];
    expect(target.told.sort()).toEqual(['userConnected ada', 'userConnected ada', 'userDisconnected ada']);
    expect(new Set(target.ids).size).toBe(2);
    expect(logger.of('warn')).toHaveLength(1);
  });

  it('what has not arrived is told in the log, within the time of the shutdown', async () => {
    const app = await startLive({}, { shutdown: { timeout: 200 } });
    target.answer = () => undefined;
    await connectAs(app, { userId: 'ada' });
    await target.has(1);
    const begin = performance.now();
    await app.close();
    apps = [];
    expect(performance.now() - begin).toBeLessThan(5_000);
    expect(logger.of('warn')).toEqual([
      'When the application stopped, 2 events had not reached billing, and no webhook will tell of them.',
    ]);
  });

  it('nothing is sent where the module is disabled, or has no webhooks', async () => {
    for (const options of [{ enabled: false }, { webhooks: undefined }]) {
      const app = await startLive({}, options);
      expect(
        app.app
          .get(WebSocketService)
          .getMetrics()
          .some(({ name }) => name.includes('webhooks')),
      ).toBe(false);
    }
  });
});
