import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { WebSocket } from 'ws';
import { AppModule } from '../../sample/01-chat/src/app.module.js';
import { launchChromium } from '../support/chromium.js';
import { buildClientFile } from '../support/client-bundle.js';

let app: INestApplication;
let port: number;
let browser: Browser;
const pages: Page[] = [];
const pageErrors: Error[] = [];

beforeAll(async () => {
  Logger.overrideLogger(false);
  [browser] = await Promise.all([launchChromium(), buildClientFile()]);
  await startServer(0);
});

afterEach(async () => {
  await Promise.all(pages.splice(0).map((page) => page.context().close()));
  expect(pageErrors).toEqual([]);
});

afterAll(async () => {
  await browser.close();
  await app.close();
});

async function startServer(onPort: number): Promise<void> {
  app = await NestFactory.create(AppModule);
  await app.listen(onPort, '127.0.0.1');
  ({ port } = (app.getHttpServer() as { address(): { port: number } }).address());
}

type Prepare = (page: Page) => Promise<void>;

/** One visitor with a browser profile of their own, in the chat under a name. */
async function visitor(name: string, options: BrowserContextOptions = {}, prepare?: Prepare): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  pages.push(page);
  page.on('pageerror', (error) => pageErrors.push(error));
  await prepare?.(page);
  await page.goto(`http://127.0.0.1:${port}/`);
  await page.getByLabel('Your name').fill(name);
  await page.keyboard.press('Enter');
  await status(page, 'Connected');
  return page;
}

async function join(page: Page, room: string): Promise<void> {
  await page.getByLabel('Room name').fill(room);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: room }).waitFor();
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel('Message', { exact: true }).fill(text);
  await page.keyboard.press('Enter');
}

const status = (page: Page, text: string) => page.getByRole('status').getByText(text).waitFor();
const messages = (page: Page) => page.getByRole('article').locator('.text').allTextContents();
const deliveries = (page: Page) => page.locator('.mine:visible .delivery').allTextContents();
const members = (page: Page) =>
  page
    .getByRole('list', { name: 'Members of this room' })
    .getByRole('listitem')
    .locator('.member-name')
    .allTextContents();
const away = (page: Page) =>
  page.locator('#member-list li', { hasText: 'Away' }).locator('.member-name').allTextContents();
const notes = (page: Page) => page.locator('.note').allTextContents();
const typing = (page: Page) => page.locator('#typing').textContent();

/** As when another tab is chosen in the same window, and this one again. */
async function look(page: Page, isSeen: boolean): Promise<void> {
  await page.evaluate(`
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${!isSeen} });
    document.dispatchEvent(new Event('visibilitychange'));
  `);
}

/** Reads again and again until the value is the expected one: a page follows its server with a delay. */
async function eventually<T>(read: () => Promise<T>, expected: T): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (Date.now() < deadline) {
    if (JSON.stringify(await read()) === JSON.stringify(expected)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(await read()).toEqual(expected);
}

describe('the server of sample 01-chat', () => {
  it.each([
    ['', 'text/html; charset=utf-8'],
    ['chat.css', 'text/css; charset=utf-8'],
    ['chat.js', 'text/javascript; charset=utf-8'],
    ['client.js', 'text/javascript; charset=utf-8'],
  ])('serves /%s as %s', async (file, type) => {
    const response = await fetch(`http://127.0.0.1:${port}/${file}`);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, type]);
  });

  it.each([
    'missing.js',
    'index.html%2f..%2fchat.js',
    '..%2fpublic%2fchat.js',
    '..%2f..%2f..%2feslint.config.js',
    'tsconfig.json',
  ])('serves no /%s', async (file) => {
    expect((await fetch(`http://127.0.0.1:${port}/${file}`)).status).toBe(404);
  });

  it.each(['', '?name=%20%20', `?name=${'x'.repeat(25)}`, '?name=%E2%80%8B'])(
    'refuses a connection without a visible name: /ws%s',
    async (query) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/ws${query}`);
      const answered = await new Promise((resolve) => {
        socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
        socket.on('open', () => resolve('open'));
        socket.on('error', () => {});
      });
      socket.terminate();
      expect(answered).toBe(401);
    },
  );
});

describe('the page of sample 01-chat', () => {
  it('shows two people who is there and what they say, each message once', async () => {
    const ada = await visitor('Ada');
    await join(ada, 'garden');
    const grace = await visitor('Grace');
    await join(grace, 'garden');
    await eventually(() => members(ada), ['Ada (you)', 'Grace']);
    await eventually(() => members(grace), ['Ada', 'Grace (you)']);
    await ada.getByText('Grace joined').waitFor();

    await say(ada, 'Hello, Grace.');
    await eventually(() => messages(grace), ['Hello, Grace.']);
    await eventually(() => deliveries(ada), ['Sent ✓']);
    await say(grace, 'Hello, Ada.');
    await eventually(() => messages(ada), ['Hello, Grace.', 'Hello, Ada.']);
    expect(await messages(grace)).toEqual(['Hello, Grace.', 'Hello, Ada.']);
    expect(await ada.getByRole('article').locator('.author:visible').allTextContents()).toEqual(['Grace']);
  });

  it('shows that somebody is typing until the message is there, or the typing stops', async () => {
    const ada = await visitor('Ada', {}, (page) => page.clock.install());
    const grace = await visitor('Grace');
    for (const page of [ada, grace]) await join(page, 'garden');

    await ada.getByLabel('Message', { exact: true }).pressSequentially('Hm');
    await eventually(() => typing(grace), 'Ada is typing…');
    expect(await typing(ada)).toBe('');
    await ada.keyboard.press('Enter');
    await eventually(() => messages(grace), ['Hm']);
    await eventually(() => typing(grace), '');

    await ada.getByLabel('Message', { exact: true }).pressSequentially('On second thoughts');
    await eventually(() => typing(grace), 'Ada is typing…');
    await ada.clock.fastForward(4_000);
    await eventually(() => typing(grace), '');
  });

  it('starts a line with Shift+Enter and sends no empty message', async () => {
    const ada = await visitor('Ada');
    await join(ada, 'garden');
    await say(ada, '   ');
    expect(await ada.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true);

    const field = ada.getByLabel('Message', { exact: true });
    await field.fill('one');
    await field.press('Shift+Enter');
    await field.pressSequentially('two');
    await field.press('Enter');
    await eventually(() => messages(ada), ['one\ntwo']);
  });

  it("shows the server's reason when a message is refused, and lets it be corrected", async () => {
    const ada = await visitor('Ada');
    const grace = await visitor('Grace');
    for (const page of [ada, grace]) await join(page, 'garden');

    await say(ada, 'x'.repeat(501));
    await ada.getByText('A message has between 1 and 500 characters.').waitFor();
    expect(await deliveries(ada)).toEqual(['Not sent']);

    await ada.getByRole('button', { name: 'Edit' }).click();
    expect(await ada.getByLabel('Message', { exact: true }).inputValue()).toBe('x'.repeat(501));
    await say(ada, 'shorter');
    await eventually(() => deliveries(ada), ['Sent ✓']);
    await eventually(() => messages(grace), ['shorter']);
  });

  it('shows what people wrote as text, whatever it looks like', async () => {
    const ada = await visitor('<b>Ada</b>');
    const grace = await visitor('Grace');
    for (const page of [ada, grace]) await join(page, '<i>garden</i>');
    await say(ada, '<img src="x" onerror="alert(1)">');
    await eventually(() => messages(grace), ['<img src="x" onerror="alert(1)">']);
    expect(await members(grace)).toEqual(['<b>Ada</b>', 'Grace (you)']);
    expect(await grace.locator('img, b, i').count()).toBe(0);
  });

  it('counts what is unread in the rooms that are not in view', async () => {
    const ada = await visitor('Ada');
    const grace = await visitor('Grace');
    for (const page of [ada, grace]) await join(page, 'garden');
    await join(ada, 'kitchen');

    await say(grace, 'Anybody here?');
    await say(grace, 'Hello?');
    await ada.getByRole('button', { name: 'garden, 2 unread' }).waitFor();
    expect(await ada.title()).toBe('(2) kitchen · Chat');
    expect(await messages(ada)).toEqual([]);

    await ada.getByRole('button', { name: 'garden, 2 unread' }).click();
    await ada.getByRole('button', { name: 'garden', exact: true }).waitFor();
    expect(await messages(ada)).toEqual(['Anybody here?', 'Hello?']);
    expect(await ada.title()).toBe('garden · Chat');
  });

  it("tells the others who left, and takes the room off the leaver's list", async () => {
    const ada = await visitor('Ada');
    const grace = await visitor('Grace');
    for (const page of [ada, grace]) await join(page, 'garden');
    await join(grace, 'kitchen');
    await grace.getByRole('button', { name: 'garden', exact: true }).click();

    await grace.getByRole('button', { name: 'Leave room' }).click();
    await grace.getByRole('heading', { name: 'kitchen' }).waitFor();
    await ada.getByText('Grace left').waitFor();
    expect(await members(ada)).toEqual(['Ada (you)']);
    const rooms = grace.getByRole('list', { name: 'Your rooms' });
    expect(await rooms.locator('.room-name').allTextContents()).toEqual(['kitchen']);

    // A page that is closed looks like one that is loaded again, which nobody needs to know of.
    await grace.close();
    await join(ada, 'kitchen');
    await eventually(() => members(ada), ['Ada (you)', 'Grace']);
  });

  it('shows a person once, whatever becomes of single tabs, and as away while nobody looks at any of them', async () => {
    const grace = await visitor('Grace');
    const [first, second] = [await visitor('Ada'), await visitor('Ada')];
    for (const page of [grace, first, second]) await join(page, 'attic');
    await eventually(() => members(grace), ['Ada', 'Grace (you)']);
    await eventually(() => members(second), ['Ada (you)', 'Grace']);
    await say(first, 'From one of my tabs.');
    await eventually(() => messages(second), ['From one of my tabs.']);
    expect(await second.locator('.mine .text').allTextContents()).toEqual(['From one of my tabs.']);
    await first.getByLabel('Message', { exact: true }).pressSequentially('Hm');
    await eventually(() => typing(grace), 'Ada is typing…');
    expect(await typing(second)).toBe('');

    await look(second, false);
    await eventually(() => away(grace), ['Ada']);
    // The first tab, at which somebody looks, has said something else by now.
    await eventually(() => away(grace), []);
    await look(first, false);
    await eventually(() => away(grace), ['Ada']);
    await eventually(() => away(second), ['Ada (you)']);
    await look(second, true);
    await eventually(() => away(grace), []);

    await second.close();
    await first.reload();
    await first.getByLabel('Your name').fill('Ada');
    await first.keyboard.press('Enter');
    await join(first, 'attic');
    await say(first, 'Here I am again.');
    await eventually(() => messages(grace), ['From one of my tabs.', 'Here I am again.']);
    expect(await members(grace)).toEqual(['Ada', 'Grace (you)']);
    expect(await notes(grace)).toEqual(['Ada joined']);
  });

  it('comes back by itself when the server was restarted, with nothing doubled', async () => {
    const ada = await visitor('Ada');
    const grace = await visitor('Grace');
    for (const page of [ada, grace]) await join(page, 'garden');
    await say(ada, 'before');
    await eventually(() => messages(grace), ['before']);

    await look(ada, false);
    await app.close();
    for (const page of [ada, grace]) await status(page, 'Reconnecting');
    await look(ada, true);
    await say(ada, 'meanwhile');
    await ada.getByText('There is no connection.').waitFor();
    await startServer(port);
    for (const page of [ada, grace]) {
      await status(page, 'Connected');
      await page.getByText('You are back.').waitFor();
    }
    await eventually(() => members(ada), ['Ada (you)', 'Grace']);
    await eventually(() => members(grace), ['Ada', 'Grace (you)']);

    await ada.getByRole('button', { name: 'Try again' }).click();
    await eventually(() => messages(grace), ['before', 'meanwhile']);
    await say(grace, 'after');
    await eventually(() => messages(ada), ['before', 'meanwhile', 'after']);
    expect(await messages(grace)).toEqual(['before', 'meanwhile', 'after']);
    expect(await ada.getByText('You are back.').count()).toBe(1);
    await eventually(() => away(grace), []);
  });

  it('gives up a connection that has fallen silent, after asking once', async () => {
    const heard: unknown[] = [];
    let connections = 0;
    const ada = await visitor('Ada', {}, (page) =>
      page.routeWebSocket(/\/ws/, (server) => {
        const interval = ++connections === 1 ? 200 : 60_000;
        const data = { clientId: `c${connections}`, protocol: 'pxl.v1', heartbeat: { interval, timeout: 200 } };
        server.send(JSON.stringify({ type: 'system', action: 'connected', data }));
        server.onMessage((text) => heard.push(JSON.parse(String(text))));
      }),
    );
    await eventually(async () => connections, 2);
    await status(ada, 'Connected');
    expect(heard).toEqual([{ type: 'system', action: 'ping' }]);
  });

  it('fits 360 pixels, with rooms and members in drawers that the keyboard can use', async () => {
    const ada = await visitor('Ada with a rather long nam', { viewport: { width: 360, height: 740 } });
    const width = () => ada.evaluate<number>('document.documentElement.scrollWidth');
    expect(await width()).toBe(360);
    const rooms = ada.getByRole('button', { name: 'Rooms', exact: true });
    const drawer = ada.getByRole('navigation', { name: 'Rooms' });
    expect(await drawer.isVisible()).toBe(false);

    await rooms.press('Enter');
    await drawer.getByRole('button', { name: 'Close rooms' }).waitFor();
    expect(await width()).toBe(360);
    await ada.keyboard.press('Escape');
    await drawer.waitFor({ state: 'hidden' });
    await eventually(() => ada.evaluate<string>('document.activeElement.id'), 'rooms-button');

    await rooms.click();
    await join(ada, 'a-room-with-a-name-that-needs-more-space');
    await drawer.waitFor({ state: 'hidden' });
    await say(ada, 'w'.repeat(300));
    await eventually(() => deliveries(ada), ['Sent ✓']);
    expect(await width()).toBe(360);

    await ada.getByRole('button', { name: 'Members: 1' }).click();
    await ada.getByRole('complementary', { name: 'Members' }).getByText('(you)').waitFor();
    expect(await width()).toBe(360);
  });

  it('is dark where the system is', async () => {
    const ada = await visitor('Ada', { colorScheme: 'dark' });
    await join(ada, 'garden');
    const colours = () =>
      ada.evaluate<string[]>(
        '(({ backgroundColor, color }) => [backgroundColor, color])(getComputedStyle(document.body))',
      );
    expect(await colours()).toEqual(['rgb(14, 20, 19)', 'rgb(230, 239, 236)']);
    await ada.emulateMedia({ colorScheme: 'light' });
    expect(await colours()).toEqual(['rgb(241, 244, 242)', 'rgb(22, 33, 30)']);
  });
});
