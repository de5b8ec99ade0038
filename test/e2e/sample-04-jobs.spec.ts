import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.js';
import { buildClientFile } from '../support/client-bundle.js';
import { RedisServer } from '../support/redis-server.js';
import { SampleProcess } from '../support/sample-process.js';

let redis: RedisServer;
let server: SampleProcess;
let painter: SampleProcess;
let browser: Browser;
const contexts: BrowserContext[] = [];
const pageErrors: Error[] = [];

beforeAll(async () => {
  redis = await RedisServer.start();
  [browser] = await Promise.all([launchChromium(), buildClientFile()]);
  [server, painter] = await Promise.all([startServer(), startPainter()]);
});

afterEach(async () => {
  await Promise.all(contexts.splice(0).map((context) => context.close()));
  expect(pageErrors).toEqual([]);
});

afterAll(async () => {
  await browser.close();
  await Promise.all([server.stop(), painter.stop()]);
  await redis.stop();
});

async function startServer(port?: number): Promise<SampleProcess> {
  const env = { REDIS_URL: redis.url, ...(port === undefined ? {} : { PORT: String(port) }) };
  const started = await SampleProcess.start('04-jobs', env);
  await started.says('Order postcards');
  return started;
}

/** The second process: no sockets, no HTTP. */
async function startPainter(): Promise<SampleProcess> {
  const started = await SampleProcess.start('04-jobs', { REDIS_URL: redis.url, LAYER_MS: '60' }, 'worker');
  await started.says('A painter waits for orders.');
  return started;
}

async function visitor(options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(15_000);
  contexts.push(context);
  return tabOf(context);
}

/** One more page of the same visitor. */
async function tabOf(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  page.on('pageerror', (error) => pageErrors.push(error));
  await page.goto(server.url);
  await connected(page);
  return page;
}

const connected = (page: Page): Promise<void> => page.getByText('Connected', { exact: true }).waitFor();
const postcards = (page: Page) => page.getByRole('list').last().getByRole('listitem');
const postcardOf = (page: Page, place: string) => postcards(page).filter({ hasText: place });
const painted = (page: Page, place: string): Promise<void> =>
  page
    .getByRole('img', { name: `A landscape: ${place}` })
    .and(page.locator('[data-state=done] *'))
    .waitFor();

async function order(page: Page, place: string): Promise<void> {
  await page.getByLabel('Name of a place').fill(place);
  await page.keyboard.press('Enter');
}

describe('sample/04-jobs', () => {
  it('shows the bar of a job until it has reached the end, and the result', async () => {
    const page = await visitor();
    await order(page, 'Lofoten');
    await page.getByRole('progressbar', { name: 'Painting of Lofoten' }).waitFor();
    await painted(page, 'Lofoten');
    expect(await page.getByRole('progressbar').getAttribute('value')).toBe('100');
    await page.getByRole('status').getByText('Lofoten is painted.').waitFor();
    expect(await page.evaluate('document.images[0].decode().then(() => document.images[0].complete)')).toBe(true);
  });

  it('has a bar for each of several jobs', async () => {
    const page = await visitor();
    for (const name of ['Lake Como', 'Patagonia', 'Mount Fuji']) {
      await page.getByRole('button', { name }).click();
      await postcardOf(page, name).waitFor();
    }
    for (const name of ['Lake Como', 'Patagonia', 'Mount Fuji']) await painted(page, name);
    expect(await postcards(page).locator('.place').allTextContents()).toEqual(['Mount Fuji', 'Patagonia', 'Lake Como']);
  });

  it("shows a visitor's jobs on all of their pages, and on nobody else's", async () => {
    const ada = await visitor();
    const other = await tabOf(ada.context());
    const grace = await visitor();
    await order(ada, 'Skye');
    await order(grace, 'Como');
    for (const page of [ada, other]) await painted(page, 'Skye');
    await painted(grace, 'Como');
    expect(await postcards(grace).count()).toBe(1);
    expect(await postcards(other).count()).toBe(1);
  });

  it('keeps an order until there is a painter, and shows then how far it is', async () => {
    await painter.stop();
    const page = await visitor();
    await order(page, 'Zermatt');
    await postcardOf(page, 'Zermatt').getByText('Waiting for a painter').waitFor();
    await page.evaluate(`{
      window.steps = [];
      new MutationObserver((records) => {
        for (const { target } of records) window.steps.push(target.value);
      }).observe(document.body, { subtree: true, attributeFilter: ['value'] });
    }`);
    painter = await startPainter();
    await painted(page, 'Zermatt');
    // Here the postcard is on the page before its first layer is painted.
    const steps = await page.evaluate<number[]>('[...new Set(window.steps)]');
    expect(steps).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
  });

  it('learns what was painted while it was not connected', async () => {
    const page = await visitor();
    await order(page, 'Kyoto');
    await postcardOf(page, 'Kyoto').getByText('%').waitFor();
    await server.stop();
    await page.getByText('Reconnecting…').waitFor();
    await order(page, 'Nara');
    await page.getByRole('alert').getByText('The server does not answer.').waitFor();
    expect(await page.getByLabel('Name of a place').inputValue()).toBe('Nara');
    server = await startServer(server.port);
    await connected(page);
    await painted(page, 'Kyoto');
    await page.reload();
    await painted(page, 'Kyoto');
    expect(await postcards(page).count()).toBe(1);
  });

  it('says why an order is refused, and shows names as text', async () => {
    const page = await visitor();
    await page.evaluate("document.getElementById('place').removeAttribute('maxlength')");
    await order(page, 'x'.repeat(41));
    await page.getByRole('alert').getByText('between 1 and 40 characters').waitFor();
    await order(page, '<img src=x onerror=alert(1)>');
    await painted(page, '<img src=x onerror=alert(1)>');
    await page.getByRole('alert').waitFor({ state: 'hidden' });
    expect(await page.locator('img').count()).toBe(1);
  });

  it('fits a phone, and is dark where the system is', async () => {
    const page = await visitor({ viewport: { width: 360, height: 740 }, colorScheme: 'dark' });
    await order(page, 'Llanfairpwllgwyngyllgogerychwyrndrobwlll');
    await painted(page, 'Llanfairpwllgwyngyllgogerychwyrndrobwlll');
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    const background = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(await background()).toBe('rgb(14, 20, 19)');
    await page.emulateMedia({ colorScheme: 'light' });
    expect(await background()).toBe('rgb(241, 244, 242)');
  });
});
