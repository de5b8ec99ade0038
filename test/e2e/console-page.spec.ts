import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { WsClient, WsError, WsRoute, WebSocketService } from 'nestjs-pxl-websocket';
import {
  consoleAccessOf,
  PxlWebSocketConsoleModule,
  type ConsoleAccess,
  type ConsoleAction,
} from 'nestjs-pxl-websocket/console';
import type { Browser, Locator, Page } from 'playwright-core';
import { LiveTraces } from '../../lib/clients/traces/live-traces.js';
import { eventually } from '../../lib/testing/eventually.js';
import { launchChromium } from '../support/chromium.js';
import { buildConsolePage } from '../support/console-page.js';
import { FAINT_TEXTS } from '../support/page-looks.js';
import { RedisServer } from '../support/redis-server.js';
import { startApp, type TestApp } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

/** Room names that a careless page takes for something else, breaks at, or reads from the wrong side. */
const HTML = '<img src=x onerror=alert(1)>';
const LONG = 'x'.repeat(128);
const ARABIC = 'مرحبا/100%?#';

class Gateway {
  @WsRoute('chat', 'send')
  send(_client: WsClient, { text }: { text: string }): string {
    if (text === '') throw new WsError('EMPTY', 'There is no text.');
    return 'sent';
  }
}

/** Lets everybody look and act, but what it is told to refuse. */
class Guard implements CanActivate {
  refuses: ConsoleAccess['kind'] | undefined;

  canActivate(context: ExecutionContext): boolean {
    return consoleAccessOf(context)?.kind !== this.refuses;
  }
}

const guard = new Guard();
/** That of the other worker: each minute a guard is asked about the connections that there are. */
const farGuard = new Guard();
let redis: RedisServer;
let built: Awaited<ReturnType<typeof buildConsolePage>>;
let browser: Browser;
/** The worker of the page, which allows actions; and another one, which allows none. */
let near: TestApp;
let far: TestApp;
let page: Page;
let ada: TestClient;
let bo: TestClient;
/** Between the page and its worker. */
let network: TcpProxy;
let clientId: string;
const complaints: string[] = [];

beforeAll(async () => {
  [redis, built, browser] = await Promise.all([RedisServer.start(), buildConsolePage(), launchChromium()]);
  const start = (asks: Guard, allow: readonly ConsoleAction[]): Promise<TestApp> =>
    startApp({
      options: { redis: redis.url, auth: { authenticate: urlIdentity }, rooms: { open: true } },
      providers: [Gateway],
      imports: [PxlWebSocketConsoleModule.forRoot({ guard: asks, page: built.page, allow })],
    });
  [near, far] = await Promise.all([start(guard, ['disconnect', 'leave', 'notice']), start(farGuard, [])]);
  const know = (app: TestApp): boolean => app.app.get(WebSocketService).getWebSocketHealth().cluster.workers === 2;
  await eventually('the workers know each other', () => know(near) && know(far));
  ada = await connectAs(far, { userId: 'ada' });
  const rooms = [HTML, LONG, ARABIC, 'lobby', ...Array.from({ length: 50 }, (_, at) => `match-${at}`)];
  for (const roomName of rooms) await ada.request('system', 'joinRoom', { roomName });
  bo = await connectAs(near, { userId: 'bo' });
  await bo.request('system', 'joinRoom', { roomName: 'lobby' });
  page = await browser.newPage({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
  page.setDefaultTimeout(15_000);
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  network = await TcpProxy.before(near.port);
  await page.goto(`http://127.0.0.1:${network.port}/console`);
});

afterAll(async () => {
  await browser.close();
  await Promise.all([near.close(), far.close(), network.close()]);
  await Promise.all([redis.stop(), built.remove()]);
});

/** Whether the workers have answered what is shown. */
const isThere = async (): Promise<boolean> =>
  !(await page.locator('main').textContent())?.includes('Asking the workers');
/** Where one is, behind `#`. */
const place = (): string => decodeURIComponent(new URL(page.url()).hash);
const go = (hash: string): Promise<void> => page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
const shown = (text: string | RegExp): Locator => page.locator('main').getByText(text, { exact: true });
const link = (name: string): Locator => page.getByRole('link', { name, exact: true });
const button = (name: string | RegExp): Locator => page.getByRole('button', { name });
const workerIdOf = ({ app }: TestApp): string => app.get(WebSocketService).getWebSocketHealth().workerId;
const focused = (): Promise<string> => page.evaluate('document.activeElement.textContent');

/** Ways to all views, with what is there. */
const views = (): string[] => [
  ...['#/', '#/endpoints', '#/rooms', `#/rooms/${encodeURIComponent(LONG)}`, '#/users', '#/users/ada'],
  ...['#/clients', `#/clients/${clientId}`, '#/trace', '#/trace/room/lobby'],
];

describe('the page of the console', () => {
  it('shows both workers, their health and load', async () => {
    const rows = page.getByRole('table', { name: 'Workers' }).locator('tbody').getByRole('row');
    await eventually('both are shown', async () => (await rows.count()) === 2);
    for (const row of await rows.all()) expect(await row.textContent()).toMatch(/ready.*MiB/);
    await shown(/^2 clients on 2 workers/).waitFor();
    await link(workerIdOf(far).slice(0, 8)).click();
    await page.getByRole('heading', { name: workerIdOf(far) }).waitFor();
    expect(place()).toBe(`#/workers/${workerIdOf(far)}`);
  });

  it('draws the rates as they change, and says them', async () => {
    await go('#/');
    const picture = page.getByRole('img', { name: /^Received: now/ });
    const line = (): Promise<string | null> => picture.locator('.chart-line').getAttribute('d');
    const before = await line();
    const isTold = async (): Promise<boolean> => {
      await ada.request('chat', 'send', { text: 'hello' });
      return /now [1-9]/.test((await picture.getAttribute('aria-label')) ?? '');
    };
    await eventually('the rate is told', isTold);
    expect(await line()).not.toBe(before);
  });

  it('shows endpoints, and routes with their times', async () => {
    await link('Endpoints').click();
    const route = page.getByRole('row', { name: /chat:send/ });
    await route
      .getByText(/[µm]s$/)
      .first()
      .waitFor();
    expect(await route.textContent()).toMatch(/Gateway\.send/);
    await page.getByRole('cell', { name: 'the application' }).waitFor();
    expect(await page.getByRole('row', { name: /system:joinRoom/ }).count()).toBe(0);
    await page.getByLabel("with the library's own").check();
    await page.getByRole('row', { name: /system:joinRoom/ }).waitFor();
    await button('Errors').click();
    expect(await page.getByRole('columnheader', { name: 'Errors' }).getAttribute('aria-sort')).toBe('descending');
  });

  it('turns the pages of many rooms, by the address too', async () => {
    await link('Rooms').click();
    await shown('50 rooms on this page').waitFor();
    await button('Next').click();
    await shown('4 rooms on this page').waitFor();
    expect(place()).toMatch(/^#\/rooms\?cursor=/);
    await page.reload();
    await shown('4 rooms on this page').waitFor();
    await page.goBack();
    await shown('50 rooms on this page').waitFor();
    expect(await button('Previous').isDisabled()).toBe(true);
    await page.goForward();
    await shown('4 rooms on this page').waitFor();
    await button('Previous').click();
    await shown('50 rooms on this page').waitFor();
  });

  it('finds a room on the other worker, whose name stays text', async () => {
    await page.getByLabel('Search by name').fill('<IMG');
    await shown('1 room').waitFor();
    expect(place()).toBe('#/rooms?search=<IMG');
    await link(HTML).click();
    await page.getByRole('heading', { name: HTML }).waitFor();
    expect(await page.locator('main img').count()).toBe(0);
    await page.getByRole('row', { name: /ada/ }).waitFor();
    await go(`#/rooms/${encodeURIComponent(ARABIC)}`);
    await page.getByRole('heading', { name: ARABIC }).waitFor();
    await page.getByRole('row', { name: /ada/ }).waitFor();
  });

  it("shows a client's life, and its messages as they come", async () => {
    await page.getByRole('rowheader').getByRole('link').click();
    const facts = page.locator('.facts').first();
    await facts.getByText('pxl.v1').waitFor();
    for (const known of ['ada', workerIdOf(far).slice(0, 8), '/ws', '127.0.0.1']) {
      expect(await facts.textContent()).toContain(known);
    }
    clientId = place().slice('#/clients/'.length);
    await shown(/ left$/).waitFor();
    await ada.request('chat', 'send', { text: 'a secret' });
    await page.getByRole('row', { name: /→ in.*chat:send/ }).waitFor();
    await ada.call('chat', 'send', { text: '' });
    await page.getByRole('row', { name: /failed.*EMPTY/ }).waitFor();
    expect(await page.locator('main').textContent()).not.toContain('a secret');
    await button('Stop').click();
    await button('Start').waitFor();
    expect(await focused()).toBe('Start');
  });

  it('traces a room for a time: it stands still, goes on, and is filtered', async () => {
    await go('#/trace');
    await page.getByLabel('Key of the room, or id').fill('lobby');
    await button('Trace').click();
    await shown(/ left$/).waitFor();
    expect(place()).toBe('#/trace/room/lobby');
    await far.app.get(WebSocketService).sendToRooms(['lobby'], { type: 'lobby', action: 'news' });
    // One of each worker.
    const news = page.getByRole('row', { name: /lobby:news.*to 1 client/ });
    await eventually('both are there', async () => (await news.count()) === 2);
    await button('Pause').click();
    await far.app.get(WebSocketService).sendToRooms(['lobby'], { type: 'lobby', action: 'later' });
    await shown(/2 new ones while it stands still/).waitFor();
    expect(await page.getByRole('row', { name: /lobby:later/ }).count()).toBe(0);
    await button('Go on').click();
    await page
      .getByRole('row', { name: /lobby:later/ })
      .first()
      .waitFor();
    await page.getByLabel('Show only what contains').fill('LATER');
    await eventually('it is filtered', async () => (await page.getByRole('row', { name: /lobby:news/ }).count()) === 0);
  });

  it('follows nobody any more when it was left before the workers had answered', async () => {
    const isOn = (): boolean[] => [near, far].map(({ app }) => app.get(LiveTraces).isOn);
    network.replies = 'hold';
    await go('#/trace/room/late');
    await eventually('the workers follow', () => isOn().every(Boolean));
    await go('#/trace');
    await page.getByText(/^Follow the messages/).waitFor();
    network.replies = 'pass';
    await eventually('no worker follows anybody', () => !isOn().some(Boolean));
  });

  it('is wide enough at 360 pixels, and readable in both themes, in all views', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    for (const theme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: theme });
      for (const view of views()) {
        await go(view);
        await page.locator('h1').waitFor();
        await eventually(`${view} is there`, isThere);
        const [width, faint] = await page.evaluate<[number, string[]]>(
          `[document.documentElement.scrollWidth, ${FAINT_TEXTS}]`,
        );
        expect({ view, theme, width, faint }).toEqual({ view, theme, width: 360, faint: [] });
      }
    }
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  it('keeps the theme that was chosen', async () => {
    const ground = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const light = await ground();
    await page.getByLabel('Theme').selectOption('Dark');
    const dark = await ground();
    await page.reload();
    expect([light === dark, await ground()]).toEqual([false, dark]);
    await page.getByLabel('Theme').selectOption('System');
    expect(await ground()).toBe(light);
  });

  it('is used by keyboard alone: to a user, into a question and out of it', async () => {
    await go('#/users');
    await page.reload();
    await page.getByRole('row', { name: /ada/ }).waitFor();
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
    await page.keyboard.press('Tab'); // the search
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('ada');
    expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
    await page.keyboard.press('Enter');
    await shown('1 connection').waitFor();
    expect(await focused()).toBe('ada'); // the heading of the next view
    const stops: string[] = [];
    while (stops.at(-1) !== 'Disconnect') {
      await page.keyboard.press('Tab');
      stops.push(await focused());
    }
    expect(stops).toEqual(['Trace', 'Send notice', 'Disconnect']);
    await page.keyboard.press('Enter');
    const question = page.getByRole('dialog', { name: 'Disconnect?' });
    expect(await question.textContent()).toContain('all connections of the user ada (1 connection)');
    for (let stop = 0; stop < 5; stop++) {
      await page.keyboard.press('Tab');
      expect(await page.evaluate("!document.activeElement.closest('main, header')")).toBe(true);
    }
    await page.keyboard.press('Escape');
    await question.waitFor({ state: 'detached' });
    expect(await focused()).toBe('Disconnect');
    expect(await page.locator('[tabindex]:not([tabindex="-1"])').count()).toBe(0);
  });

  it('tells in the question that an action was refused', async () => {
    guard.refuses = 'action';
    await button(/^Send notice/).click();
    await page.getByLabel('Text').fill('It is noon.');
    await button('Send').last().click();
    expect(await page.getByRole('alert').textContent()).toContain('FORBIDDEN');
    guard.refuses = undefined;
    await button('Send').last().click();
    expect(await ada.next('console', 'notice')).toMatchObject({ data: { text: 'It is noon.' } });
    await shown('Sent the notice to the user ada.').first().waitFor();
  });

  it('takes out of a room, and disconnects', async () => {
    await go('#/rooms/lobby');
    await button('Take out: the client').first().click();
    expect(await page.getByRole('dialog').textContent()).toMatch(/Takes the client .* out of the room lobby/);
    await button('Take out').last().click();
    await shown('1 member').waitFor();
    await eventually(
      'the focus is kept',
      async () => !(await page.evaluate('document.activeElement === document.body')),
    );
    await go('#/users/ada');
    await button(/^Disconnect/).click();
    await page.getByLabel(/^Reason/).fill('maintenance');
    await page.keyboard.press('Enter');
    expect(await ada.closed).toMatchObject({ code: 4506 });
    await shown('The user is not connected.').waitFor();
  });

  it('offers only what is allowed, and says that the guard refuses', async () => {
    expect(await button(/^Revoke/).count()).toBe(0);
    const other = await browser.newPage();
    await other.goto(`${far.origin}/console/#/users/bo`);
    await other.getByRole('row', { name: workerIdOf(near).slice(0, 8) }).waitFor();
    expect(await other.locator('main').getByRole('button', { includeHidden: false }).allTextContents()).toEqual([]);
    farGuard.refuses = 'connection';
    await other.reload();
    await other.getByText(/^The server has ended the connection: .*\(3003\)\.$/).waitFor();
    farGuard.refuses = undefined;
    await other.getByRole('button', { name: 'Connect now' }).click();
    await other.getByRole('row', { name: workerIdOf(near).slice(0, 8) }).waitFor();
    await other.close();
  });

  it('goes on by way of another worker, where it was, when it has lost its own', async () => {
    await go('#/trace/room/late');
    await shown(/ left$/).waitFor();
    await bo.request('system', 'joinRoom', { roomName: 'late' });
    await page.getByRole('row', { name: /joined.*bo/ }).waitFor();
    await page.getByLabel('Show only what contains').fill('bo');
    network.target = 1; // where nobody listens
    network.reset();
    await shown(/^The connection is lost\. .*What you see is from/).waitFor();
    network.target = far.port;
    // Unless it has come back by itself meanwhile.
    await button('Connect now').evaluateAll((buttons: { click(): void }[]) => buttons[0]?.click());
    await page.getByText('live', { exact: true }).waitFor();
    await shown(/ left$/).waitFor();
    expect(await shown(/^The connection is lost/).count()).toBe(0);
    const rows = (name: RegExp): Promise<number> => page.getByRole('row', { name }).count();
    const hasComeBack = async (): Promise<boolean> => {
      await bo.request('system', 'leaveRoom', { roomName: 'late' });
      await bo.request('system', 'joinRoom', { roomName: 'late' });
      return (await rows(/left.*bo/)) > 0 && (await rows(/joined.*bo/)) > 1;
    };
    await eventually('the trace goes on', hasComeBack);
    expect(await page.getByLabel('Show only what contains').inputValue()).toBe('bo');
  });

  it('never broke its policy, and nothing failed', () => {
    expect(complaints.filter((line) => !line.includes('/console/socket'))).toEqual([]);
  });
});
