import type { Browser } from 'playwright-core';
import { upgradeStatus } from '../../support/upgrade-answer.js';
import { isEqual } from '../checks.js';
import type { Application } from '../application.js';
import type { Guest } from '../protocol.js';
import type { Proxy } from '../proxy.js';
import { LONG_TOKEN } from './token.js';

/** A page of the same host: its cookie and its origin arrive, also with a long token, and no page of another host is let in. */
export async function page(proxy: Proxy, browser: Browser, application: Application): Promise<string> {
  const host = `127.0.0.1:${proxy.port}`;
  const context = await browser.newContext();
  try {
    const tab = await context.newPage();
    await tab.goto(`http://${host}/`);
    const wanted = { ip: '127.0.0.1', origin: `http://${host}`, host, cookie: 'session=kept' };
    const { clientId, ...guest } = await tab.evaluate<Guest>(asking(`ws://${host}/ws`, []));
    isEqual('The page', guest, { ...wanted, token: 0 });
    const known = await tab.evaluate<Guest>(asking(`ws://${host}/ws`, [`bearer.${LONG_TOKEN}`]));
    isEqual('The token of the page', known.token, LONG_TOKEN.length);
    await tab.close();
    isEqual('The end of a page', (await application.endOf(clientId)).code, 1001);
  } finally {
    await context.close();
  }
  isEqual('Another page', await upgradeStatus(proxy.port, { Host: host, Origin: 'http://elsewhere.example' }), 403);
  return 'in';
}

/** The script of a page that asks who it is, and keeps its socket as `socket`; a text, since the compiler's additions to functions are not there in a page. */
export function asking(url: string, protocols: readonly string[]): string {
  return `new Promise((resolve, reject) => {
    const socket = new WebSocket(${JSON.stringify(url)}, ${JSON.stringify(['pxl.v1', ...protocols])});
    socket.onopen = () => socket.send(JSON.stringify({ type: 'guest', action: 'who', id: 'q' }));
    socket.onclose = ({ code }) => reject(new Error('It was closed with ' + code + '.'));
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.id !== 'q') return;
      if (message.response) resolve(message.response);
      else reject(new Error(data));
      socket.onclose = null;
      globalThis.socket = socket;
    };
  })`;
}
