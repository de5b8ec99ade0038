import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Header } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { ClientManager, WebSocketService, WsRoute, type WsClient } from 'nestjs-pxl-websocket';
import { ChromiumTab, startChromium } from '../support/chromium-tab.js';
import { bundleClient } from '../support/client-bundle.js';
import { Gate } from '../support/gate.js';
import type { RemoteBrowser } from '../support/remote-browser.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { until } from '../support/until.js';

/** What the pages have said, and how their connections ended. */
const said: unknown[] = [];
const closes: (number | undefined)[] = [];
let tokens = new Gate();
/** What upgrades wait for, and how many have asked. */
let admission = Promise.resolve();
let asked = 0;
let bundle: string;
let browser: RemoteBrowser;
let app: TestApp;
let clients: ClientManager;
let tab: ChromiumTab;

@WebSocketGateway()
class Gateway {
  handleDisconnect(_client: WsClient, _reason: string, code?: number): void {
    closes.push(code);
  }

  @WsRoute('test', 'say')
  say(_client: WsClient, data: unknown): void {
    said.push(data);
  }

  @WsRoute('test', 'never')
  never(): Promise<void> {
    return new Promise(() => undefined);
  }
}

@Controller()
class PageController {
  /** A page with a client: `/page?{options of the client}`. */
  @Get('page')
  @Header('Content-Type', 'text/html')
  page(): string {
    return `<!doctype html><script type="module">
      import { WebSocketClient } from '/client.js';
      window.told = [];
      const waiting = [];
      const tell = (line) => {
        told.push(line);
        for (const look of waiting) look();
      };
      window.hears = (line) => new Promise((resolve) => {
        const look = () => told.includes(line) && resolve();
        waiting.push(look);
        look();
      });
      const { token, ...options } = JSON.parse(decodeURIComponent(location.search.slice(1)) || '{}');
      if (token) options.getToken = () => fetch('/token', { cache: 'no-store' }).then(() => null);
      const events = {
        onDisconnected: () => tell('onDisconnected'),
        onReconnecting: ({ delay }) => tell('onReconnecting ' + delay),
        onReconnected: () => tell('onReconnected'),
      };
      window.client = new WebSocketClient({ url: '/ws', reconnect: { minDelay: 20, maxDelay: 100 }, ...options, events });
      client.onState(({ state, reason }) => tell(state === 'reconnecting' ? state + ': ' + reason : state));
      client.on('test', 'push', (data) => tell('push ' + data));
      window.connected = client.connect();
    </script>`;
  }

  @Get('client.js')
  @Header('Content-Type', 'text/javascript')
  script(): string {
    return bundle;
  }

  @Get('token')
  token(): Promise<void> {
    said.push('token');
    return tokens.passed;
  }
}

beforeAll(async () => {
  [browser, { text: bundle }] = await Promise.all([startChromium(), bundleClient()]);
  const authenticate = async (): Promise<{ anonymous: true }> => {
    asked++;
    await admission;
    return { anonymous: true };
  };
  const options = { auth: { authenticate }, rooms: { open: true }, shutdown: { timeout: 100 } };
  app = await startApp({ controllers: [PageController], providers: [Gateway], options });
  clients = app.app.get(ClientManager);
});
afterAll(async () => {
  await app.close();
  await browser.close();
});

beforeEach(() => {
  said.length = closes.length = asked = 0;
  tokens = new Gate();
});
afterEach(close);

async function close(): Promise<void> {
  await tab.close();
  await until('the tab lets go of its connection', () => clients.getClients().length === 0);
}

const urlOf = (options = {}): string => `${app.origin}/page?${encodeURIComponent(JSON.stringify(options))}`;
const ids = (): string[] => clients.getClients().map(({ clientId }) => clientId);
const told = (): Promise<string[]> => tab.evaluate('told');

/** A tab whose page has connected. */
async function open(options = {}): Promise<void> {
  tab = await ChromiumTab.open(browser, urlOf(options));
  await tab.evaluate('connected.then(() => undefined)');
}

/**
 * The only connection, once it is another one than before, and its page has been told so: a page that is left before may be
 * frozen before Chromium gives up its dial (findings/chromium-close-of-a-dial-in-freeze.sh).
 */
async function connected(before?: string): Promise<string> {
  await until('one connection', () => ids().length === 1 && ids()[0] !== before);
  await welcomed();
  return ids()[0]!;
}

/** Resolves once the page is connected. */
function welcomed(): Promise<void> {
  return tab.evaluate(`new Promise((resolve) => {
    const look = () => client.state === 'connected' && resolve();
    client.onState(look);
    look();
  })`);
}

/**
 * Whether a page that is left before its dial is answered gives it up: Chromium dials a host once at a time, so only then the
 * next page's dial comes before the answer.
 */
async function givesItUp(): Promise<boolean> {
  const gate = new Gate();
  admission = gate.passed;
  closes.length = asked = 0;
  tab = await ChromiumTab.open(browser, urlOf());
  await until('the upgrade', () => asked === 1);
  await tab.go(urlOf({ queue: { limit: 1 } }));
  const nextDials = (): Promise<void> => until('the upgrade of the next page', () => asked === 2, 5_000);
  const isGivenUp = await nextDials().then(
    () => true,
    () => false,
  );
  gate.open();
  await nextDials();
  await welcomed();
  return isGivenUp;
}

/** Resolves once the page has been told something. */
const hears = (line: string): Promise<void> => tab.evaluate(`hears('${line}')`);
const gone = (): Promise<void> => until('no connection', () => ids().length === 0);

describe('a page that nobody looks at', () => {
  it('has no connection while it is kept for the way back: one tab, one connection', async () => {
    await open();
    let id = await connected();
    for (let page = 1; page <= 10; page++) {
      // A page that the browser will not have thrown out yet: it keeps six.
      if (page === 8) await tab.evaluate("connected.then(() => client.join('tea'))");
      await tab.go(urlOf({ queue: { limit: page } }));
      id = await connected(id);
    }
    for (let page = 9; page >= 7; page--) {
      await tab.turn(-1);
      id = await connected(id);
    }
    // It is the very page, with its room and its handlers.
    await until('the room', () => clients.getClient({ clientId: id })?.rooms.has('tea') === true);
    await app.app.get(WebSocketService).sendToRooms(['tea'], { type: 'test', action: 'push', data: 1 });
    await hears('push 1');
    expect(await told()).toEqual([
      'connecting',
      'connected',
      'reconnecting: The page was hidden.',
      'onDisconnected',
      'onReconnecting Infinity',
      'connected',
      'onReconnected',
      'push 1',
    ]);
    for (let page = 6; page >= 0; page--) {
      await tab.turn(-1);
      id = await connected(id);
    }
  });

  it('says its last words before it is left, and what comes too late for that when it is back', async () => {
    await open();
    let id = await connected();
    await tab.evaluate(`connected.then(() => {
      const sayOn = (target, event) => target.addEventListener(event, () => client.send('test', 'say', event), { once: true });
      sayOn(window, 'pagehide');
      sayOn(document, 'visibilitychange');
      sayOn(document, 'freeze');
    })`);
    await tab.go(urlOf({ pageLifecycle: true }));
    id = await connected(id);
    expect(said).toEqual(['pagehide', 'visibilitychange']);
    await tab.turn(-1);
    await connected(id);
    await until('the word of the frozen page', () => said.length === 3);
    expect(said[2]).toBe('freeze');
  });

  it('gets none when it was left on its way to the server', async () => {
    // On a busy machine Chromium may freeze a page before it has given up the dial; hardly three times in a row.
    let tries = 1;
    while (!(await givesItUp())) {
      expect(tries++).toBeLessThan(3);
      await close();
    }
    expect(ids()).toHaveLength(1);
    const [id] = ids();
    await tab.turn(-1);
    await connected(id);
    expect([asked, closes]).toEqual([3, [1000]]);
  });

  it('has no connection while it is frozen', async () => {
    await open();
    const id = await connected();
    await tab.evaluate(`connected.then(() => client.join('tea')).then(() => {
      window.asked = client.request('test', 'never').catch(({ code, retryable }) => [code, retryable]);
    })`);
    await tab.freeze();
    await gone();
    await tab.thaw();
    expect(await tab.evaluate('asked')).toEqual(['UNAVAILABLE', true]);
    const next = await connected(id);
    await until('the room', () => clients.getClient({ clientId: next })?.rooms.has('tea') === true);
    expect(closes).toEqual([1000]);
  });

  it('is connected once when it was frozen on its way to the server, however often', async () => {
    tab = await ChromiumTab.open(browser, urlOf({ token: true }));
    await until('it asks for its token', () => said.length === 1);
    await tab.freeze();
    await tab.thaw();
    await until('it asks again', () => said.length === 2);
    await tab.freeze();
    tokens.open();
    await tab.thaw();
    await tab.evaluate('connected');
    expect(ids()).toHaveLength(1);
    expect((await told()).slice(-2)).toEqual(['onReconnecting Infinity', 'connected']);
  });

  it('comes back also where the client does not come back from a loss', async () => {
    await open({ reconnect: false });
    const id = await connected();
    await tab.freeze();
    await gone();
    await tab.thaw();
    await connected(id);
    (clients.getClients()[0] as WsClient).close(4000);
    await hears('disconnected');
  });

  it('stays away when the application disconnects it while it is away', async () => {
    await open();
    await connected();
    await tab.evaluate("document.addEventListener('freeze', () => client.disconnect())");
    await tab.freeze();
    await gone();
    await tab.thaw();
    await hears('disconnected');
    expect(await tab.evaluate('client.state')).toBe('disconnected');
    await tab.evaluate('void client.connect()');
    await connected();
    expect(closes).toEqual([1000]);
  });

  it('connects at once when the application wants it so', async () => {
    await open();
    const id = await connected();
    await tab.evaluate(
      `connected.then(() => document.dispatchEvent(new Event('freeze'))).then(() => client.connect())`,
    );
    await connected(id);
    await hears('onReconnected');
    expect((await told()).slice(-3)).toEqual(['onReconnecting Infinity', 'connected', 'onReconnected']);
  });

  it('keeps its connection with pageLifecycle: false', async () => {
    await open({ pageLifecycle: false });
    const id = await connected();
    await tab.go(urlOf({ queue: { limit: 1 } }));
    await until('two connections', () => ids().length === 2);
    expect(ids()).toContain(id);
    expect(closes).toEqual([]);
  });
});
