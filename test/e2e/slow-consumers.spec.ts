import { afterEach, describe, expect, it } from '@jest/globals';
import { ClientManager, WebSocketService, type WsLimitOptions } from 'nestjs-pxl-websocket';
import type { ClientSession } from '../../lib/clients/session/client-session.js';
import { sessionOf } from '../../lib/clients/session/client-outbox.interface.js';
import { startApp, type TestApp } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';
import { until } from '../support/until.js';

const KB = 1_024;
const MB = 1_024 * KB;
const TEN_KB = 'x'.repeat(10 * KB);

let app: TestApp;
afterEach(() => app.close());

async function start(limits: WsLimitOptions, window = 0): Promise<void> {
  const rooms = { open: true, whisper: true };
  app = await startApp({
    options: { limits, rooms, delivery: { window }, heartbeat: false, shutdown: { timeout: 300 } },
  });
}

async function member(): Promise<TestClient> {
  const client = await app.client();
  await client.request('system', 'joinRoom', { roomName: 'room' });
  return client;
}

/** The server's side of a client. */
function serverSide({ clientId }: TestClient): ClientSession {
  const session = sessionOf(app.app.get(ClientManager).getClient({ clientId, requireWs: true })?.ws);
  if (!session) throw new Error('The client is gone.');
  return session;
}

function health(): ReturnType<WebSocketService['getWebSocketHealth']> {
  return app.app.get(WebSocketService).getWebSocketHealth();
}

/** Sends numbered messages to the room, ten per turn of the event loop. */
async function flood(count: number, volatile = false, text = TEN_KB): Promise<void> {
  const service = app.app.get(WebSocketService);
  for (let n = 0; n < count; n++) {
    await service.sendToRooms(['room'], { type: 'flood', action: 'message', data: { n, text } }, { volatile });
    if (n % 10 === 9) await new Promise((resolve) => setImmediate(resolve));
  }
}

async function readAll(client: TestClient, count: number): Promise<number[]> {
  const numbers: number[] = [];
  while (numbers.length < count) numbers.push(((await client.next('flood')).data as { n: number }).n);
  return numbers;
}

const inOrder = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

describe('a client that stops reading', () => {
  it('is disconnected with 4008 once its grace is over, while the other members get everything', async () => {
    await start({ slowConsumerGrace: 200 });
    const [stuck, healthy] = [await member(), await member()];
    const client = serverSide(stuck);
    stuck.socket.pause();
    const everything = readAll(healthy, 1_000);
    await flood(1_000);
    expect(await everything).toEqual(inOrder(1_000));
    await until(() => app.app.get(ClientManager).size === 1);
    expect(client.ws.bufferedAmount).toBeLessThan(9 * MB);
    expect(health().slowConsumers).toMatchObject({ disconnected: 1, now: 0 });
    // What it had not read yet stands before the close frame, so only a peer that goes on reading ever sees 4008.
    stuck.socket.resume();
    expect([1006, 4008]).toContain((await stuck.closed).code);
  });

  it('is disconnected at once at eight times its budget', async () => {
    await start({ maxBufferedBytes: 256 * KB, slowConsumerGrace: 60_000 });
    const stuck = await member();
    stuck.socket.pause();
    await flood(1_500);
    await until(() => app.app.get(ClientManager).size === 0);
    expect(health().slowConsumers.disconnected).toBe(1);
  });

  it('reads 4008 when it reads on after the verdict', async () => {
    await start({ maxBufferedBytes: 64 * KB, slowConsumerGrace: 0 });
    const stuck = await member();
    stuck.socket.pause();
    while (health().slowConsumers.disconnected === 0) await flood(50);
    stuck.socket.resume();
    expect(await stuck.closed).toEqual({ code: 4008, reason: 'too slow' });
  });

  it.each<[string, (client: ClientSession, text: string) => boolean]>([
    ['binary frames', (client, text) => client.sendBinary(text)],
    [
      'bytes by its socket',
      ({ ws }, text) => {
        ws.send(Buffer.from(text));
        return ws.readyState === 1;
      },
    ],
  ])('is disconnected for %s too', async (_what, send) => {
    const budget = 64 * KB;
    await start({ maxBufferedBytes: budget, slowConsumerGrace: 60_000 });
    const stuck = await member();
    const client = serverSide(stuck);
    stuck.socket.pause();

    let most = 0;
    for (let n = 0; n < 3_000 && send(client, TEN_KB); n++) most = Math.max(most, client.ws.bufferedAmount);

    expect(most).toBeGreaterThan(budget);
    expect(most).toBeLessThan(9 * budget);
    expect(client.sendBinary(TEN_KB)).toBe(false);
    expect(health().slowConsumers.disconnected).toBe(1);
  });

  it('misses binary frames where the newest are dropped', async () => {
    await start({ maxBufferedBytes: 64 * KB, slowConsumer: 'drop', slowConsumerGrace: 60_000 });
    const stuck = await member();
    const client = serverSide(stuck);
    stuck.socket.pause();

    for (let n = 0; n < 3_000 && client.sendBinary(TEN_KB); n++);
    const failure = await new Promise((resolve) => client.ws.send(Buffer.from(TEN_KB), resolve));

    expect(failure).toMatchObject({ code: 'UNAVAILABLE' });
    expect(client.ws.bufferedAmount).toBeLessThan(9 * 64 * KB);
    expect(health().slowConsumers).toMatchObject({ disconnected: 0, dropped: 2 });
  });

  it('without a budget makes the process grow', async () => {
    await start({ maxBufferedBytes: false });
    const stuck = await member();
    stuck.socket.pause();
    await flood(2_500);
    expect(serverSide(stuck).ws.bufferedAmount).toBeGreaterThan(9 * MB);
    expect(health().slowConsumers).toEqual({ disconnected: 0, dropped: 0, droppedOldest: 0, now: 0 });
  });

  it('with "drop" misses the newest messages, and hears again once it has caught up', async () => {
    await start({ slowConsumer: 'drop', maxBufferedBytes: 256 * KB, slowConsumerGrace: 0 });
    const stuck = await member();
    const client = serverSide(stuck);
    stuck.socket.pause();
    await flood(1_000);
    await until(() => health().slowConsumers.now === 1);
    while (health().slowConsumers.dropped === 0) await flood(10);
    expect(client.backpressured).toBe(true);
    expect(client.ws.bufferedAmount).toBeLessThan(9 * 256 * KB);
    stuck.socket.resume();
    await until(() => health().slowConsumers.now === 0);
    expect(client.backpressured).toBe(false);
    client.send({ type: 'again', action: 'heard' });
    await stuck.next('again', 'heard');
    const numbers = stuck.pending.map(({ data }) => (data as { n: number }).n);
    expect(numbers.slice(0, 100)).toEqual(inOrder(100));
  });

  it('with "dropOldest" gets the newest of the volatile messages', async () => {
    await start({ slowConsumer: 'dropOldest', maxBufferedBytes: 256 * KB });
    const stuck = await member();
    const client = serverSide(stuck);
    stuck.socket.pause();
    await flood(1_500, true);
    expect(health().slowConsumers.droppedOldest).toBeGreaterThan(0);
    expect(client.ws.bufferedAmount).toBeLessThan(3 * 256 * KB);
    client.send({ type: 'last', action: 'word' });
    stuck.socket.resume();
    await stuck.next('last', 'word');
    const numbers = stuck.pending.filter(({ type }) => type === 'flood').map(({ data }) => (data as { n: number }).n);
    expect(numbers.at(-1)).toBe(1_499);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(numbers.length).toBeLessThan(1_500);
  });

  it('misses volatile messages first, and whispers, under every policy', async () => {
    await start({ maxBufferedBytes: 256 * KB, slowConsumerGrace: 60_000 });
    const [stuck, speaker] = [await member(), await member()];
    stuck.socket.pause();
    while (health().slowConsumers.now === 0) await flood(10);
    await flood(10, true);
    expect(health().slowConsumers.dropped).toBe(10);
    await speaker.request('system', 'whisper', { roomName: 'room', action: 'typing' });
    expect(health().slowConsumers.dropped).toBe(11);
  });
});

describe('a client that stops reading, in a room with a window', () => {
  const WINDOW = 20;
  const numbersOf = (client: TestClient): number[] =>
    client.pending.filter(({ type }) => type === 'flood').map(({ data }) => (data as { n: number }).n);
  /** The last word of the server, once all before it is there. */
  async function caughtUp(client: TestClient): Promise<void> {
    client.socket.resume();
    await until(() => health().slowConsumers.now === 0);
    serverSide(client).send({ type: 'last', action: 'word' });
    await client.next('last', 'word');
  }

  it('is disconnected, and the other members get everything', async () => {
    await start({ slowConsumerGrace: 100, maxBufferedBytes: 256 * KB }, WINDOW);
    const [stuck, healthy] = [await member(), await member()];
    const client = serverSide(stuck);
    stuck.socket.pause();
    const everything = readAll(healthy, 800);
    await flood(800);
    expect(client.ws.bufferedAmount).toBeLessThan(9 * 256 * KB);
    expect(await everything).toEqual(inOrder(800));
    await until(() => health().slowConsumers.disconnected === 1);
    expect(health().slowConsumers).toMatchObject({ disconnected: 1, now: 0 });
  });

  it('with "drop" misses the newest, and what it gets is in order', async () => {
    await start({ slowConsumer: 'drop', maxBufferedBytes: 256 * KB, slowConsumerGrace: 0 }, WINDOW);
    const stuck = await member();
    const client = serverSide(stuck);
    stuck.socket.pause();
    while (health().slowConsumers.dropped === 0) await flood(200);
    expect(client.ws.bufferedAmount).toBeLessThan(9 * 256 * KB);
    stuck.socket.resume();
    await caughtUp(stuck);
    expect(numbersOf(stuck).slice(0, 100)).toEqual(inOrder(100));
  });

  it('with "dropOldest" gets the newest of the volatile messages', async () => {
    await start({ slowConsumer: 'dropOldest', maxBufferedBytes: 256 * KB }, WINDOW);
    const stuck = await member();
    stuck.socket.pause();
    await flood(1_000, true);
    expect(serverSide(stuck).ws.bufferedAmount).toBeLessThan(3 * 256 * KB);
    await caughtUp(stuck);
    const numbers = numbersOf(stuck);
    expect(numbers.at(-1)).toBe(999);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  });

  it.each(['disconnect', 'drop', 'dropOldest'] as const)(
    'gets of what is conflated the newest alone, once it is over its budget, with "%s"',
    async (slowConsumer) => {
      await start({ slowConsumer, maxBufferedBytes: 256 * KB, slowConsumerGrace: 60_000 }, WINDOW);
      const stuck = await member();
      const client = serverSide(stuck);
      const service = app.app.get(WebSocketService);
      stuck.socket.pause();
      while (health().slowConsumers.now === 0) await flood(10);
      const before = client.ws.bufferedAmount;
      for (let n = 0; n < 900; n++) {
        const of = ['btc', 'eth', 'xrp'][n % 3]!;
        const message = { type: 'price', action: 'changed', data: { of, n, text: TEN_KB } };
        await service.sendToRooms(['room'], message, { conflate: of });
      }
      expect(client.ws.bufferedAmount).toBeLessThan(before + 40 * KB);
      await caughtUp(stuck);
      const prices = stuck.pending.filter(({ type }) => type === 'price').map(({ data }) => data as { n: number });
      expect(prices.map(({ n }) => n)).toEqual([897, 898, 899]);
      expect(health().slowConsumers).toMatchObject({ disconnected: 0, now: 0 });
    },
  );
});

describe('a client that reads', () => {
  it('gets 4 MiB that were sent in one turn', async () => {
    await start({});
    const client = await member();
    const service = app.app.get(WebSocketService);
    const sends = Array.from({ length: 410 }, (_, n) =>
      service.sendToRooms(['room'], { type: 'flood', action: 'message', data: { n, text: TEN_KB } }),
    );
    await Promise.all(sends);
    expect(await readAll(client, 410)).toEqual(inOrder(410));
    expect(health().slowConsumers).toEqual({ disconnected: 0, dropped: 0, droppedOldest: 0, now: 0 });
  });
});
