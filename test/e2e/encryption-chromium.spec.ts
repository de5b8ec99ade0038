import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { WebSocketGateway } from '@nestjs/websockets';
import { ClientManager, WebSocketService, WsRoute, type WsClient } from 'nestjs-pxl-websocket';
import type { Browser, Page } from 'playwright-core';
import type { ClientEncryption, EncryptionSession } from '../../lib/client/client-encryption.interface.js';
import { launchChromium } from '../support/chromium.js';
import { isSoak } from '../support/cluster-periods.js';
import { bundleForPage } from '../support/page-bundle.js';
import { framesOf, RecordingProxy } from '../support/recording-proxy.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { until } from '../support/until.js';

const COUNT = isSoak ? 10_000 : 1_000;
const MARK = 'a-word-that-only-the-client-may-read';

@WebSocketGateway()
class Gateway {
  readonly handled: unknown[] = [];

  @WsRoute('test', 'echo')
  echo(_client: WsClient, data: unknown): unknown {
    this.handled.push(data);
    return data;
  }
}

/** What runs in the page; the bundle has put the two clients there. */
interface PageGlobals {
  peer: { WebCryptoPeer: { create(): Promise<PagePeer> } };
  sdk: { webCryptoEncryption(): ClientEncryption };
  heard: unknown[];
  opened: Record<string, unknown>[];
  clear: number;
  say: (messages: object[]) => Promise<void>;
}
type PagePeer = Pick<EncryptionSession, 'agree' | 'publicKey' | 'sealed'> & {
  seal(text: string): Promise<string>;
  open(data: string): Promise<string | readonly string[]>;
};

let browser: Browser;
let bundle: string;
let app: TestApp;
let proxy: RecordingProxy;
let page: Page;

beforeAll(async () => {
  bundle = await bundleForPage({
    peer: new URL('../support/web-crypto-peer.ts', import.meta.url),
    sdk: new URL('../../lib/client/encryption/index.ts', import.meta.url),
  });
  browser = await launchChromium();
});
afterAll(() => browser.close());

beforeEach(async () => {
  app = await startApp({
    providers: [Gateway],
    options: { encryption: true, origins: '*', limits: { maxBufferedBytes: 64 * 1024 * 1024 } },
  });
  proxy = await RecordingProxy.to(app.port);
  page = await browser.newPage();
  await page.goto(`${app.origin}/nowhere`);
  await page.addScriptTag({ content: bundle });
});
afterEach(async () => {
  await page.close();
  await proxy.close();
  await app.close();
});

/** Connects the page through the proxy; resolves with its client id once the keys are agreed on. */
function connectPage(kind: 'peer' | 'sdk'): Promise<string> {
  return page.evaluate(
    async ([url, kind]) => {
      const scope = globalThis as unknown as PageGlobals;
      const ofPeer = async (): Promise<PagePeer> => scope.peer.WebCryptoPeer.create();
      const ofSdk = async (): Promise<PagePeer> => {
        const session = await scope.sdk.webCryptoEncryption().offer();
        return {
          publicKey: session.publicKey,
          sealed: session.sealed,
          agree: (answer) => session.agree(answer),
          seal: (text) => session.encrypt(text),
          open: (data) => session.decrypt(data),
        };
      };
      const side = await (kind === 'peer' ? ofPeer() : ofSdk());
      const announced = side.sealed ? `&sealed=${side.sealed}` : '';
      const socket = new WebSocket(`${url}?publicKey=${side.publicKey}${announced}`);
      scope.opened = [];
      scope.clear = 0;
      let before = Promise.resolve();
      const clientId = new Promise<string>((resolve, reject) => {
        const take = async (text: string): Promise<void> => {
          const { action, data } = JSON.parse(text) as { action: string; data: never };
          if (action === 'encrypted') {
            const texts = [await side.open(data)].flat();
            for (const text of texts) scope.opened.push(JSON.parse(text) as Record<string, unknown>);
          } else {
            scope.clear++;
            await side.agree(data);
            resolve((data as { clientId: string }).clientId);
          }
        };
        socket.onmessage = ({ data }) => {
          before = before.then(() => take(String(data))).catch(reject);
        };
      });
      scope.say = async (messages) => {
        for (const message of messages) {
          const data = await side.seal(JSON.stringify(message));
          socket.send(JSON.stringify({ type: 'system', action: 'encrypted', data }));
        }
      };
      return clientId;
    },
    [proxy.url, kind] as const,
  );
}

/** Takes what the page has opened, once so much is there. */
async function opened(count: number): Promise<Record<string, unknown>[]> {
  await page.waitForFunction((wanted) => (globalThis as unknown as PageGlobals).opened.length >= wanted, count, {
    timeout: 40_000,
  });
  return page.evaluate(() => (globalThis as unknown as PageGlobals).opened.splice(0));
}

describe.each([
  ['an independent WebCrypto client', 'peer'],
  ['the webCryptoEncryption of the client library', 'sdk'],
] as const)('encryption in Chromium: %s', (_what, kind) => {
  it(`carries ${COUNT} messages each way in order, beside a plain client of the same room`, async () => {
    const clientId = await connectPage(kind);
    const other = await app.client();
    const service = app.app.get(WebSocketService);
    await service.joinRooms({ clientIds: [clientId, other.clientId], rooms: ['tea'] });
    const numbers = Array.from({ length: COUNT }, (_, n) => n);

    for (const n of numbers) {
      void service.sendToRooms(['tea'], { type: 'n', action: 'm', data: [n, MARK] });
      if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await opened(COUNT)).map(({ data }) => (data as unknown[])[0])).toEqual(numbers);
    await until('all pushes', () => other.pending.length === COUNT);

    const requests = numbers.map((n) => ({ type: 'test', action: 'echo', data: n, id: n }));
    await page.evaluate((messages) => (globalThis as unknown as PageGlobals).say(messages), requests);
    expect((await opened(COUNT)).map(({ response }) => response)).toEqual(numbers);
    expect(app.app.get(Gateway).handled).toEqual(numbers);

    expect(await page.evaluate(() => (globalThis as unknown as PageGlobals).clear)).toBe(1);
    expect(app.app.get(ClientManager).getClient({ clientId, requireWs: true })?.encrypted).toBe(true);
    const [recording] = proxy.recordings;
    const frames = framesOf(recording!.fromServer()).length;
    if (kind === 'peer') expect(frames).toBe(1 + 2 * COUNT);
    else expect(frames).toBeLessThan(1.2 * COUNT); // a hundred pushes leave together
    expect(recording!.fromServer().includes(MARK)).toBe(false);
    await other.close();
  }, 90_000);
});

it('the socket of the client library hands on the frames of a list one by one, as a page hears frames', async () => {
  const clientId = await page.evaluate(async (url) => {
    const scope = globalThis as unknown as PageGlobals;
    const encryption = scope.sdk.webCryptoEncryption();
    const session = await encryption.offer();
    const inner = new WebSocket(`${url}?publicKey=${session.publicKey}&sealed=${session.sealed}`);
    const socket = encryption.over(inner, session, 'pxl.v1');
    scope.heard = [];
    return new Promise<string>((resolve) => {
      const hear = async (text: string): Promise<void> => {
        const { action, data } = JSON.parse(text) as { action: string; data: { clientId: string } };
        if (action === 'connected') {
          resolve(data.clientId);
          return;
        }
        scope.heard.push(data);
        for (let step = 0; step < 20; step++) await Promise.resolve();
        scope.heard.push('and what awaited it');
      };
      socket.onmessage = ({ data: text }) => void hear(String(text));
    });
  }, proxy.url);
  const service = app.app.get(WebSocketService);
  for (const data of [1, 2, 3]) void service.sendToClients([clientId], { type: 'n', action: 'm', data });
  await page.waitForFunction(() => (globalThis as unknown as PageGlobals).heard.length === 6);
  const heard = await page.evaluate(() => (globalThis as unknown as PageGlobals).heard);
  expect(heard).toEqual([1, 2, 3].flatMap((data) => [data, 'and what awaited it']));
  expect(framesOf(proxy.recordings[0]!.fromServer())).toHaveLength(2);
});
