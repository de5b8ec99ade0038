import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Header } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { PxlWebSocketClientModule, WebSocketClientController, WebSocketService, WsRoute } from 'nestjs-pxl-websocket';
import { WebSocketClient } from 'nestjs-pxl-websocket/client';
import { webCryptoEncryption } from '../../lib/client/encryption/index.js';
import type { RoomRecovery, WebSocketClientOptions } from '../../lib/client/index.js';
import { ChromiumTab, startChromium } from '../support/chromium-tab.js';
import { bundleClient } from '../support/client-bundle.js';
import type { RemoteBrowser } from '../support/remote-browser.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { testsClients } from '../support/test-clients.js';
import { until } from '../support/until.js';

/** Rooms of this name have no history. */
const PLAIN = 'plain';
const ROUNDS = 4;
const history = (roomName: string) => (roomName === PLAIN ? null : { size: 1_000, ttl: 60_000 });

const newClient = testsClients();
let bundle: string;
let app: TestApp;
let proxy: TcpProxy;
let service: WebSocketService;
/** How many messages each room has got. */
let sent: Map<string, number>;

@Controller()
class PageController {
  /** A page that keeps what it has heard and where it stands, and loads itself anew. */
  @Get('page')
  @Header('Content-Type', 'text/html')
  page(): string {
    return `<!doctype html><script type="module">
      import { WebSocketClient } from '/client.js';
      const kept = JSON.parse(sessionStorage.kept ?? '{"lines":[],"recoveries":[]}');
      window.kept = kept;
      window.client = new WebSocketClient({
        url: '/ws',
        positions: kept.positions,
        events: { onRecovered: ({ roomName, recovered }) => roomName === 'tea' && kept.recoveries.push(recovered) },
      });
      client.on('chat', 'line', async (line) => {
        await new Promise((resolve) => setTimeout(resolve, 2));
        kept.lines.push(line);
      });
      addEventListener('pagehide', () => {
        sessionStorage.kept = JSON.stringify({ ...kept, positions: client.positions });
      });
      client.connect();
      client.join('tea', { history: 1000 });
    </script>`;
  }

  @Get('client.js')
  @Header('Content-Type', 'text/javascript')
  script(): string {
    return bundle;
  }
}

beforeAll(async () => {
  bundle = (await bundleClient()).text;
  app = await startApp({
    controllers: [PageController],
    options: { rooms: { open: true, history, defaults: ['given'] }, encryption: {} },
  });
  proxy = await TcpProxy.before(app.port);
  service = app.app.get(WebSocketService);
});
beforeEach(() => {
  sent = new Map();
});
afterAll(async () => {
  await app.close();
  await proxy.close();
});

/** Sends the next lines of a room. */
async function say(room: string, count: number, options: { exclude?: string[] } = {}): Promise<void> {
  for (let line = 0; line < count; line++) {
    const next = (sent.get(room) ?? 0) + 1;
    sent.set(room, next);
    await service.sendToRooms([room], { type: 'chat', action: 'line', data: `${room} ${next}` }, options);
  }
}

const linesOf = (room: string): string[] => Array.from({ length: sent.get(room) ?? 0 }, (_, n) => `${room} ${n + 1}`);

/** A client behind the proxy, with what it hears of a room and is told. */
async function connected(room: string, options: Partial<WebSocketClientOptions> = {}) {
  const recoveries: RoomRecovery[] = [];
  const heard: string[] = [];
  const url = app.url().replace(String(app.port), String(proxy.port));
  const onRecovered = (recovery: RoomRecovery): void => {
    if (recovery.roomName === room) recoveries.push(recovery);
  };
  const tested = newClient(url, { ...options, events: { onRecovered } });
  tested.client.on('chat', 'line', (line) => heard.push(String(line)));
  await tested.client.connect();
  return { ...tested, heard, recoveries };
}

describe.each([
  ['pxl', {}],
  ['event', { protocol: 'event' }],
  ['pxl, encrypted', { encryption: webCryptoEncryption() }],
  ['event, encrypted', { protocol: 'event', encryption: webCryptoEncryption() }],
] as const)('a client of %s', (name, options) => {
  const room = `tea of ${name}`;

  it('hears everything in its order and once, however often its network is cut', async () => {
    const { client, heard, recoveries } = await connected(room, options);
    await client.join(room);
    for (let round = 1; round <= ROUNDS; round++) {
      const { clientId } = client;
      await say(room, 3);
      // What it said itself comes to the others only, on its return too.
      await service.sendToRooms([room], { type: 'chat', action: 'line', data: 'own' }, { exclude: [clientId!] });
      proxy.reset();
      await say(room, 20);
      await until(() => client.clientId !== null && client.clientId !== clientId);
      await say(room, 3);
      await until(() => recoveries.length >= round && heard.length >= sent.get(room)!);
    }
    expect(heard).toEqual(linesOf(room));
    expect(recoveries.every(({ recovered }) => recovered)).toBe(true);
    const page = await client.history(room, { limit: 2, reverse: true });
    expect([page.messages.map(({ data }) => data), page.more]).toEqual([
      [`${room} ${26 * ROUNDS}`, `${room} ${26 * ROUNDS - 1}`],
      true,
    ]);
  });
});

describe('a client', () => {
  it('gets back what it has missed of a room into which the server puts it', async () => {
    const { client, heard, recoveries } = await connected('given');
    await say('given', 3);
    await until(() => heard.length === 3);
    for (let round = 1; round <= ROUNDS; round++) {
      proxy.reset();
      await say('given', 20);
      await until(() => recoveries.length === round);
      await say('given', 2);
      await until(() => heard.length === sent.get('given'));
    }
    expect([heard, client.positions.given?.offset]).toEqual([linesOf('given'), 3 + 22 * ROUNDS]);
  });

  it('hears a message to several rooms once, with history and without', async () => {
    const { client, heard } = await connected('one');
    await Promise.all(['one', 'two', PLAIN].map((room) => client.join(room)));
    const message = (data: string) => ({ type: 'chat', action: 'line', data });
    await service.sendToRooms(['one', 'two', PLAIN], message('a'));
    const { clientId } = client;
    proxy.reset();
    await service.sendToRooms(['two', 'one', PLAIN], message('c'));
    await until(() => client.clientId !== null && client.clientId !== clientId);
    await service.sendToRooms(['two', 'one'], message('d'));
    await until(() => client.positions.one?.offset === 3 && client.positions.two?.offset === 3);
    expect(heard.toSorted()).toEqual(['a', 'c', 'd']);
  });

  it('is told when the room has begun anew, and begins there', async () => {
    const { client, heard, recoveries } = await connected('new');
    await client.join('new');
    await say('new', 3);
    await until(() => heard.length === 3);
    const { clientId } = client;
    proxy.reset();
    await service.clearHistory('new');
    await until(() => client.clientId !== null && client.clientId !== clientId);
    await until(() => recoveries.length === 1);
    await say('new', 1);
    await until(() => heard.length === 4);
    expect(recoveries).toMatchObject([{ recovered: false, reason: 'epoch', replayed: 0 }]);
    expect(heard.at(-1)).toBe('new 4');
  });

  it('begins at a position that it was given with the state of a room', async () => {
    await say('snapshot', 5);
    const { position } = await service.getHistory('snapshot', { limit: 1 });
    await say('snapshot', 2);
    const { client, heard } = await connected('snapshot');
    expect(await client.join('snapshot', { since: position })).toMatchObject({ recovered: true, replayed: 2 });
    await say('snapshot', 1);
    await until(() => heard.length === 3);
    expect(heard).toEqual(['snapshot 6', 'snapshot 7', 'snapshot 8']);
  });

  it('of a Nest application goes on where its controllers have finished', async () => {
    const lines: string[] = [];
    let open: (() => void)[] = [];
    @WebSocketClientController()
    class Lines {
      @WsRoute('chat', 'line')
      async hear(@MessageBody() line: string): Promise<void> {
        await new Promise<void>((resolve) => open.push(resolve));
        lines.push(line);
      }
    }
    const start = (positions?: WebSocketClientOptions['positions']) =>
      startApp({
        options: false,
        imports: [
          PxlWebSocketClientModule.forRoot({
            url: app.url(),
            positions,
            waitForConnection: 15_000,
            shutdown: { timeout: 1 },
          }),
        ],
        providers: [Lines],
      });
    const first = await start();
    const client = first.app.get(WebSocketClient);
    await client.join('nest');
    await say('nest', 3);
    await until(() => open.length === 3);
    open[0]!();
    await until(() => client.positions.nest?.offset === 1);
    const { positions } = client;
    await first.close();
    // The application ended amid the second and the third message.
    expect(lines).toEqual(['nest 1']);
    open = [];
    const second = await start(positions);
    const joined = await second.app.get(WebSocketClient).join('nest');
    expect(joined).toMatchObject({ recovered: true, replayed: 2 });
    await until(() => open.length === 2);
    for (const go of open) go();
    await until(() => lines.length === 3);
    expect(lines).toEqual(linesOf('nest'));
    await second.close();
  });
});

describe('a page that is loaded anew', () => {
  let browser: RemoteBrowser;
  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(() => browser.close());

  it('has what it has kept, and gets the rest: nothing is lost, and nothing comes twice', async () => {
    const tab = await ChromiumTab.open(browser, `${app.origin}/page`);
    let isOver = false;
    const isSaying = () => !isOver;
    let known = 0;
    const heard = async () => {
      const lines = await tab.evaluate<number>('window.kept?.lines.length ?? 0');
      known = Math.max(known, lines);
      return lines;
    };
    const saying = (async () => {
      while (isSaying()) {
        // No more than half of what the room keeps: a busy machine may take its time with a page.
        if ((sent.get('tea') ?? 0) < known + 500) await say('tea', 1);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
    for (let round = 1; round <= ROUNDS; round++) {
      const before = await heard();
      while ((await heard()) < before + 5) continue;
      await tab.go(`${app.origin}/page?${round}`);
      while ((await tab.evaluate<number>('window.kept?.recoveries.length ?? 0')) < round) continue;
    }
    isOver = true;
    await saying;
    while ((await heard()) < sent.get('tea')!) continue;
    expect(await tab.evaluate('kept.lines')).toEqual(linesOf('tea'));
    const recoveries = await tab.evaluate('kept.recoveries');
    expect(recoveries).toEqual(Array.from({ length: ROUNDS }, () => true));
    await tab.close();
  });
});
