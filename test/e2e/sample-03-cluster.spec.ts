import { once } from 'node:events';
import { connect } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { WebSocketHealth } from 'nestjs-pxl-websocket';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.js';
import { buildClientFile } from '../support/client-bundle.js';
import { eventually } from '../../lib/testing/eventually.js';
import { RedisServer } from '../support/redis-server.js';
import { SampleProcess } from '../support/sample-process.js';

/** ms for what takes some ten seconds where nothing else runs: a lease that ends, workers that start. */
const PATIENCE = 60_000;

jest.setTimeout(2 * PATIENCE);

let redis: RedisServer;
let sample: SampleProcess;
let browser: Browser;
const pages: Page[] = [];
const pageErrors: Error[] = [];

beforeAll(async () => {
  redis = await RedisServer.start();
  await redis.kill();
  sample = await SampleProcess.start('03-cluster', { WORKERS: '3', REDIS_URL: redis.url });
  [browser] = await Promise.all([launchChromium(), buildClientFile()]);
}, PATIENCE);

afterEach(async () => {
  await Promise.all(pages.splice(0).map((page) => page.context().close()));
  expect(pageErrors).toEqual([]);
});

afterAll(async () => {
  await browser.close();
  await sample.kill();
  await redis.stop();
});

/** Any worker answers. */
async function health(): Promise<{ code: number; body: WebSocketHealth }> {
  const response = await fetch(`${sample.url}/health`, { headers: { connection: 'close' } });
  return { code: response.status, body: (await response.json()) as WebSocketHealth };
}

/** Each of the workers that answer in turn says so. */
async function healthIs(code: number, workers: number): Promise<void> {
  const isSo = async (): Promise<boolean> => {
    const answers = await Promise.all([health(), health(), health()].map((answer) => answer.catch(() => null)));
    return answers.every((answer) => answer?.code === code && answer.body.cluster.workers === workers);
  };
  await eventually(`${code} and ${workers} workers`, isSo, PATIENCE);
}

/** One visitor with a browser profile of their own, connected. */
async function visitor(name: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(PATIENCE / 2);
  const page = await context.newPage();
  pages.push(page);
  page.on('pageerror', (error) => pageErrors.push(error));
  await page.goto(`${sample.url}/?name=${name}`);
  await connected(page);
  return page;
}

/** Two visitors on different workers: which one a connection comes to is the primary's choice. */
async function apart(): Promise<[ada: Page, grace: Page]> {
  const ada = await visitor('Ada');
  const grace = await visitor('Grace');
  for (let attempt = 0; attempt < 20 && (await workerOf(grace)) === (await workerOf(ada)); attempt++) {
    await grace.reload();
    await connected(grace);
  }
  expect(await workerOf(grace)).not.toBe(await workerOf(ada));
  return [ada, grace];
}

const connected = (page: Page): Promise<void> => page.getByText('Connected', { exact: true }).waitFor();
const workerOf = (page: Page): Promise<string | null> => page.locator('#worker').textContent();
const said = async (page: Page): Promise<string[]> =>
  (await page.getByRole('article').allInnerTexts()).map((text) => text.replace(/\n+/, ': '));
const shown = (page: Page, text: string | RegExp): Promise<void> => page.getByText(text).first().waitFor();

/** Read at one moment: the page may paint the list anew at the next. */
const WHEREABOUTS = `Object.fromEntries(
  [...document.querySelectorAll('.lane')].map((lane) => [
    lane.querySelector('.worker-name').textContent,
    [...lane.querySelectorAll('.people li')].map((person) => person.textContent),
  ]),
)`;

/** Who is where, as the page says it: the names of the visitors under that of their worker. */
const whereabouts = (page: Page): Promise<Record<string, string[]>> => page.evaluate(WHEREABOUTS);

/** From now on the page notices when a person is not in its list, if only for a moment. */
async function watchFor(page: Page, name: string): Promise<void> {
  await page.evaluate(`
    missed = false;
    new MutationObserver(() => {
      missed ||= ![...document.querySelectorAll('.people li')].some((person) => person.textContent === '${name}');
    }).observe(document.getElementById('lanes'), { childList: true });
  `);
}

const wasMissed = (page: Page): Promise<boolean> => page.evaluate('missed');

async function sees(page: Page, expected: Record<string, string[]>): Promise<void> {
  const isSo = async (): Promise<boolean> => isDeepStrictEqual(await whereabouts(page), expected);
  await eventually('', isSo, PATIENCE / 2).catch(() => {}); // what it sees instead is said here:
  expect(await whereabouts(page)).toEqual(expected);
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel('Message', { exact: true }).fill(text);
  await page.keyboard.press('Enter');
}

/** The process of the worker that a page is connected to, as the sample's log tells. */
async function processOf(page: Page): Promise<number> {
  const lane = page.locator('.lane').filter({ has: page.getByText('(you)') });
  const worker = (await lane.locator('.worker-number').innerText()).replace('w', 'W');
  return Number(new RegExp(`${worker} is process (\\d+)`).exec(sample.output)![1]);
}

/** The workers that the others know, and those that died until nothing of theirs is left. */
const leases = (): Promise<string[]> => redis.command('HKEYS', 'sample-03:leases');
const isSubset = (some: string[], all: string[]): boolean => some.every((one) => all.includes(one));

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('sample/03-cluster', () => {
  it('says so in a sentence when there is no Redis, refuses connections, and begins when there is one', async () => {
    await sample.says('The workers wait for Redis: start one on this machine, or say in REDIS_URL where it is.');
    expect((await health()).code).toBe(503);
    await redis.run();
    await healthIs(200, 3);
  });

  it('shows two people on different workers where the other is and what they say, each message once', async () => {
    const [ada, grace] = await apart();
    const [adas, graces] = [(await workerOf(ada))!, (await workerOf(grace))!];
    await sees(ada, { [adas]: ['Ada (you)'], [graces]: ['Grace'] });
    await sees(grace, { [adas]: ['Ada'], [graces]: ['Grace (you)'] });

    await say(ada, 'Hello, Grace.');
    await shown(grace, 'Hello, Grace.');
    await say(grace, 'Hello, Ada.');
    await shown(ada, 'Hello, Ada.');
    expect(await said(ada)).toEqual([`You through ${adas}: Hello, Grace.`, `Grace through ${graces}: Hello, Ada.`]);
    expect(await said(grace)).toEqual([`Ada through ${adas}: Hello, Grace.`, `You through ${graces}: Hello, Ada.`]);
    await shown(ada, '1 more worker, and nobody there.');
  });

  it('comes back by itself on another worker after its worker was stopped', async () => {
    const [ada, grace] = await apart();
    const [adas, graces] = [(await workerOf(ada))!, (await workerOf(grace))!];
    const worker = await processOf(ada);
    await watchFor(grace, 'Ada');
    await ada.getByRole('button', { name: 'Stop this worker' }).click();
    await shown(ada, `${adas} has stopped.`);
    await shown(ada, 'Your connection was on');

    await connected(ada);
    const next = (await workerOf(ada))!;
    expect(next).not.toBe(adas);
    await shown(ada, `You are on ${next}.`);
    await shown(grace, `Ada is on ${next}.`);
    await sees(
      grace,
      next === graces ? { [next]: ['Ada', 'Grace (you)'] } : { [graces]: ['Grace (you)'], [next]: ['Ada'] },
    );
    expect(await wasMissed(grace)).toBe(false);
    await eventually('The worker has ended', () => !isAlive(worker), PATIENCE);
    await sample.says('Worker 4 is process');
    await healthIs(200, 3);
  });

  it('comes back after its worker was killed, and nobody is doubled or missed in the meantime or later', async () => {
    const [ada, grace] = await apart();
    const [adas, graces] = [(await workerOf(ada))!, (await workerOf(grace))!];
    const lynx = await visitor('Lynx');
    await shown(grace, /^Lynx is on /);
    await lynx.close();
    await watchFor(grace, 'Ada');
    const before = await leases();
    process.kill(await processOf(ada), 'SIGKILL');
    await shown(grace, /^Ada is on /);
    await connected(ada);
    const next = (await workerOf(ada))!;
    expect(next).not.toBe(adas);
    const where = (names: [string, string]): Record<string, string[]> =>
      next === graces ? { [next]: names } : { [next]: [names[0]], [graces]: [names[1]] };
    // The dead worker still counts, with Ada's former connection.
    const names = Object.values(await whereabouts(grace)).flat();
    expect(names.filter((name) => name === 'Ada')).toHaveLength(1);
    const hasEnded = async (): Promise<boolean> => !isSubset(before, await leases());
    await eventually('The lease of the killed worker has ended', hasEnded, PATIENCE);
    await healthIs(200, 3);
    await sees(ada, where(['Ada (you)', 'Grace']));
    await sees(grace, where(['Ada', 'Grace (you)']));
    expect(await wasMissed(grace)).toBe(false);
  });

  it('tells load balancers and people when Redis is gone, and goes on by itself when it is back', async () => {
    const ada = await visitor('Ada');
    await redis.kill();
    await eventually('503', async () => (await health()).code === 503, PATIENCE);
    await shown(ada, 'degraded: Redis cannot be reached');
    await redis.run();
    await healthIs(200, 3);
    await shown(ada, 'healthy: 3 workers, 1 client');
    await say(ada, 'Still here.');
    await shown(ada, /^Still here/);
  });

  it('says in words what it refuses', async () => {
    const ada = await visitor('Ada');
    await say(ada, '   ');
    await shown(ada, 'A message has between 1 and 500 characters.');
    await say(ada, 'a word');
    await shown(ada, 'a word');
    await ada.getByRole('alert').waitFor({ state: 'hidden' });
  });

  it('fits a phone', async () => {
    const page = await visitor('Somebody with a long nam', { viewport: { width: 360, height: 740 } });
    await say(page, 'w'.repeat(300));
    await shown(page, /^w+$/);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
  });

  it('ends in peace on SIGTERM: clients are told to come again, and no process stays', async () => {
    const ada = await visitor('Ada');
    const workers = [...sample.output.matchAll(/is process (\d+)/g)].map(([, pid]) => Number(pid)).filter(isAlive);
    expect(workers).toHaveLength(3);
    // As browsers open them in advance; nothing is ever asked there.
    const silent = workers.map(() => connect(sample.port, '127.0.0.1').resume());
    await Promise.all(silent.map((socket) => once(socket, 'connect')));
    const [exit] = await Promise.all([sample.stop(), shown(ada, 'has stopped.')]);
    expect(exit).toBe(0);
    expect(workers.filter(isAlive)).toEqual([]);
  });
});
