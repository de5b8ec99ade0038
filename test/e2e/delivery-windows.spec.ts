import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocketGateway } from '@nestjs/websockets';
import { ClientManager, WebSocketService, type PxlWebSocketModuleOptions, type WsClient } from 'nestjs-pxl-websocket';
import { Runtime } from '../../lib/runtime/runtime.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { startApp, type TestApp } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';
import { WriteCounter } from '../support/write-counter.js';

const message = (data: unknown): { type: string; action: string; data: unknown } => ({ type: 'n', action: 'm', data });

@WebSocketGateway({ path: '/live' })
class LiveGateway {}

describe('a window of delivery', () => {
  let app: TestApp;
  let service: WebSocketService;
  let clock: ManualRuntime;
  const writes: WriteCounter[] = [];

  async function start(options: PxlWebSocketModuleOptions): Promise<void> {
    clock = new ManualRuntime();
    app = await startApp({
      options: { heartbeat: false, ...options },
      providers: [LiveGateway],
      override: (builder) => builder.overrideProvider(Runtime).useValue(clock),
    });
    service = app.app.get(WebSocketService);
    (app.app.getHttpServer() as Server).on('connection', (socket: Socket) => writes.push(new WriteCounter(socket)));
  }

  /** A client in these rooms, as it reads, as the application holds it, and what is written to its socket. */
  async function member(...rooms: string[]): Promise<[TestClient, WsClient, WriteCounter]> {
    const client = await app.client();
    const { clientId } = client;
    const session = app.app.get(ClientManager).getClient({ clientId, requireWs: true })!;
    for (const room of rooms) await session.join(room);
    return [client, session, writes.at(-1)!];
  }

  async function read(client: TestClient, count: number): Promise<unknown[]> {
    const all: unknown[] = [];
    while (all.length < count) all.push((await client.next('n')).data);
    return all;
  }

  const toRoom = (room: string, data: unknown, options = {}): Promise<void> =>
    service.sendToRooms([room], message(data), options);
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  afterEach(async () => {
    writes.length = 0;
    await app.close();
  });

  it('lets the first message after a silence leave at once, and those behind it together at its end', async () => {
    await start({ delivery: { window: 50 } });
    const [client, , written] = await member('room');

    await toRoom('room', 1);
    expect(await read(client, 1)).toEqual([1]);
    const before = written.count;
    for (const n of [2, 3, 4]) {
      await toRoom('room', n);
      await turn();
    }
    await clock.advance(49);
    await client.expectNothing(30);
    expect(written.count).toBe(before);
    await clock.advance(1);
    expect(await read(client, 3)).toEqual([2, 3, 4]);
    expect(written.count).toBe(before + 1);

    // The window that this write has opened ends in silence: the next message is a first one again.
    await clock.advance(50);
    await toRoom('room', 5);
    expect(await read(client, 1)).toEqual([5]);
  });

  it('never holds a push to a single client, which takes along what waits, in order', async () => {
    await start({ delivery: { window: 50 } });
    const [client, session, written] = await member('room');
    await toRoom('room', 1);
    await read(client, 1);
    const before = written.count;

    await toRoom('room', 2);
    await turn();
    session.send(message(3));
    await toRoom('room', 4);
    expect(await read(client, 3)).toEqual([2, 3, 4]);
    expect(written.count).toBe(before + 1);

    await toRoom('room', 5);
    await service.sendToUsers(['nobody'], message(0));
    await client.expectNothing(30);
    await clock.advance(50);
    expect(await read(client, 1)).toEqual([5]);
  });

  it('is that of the room: the shorter one of two that a client is in counts', async () => {
    await start({ delivery: { window: (room) => (room === 'chat' ? 0 : room === 'fast' ? 20 : 200) } });
    const [client] = await member('chat', 'fast', 'slow');

    await toRoom('slow', 1);
    await read(client, 1);
    await toRoom('slow', 2);
    await toRoom('fast', 3); // it may wait for no window of 200 ms
    expect(await read(client, 2)).toEqual([2, 3]);
    await toRoom('slow', 4);
    await toRoom('fast', 5);
    await client.expectNothing(30);
    await toRoom('chat', 6);
    expect(await read(client, 3)).toEqual([4, 5, 6]);
    await toRoom('slow', 7);
    await clock.advance(20);
    expect(await read(client, 1)).toEqual([7]);
    await service.broadcast(message(8));
    expect(await read(client, 1)).toEqual([8]);
  });

  it('is that of the endpoint', async () => {
    await start({ delivery: { window: 1_000 }, endpoints: { '/live': { delivery: { window: 0 } } } });
    const [waiting] = await member();
    const live = await app.client({ path: '/live' });

    await service.broadcast(message(1));
    await service.broadcast(message(2));
    expect(await read(live, 2)).toEqual([1, 2]);
    expect(await read(waiting, 2)).toEqual([1, 2]); // one turn, one write
    await service.broadcast(message(3));
    expect(await read(live, 1)).toEqual([3]);
    await waiting.expectNothing(30);
    await clock.advance(1_000);
    expect(await read(waiting, 1)).toEqual([3]);
  });

  it('lets nothing go lost at a close, and nothing come behind it', async () => {
    await start({ delivery: { window: 1_000 } });
    const [client, session] = await member('room');
    await toRoom('room', 1);
    await toRoom('room', 2);
    await read(client, 2);
    await toRoom('room', 3);
    await turn();
    session.close(4321);
    await toRoom('room', 4);

    expect(await read(client, 1)).toEqual([3]);
    expect((await client.closed).code).toBe(4321);
  });

  it('has no effect on what is sent while a function of the application fails', async () => {
    const errors: string[] = [];
    await start({
      delivery: {
        window: (room) => {
          if (room === 'thrown') throw new Error('no idea');
          return -1;
        },
      },
      events: { onError: ({ error }) => void errors.push(error.message) },
    });
    const [client] = await member('thrown', 'wrong');
    await toRoom('thrown', 1);
    await toRoom('wrong', 2);
    await toRoom('thrown', 3);
    expect(await read(client, 3)).toEqual([1, 2, 3]);
    expect(errors.length).toBeGreaterThan(0);
  });

  it('grows while this process does not keep up, up to maxWindow, and shrinks again', async () => {
    await start({ delivery: { window: 20, maxWindow: 40 } });
    const [client] = await member('room');
    const growth = (): number =>
      service.getMetrics().find(({ name }) => name === 'pxl_ws_delivery_window_growth')?.value ?? NaN;
    let n = 0;
    const send = (): Promise<void> => toRoom('room', ++n);
    await send();
    await read(client, 1);

    await send();
    await clock.stall(100); // the window ends 80 ms late
    await read(client, 1);
    expect(growth()).toBe(2);
    await send();
    await clock.advance(39);
    await client.expectNothing(30);
    await clock.advance(1);
    await read(client, 1);
    expect(growth()).toBe(1);
  });

  describe('with conflate', () => {
    const price = (of: string, value: number, room = 'room'): Promise<void> =>
      toRoom(room, { of, value }, { conflate: of });
    const conflated = (): number | undefined =>
      service.getMetrics().find(({ name }) => name === 'pxl_ws_messages_conflated_total')?.value;

    it('lets of the messages with one key the newest leave alone, behind what was sent before it', async () => {
      await start({ delivery: { window: 50 } });
      const [client] = await member('room', 'other');
      await toRoom('room', 'first');
      await read(client, 1);

      await price('btc', 1);
      await price('eth', 1);
      await price('btc', 2);
      await toRoom('room', 'between');
      await price('btc', 3);
      await price('btc', 1, 'other'); // the same key in another room is another one
      await clock.advance(50);
      expect(await read(client, 4)).toEqual([
        { of: 'eth', value: 1 },
        'between',
        { of: 'btc', value: 3 },
        { of: 'btc', value: 1 },
      ]);
      expect(conflated()).toBe(2);
      await client.expectNothing(30);
    });

    it('holds for what single clients are sent, and behind their own pushes, in one turn', async () => {
      await start({});
      const [client, session] = await member();
      const { clientId } = client;
      session.send(message('own'));
      for (const n of [1, 2, 3]) void service.sendToClients([clientId], message(n), { conflate: 'n' });
      for (const n of [4, 5]) void service.broadcast(message(n), { conflate: 'n' });
      expect(await read(client, 3)).toEqual(['own', 3, 5]);
    });

    it('is one for each room and each kind of send, whatever the key and the name hold', async () => {
      await start({ auth: { authenticate: () => ({ userId: 'ada' }) } });
      const [client] = await member('r', 'r\u001f1');
      void service.sendToClients([client.clientId], message('client'), { conflate: 'k' });
      void service.sendToUsers(['ada'], message('user'), { conflate: 'k' });
      void service.broadcast(message('all'), { conflate: 'k' });
      void toRoom('r', 'one', { conflate: '1\u001f2' });
      void toRoom('r\u001f1', 'two', { conflate: '2' });
      expect(await read(client, 5)).toEqual(['client', 'user', 'all', 'one', 'two']);
    });

    it('is refused in a room with history, which keeps every message, unless it is volatile', async () => {
      await start({ rooms: { history: { size: 10, ttl: 60_000 } } });
      const [client] = await member('room');
      await expect(price('btc', 1)).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
      await toRoom('room', 2, { conflate: 'btc', volatile: true });
      expect(await read(client, 1)).toEqual([2]);
    });
  });
});
