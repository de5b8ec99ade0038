import { afterEach, describe, expect, it } from '@jest/globals';
import type { Server, Socket } from 'node:net';
import { ClientManager, WebSocketService, type PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { sessionOf } from '../../lib/clients/session/client-outbox.interface.js';
import type { ClientSession } from '../../lib/clients/session/client-session.js';
import { ROOM_HISTORY, type ReplayRequest, type RoomHistory } from '../../lib/history/room-history.interface.js';
import { startApp, type TestApp } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';
import { until } from '../support/until.js';

const KB = 1_024;
const ROOM = 'feed';
const HISTORY = { size: 5_000, ttl: 60_000 };

let app: TestApp;
afterEach(() => app.close());

async function start(options: PxlWebSocketModuleOptions = {}): Promise<void> {
  const { rooms, ...others } = options;
  app = await startApp({
    options: { heartbeat: false, shutdown: { timeout: 300 }, ...others, rooms: { history: HISTORY, ...rooms } },
  });
}

function history(): RoomHistory {
  return app.app.get<RoomHistory>(ROOM_HISTORY);
}

function serverSide({ clientId }: TestClient): ClientSession {
  const session = sessionOf(app.app.get(ClientManager).getClient({ clientId, requireWs: true })?.ws);
  if (!session) throw new Error('The client is gone.');
  return session;
}

/** Appends messages with these numbers, ten per turn of the event loop. */
async function append(from: number, to: number, text = '', exclude: readonly string[] = []): Promise<void> {
  const retention = history().retentionOf(ROOM);
  if (!retention) throw new Error('The room has no history.');
  for (let n = from; n <= to; n += 10) {
    const turn = Array.from({ length: Math.min(10, to - n + 1) }, (_, at) =>
      history().append({
        roomName: ROOM,
        retention,
        exclude,
        text: JSON.stringify({ type: 'n', action: 'is', data: { n: n + at, text } }),
      }),
    );
    await Promise.all(turn);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Puts a client into the room, and tells where it stands. */
async function member(client: TestClient): Promise<{ epoch: string; offset: number }> {
  await serverSide(client).join(ROOM);
  const { data } = await client.next('room', 'joined');
  return (data as { position: { epoch: string; offset: number } }).position;
}

async function ask(client: TestClient, request: ReplayRequest): Promise<unknown> {
  const session = serverSide(client);
  const verdict = await history().admit(session, ROOM, request);
  history().begin(session, ROOM);
  return verdict;
}

interface NumberedFrame {
  readonly room: string;
  readonly offset: number;
  readonly data: { readonly n: number };
}

async function numbers(client: TestClient, count: number): Promise<number[]> {
  const offsets: number[] = [];
  while (offsets.length < count) {
    const frame = (await client.next('n')) as unknown as NumberedFrame;
    expect(frame.room).toBe(ROOM);
    expect(frame.data.n).toBe(frame.offset);
    offsets.push(frame.offset);
  }
  return offsets;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}

describe('the members of a room with history', () => {
  it('get each message with its room and its number', async () => {
    await start();
    const client = await app.client();
    const position = await member(client);
    expect(position).toEqual({ epoch: expect.stringMatching(/^\d{13}/), offset: 0 });
    await append(1, 2);
    expect(await client.next('n')).toEqual({
      type: 'n',
      action: 'is',
      data: { n: 1, text: '' },
      room: ROOM,
      offset: 1,
    });
    expect(await client.next('n')).toMatchObject({ offset: 2 });
  });

  it('get them in the other codec, live and replayed', async () => {
    await start();
    const client = await app.client({ protocols: ['event.v1'] });
    const { epoch } = await member(client);
    await append(1, 1);
    const frame = { event: 'n:is', data: { n: 1, text: '' }, room: ROOM, offset: 1 };
    expect(await client.next('n')).toEqual(frame);
    expect(await ask(client, { since: { epoch, offset: 0 } })).toMatchObject({ recovered: true, replayed: 1 });
    expect(await client.next('n')).toEqual(frame);
  });

  it('get what they have missed, then what is new, each once and in order', async () => {
    await start();
    const [steady, client] = [await app.client(), await app.client()];
    const position = await member(steady);
    await append(1, 200);
    await member(client);
    const verdict = ask(client, { since: { ...position, offset: 50 } });
    await append(201, 400);
    expect(await verdict).toEqual({
      position: { ...position, offset: 50 },
      recovered: true,
      replayed: expect.any(Number),
    });
    expect(await numbers(client, 350)).toEqual(range(51, 400));
    expect(await numbers(steady, 400)).toEqual(range(1, 400));
  });

  it('are told why they cannot get it, and where they stand', async () => {
    await start({ rooms: { history: { ...HISTORY, size: 100 } } });
    const client = await app.client();
    const position = await member(client);
    await append(1, 150);
    await numbers(client, 150);
    const top = { ...position, offset: 150 };
    const refused = { position: top, recovered: false, replayed: 0 };
    expect(await ask(client, { since: { ...position, offset: 0 } })).toEqual({ ...refused, reason: 'trimmed' });
    expect(await ask(client, { since: { ...position, epoch: 'other' } })).toEqual({ ...refused, reason: 'epoch' });
    expect(await ask(client, { since: { ...position, offset: 151 } })).toEqual({ ...refused, reason: 'epoch' });
    expect(await ask(client, { since: top })).toEqual({ position: top, recovered: true, replayed: 0 });
  });

  it('get the last messages where they come new, as many as there are', async () => {
    await start();
    const [steady, client] = [await app.client(), await app.client()];
    const position = await member(steady);
    await append(1, 30);
    await member(client);
    expect(await ask(client, { history: 10 })).toEqual({ position: { ...position, offset: 20 }, replayed: 10 });
    expect(await numbers(client, 10)).toEqual(range(21, 30));
    expect(await ask(client, { history: 1_000 })).toEqual({ position: { ...position, offset: 0 }, replayed: 30 });
    expect(await numbers(client, 30)).toEqual(range(1, 30));
  });

  it('keep their place when they ask for nothing', async () => {
    await start();
    const client = await app.client();
    const position = await member(client);
    await append(1, 5);
    expect(await ask(client, {})).toEqual({ position: { ...position, offset: 5 }, replayed: 0 });
    await append(6, 7);
    expect(await numbers(client, 7)).toEqual(range(1, 7));
  });

  it('get nothing that excludes them, not later and not under a former id, and their position moves on', async () => {
    await start();
    const [steady, client] = [await app.client(), await app.client()];
    const position = await member(steady);
    await append(1, 1);
    await append(2, 3, '', [steady.clientId, 'former']);
    const { data } = await steady.next('room', 'position');
    expect(data).toEqual({ roomName: ROOM, position: { ...position, offset: 3 } });
    expect(await numbers(steady, 1)).toEqual([1]);

    await member(client);
    const since = { ...position, offset: 0 };
    expect(await ask(client, { since, was: 'former' })).toMatchObject({ recovered: true, replayed: 1 });
    expect(await numbers(client, 1)).toEqual([1]);
    expect(await client.next('room', 'position')).toMatchObject({ data: { position: { offset: 3 } } });
    // A message that was on its way at the return.
    await append(4, 4, '', ['former']);
    await append(5, 5);
    expect(await numbers(client, 1)).toEqual([5]);
  });

  it('get nothing while they are held', async () => {
    await start();
    const client = await app.client();
    await member(client);
    await history().admit(serverSide(client), ROOM, {});
    await append(1, 3);
    await client.expectNothing(50);
    history().begin(serverSide(client), ROOM);
    expect(await numbers(client, 3)).toEqual([1, 2, 3]);
  });
});

describe('a member that reads slowly', () => {
  it.each(['disconnect', 'drop', 'dropOldest'] as const)(
    'gets every numbered message, whatever the policy %s does with others',
    async (slowConsumer) => {
      await start({ limits: { maxBufferedBytes: 64 * KB, slowConsumer, slowConsumerGrace: 60_000 } });
      const client = await app.client();
      await member(client);
      const session = serverSide(client);
      client.socket.pause();
      await append(1, 2_000, 'x'.repeat(10 * KB));
      expect(session.bufferedAmount).toBeGreaterThan(0);
      expect(session.bufferedAmount).toBeLessThan(256 * KB);
      client.socket.resume();
      expect(await numbers(client, 2_000)).toEqual(range(1, 2_000));
      await append(2_001, 2_001);
      expect(await numbers(client, 1)).toEqual([2_001]);
      expect(app.app.get(WebSocketService).getWebSocketHealth().slowConsumers).toMatchObject({ disconnected: 0 });
    },
  );

  it('is waited for once, also where ws compresses, which takes this process and not the network', async () => {
    await start({ compression: true });
    const sockets: Socket[] = [];
    const server = app.app.getHttpServer() as Server;
    server.on('connection', (socket) => sockets.push(socket));
    const client = await app.client({ perMessageDeflate: true });
    await member(client);
    client.socket.pause();
    await append(1, 1_000, 'x'.repeat(10 * KB));
    client.socket.resume();
    expect(await numbers(client, 1_000)).toEqual(range(1, 1_000));
    expect(sockets[0]!.listenerCount('drain')).toBeLessThan(5);
  });

  it('is told what was trimmed before it came to it, and goes on from there', async () => {
    await start({ rooms: { history: { ...HISTORY, size: 20 } } });
    const client = await app.client();
    const position = await member(client);
    client.socket.pause();
    await append(1, 12_000, 'x'.repeat(KB));
    client.socket.resume();
    const told: number[] = [];
    let lost: { position: { offset: number } } | undefined;
    while (told.at(-1) !== 12_000) {
      const { type, action, data, ...frame } = (await client.next()) as never as NumberedFrame & {
        type: string;
        action: string;
      };
      if (type === 'n') told.push(frame.offset);
      if (action === 'lost') {
        lost = data as never;
        expect(lost).toEqual({
          roomName: ROOM,
          position: { ...position, offset: expect.any(Number) },
          reason: 'trimmed',
        });
      }
    }
    const first = lost?.position.offset ?? 0;
    const before = told.filter((offset) => offset <= first);
    expect(told).toEqual([...range(1, before.length), ...range(first + 1, 12_000)]);
  });

  it('does not make a long replay close it again', async () => {
    await start({ limits: { maxBufferedBytes: 64 * KB, slowConsumerGrace: 0 } });
    const [steady, client] = [await app.client(), await app.client()];
    const position = await member(steady);
    await append(1, 3_000, 'x'.repeat(KB));
    await member(client);
    expect(await ask(client, { since: { ...position, offset: 0 } })).toMatchObject({
      recovered: true,
      replayed: 3_000,
    });
    expect(await numbers(client, 3_000)).toEqual(range(1, 3_000));
  });

  it('gets no more than replay.bytes when it returns', async () => {
    await start({ rooms: { history: { ...HISTORY, replay: { bytes: 100 * KB } } } });
    const [steady, client] = [await app.client(), await app.client()];
    const position = await member(steady);
    await append(1, 150, 'x'.repeat(KB));
    await member(client);
    expect(await ask(client, { since: { ...position, offset: 0 } })).toMatchObject({
      recovered: false,
      reason: 'limit',
    });
    expect(await ask(client, { since: { ...position, offset: 100 } })).toMatchObject({ recovered: true, replayed: 50 });
    expect(await numbers(client, 50)).toEqual(range(101, 150));
    // The bytes of a connection are those of all its returns together.
    expect(await ask(client, { since: { ...position, offset: 100 } })).toMatchObject({
      recovered: false,
      reason: 'limit',
    });
    const verdict = (await ask(client, { history: 1_000 })) as { replayed: number };
    expect(verdict.replayed).toBeLessThan(50);
    expect(await numbers(client, verdict.replayed)).toEqual(range(151 - verdict.replayed, 150));
  });

  it('is forgotten when it goes', async () => {
    await start();
    const client = await app.client();
    await member(client);
    client.socket.pause();
    await append(1, 3_000, 'x'.repeat(KB));
    client.socket.terminate();
    await until(() => app.app.get(ClientManager).size === 0);
    const rooms = app.app
      .get(WebSocketService)
      .getMetrics()
      .find(({ name }) => name === 'pxl_ws_history_rooms');
    expect(rooms?.value).toBe(0);
  });
});
