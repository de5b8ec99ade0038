import { afterEach, describe, expect, it } from '@jest/globals';
import { MessageBody, WebSocketGateway } from '@nestjs/websockets';
import {
  PxlWebSocketServer,
  WebSocketService,
  WsError,
  WsRoute,
  type PxlWebSocketModuleOptions,
  type WsClient,
  type WsHistoryPage,
  type WsOutboundTransformer,
  type WsPosition,
  type WsReadRequest,
  type WsRoomOptions,
} from 'nestjs-pxl-websocket';
import { Runtime } from '../../lib/runtime/runtime.js';
import { EncryptedClient } from '../support/encrypted-client.js';
import { Gate } from '../support/gate.js';
import { joinRoom, offsetsAt, refusalOf, type HistoryPage } from '../support/history-requests.js';
import { HubBroadcaster } from '../support/hub-broadcaster.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';

@WebSocketGateway()
class Gateway {
  @WsRoute('test', 'echo')
  echo(_client: WsClient, data: unknown): unknown {
    return data;
  }

  @WsRoute('test', 'enter')
  async enter(client: WsClient, @MessageBody('roomName') roomName: string): Promise<boolean> {
    return client.join(roomName);
  }

  @WsRoute('test', 'leave')
  leave(client: WsClient, @MessageBody('roomName') roomName: string): void {
    client.leave(roomName);
  }
}

const KEPT = { size: 100, ttl: 60_000 };
const CODECS = ['pxl.v1', 'event.v1'] as const;

let app: TestApp;
let service: WebSocketService;
const open: { socket: { terminate(): void } }[] = [];

async function start(
  rooms: WsRoomOptions,
  options: PxlWebSocketModuleOptions = {},
  more: TestAppOptions = {},
): Promise<void> {
  app = await startApp({
    ...more,
    providers: [Gateway],
    options: { heartbeat: false, ...options, rooms: { history: KEPT, open: true, ...rooms } },
  });
  service = app.app.get(WebSocketService);
}

afterEach(async () => {
  await app.close();
  for (const { socket } of open.splice(0)) socket.terminate();
});

async function connect(codec = 'pxl.v1', more: object = {}): Promise<TestClient> {
  const client = await TestClient.open(app.url(), { protocols: [codec], ...more });
  open.push(client);
  await client.welcomed();
  return client;
}

async function say(roomName: string, ...lines: unknown[]): Promise<void> {
  for (const data of lines) await service.sendToRooms([roomName], { type: 'chat', action: 'line', data });
}

function roomNames(): string[] {
  return [...app.app.get(PxlWebSocketServer).rooms.keys()];
}

/** How many members and rooms the history holds on to. */
function openRooms(): number | undefined {
  return service.getMetrics().find(({ name }) => name === 'pxl_ws_history_rooms')?.value;
}

describe('a client that joins a room with history', () => {
  it('passes rooms.authorize at every return, and hears nothing where that has changed its mind', async () => {
    let isOpen = true;
    const asked: string[] = [];
    await start({
      authorize: ({ client, roomName }) => {
        asked.push(`${roomName} ${client.clientId}`);
        return isOpen || roomName !== 'tea';
      },
    });
    const first = await connect();
    const { position } = await joinRoom(first, 'tea');
    await say('tea', 1, 2);
    const second = await connect();
    expect(await joinRoom(second, 'tea', { since: position })).toMatchObject({ recovered: true, replayed: 2 });

    isOpen = false;
    const third = await connect();
    expect(await refusalOf(third, 'joinRoom', { roomName: 'tea', since: position })).toBe('FORBIDDEN');
    const rooms = [{ room: 'tea', since: position }, 'open'];
    expect(await third.request('system', 'join', { rooms })).toEqual({
      rooms: ['open'],
      refused: [{ room: 'tea', code: 'FORBIDDEN' }],
      joined: [{ room: 'open', position: { epoch: expect.any(String), offset: 0 }, replayed: 0 }],
    });
    await say('tea', 3);
    expect(await offsetsAt(third)).toEqual([]);
    expect(asked.filter((line) => line.startsWith('tea'))).toEqual(
      [first, second, third, third].map(({ clientId }) => `tea ${clientId}`),
    );
  });

  it.each(CODECS)('gets no copy of what has left its former connection out (%s)', async (codec) => {
    await start({});
    const first = await connect(codec);
    const { position } = await joinRoom(first, 'tea');
    await say('tea', 1);
    await service.sendToRooms(['tea'], { event: 'secret' }, { exclude: [first.clientId] });
    await say('tea', 3);

    const [returning, stranger] = [await connect(codec), await connect(codec)];
    const since = { since: position, was: first.clientId };
    expect(await joinRoom(returning, 'tea', since)).toEqual({ position, recovered: true, replayed: 2 });
    expect(await offsetsAt(returning)).toEqual([1, 3]);
    expect(await joinRoom(stranger, 'tea', { since: position })).toMatchObject({ replayed: 3 });
    const kept = async (client: TestClient): Promise<number[]> => {
      const page = (await client.request('system', 'history', { roomName: 'tea' })) as HistoryPage;
      return page.messages.map(({ offset }) => offset);
    };
    expect(await kept(returning)).toEqual([1, 3]);
    expect(await kept(stranger)).toEqual([1, 2, 3]);
  });

  it('leaves its former room in one-room mode, whose messages then end', async () => {
    await start({ clientCanJoinMultipleRooms: false });
    const client = await connect();
    const { position } = await joinRoom(client, 'tea');
    await joinRoom(client, 'chess');
    expect((await client.next('room', 'left')).data).toEqual({ roomName: 'tea', reason: 'replaced' });
    await say('tea', 1, 2);
    await say('chess', 1);
    expect(await offsetsAt(client)).toEqual([1]);
    expect(client.pending).toMatchObject([{ room: 'chess' }]);
    expect(await joinRoom(client, 'tea', { since: position })).toMatchObject({ recovered: true, replayed: 2 });
    expect(await offsetsAt(client)).toEqual([1, 1, 2]);
    expect(roomNames()).toEqual(['tea']);
    const rooms = [
      { room: 'chess', history: 1 },
      { room: 'tea', since: position },
    ];
    expect(await client.request('system', 'join', { rooms })).toMatchObject({
      rooms: ['tea'],
      refused: [{ room: 'chess', code: 'CONFLICT' }],
      joined: [{ room: 'tea', recovered: true }],
    });
  });

  it('hears its replay before what is new, however much of both there is at once', async () => {
    await start({});
    const first = await connect();
    const { position } = await joinRoom(first, 'tea');
    await say('tea', ...Array.from({ length: 50 }, (_, n) => n));
    const returning = await connect();
    const sends = Array.from({ length: 40 }, (_, n) => say('tea', n));
    const verdict = await joinRoom(returning, 'tea', { since: position });
    await Promise.all(sends);
    expect(verdict.recovered).toBe(true);
    expect(await offsetsAt(returning)).toEqual(Array.from({ length: 90 }, (_, n) => n + 1));
  });

  it('asks again where it is already, and starts from there once more', async () => {
    await start({});
    const client = await connect();
    const { position } = await joinRoom(client, 'tea');
    await say('tea', 1, 2);
    expect(await joinRoom(client, 'tea')).toEqual({ position: { ...position, offset: 2 }, replayed: 0 });
    expect(await joinRoom(client, 'tea', { since: { ...position, offset: 1 } })).toMatchObject({ replayed: 1 });
    await say('tea', 3);
    expect(await offsetsAt(client)).toEqual([1, 2, 2, 3]);
  });

  it('gets what one request was promised, whatever another says of the room before that is answered', async () => {
    const gate = new Gate();
    const authorize = ({ roomName }: { roomName: string }): boolean | Promise<boolean> =>
      roomName !== 'slow' || gate.passed.then(() => true);
    await start({ authorize }, { inbound: { concurrency: 4 } });
    const { position } = await joinRoom(await connect(), 'tea');
    await say('tea', 1, 2, 3);
    const client = await connect();
    const list = client.request('system', 'join', { rooms: [{ room: 'tea', since: position }, 'slow'] });
    await client.request('test', 'echo');
    await say('tea', 4);
    // It stands where the list has put it, also for a request that asks for less.
    expect(await joinRoom(client, 'tea')).toEqual({ position, replayed: 0 });
    gate.open();
    expect(await list).toMatchObject({ joined: [{ room: 'tea', position, recovered: true }, { room: 'slow' }] });
    expect(await offsetsAt(client)).toEqual([1, 2, 3, 4]);

    const other = await connect();
    other.send({ type: 'system', action: 'joinRoom', id: 'a', data: { roomName: 'tea', since: position } });
    other.send({ type: 'system', action: 'joinRoom', id: 'b', data: { roomName: 'tea', history: 1 } });
    expect(await offsetsAt(other)).toEqual([1, 2, 3, 4]);
  });

  it('takes the last word of a list that names a room twice', async () => {
    await start({});
    const first = await connect();
    const { position } = await joinRoom(first, 'tea');
    await say('tea', 1, 2, 3);
    const client = await connect();
    const since = { ...position, offset: 1 };
    const rooms = [{ room: 'tea', since: position }, { room: 'tea', since }, 'tea', { room: 'mate', since: null }];
    expect(await client.request('system', 'join', { rooms })).toEqual({
      rooms: ['tea'],
      refused: [{ room: 'mate', code: 'BAD_MESSAGE' }],
      joined: [{ room: 'tea', position: since, recovered: true, replayed: 2 }],
    });
  });
});

describe('rooms.mayRead', () => {
  const answers: Record<string, unknown> = { yes: true, no: false, two: 2, none: 0, odd: 'all', less: -1, nan: NaN };
  let asked: string[];
  let reported: string[];

  async function startReading(): Promise<TestClient> {
    asked = [];
    reported = [];
    const mayRead = ({ client, roomName }: WsReadRequest): boolean | number => {
      asked.push(`${roomName} ${client.clientId}`);
      if (roomName === 'broken') throw new Error('It broke.');
      return answers[roomName] as boolean;
    };
    await start({ mayRead }, { events: { onError: ({ error }) => void reported.push(error.message) } });
    return connect();
  }

  it.each([
    ['yes', 4, 4],
    ['no', 0, 0],
    ['two', 2, 2],
    ['none', 0, 0],
    ['odd', 0, 0],
    ['less', 0, 0],
    ['nan', 0, 0],
    ['broken', 0, 0],
  ])('that answers %s', async (room, replayed, readable) => {
    const client = await startReading();
    await say(room, 1, 2, 3, 4);
    const { position } = await joinRoom(client, room, { history: 10 });
    const at = (offset: number): WsPosition => ({ ...position, offset });
    expect(await joinRoom(client, room, { history: 10 })).toEqual({ position: at(4 - replayed), replayed });
    const nearest = await joinRoom(client, room, { since: at(4 - readable) });
    expect(nearest).toEqual({ position: at(4 - readable), recovered: true, replayed: readable });
    if (readable < 4) {
      const refused = { position: at(4), recovered: false, reason: 'limit', replayed: 0 };
      expect(await joinRoom(client, room, { since: at(3 - readable) })).toEqual(refused);
    }
    await say(room, 5);
    expect((await offsetsAt(client)).at(-1)).toBe(5);
    const page = client.request('system', 'history', { roomName: room });
    if (readable === 0) await expect(page).rejects.toThrow(room === 'broken' ? 'INTERNAL' : 'FORBIDDEN');
    else expect((await page) as HistoryPage).toMatchObject({ messages: Array(readable === 4 ? 5 : 2).fill({}) });
    expect(new Set(asked)).toEqual(new Set([`${room} ${client.clientId}`]));
    expect(reported.length > 0).toBe(['odd', 'less', 'nan', 'broken'].includes(room));
  });

  it('is not asked where nothing of the past is asked for', async () => {
    const client = await startReading();
    await joinRoom(client, 'no');
    await joinRoom(client, 'yes', { history: 0 });
    expect(asked).toEqual([]);
  });
});

describe('a client that the server puts into a room with history', () => {
  it.each(CODECS)('hears its position before any message, and recovers once (%s)', async (codec) => {
    await start({ defaults: ['lobby'] });
    const first = await connect(codec);
    const push = await first.next('room', 'joined');
    const { position } = push.data as { position: { epoch: string; offset: number } };
    expect(push.data).toEqual({ roomName: 'lobby', position: { epoch: expect.any(String), offset: 0 } });
    await say('lobby', 1, 2);

    const second = await connect(codec);
    await second.next('room', 'joined');
    await say('lobby', 3);
    const since = { ...position, offset: 1 };
    expect(await second.request('system', 'recover', { roomName: 'lobby', since })).toEqual({
      roomName: 'lobby',
      position: since,
      recovered: true,
      replayed: 2,
    });
    await say('lobby', 4);
    expect(await offsetsAt(second)).toEqual([3, 2, 3, 4]);
    expect(await refusalOf(second, 'recover', { roomName: 'lobby', since })).toBe('CONFLICT');

    await second.request('test', 'leave', { roomName: 'lobby' });
    expect(await refusalOf(second, 'recover', { roomName: 'lobby', since })).toBe('FORBIDDEN');
    await second.request('test', 'enter', { roomName: 'lobby' });
    const lost = { epoch: 'another', offset: 1 };
    expect(await second.request('system', 'recover', { roomName: 'lobby', since: lost })).toEqual({
      roomName: 'lobby',
      position: { ...position, offset: 4 },
      recovered: false,
      reason: 'epoch',
      replayed: 0,
    });
  });

  it('while its own join waits, has both: the push and the verdict, with what was missed', async () => {
    const gate = new Gate<boolean>();
    await start({ authorize: () => gate.passed });
    const first = await connect();
    await service.joinRooms({ clientIds: [first.clientId], rooms: ['tea'] });
    const { position } = (await first.next('room', 'joined')).data as { position: object };
    await say('tea', 1, 2);
    const client = await connect();
    const joined = joinRoom(client, 'tea', { since: position });
    await service.joinRooms({ clientIds: [client.clientId], rooms: ['tea'] });
    await client.next('room', 'joined');
    await say('tea', 3);
    gate.open(true);
    expect(await joined).toEqual({ position, recovered: true, replayed: 3 });
    await say('tea', 4);
    expect(await offsetsAt(client)).toEqual([3, 1, 2, 3, 4]);
  });

  it('may recover again where its request was malformed', async () => {
    await start({ defaults: ['lobby'] });
    const client = await connect();
    const { position } = (await client.next('room', 'joined')).data as { position: object };
    for (const bad of [{}, { since: 1 }, { since: position, was: 5 }, { since: { ...position, offset: 0.5 } }]) {
      expect(await refusalOf(client, 'recover', { roomName: 'lobby', ...bad })).toBe('BAD_MESSAGE');
    }
    expect(await client.request('system', 'recover', { roomName: 'lobby', since: position })).toMatchObject({
      recovered: true,
    });
  });
});

describe('numbered messages', () => {
  it.each(CODECS)('carry the name of their room once, with rooms.named as well (%s)', async (codec) => {
    await start({ named: true, announce: true }, { clientList: { enabled: true } });
    const client = await connect(codec);
    await joinRoom(client, 'tea');
    await joinRoom(await connect(), 'tea');
    await service.sendToRooms(['tea'], { event: 'news', data: { room: 'of the data' } });
    const names = codec === 'pxl.v1' ? { type: 'event', action: 'news' } : { event: 'news' };
    expect(await client.next('event', 'news')).toEqual({
      ...names,
      data: { room: 'of the data' },
      room: 'tea',
      offset: 1,
    });
    for (const [type, action] of [
      ['room', 'memberJoined'],
      ['system', 'clientList'],
    ] as const) {
      expect(await client.next(type, action)).not.toHaveProperty('offset');
    }
  });

  it.each(CODECS)('pass the outboundTransformer each time they are sent, and keep their marks (%s)', async (codec) => {
    const seen: unknown[] = [];
    const transformer: WsOutboundTransformer = ({ event, data }) => {
      if (event === 'chat:line') seen.push(data);
      if (data === 'hidden') return null;
      return event === 'chat:line' ? { event: 'chat:shown', data: `${String(data)}!` } : { event, data };
    };
    await start({}, { outboundTransformer: transformer });
    const client = await connect(codec);
    const { position } = await joinRoom(client, 'tea');
    await say('tea', 'a', 'hidden', 'c');
    expect(await offsetsAt(client)).toEqual([1, 3]);
    const shown = codec === 'pxl.v1' ? { type: 'chat', action: 'shown' } : { event: 'chat:shown' };
    expect(client.pending).toContainEqual({ ...shown, data: 'c!', room: 'tea', offset: 3 });

    const returning = await connect(codec);
    expect(await joinRoom(returning, 'tea', { since: position })).toMatchObject({ recovered: true, replayed: 3 });
    expect(await offsetsAt(returning)).toEqual([1, 3]);
    expect(returning.pending).toContainEqual({ ...shown, data: 'a!', room: 'tea', offset: 1 });
    expect(seen).toEqual(['a', 'hidden', 'c', 'a', 'hidden', 'c']);
  });

  it('are lost where the outboundTransformer fails, are counted, and are there for who returns', async () => {
    let isBroken = true;
    const outboundTransformer: WsOutboundTransformer = ({ event, data }) => {
      if (data === 'b' && isBroken) throw new Error('It broke.');
      return { event, data };
    };
    await start({}, { outboundTransformer, events: { onError: () => undefined } });
    const client = await connect();
    const { position } = await joinRoom(client, 'tea');
    await say('tea', 'a', 'b', 'c');
    expect(await offsetsAt(client)).toEqual([1, 3]);
    expect(service.getRefusals().outboundTransformer).toBe(1);
    isBroken = false;
    expect(await joinRoom(client, 'tea', { since: position })).toMatchObject({ recovered: true });
    expect(await offsetsAt(client)).toEqual([1, 3, 1, 2, 3]);
  });

  it.each(CODECS)('are encrypted for who has agreed on a key, replayed ones too (%s)', async (codec) => {
    await start({}, { encryption: true });
    const first = await connect(codec);
    const { position } = await joinRoom(first, 'tea');
    await say('tea', 'a', 'b');
    const secret = await EncryptedClient.connect(app.url(), { codec });
    open.push(secret);
    const data = { roomName: 'tea', since: position };
    await secret.send(
      codec === 'pxl.v1'
        ? { type: 'system', action: 'joinRoom', data, id: 1 }
        : { event: 'system:joinRoom', data, id: 1 },
    );
    const [answer, ...replay] = await secret.take(3);
    expect(answer).toMatchObject({ id: 1 });
    expect(replay).toMatchObject([
      { data: 'a', offset: 1 },
      { data: 'b', offset: 2 },
    ]);
    await say('tea', 'c');
    expect(await secret.next()).toMatchObject({ data: 'c', offset: 3, room: 'tea' });
    expect(secret.clear).toHaveLength(1);
  });

  it('are compressed where the connection is', async () => {
    await start({}, { compression: { threshold: 100 } });
    const first = await connect();
    const { position } = await joinRoom(first, 'tea');
    await say('tea', 'a'.repeat(1_000), 'b'.repeat(1_000));
    const returning = await connect('pxl.v1', { perMessageDeflate: true });
    expect(returning.socket.extensions).toContain('permessage-deflate');
    expect(await joinRoom(returning, 'tea', { since: position })).toMatchObject({ replayed: 2 });
    await say('tea', 'c'.repeat(1_000));
    expect(await offsetsAt(returning)).toEqual([1, 2, 3]);
  });
});

describe('a page of a room', () => {
  it.each(CODECS)('is no larger than a socket takes, and the next ones have the rest (%s)', async (codec) => {
    await start({}, { limits: { maxBufferedBytes: 4_096 } });
    const client = await connect(codec);
    await say('tea', ...Array.from({ length: 10 }, (_, n) => `${n}${'x'.repeat(1_000)}`));
    let { position: since } = await joinRoom(client, 'tea', { since: { epoch: 'another', offset: 0 } });
    since = { ...since, offset: 0 };
    const sizes: number[] = [];
    const offsets: number[] = [];
    for (let more = true; more;) {
      const page = (await client.request('system', 'history', { roomName: 'tea', since })) as HistoryPage;
      sizes.push(page.messages.length);
      offsets.push(...page.messages.map(({ offset }) => offset));
      since = { ...since, offset: offsets.at(-1) ?? 0 };
      more = page.more;
    }
    expect(sizes).toEqual([3, 3, 3, 1]);
    expect(offsets).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    await say('tea', 'y'.repeat(5_000));
    const last = { roomName: 'tea', reverse: true, limit: 2 };
    const page = (await client.request('system', 'history', last)) as HistoryPage;
    expect(page).toMatchObject({ messages: [{ offset: 11 }], more: true });
  });

  it('is one of those that make up 16 MiB a minute, by what it really brings', async () => {
    await start({});
    const client = await connect();
    await joinRoom(client, 'tea');
    await say('tea', ...Array.from({ length: 6 }, () => 'x'.repeat(100_000)));
    const page = { roomName: 'tea' };
    for (let n = 0; n < 34; n++) {
      const { messages } = (await client.request('system', 'history', page)) as HistoryPage;
      expect(messages).toHaveLength(5);
    }
    expect(await refusalOf(client, 'history', page)).toBe('RATE_LIMITED');
  });

  it('counts what it passes over for an asker whom everything leaves out', async () => {
    await start({});
    const client = await connect();
    await joinRoom(client, 'tea');
    const data = 'x'.repeat(200_000);
    for (let n = 0; n < 99; n++) {
      await service.sendToRooms(['tea'], { event: 'n', data }, { exclude: { clients: [client.clientId] } });
    }
    await say('tea', 'last');
    const reverse = { roomName: 'tea', reverse: true, limit: 1 };
    const page = (await client.request('system', 'history', reverse)) as HistoryPage;
    expect(page).toMatchObject({ messages: [{ data: 'last' }], more: true });
    expect(await refusalOf(client, 'history', { roomName: 'tea' })).toBe('RATE_LIMITED');
  });

  it.each([false, true])('goes past messages that leave the asker out, reverse: %s', async (reverse) => {
    await start({});
    const client = await connect();
    const { position } = await joinRoom(client, 'tea');
    await say('tea', 1);
    for (let n = 0; n < 98; n++) await service.sendToRooms(['tea'], { event: 'n' }, { exclude: [client.clientId] });
    await say('tea', 100);
    const page = (fields: object): Promise<HistoryPage> =>
      client.request('system', 'history', { roomName: 'tea', reverse, ...fields }) as Promise<HistoryPage>;
    const [first, last] = reverse ? [100, 1] : [1, 100];
    const page1 = await page({ limit: 1 });
    expect(page1).toMatchObject({ messages: [{ offset: first }], more: true });
    const page2 = await page({ limit: 1, since: { ...position, offset: first } });
    expect(page2).toMatchObject({ messages: [{ offset: last }], more: false });
    const end = await page({ since: { ...position, offset: reverse ? 0 : 100 } });
    expect(end).toEqual({ messages: [], position: { ...position, offset: 100 }, more: false });
  });

  it('passes the outboundTransformer as one answer', async () => {
    const seen: unknown[] = [];
    const transformer: WsOutboundTransformer = ({ event, data }) => {
      if (event === 'system:history') seen.push(data);
      return { event, data };
    };
    await start({}, { outboundTransformer: transformer });
    const client = await connect();
    await joinRoom(client, 'tea');
    await say('tea', 1);
    await client.request('system', 'history', { roomName: 'tea' });
    expect(seen).toMatchObject([{ messages: [{ data: 1 }] }]);
  });
});

/** A bus whose kept messages cannot be read for a while. */
class MoodyBus extends HubBroadcaster {
  static isReadable = true;

  constructor() {
    super('own', new Set());
  }

  override async read(...range: Parameters<HubBroadcaster['read']>): Promise<WsHistoryPage> {
    if (!MoodyBus.isReadable) throw new WsError('UNAVAILABLE', 'The bus cannot be reached.');
    return super.read(...range);
  }
}

describe('a join whose messages cannot be read', () => {
  let position: WsPosition;
  /** In no room. */
  let client: TestClient;

  /** Four messages are kept, of which the worker itself remembers none. */
  async function startUnreadable(): Promise<void> {
    MoodyBus.isReadable = true;
    await start({}, { broadcaster: MoodyBus });
    client = await connect();
    ({ position } = await joinRoom(client, 'tea'));
    await client.request('system', 'leaveRoom', { roomName: 'tea' });
    await say('tea', 1, 2, 3, 4);
    MoodyBus.isReadable = false;
  }

  it('is refused UNAVAILABLE, which leaves nobody behind; with the same position it is recovered later', async () => {
    await startUnreadable();
    const answer = await client.call('system', 'joinRoom', { roomName: 'tea', since: position });
    expect(answer).toMatchObject({ data: { code: 'UNAVAILABLE', retryable: true } });
    const rooms = [{ room: 'tea', since: position }, 'chess'];
    expect(await client.request('system', 'join', { rooms })).toMatchObject({
      rooms: ['chess'],
      refused: [{ room: 'tea', code: 'UNAVAILABLE' }],
    });
    expect(roomNames()).toEqual(['chess']);
    expect(openRooms()).toBe(1);
    await say('tea', 5);
    MoodyBus.isReadable = true;
    expect(await joinRoom(client, 'tea', { since: position })).toMatchObject({ recovered: true, replayed: 5 });
    expect(await offsetsAt(client)).toEqual([1, 2, 3, 4, 5]);
  });

  it('lets who was in the room before go on hearing it', async () => {
    await startUnreadable();
    await joinRoom(client, 'tea');
    expect(await refusalOf(client, 'joinRoom', { roomName: 'tea', since: position })).toBe('UNAVAILABLE');
    await say('tea', 5, 6);
    expect(await offsetsAt(client)).toEqual([5, 6]);
  });

  it('does not count as the one request to recover', async () => {
    await startUnreadable();
    await client.request('test', 'enter', { roomName: 'tea' });
    const recover = { roomName: 'tea', since: position };
    expect(await refusalOf(client, 'recover', recover)).toBe('UNAVAILABLE');
    await say('tea', 5);
    MoodyBus.isReadable = true;
    expect(await client.request('system', 'recover', recover)).toMatchObject({ recovered: true, replayed: 5 });
    expect(await offsetsAt(client)).toEqual([5, 1, 2, 3, 4, 5]);
  });

  it('ends a page that is asked for, with UNAVAILABLE too', async () => {
    await startUnreadable();
    await joinRoom(client, 'tea');
    expect(await refusalOf(client, 'history', { roomName: 'tea' })).toBe('UNAVAILABLE');
  });
});

describe('a join with a position that is given up', () => {
  /** What rooms.mayRead waits for. */
  let gate: Gate<boolean>;
  let clock: ManualRuntime;

  async function startSlow(): Promise<void> {
    gate = new Gate<boolean>();
    clock = new ManualRuntime();
    await start(
      { mayRead: ({ roomName }) => (roomName === 'slow' ? gate.passed : true) },
      { timeouts: { handler: 2_000, hook: 10_000 } },
      { override: (builder) => builder.overrideProvider(Runtime).useValue(clock) },
    );
  }

  async function tooLate(
    client: TestClient,
    action: string,
    data: object,
    meanwhile?: () => Promise<void>,
  ): Promise<void> {
    client.send({ type: 'system', action, data, id: 'late' });
    await client.request('system', 'ping');
    await meanwhile?.();
    await clock.advance(2_000);
    expect(await client.take(({ id }) => id === 'late')).toMatchObject({ data: { code: 'TIMEOUT' } });
  }

  it('leaves nobody behind', async () => {
    await startSlow();
    const client = await connect();
    await tooLate(client, 'joinRoom', { roomName: 'slow', history: 5 });
    await tooLate(client, 'join', { rooms: ['tea', { room: 'slow', history: 5 }] });
    gate.open(true);
    await client.request('system', 'ping');
    expect(roomNames()).toEqual([]);
    expect(openRooms()).toBe(0);
    await say('slow', 1);
    expect(await joinRoom(client, 'slow', { history: 5 })).toMatchObject({ replayed: 1 });
    await say('slow', 2);
    expect(await offsetsAt(client)).toEqual([1, 2]);
  });

  it('lets who was in the room before go on from where it was, whatever the verdict would be', async () => {
    await startSlow();
    const client = await connect();
    const { position } = await joinRoom(client, 'slow');
    const tea = await joinRoom(client, 'tea');
    await say('slow', 1);
    const held = async (): Promise<void> => {
      await say('slow', 'held');
      await say('tea', 'held');
    };
    await tooLate(client, 'joinRoom', { roomName: 'slow', since: { ...position, epoch: 'another' } }, held);
    expect(await offsetsAt(client)).toEqual([1, 1, 2]);
    const rooms = [
      { room: 'tea', since: { ...tea.position, offset: 1 } },
      { room: 'slow', since: position },
    ];
    await tooLate(client, 'join', { rooms }, held);
    expect((await offsetsAt(client)).sort()).toEqual([1, 1, 2, 2, 3]);
    gate.open(true);
    await client.request('system', 'ping');
    await held();
    expect((await offsetsAt(client)).sort()).toEqual([1, 1, 2, 2, 3, 3, 4]);
    expect(roomNames()).toEqual(['slow', 'tea']);
  });

  it('ends with the connection', async () => {
    await startSlow();
    const client = await connect();
    client.send({ type: 'system', action: 'joinRoom', data: { roomName: 'slow', history: 5 }, id: 1 });
    await client.request('system', 'ping');
    await client.close();
    gate.open(true);
    const witness = await connect();
    await witness.request('test', 'echo');
    expect(roomNames()).toEqual([]);
    expect(openRooms()).toBe(0);
  });
});
