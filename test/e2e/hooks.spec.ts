import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Header } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { ClientManager, RoomManager, WebSocketService, WsRoute } from 'nestjs-pxl-websocket';
import type { Browser, Page } from 'playwright-core';
import { createElement } from 'react';
import { renderToString as reactToString } from 'react-dom/server';
import { renderToString as vueToString } from 'vue/server-renderer';
import { WebSocketClient } from '../../lib/client/index.js';
import { launchChromium } from '../support/chromium.js';
import { ClientSockets } from '../support/client-sockets.js';
import { bundleForPage } from '../support/page-bundle.js';
import { type Shown } from '../support/pages/page-contract.js';
import * as reactPage from '../support/pages/react-page.js';
import * as vuePage from '../support/pages/vue-page.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { until } from '../support/until.js';

const FRAMEWORKS = {
  React: {
    program: new URL('../support/pages/react-page.ts', import.meta.url),
    render: async (props: reactPage.AppProps) => reactToString(createElement(reactPage.App, props)),
    sentence: 'There is no client: put a <SocketProvider client={...}> around this component.',
  },
  Vue: {
    program: new URL('../support/pages/vue-page.ts', import.meta.url),
    render: (props: reactPage.AppProps) => vueToString(vuePage.app(props)),
    sentence: 'There is no client: call app.use(socketPlugin, client), or useSocketClient(options) further up.',
  },
};
type Framework = keyof typeof FRAMEWORKS;

/** What the pages know. */
declare const hooks: Pick<typeof reactPage, 'page' | 'WebSocketClient'>;
/** One that a test has made there. */
declare const client: WebSocketClient;

const scripts = new Map<Framework, string>();
let app: TestApp;
let browser: Browser;
let page: Page | undefined;
let upgrades = 0;
let markup = '';
let script = '';
let closedRooms: string[] = [];
/** Who connects from now on, as a cookie says it. */
let userId: string;
let asked: string[] = [];
let complaints: string[] = [];

@Controller()
class PageController {
  @Get()
  @Header('Content-Type', 'text/html')
  page(): string {
    return `<!doctype html><link rel="icon" href="data:,"><div id="root">${markup}</div><script src="/page.js"></script>`;
  }

  @Get('page.js')
  @Header('Content-Type', 'text/javascript')
  script(): string {
    return script;
  }
}

class TeaGateway {
  @WsRoute('tea', 'pot')
  pot(@MessageBody('of') of: string): { cups: number } {
    return { cups: asked.push(of) };
  }
}

beforeAll(async () => {
  const bundled = Object.entries(FRAMEWORKS).map(async ([name, { program }]) => {
    scripts.set(name as Framework, await bundleForPage({ hooks: program }));
  });
  const authorize = ({ roomName }: { roomName: string }): boolean => !closedRooms.includes(roomName);
  const history = (roomName: string) => (roomName === 'log' ? { size: 10, ttl: 60_000 } : null);
  const parts = {
    controllers: [PageController],
    providers: [TeaGateway],
    options: { auth: { authenticate: () => ({ userId }) }, rooms: { authorize, history, presence: { interval: 20 } } },
  };
  [browser, app] = await Promise.all([launchChromium(), startApp(parts), ...bundled]);
  (app.app.getHttpServer() as NodeJS.EventEmitter).on('upgrade', () => upgrades++);
});
beforeEach(() => {
  upgrades = 0;
  userId = 'ada';
  markup = '';
  closedRooms = [];
  asked = [];
  complaints = [];
});
afterEach(async () => {
  await page?.close();
  // Development builds complain of what an application does wrong.
  expect(complaints).toEqual([]);
  await until(() => app.app.get(ClientManager).getClients().length === 0);
});
afterAll(() => Promise.all([browser.close(), app.close()]));

/** A page of the server, before it has rendered anything itself. */
async function load(framework: Framework): Promise<Page> {
  script = scripts.get(framework)!;
  page = await browser.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', ({ message }) => complaints.push(message));
  await page.goto(app.origin);
  return page;
}

/** A page that is connected by a client of its own. */
async function open(framework: Framework): Promise<Page> {
  const loaded = await load(framework);
  await loaded.evaluate(() => hooks.page.open({}));
  await shows(loaded, '#state', 'connected');
  return loaded;
}

const show = (page: Page, change: Partial<Shown>) => page.evaluate((next) => hooks.page.show(next), change);

async function shows(page: Page, place: string, text: string): Promise<void> {
  await page.waitForFunction(
    `Array.from(document.querySelectorAll(${JSON.stringify(place)}), (at) => at.textContent).join() === ${JSON.stringify(text)}`,
  );
}

const membersOf = (roomName: string) => app.app.get(RoomManager).getRoomClients({ roomName });
const pour = (text: string, roomName = 'tea') =>
  app.app.get(WebSocketService).sendToRooms([roomName], { type: 'tea', action: 'poured', data: { text } });

describe.each(Object.keys(FRAMEWORKS) as Framework[])('the hooks of %s', (framework) => {
  it('make one client, which connects with the component and is destroyed with it', async () => {
    const page = await open(framework);
    await show(page, { round: 1 });
    await page.waitForFunction(`document.querySelector('#state').title === 'The server answered.'`);
    await show(page, { isOn: false });
    await until(() => app.app.get(ClientManager).getClients().length === 0);
    await show(page, { isOn: true });
    await shows(page, '#state', 'connected');
    expect([upgrades, await page.evaluate(() => hooks.page.clients.size)]).toEqual([2, 2]);
  });

  it('hear what the server says once, by the newest handler, however often they are rendered', async () => {
    const page = await open(framework);
    await show(page, { hears: true, rooms: ['tea'] });
    await shows(page, '#rooms li', 'tea true');
    for (let round = 1; round <= 30; round++) await show(page, { round });
    await pour('a');
    await shows(page, '#log', '30:a');
    await show(page, { round: 31 });
    await pour('b');
    await shows(page, '#log', '30:a 31:b');
  });

  it('are in the rooms of the components that are there', async () => {
    const page = await open(framework);
    await show(page, { hears: true, rooms: ['tea', 'tea'] });
    await shows(page, '#rooms li', 'tea true,tea true');
    expect(membersOf('tea')).toHaveLength(1);
    await show(page, { rooms: ['tea'] });
    // A leave would have come before this request.
    await show(page, { pot: 'green' });
    await shows(page, '#pot', 'green 1');
    expect(membersOf('tea')).toHaveLength(1);
    await show(page, { rooms: ['chess'] });
    await shows(page, '#rooms li', 'chess true');
    await until(() => membersOf('tea').length === 0);
    await show(page, { rooms: [null] });
    await shows(page, '#rooms li', 'null false');
    await until(() => membersOf('chess').length === 0);
  });

  it('hear what was said before and while they were away, and whether they have missed anything', async () => {
    await app.app.get(WebSocketService).clearHistory('log');
    for (const text of ['a', 'b', 'c']) await pour(text, 'log');
    const page = await load(framework);
    await page.evaluate(() => hooks.page.open({ first: { hears: true, rooms: ['log'] } }));
    await shows(page, '#log', '0:b 0:c');
    app.app.get(ClientManager).getClients()[0]!.ws!.terminate();
    await pour('d', 'log');
    await shows(page, '#log', '0:b 0:c 0:d');
    const isTold = (title: string) => page.waitForFunction(`document.querySelector('#rooms li').title === '${title}'`);
    await isTold('true+');
    await app.app.get(WebSocketService).clearHistory('log');
    await isTold('false+-');
    await pour('e', 'log');
    await shows(page, '#log', '0:b 0:c 0:d 0:e');
  });

  it('say why a room is not to be had, and try again on the next connection', async () => {
    const page = await load(framework);
    closedRooms = ['tea'];
    await page.evaluate(() => hooks.page.open({ first: { rooms: ['tea'] } }));
    await shows(page, '#rooms li', 'FORBIDDEN');
    closedRooms = [];
    app.app.get(ClientManager).getClients()[0]!.ws!.terminate();
    await shows(page, '#rooms li', 'tea true');
    expect(membersOf('tea')).toHaveLength(1);
  });

  it('show who is in a room, render anew only when that changes, and say when the server ends it', async () => {
    const page = await open(framework);
    await show(page, { people: 'tea' });
    await shows(page, '#people', 'ada');
    userId = 'bo';
    const bo = await app.client();
    await bo.join('tea');
    await shows(page, '#people', 'ada bo');
    await page.click('#people');
    await shows(page, '#people', 'ada:away bo');
    const before = await page.evaluate(() => hooks.page.presents.size);
    userId = 'ada';
    app.app.get(ClientManager).getClientsByUser({ userId: 'ada' })[0]!.ws!.terminate();
    await until(() => upgrades === 3);
    await shows(page, '#state', 'connected');
    await show(page, { pot: 'green', round: 1 });
    await shows(page, '#pot', 'green 1');
    await shows(page, '#people', 'ada:away bo');
    expect(await page.evaluate(() => hooks.page.presents.size)).toBe(before);
    await bo.request('system', 'presence', { roomName: 'tea', state: 'here' });
    await shows(page, '#people', 'ada:away bo:here');
    expect(await page.evaluate(() => hooks.page.presents.size)).toBe(before + 1);
    await app.app.get(WebSocketService).leaveRooms({ userIds: ['ada'], rooms: ['tea'] });
    await page.waitForFunction(`document.querySelector('#people').title === '0 removed'`);
    await shows(page, '#people', '');
    await bo.close();
  });

  it('are in the same rooms when another user comes in the place of the first', async () => {
    const page = await load(framework);
    await page.evaluate(async () => {
      const client = new hooks.WebSocketClient({ url: '/ws' });
      Object.assign(globalThis, { client });
      hooks.page.open({ client, first: { rooms: ['tea'] } });
      await client.connect();
    });
    await shows(page, '#rooms li', 'tea true');
    userId = 'bob';
    await page.evaluate(() => client.disconnect());
    await shows(page, '#rooms li', 'tea false');
    await page.evaluate(() => client.connect());
    await shows(page, '#rooms li', 'tea true');
    const users = membersOf('tea').map((clientId) => app.app.get(ClientManager).getClient({ clientId })?.user?.userId);
    expect(users).toEqual(['bob']);
  });

  it('ask once, keep the answer, and ask again when they are told to', async () => {
    const page = await open(framework);
    await show(page, { pot: 'green' });
    await shows(page, '#pot', 'green 1');
    for (let round = 1; round <= 5; round++) await show(page, { round });
    expect(asked).toEqual(['green']);
    await page.click('#pot');
    await shows(page, '#pot', 'green 2');
    await show(page, { pot: 'black' });
    await shows(page, '#pot', 'black 3');
    await show(page, { pot: null });
    await show(page, { pot: 'green' });
    await shows(page, '#pot', 'green 4');
    expect(asked).toEqual(['green', 'green', 'black', 'green']);
  });

  it('throw a sentence where nobody shares a client', async () => {
    const page = await load(framework);
    await page.evaluate(() => hooks.page.openOutside());
    await shows(page, '#error', FRAMEWORKS[framework].sentence);
    complaints = complaints.filter((text) => !/error boundary|template or render function/.test(text));
  });

  it('connect nothing on a server that renders, and are hydrated as they were rendered', async () => {
    const sockets = new ClientSockets();
    const client = new WebSocketClient({ url: 'ws://127.0.0.1:1', webSocket: sockets.WebSocket });
    const first: Partial<Shown> = { hears: true, rooms: ['tea', null] };
    const { render } = FRAMEWORKS[framework];
    expect(await render({ first: { ...first, pot: 'green' } })).toContain('…');
    markup = await render({ client, first });
    expect(markup).toContain('disconnected');
    expect([client.state, sockets.all]).toEqual(['disconnected', []]);
    const page = await load(framework);
    await page.evaluate(async (first) => {
      const client = new hooks.WebSocketClient({ url: '/ws' });
      await client.connect();
      hooks.page.hydrate({ client, first });
    }, first);
    await shows(page, '#state', 'connected');
    await shows(page, '#rooms li', 'tea true,null false');
    expect([upgrades, complaints]).toEqual([1, []]);
  });
});
