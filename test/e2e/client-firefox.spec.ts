import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { bundleClient } from '../support/client-bundle.js';
import { FirefoxTab, startFirefox } from '../support/firefox-tab.js';
import type { RemoteBrowser } from '../support/remote-browser.js';
import { ScriptedServer } from '../support/scripted-server.js';
import { until } from '../support/until.js';

/** Firefox holds dials back that it thinks will fail; that shows after a minute, which is for `npm run test:matrix`. */
const describeInMatrix = process.env.PXL_MATRIX ? describe : describe.skip;
const TABS = 12;
const OUTAGE = 60_000;
/** Firefox waits as long as 60 s before it dials again, and its tabs do so one after the other. */
const RETURN = 120_000;

let browser: RemoteBrowser | undefined;
let web: Server;
let server: ScriptedServer;
let port = 0;

/** A page with a client of the scripted server, which an application may have given such options. */
function page(): string {
  return `<!doctype html><script type="module">
    import { WebSocketClient } from '/client.js';
    window.told = [];
    window.client = new WebSocketClient({ url: '${server.url}', reconnect: { attempts: 4 } });
    client.onState(({ state, code, attempt }) => told.push([state, code, attempt].filter((part) => part).join(' ')));
    window.addEventListener('offline', () => told.push('offline'));
    client.connect();
  </script>`;
}

/** Starts the server, each time on the same port. */
async function start(): Promise<void> {
  server = await ScriptedServer.start((connection) => {
    connection.welcome({ heartbeat: { interval: 15_000, timeout: 10_000 } });
    connection.socket.on('message', (data: Buffer) => {
      const { type, action, id } = JSON.parse(data.toString()) as Record<string, unknown>;
      connection.send(action === 'ping' ? { type, action: 'pong' } : { type, action, id, response: 'here' });
    });
  }, port);
  port = server.port;
}

describeInMatrix('Firefox', () => {
  beforeAll(async () => {
    const { text } = await bundleClient();
    await start();
    web = createServer(({ url }, response) => {
      const isScript = url === '/client.js';
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html').end(isScript ? text : page());
    });
    await once(web.listen(0, '127.0.0.1'), 'listening');
    browser = await startFirefox();
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    web.close();
    web.closeAllConnections();
    await server.close();
  });

  it('comes back in all of twelve tabs after a minute without a server, and gives none up', async () => {
    const tabs = [];
    for (let i = 0; i < TABS; i++) tabs.push(await open());
    await Promise.all(tabs.map((tab) => tab.evaluate('client.connect().then(() => null)')));
    await server.close();
    await new Promise((resolve) => setTimeout(resolve, OUTAGE));
    await start();
    await until('all are back', () => server.connections.length >= TABS, RETURN).catch(() => undefined);
    const told = await Promise.all(tabs.map((tab) => tab.evaluate<string[]>('told')));
    expect(told.map((states) => states.at(-1))).toEqual(Array(TABS).fill('connected'));
    expect(server.connections).toHaveLength(TABS);
  }, 300_000);

  it('goes on with a connection that works, whatever the event offline says', async () => {
    const tab = await open();
    await tab.evaluate('client.connect().then(() => null)');
    await tab.setOffline(true);
    expect(await tab.evaluate("client.request('are', 'you')")).toBe('here');
    await tab.setOffline(false);
    expect(await tab.evaluate('told')).toEqual(['connecting', 'connected', 'offline']);
  });

  const open = () => FirefoxTab.open(browser!, `http://127.0.0.1:${(web.address() as AddressInfo).port}/`);
});
