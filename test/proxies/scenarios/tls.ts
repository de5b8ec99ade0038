import type { Browser } from 'playwright-core';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { isEqual } from '../checks.js';
import { askOverHttp2 } from '../http2-client.js';
import type { Application } from '../application.js';
import type { Guest } from '../protocol.js';
import type { Proxy } from '../proxy.js';
import { asking } from './page.js';

/** A page over TLS and HTTP/2, its WebSocket, and how many connections the browser opens for both. */
export async function tls(proxy: Proxy, browser: Browser, application: Application): Promise<string> {
  const counted = await TcpProxy.before(proxy.tlsPort);
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  try {
    const host = `localhost:${counted.port}`;
    const tab = await context.newPage();
    await tab.goto(`https://${host}/`);
    const protocol = await tab.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol");
    isEqual('The protocol of the page', protocol, 'h2');
    const { clientId, ...guest } = await tab.evaluate<Guest>(asking(`wss://${host}/ws`, []));
    const wanted = { ip: '127.0.0.1', origin: `https://${host}`, host, cookie: 'session=kept', token: 0 };
    isEqual('The page', guest, wanted);
    const connections = counted.size;
    isEqual('Connections of the browser', connections, proxy.kind.webSocketsOverHttp2 ? 1 : 2);
    await tab.evaluate('socket.close(1000)');
    isEqual('The end of its socket', (await application.endOf(clientId)).code, 1000);
    const again = await tab.evaluate<Guest>(asking(`wss://${host}/ws`, []));
    await tab.close();
    // Over HTTP/2 a page that is closed resets its stream, and says nothing.
    const code = proxy.kind.webSocketsOverHttp2 ? 1006 : 1001;
    isEqual('The end of the page', (await application.endOf(again.clientId)).code, code);
  } finally {
    await context.close();
    await counted.close();
  }
  if (!proxy.kind.webSocketsOverHttp2) return 'in, by a second connection';
  await askOverHttp2(proxy.tlsPort, 'over HTTP/2');
  return 'in, over HTTP/2';
}
