import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Header } from '@nestjs/common';
import { WsClient, WsRoute, type PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import type { Browser, Page } from 'playwright-core';
import type { WebSocketClient, WebSocketClientError } from '../../lib/client/index.js';
import { launchChromium } from '../support/chromium.js';
import { bundleClient } from '../support/client-bundle.js';
import { ScriptedServer } from '../support/scripted-server.js';
import { startsOneApp, type TestApp } from '../support/test-app.js';

const start = startsOneApp();
let browser: Browser;
let bundle: string;
let page: Page | undefined;
let server: ScriptedServer | undefined;

@Controller()
class PageController {
  @Get()
  @Header('Content-Type', 'text/html')
  page(): string {
    return '<script type="module">import * as client from "/client.js"; Object.assign(window, client);</script>';
  }

  @Get('client.js')
  @Header('Content-Type', 'text/javascript')
  script(): string {
    return bundle;
  }
}

class Gateway {
  @WsRoute('test', 'echo')
  echo(_client: WsClient, data: unknown): unknown {
    return data;
  }
}

beforeAll(async () => {
  [browser, { text: bundle }] = await Promise.all([launchChromium(), bundleClient()]);
});
afterEach(async () => {
  await page?.close();
  await server?.close();
  server = undefined;
});
afterAll(() => browser.close());

/** A page of an application that has loaded the single file. */
async function open(options: PxlWebSocketModuleOptions = {}): Promise<{ page: Page; app: TestApp }> {
  const app = await start({ controllers: [PageController], providers: [Gateway], options });
  page = await browser.newPage();
  await page.goto(app.origin);
  await page.waitForFunction('window.WebSocketClient');
  return { page, app };
}

/** What the pages of this spec know. */
interface Globals {
  WebSocketClient: typeof WebSocketClient;
  client: WebSocketClient;
  states: string[];
}
declare const window: Globals;

/** A page with a client of a scripted server, which writes down its states. */
async function openConnected(): Promise<{ page: Page; server: ScriptedServer }> {
  server = await ScriptedServer.start();
  const { page } = await open();
  await page.evaluate(async (url) => {
    const client = new window.WebSocketClient({ url, reconnect: { minDelay: 60_000, maxDelay: 60_000 } });
    Object.assign(window, { client, states: [] });
    client.onState(({ state, ...change }) => window.states.push('code' in change ? `${state}:${change.code}` : state));
    await client.connect();
  }, server.url);
  return { page, server };
}

const states = (page: Page) => page.evaluate(() => window.states);
const reached = (page: Page, state: string) => page.waitForFunction((wanted) => window.states.at(-1) === wanted, state);
const happens = (page: Page, target: 'window' | 'document', event: string) =>
  page.evaluate(`${target}.dispatchEvent(new Event('${event}'))`);

describe('the single file, in a page', () => {
  it("connects to the page's own server with the page's own WebSocket", async () => {
    const { page } = await open();
    const answer = await page.evaluate(async () => {
      const client = new window.WebSocketClient({ url: '/ws' });
      await client.connect();
      const reply = await client.request('test', 'echo', { n: 1 });
      client.disconnect();
      return [reply, client.state];
    });
    expect(answer).toEqual([{ n: 1 }, 'disconnected']);
  });

  it('connects to a server that names no subprotocol and gives no ids', async () => {
    const { page } = await open();
    const answer = await page.evaluate(async () => {
      const client = new window.WebSocketClient({ url: '/ws', server: 'other' });
      await client.connect();
      const reply = await client.request('test', 'echo', { n: 1 });
      client.disconnect();
      return [reply, client.clientId];
    });
    expect(answer).toEqual([{ n: 1 }, null]);
  });

  it('stops when its token is refused: with the reason, and when there was no other for as long as it is patient', async () => {
    const { page } = await open({ auth: { authenticate: () => null } });
    const refusals = await page.evaluate(async () => {
      const refusalOf = async (options: object) => {
        const client = new window.WebSocketClient({ url: '/ws', ...options });
        const refusal = await client.connect().then(
          () => null,
          (error: unknown) => error as WebSocketClientError,
        );
        return { code: refusal?.code, closeCode: refusal?.closeCode, message: refusal?.message, state: client.state };
      };
      return [await refusalOf({}), await refusalOf({ getToken: () => 'bad', tokenPatience: 700 })];
    });
    const refusal = { code: 'UNAUTHENTICATED', closeCode: 4003, state: 'disconnected' };
    expect(refusals).toEqual([
      { ...refusal, message: expect.stringMatching(/^[A-Z][^{]+\.$/) },
      { ...refusal, message: 'There is no new token.' },
    ]);
  });

  it('goes on over a connection that works when the page hears that it is offline', async () => {
    const { page, server } = await openConnected();
    await happens(page, 'window', 'offline');
    await page.evaluate(() => void window.client.send('still', 'there'));
    await (await server.next()).next('there');
    expect(await states(page)).toEqual(['connecting', 'connected']);
  });

  it('says what a token is that no subprotocol may hold', async () => {
    const { page } = await open();
    const refusal = await page.evaluate(async () => {
      const client = new window.WebSocketClient({ url: '/ws', getToken: () => 'no token at all' });
      return client.connect().catch((error: unknown) => [(error as { code: string }).code, String(error)]);
    });
    expect(refusal).toEqual(['BAD_OPTION', expect.stringMatching(/There is no socket: SyntaxError/)]);
  });

  it('comes back at once when the network does, or somebody looks at it', async () => {
    const { page, server } = await openConnected();
    for (const [target, event] of [
      ['window', 'online'],
      ['document', 'visibilitychange'],
    ] as const) {
      (await server.next()).socket.terminate();
      await reached(page, 'reconnecting:1006');
      await happens(page, target, event);
      await reached(page, 'connected');
    }
    expect(server.connections).toHaveLength(3);
  });

  it('keeps to the time that a server has asked for', async () => {
    const { page, server } = await openConnected();
    (await server.next()).socket.close(1012, '{"after":30000}');
    await reached(page, 'reconnecting:1012');
    await happens(page, 'window', 'online');
    await happens(page, 'document', 'visibilitychange');
    await server.expectNobody();
    await page.evaluate(() => window.client.connect());
    expect(server.connections).toHaveLength(2);
  });

  it('asks for a sign of life when somebody looks at it again', async () => {
    server = await ScriptedServer.start((connection) =>
      connection.welcome({ heartbeat: { interval: 60_000, timeout: 60_000 } }),
    );
    const { page } = await open();
    await page.evaluate(async (url) => {
      const client = new window.WebSocketClient({ url });
      await client.connect();
    }, server.url);
    await happens(page, 'document', 'visibilitychange');
    expect(await (await server.next()).next()).toEqual({ type: 'system', action: 'ping' });
  });

  it('hears no more of the page once it is disconnected', async () => {
    const { page, server } = await openConnected();
    await page.evaluate(() => window.client.disconnect());
    await happens(page, 'window', 'online');
    await happens(page, 'document', 'visibilitychange');
    await server.expectNobody();
    expect(await states(page)).toEqual(['connecting', 'connected', 'disconnected:1000']);
  });

  it('reports what a handler throws to the page, when the application does not want it', async () => {
    const { page, server } = await openConnected();
    const thrown = new Promise<string>((resolve) => page.once('pageerror', ({ message }) => resolve(message)));
    await page.evaluate(() => void window.client.on('a', 'b', () => Promise.reject(new Error('of the page'))));
    (await server.next()).send({ type: 'a', action: 'b' });
    expect(await thrown).toBe('of the page');
  });
});
