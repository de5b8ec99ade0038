import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { WebSocketClient } from 'nestjs-pxl-websocket/client';
import type { Page } from 'playwright-core';
import { WebSocket } from 'ws';
import { launchChromium } from '../support/chromium.js';
import { RedisServer } from '../support/redis-server.js';

/* Takes the pictures of the console. See run. */

const ROOT = join(import.meta.dirname, '../..');
const WORKER = process.argv[2] ?? '';
const IMAGES = join(ROOT, 'docs/images');
/** The pictures that the documentation shows. */
const CHOSEN = ['overview-1280-light', 'client-1280-dark', 'room-360-light'];
/** How long the page looks before the first picture, ms: by then its lines are long. */
const LOOKED = 240_000;

const CLIENTS = 180;
const USERS = [
  ...['ada', 'alan', 'barbara', 'claude', 'donald', 'edsger', 'frances', 'grace.hopper@example.com', 'hedy', 'ida'],
  ...['john', 'katherine', 'linus', 'margaret', 'niklaus', 'radia', 'shafi', 'tim', 'whitfield', 'yukihiro'],
  ...['<b>bold</b>', 'ليلى', 'u'.repeat(100)],
];
const ROOMS = [
  ...['lobby', 'support', 'orders', 'announcements', 'مرحبا بالعالم', '<img src=x onerror=alert(1)>'],
  ...[`a name of many words ${'that goes on and on '.repeat(5)}`.trim(), 'x'.repeat(128)],
  ...Array.from({ length: 64 }, (_, at) => `match-${4001 + at}`),
];
const TEXTS = ['Hello everybody!', 'On my way.', 'Who has the keys?', 'It works now, thank you.', 'See you at noon.'];

const pick = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)]!;

function startWorker(redis: string): { process: ChildProcess; port: Promise<number> } {
  const worker = fork(WORKER, [redis]);
  return { process: worker, port: once(worker, 'message').then(([port]) => port as number) };
}

/** A client that talks in some rooms, now and then goes, and comes back. */
async function startClient(port: number, at: number): Promise<() => void> {
  const query =
    at % 6 === 5
      ? ''
      : `?userId=${encodeURIComponent(USERS[at % USERS.length]!)}&userType=${pick(['member', 'staff'])}`;
  const client = new WebSocketClient({ url: `ws://127.0.0.1:${port}/ws${query}`, webSocket: WebSocket });
  await client.connect();
  const rooms = ['lobby', ...Array.from({ length: 1 + (at % 4) }, () => pick(ROOMS))];
  for (const room of rooms) await client.join(room);
  const timer = setInterval(
    () => {
      const chance = Math.random();
      if (chance < 0.55) client.send('board', 'move', { x: Math.round(Math.random() * 640), y: 12 });
      else if (chance < 0.75) client.send('chat', 'history', { room: pick(rooms) });
      else if (chance < 0.99) client.send('chat', 'send', { room: pick(rooms), text: pick(TEXTS) });
      else client.send('chat', 'send', { room: pick(rooms), text: '' });
      if (Math.random() > 0.99) {
        client.disconnect();
        setTimeout(() => void client.connect().catch(() => undefined), 500);
      }
    },
    700 + Math.random() * 600,
  );
  return () => {
    clearInterval(timer);
    client.destroy();
  };
}

/** The places of the pictures; those of one thing are found in lists. */
async function views(page: Page, url: string): Promise<Map<string, string>> {
  const first = async (place: string, text: string): Promise<string> => {
    await page.goto(url + place);
    const link = page.locator('tbody a', { hasText: text }).first();
    await link.waitFor();
    return (await link.getAttribute('href')) ?? '';
  };
  return new Map([
    ['overview', '#/'],
    ['worker', await first('#/', '')],
    ['endpoints', '#/endpoints'],
    ['rooms', '#/rooms'],
    ['room', '#/rooms/support'],
    ['users', '#/users'],
    ['user', '#/users/ada'],
    ['clients', '#/clients'],
    ['client', await first('#/users/ada', '')],
    ['trace', '#/trace/room/support'],
  ]);
}

async function take(url: string, folder: string): Promise<void> {
  const browser = await launchChromium();
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  page.on('console', (message) => process.stdout.write(`The page says: ${message.text()}\n`));
  await page.goto(url);
  await wait(LOOKED);
  const places = await views(page, url);
  for (const [width, height] of [
    [1280, 720],
    [360, 740],
  ] as const) {
    await page.setViewportSize({ width, height });
    for (const theme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: theme });
      for (const [name, place] of places) {
        await page.goto(url + place);
        await wait(name === 'trace' || name === 'client' ? 3_000 : 700);
        const end = await page.evaluate<number>("document.querySelector('main').getBoundingClientRect().bottom");
        const clip = { x: 0, y: 0, width, height: Math.min(height, Math.ceil(end)) };
        await page.screenshot({ path: join(folder, `${name}-${width}-${theme}.png`), clip });
      }
    }
  }
  await page.setViewportSize({ width: 1280, height: 720 });
  await page.goto(`${url}#/users/ada`);
  await page.getByRole('button', { name: /^Disconnect/ }).click();
  await page.screenshot({ path: join(folder, 'question-1280-dark.png') });
  await browser.close();
}

const redis = await RedisServer.start();
const workers = [startWorker(redis.url), startWorker(redis.url)];
const ports = await Promise.all(workers.map(({ port }) => port));
const stops = await Promise.all(Array.from({ length: CLIENTS }, (_, at) => startClient(ports[at % 2]!, at)));
const [given] = process.argv.slice(3).filter((arg) => !arg.startsWith('--'));
const folder = given ?? (await mkdtemp(join(tmpdir(), 'pxl-console-pictures-')));
await mkdir(folder, { recursive: true });
await take(`http://127.0.0.1:${ports[0]}/console/`, folder);
process.stdout.write(`The pictures are in ${folder}\n`);
if (process.argv.includes('--write')) {
  await mkdir(IMAGES, { recursive: true });
  for (const name of CHOSEN) await copyFile(join(folder, `${name}.png`), join(IMAGES, `console-${name}.png`));
}
for (const stop of stops) stop();
for (const worker of workers) worker.process.kill();
await redis.stop();
