import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.js';
import { buildClientFile } from '../support/client-bundle.js';
import { eventually } from '../../lib/testing/eventually.js';
import { SampleProcess } from '../support/sample-process.js';

/** ms for what takes some seconds where nothing else runs: workers that start, clients that come back. */
const PATIENCE = 30_000;

let sample: SampleProcess;
let browser: Browser;
const pages: Page[] = [];
const pageErrors: Error[] = [];

beforeAll(async () => {
  [sample, browser] = await Promise.all([
    SampleProcess.start('06-live-feed', { HASTE: '8', KEPT: '90' }),
    launchChromium(),
    buildClientFile(),
  ]);
  await sample.says('Watch the feed');
}, PATIENCE);

afterEach(async () => {
  await Promise.all(pages.splice(0).map((page) => page.context().close()));
  expect(pageErrors.splice(0)).toEqual([]);
});

afterAll(async () => {
  await browser.close();
  await sample.stop();
});

/** Somebody who looks on, and has got what the room had kept. */
async function visitor(options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  pages.push(page);
  page.on('pageerror', (error) => pageErrors.push(error));
  await page.goto(sample.url);
  await all(page);
  return page;
}

const press = (page: Page, name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click();
const says = (page: Page, text: string | RegExp): Promise<void> => page.getByText(text).first().waitFor();
/** Every message that was published is here, and none was skipped. */
const all = (page: Page): Promise<void> =>
  says(page, /^\d+ messages came, each once and in order\. Nothing is lost\.$/);
/** Some are not here yet. For those who are away for long: it is said for no longer than that. */
const misses = (page: Page): Promise<void> => says(page, /^\d+ messages have not come yet\.$/);
/** All but those of which the page was told. */
const told = (page: Page): Promise<void> =>
  says(page, /^\d+ messages came, each once and in order\. \d+ are lost, and/);
const diary = (page: Page): Promise<string[]> => page.getByRole('log').getByRole('listitem').allInnerTexts();

/** Has the page write down each state of what it shows: some of them last for a moment only. */
const writesDown = (page: Page): Promise<unknown> =>
  page.evaluate(`{
    globalThis.said = [];
    const states = [...document.querySelectorAll('.state')];
    new MutationObserver(() => said.push(...states.map(({ textContent }) => textContent))).observe(
      document.querySelector('.way'),
      { subtree: true, childList: true },
    );
  }`);
const hasSaid = (page: Page, state: string): Promise<number> =>
  eventually(`It has said "${state}"`, () => page.evaluate<boolean>(`said.includes('${state}')`), PATIENCE);

/** How many squares of a kind there were. */
async function count(page: Page, mark: 'live' | 'kept' | 'lost' | 'wrong'): Promise<number> {
  return Number(await page.locator(`#${mark}`).innerText());
}

/** So many more have come at once. */
async function more(page: Page, messages: number): Promise<void> {
  const before = await count(page, 'live');
  await eventually('More messages', async () => (await count(page, 'live')) >= before + messages, PATIENCE);
}

/** The first group of what the page says. */
async function figureIn(page: Page, text: RegExp): Promise<number> {
  await says(page, text);
  return Number(text.exec(await page.locator('body').innerText())![1]);
}

const RECOVERED = /Back, and recovered\. Replayed: (\d+)\./;

/** How many have come late although the page has asked for nothing. */
async function lateOnes(page: Page): Promise<number> {
  const figures = (await diary(page)).map((line) => Number(/(\d+) came late/.exec(line)?.[1] ?? 0));
  return figures.reduce((sum, figure) => sum + figure, 0);
}

describe('sample/06-live-feed', () => {
  it('shows a newcomer the last messages, and then each new one at once, also on a phone', async () => {
    const page = await visitor({ viewport: { width: 360, height: 740 }, colorScheme: 'dark' });
    // Those that are late on a busy machine count as kept, too.
    expect(await count(page, 'kept')).toBeGreaterThan(3);
    await more(page, 10);
    await all(page);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
  });

  it('gives each what it missed, or tells it that it was away for too long', async () => {
    const [near, far, gone] = await Promise.all([visitor(), visitor(), visitor()]);
    await Promise.all([
      press(near, 'Cut its network for 5 s'),
      press(far, '… for 30 s').then(() => misses(far)),
      press(gone, 'Leave it for 4 s'),
      gone.waitForURL('**/away.html*', { waitUntil: 'commit' }),
    ]);
    for (const page of [near, gone]) {
      expect(await figureIn(page, RECOVERED)).toBeGreaterThan(3);
      await all(page);
    }
    await says(far, 'Told: not recovered (trimmed)');
    expect(await figureIn(far, /Lost here: (\d+)\./)).toBeGreaterThan(60);
    await told(far);
    expect(await count(far, 'wrong')).toBe(0);
  });

  it('gets what it missed from another worker when its own is killed', async () => {
    const page = await visitor();
    const name = await page.locator('#worker-name').innerText();
    await page.locator('#worker').getByRole('button', { name: 'Kill it' }).click();
    await figureIn(page, RECOVERED);
    await all(page);
    expect(await page.locator('#worker-name').innerText()).not.toBe(name);
  });

  it('gets what its worker had lost, without having noticed anything', async () => {
    const page = await visitor();
    await press(page, 'Cut it off Redis for 5 s');
    await eventually('Its worker has caught up', async () => (await lateOnes(page)) > 3, PATIENCE);
    await all(page);
    expect((await diary(page)).filter((line) => line.includes('connection is lost'))).toEqual([]);
  });

  it('loses nothing, and sees nothing twice, when Redis stands still and the feed is refused', async () => {
    const page = await visitor();
    await writesDown(page);
    await press(page, 'Freeze for 2 s');
    await hasSaid(page, 'frozen: it answers nothing');
    await hasSaid(page, 'refused: it tries again');
    await says(page, 'keeps the last 60 messages');
    await more(page, 3);
    await all(page);
  });

  it('is told that the room counts anew when Redis is killed, with its data or without', async () => {
    const page = await visitor();
    for (const name of ['Kill it', 'Kill it and its data']) {
      await writesDown(page);
      await page.locator('#redis').getByRole('button', { name, exact: true }).click();
      await hasSaid(page, 'killed; it starts again');
      await page.locator('#redis[data-health=up]').waitFor();
      await more(page, 3);
    }
    const tellings = async (): Promise<number> =>
      (await diary(page)).filter((line) => line.includes('Told: not recovered (epoch)')).length;
    await eventually('Both are told', async () => (await tellings()) === 2);
    expect(await count(page, 'wrong')).toBe(0);
  });
});
