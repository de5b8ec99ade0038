import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { WebSocketService, WsRoute, type WsClient, type WsPosition } from 'nestjs-pxl-websocket';
import { Runtime } from '../../lib/runtime/runtime.js';
import { joinRoom, offsetsAt, refusalOf, type HistoryPage } from '../support/history-requests.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient, type Received } from '../support/test-client.js';
import { historyHeadings, protocolFrom } from './headings.js';

@WebSocketGateway()
class ConformanceGateway {
  @WsRoute('test', 'echo')
  echo(_client: WsClient, data: unknown): unknown {
    return data;
  }

  @WsRoute('test', 'enter')
  async enter(client: WsClient, @MessageBody('roomName') roomName: string): Promise<boolean> {
    return client.join(roomName);
  }
}

const CODECS = ['pxl.v1', 'event.v1'] as const;
const SIZE = 5;

const clock = new ManualRuntime();
let app: TestApp;
let service: WebSocketService;
let rooms = 0;
const open: TestClient[] = [];

beforeAll(async () => {
  app = await startApp({
    providers: [ConformanceGateway],
    override: (builder) => builder.overrideProvider(Runtime).useValue(clock),
    options: {
      heartbeat: false,
      rooms: {
        open: true,
        history: {
          of: (roomName) => (roomName.startsWith('plain') ? null : { size: SIZE, ttl: 60_000 }),
          replay: { bytes: 2_000 },
        },
        mayRead: ({ roomName }) => (roomName.startsWith('two') ? 2 : !roomName.startsWith('secret')),
      },
    },
  });
  service = app.app.get(WebSocketService);
});
afterAll(() => app.close());
afterEach(() => open.splice(0).forEach(({ socket }) => socket.terminate()));

async function client(codec: string): Promise<TestClient> {
  const someone = await TestClient.open(app.url(), { protocols: [codec] });
  await someone.welcomed();
  open.push(someone);
  return someone;
}

/** A room that nobody has used. */
function newRoom(kind = 'kept'): string {
  return `${kind} ${++rooms}`;
}

async function say(roomName: string, ...lines: unknown[]): Promise<void> {
  for (const data of lines) await service.sendToRooms([roomName], { type: 'chat', action: 'line', data });
}

/** The message in the shape of the codec. */
function line(codec: string, data: unknown): object {
  return codec === 'pxl.v1' ? { type: 'chat', action: 'line', data } : { event: 'chat:line', data };
}

function push(codec: string, action: string, data: object): object {
  return codec === 'pxl.v1' ? { type: 'room', action, data } : { event: `room:${action}`, data };
}

/** Plays the frames of the example, and holds what comes against it, byte by byte. */
async function playExample(): Promise<void> {
  const [part = ''] = protocolFrom('Joins with a position').split('\n### ');
  const [request = '', ...answers] = [...part.matchAll(/^[→←] (.*)$/gm)].map(([, frame]) => frame);
  const { epoch } = (await joinRoom(await client('pxl.v1'), 'tea')).position;
  await say('tea', 'a', 'b');
  await service.sendToRooms(['tea'], { type: 'chat', action: 'message', data: { text: 'Hello' } });
  const someone = await client('pxl.v1');
  const heard: string[] = [];
  someone.socket.on('message', (data: Buffer) => heard.push(data.toString()));
  someone.send(request.replace(/"epoch":"[^"]*"/, `"epoch":"${epoch}"`));
  await someone.next('chat', 'message');
  const plain = (frame: string): string => frame.replace(/"(epoch|joinedAt)":"[^"]*"/g, '"$1":"…"');
  expect(heard.map(plain)).toEqual(answers.map((frame = '') => plain(frame)));
}

/** What each heading of the part about rooms with history promises, to clients of one codec. */
const promises: Record<string, (codec: string) => Promise<void>> = {
  async 'Rooms with history'(codec) {
    const [someone, plain] = [await client(codec), newRoom('plain')];
    const request = { roomName: plain, since: 'nonsense', history: -1, was: 5 };
    const { data } = (await someone.request('system', 'joinRoom', request)) as { data: object };
    expect(Object.keys(data).sort()).toEqual(['joinedAt', 'roomName']);
    const entry = { room: plain, since: null, history: 'all' };
    expect(await someone.request('system', 'join', { rooms: [entry] })).toEqual({ rooms: [plain], refused: [] });
    await say(plain, 1);
    expect(await someone.next('chat', 'line')).toEqual(line(codec, 1));
  },

  async Positions(codec) {
    const [someone, room] = [await client(codec), newRoom()];
    const { position } = await joinRoom(someone, room);
    expect(position).toEqual({ epoch: expect.stringMatching(/^.{1,64}$/), offset: 0 });
    await say(room, 'a', 'b', 'c');
    expect(await offsetsAt(someone)).toEqual([1, 2, 3]);
    const later = await client(codec);
    expect(await joinRoom(later, room)).toEqual({ position: { ...position, offset: 3 }, replayed: 0 });
  },

  async 'Numbered messages'(codec) {
    const [someone, room, other, plain] = [await client(codec), newRoom(), newRoom(), newRoom('plain')];
    for (const roomName of [room, other, plain]) await joinRoom(someone, roomName);
    await say(room, 'a');
    expect(await someone.next('chat', 'line')).toEqual({ ...line(codec, 'a'), room, offset: 1 });
    await service.sendToRooms([room, other], { event: 'news' });
    const [first, second] = [await someone.next('event', 'news'), await someone.next('event', 'news')] as {
      room?: string;
      copy?: string;
    }[];
    const copy: unknown = expect.any(String);
    const names = codec === 'pxl.v1' ? { type: 'event', action: 'news' } : { event: 'news' };
    expect([first, second].sort((a, b) => (a!.room! < b!.room! ? -1 : 1))).toEqual(
      [
        { ...names, room, offset: 2, copy },
        { ...names, room: other, offset: 1, copy },
      ].sort((a, b) => (a.room < b.room ? -1 : 1)),
    );
    expect(first?.copy).toBe(second?.copy);
    await service.sendToRooms([room], { event: 'now' }, { volatile: true });
    expect(await someone.next('event', 'now')).not.toHaveProperty('offset');
    expect(await joinRoom(await client(codec), room)).toMatchObject({ position: { offset: 2 } });
  },

  async 'Joins with a position'(codec) {
    const [someone, room] = [await client(codec), newRoom()];
    const { position } = await joinRoom(someone, room);
    const at = (offset: number): WsPosition => ({ ...position, offset });
    await say(room, 'a', 'b', 'c', 'd');

    const returning = await client(codec);
    expect(await joinRoom(returning, room, { since: at(1), history: 4, was: someone.clientId })).toEqual({
      position: at(1),
      recovered: true,
      replayed: 3,
    });
    await say(room, 'e');
    expect(await offsetsAt(returning)).toEqual([2, 3, 4, 5]);
    expect(returning.pending).toContainEqual({ ...line(codec, 'd'), room, offset: 4 });

    const newcomer = await client(codec);
    expect(await joinRoom(newcomer, room, { history: 2 })).toEqual({ position: at(3), replayed: 2 });
    expect(await offsetsAt(newcomer)).toEqual([4, 5]);

    const complete = await client(codec);
    expect(await joinRoom(complete, room, { since: at(5) })).toEqual({ position: at(5), recovered: true, replayed: 0 });

    // Nobody is in the room any more, so that the server has no more of it than it promises.
    for (const member of [someone, returning, newcomer, complete]) {
      await member.request('system', 'leaveRoom', { roomName: room });
    }
    await say(room, 'f', 'g');
    const lost = await client(codec);
    const refusals = [
      [{ epoch: 'another', offset: 6 }, 'epoch'],
      [at(8), 'epoch'],
      [at(1), 'trimmed'],
    ] as const;
    for (const [since, reason] of refusals) {
      expect(await joinRoom(lost, room, { since })).toEqual({ position: at(7), recovered: false, reason, replayed: 0 });
    }
    await say(room, 'h');
    expect(await offsetsAt(lost)).toEqual([8]);

    const large = newRoom();
    const start = await joinRoom(await client(codec), large);
    await say(large, 'x'.repeat(900), 'x'.repeat(900), 'x'.repeat(900));
    expect(await joinRoom(lost, large, { since: start.position })).toMatchObject({ recovered: false, reason: 'limit' });

    const list = await client(codec);
    const plain = newRoom('plain');
    const entries = [
      { room, since: at(6), was: someone.clientId },
      { room: plain },
      { room: large, history: 1 },
      { room: newRoom(), since: at(-1) },
    ];
    expect(await list.request('system', 'join', { rooms: entries })).toEqual({
      rooms: [room, plain, large],
      refused: [{ room: entries[3]!.room, code: 'BAD_MESSAGE' }],
      joined: [
        { room, position: at(6), recovered: true, replayed: 2 },
        { room: large, position: { ...start.position, offset: 2 }, replayed: 1 },
      ],
    });
    expect(await offsetsAt(list)).toEqual(expect.arrayContaining([7, 8, 3]));

    for (const bad of [{ since: { epoch: '', offset: 1 } }, { history: 10_001 }, { was: '' }]) {
      expect(await refusalOf(lost, 'joinRoom', { roomName: newRoom(), ...bad })).toBe('BAD_MESSAGE');
    }

    if (codec === 'pxl.v1') await playExample();

    const silent = await client(codec);
    const data = { roomName: room, rooms: [{ room, since: at(6) }], since: at(6) };
    silent.send(codec === 'pxl.v1' ? { type: 'system', action: 'joinRoom', data } : { event: 'join', data });
    await silent.request('test', 'echo');
    await say(room, 'i');
    expect(await offsetsAt(silent)).toEqual([9]);
  },

  async 'room.joined'(codec) {
    const [someone, room] = [await client(codec), newRoom()];
    await say(room, 'a');
    await someone.request('test', 'enter', { roomName: room });
    await say(room, 'b');
    const position = { epoch: expect.any(String), offset: 1 };
    expect(await someone.next()).toEqual(push(codec, 'joined', { roomName: room, position }));
    expect(await offsetsAt(someone)).toEqual([2]);
  },

  async recover(codec) {
    const [someone, room] = [await client(codec), newRoom()];
    const { position } = await joinRoom(someone, room);
    await say(room, 'a', 'b');
    const returning = await client(codec);
    const recover = { roomName: room, since: position, was: someone.clientId };
    expect(await refusalOf(returning, 'recover', recover)).toBe('FORBIDDEN');
    await returning.request('test', 'enter', { roomName: room });
    expect(await refusalOf(returning, 'recover', { roomName: room })).toBe('BAD_MESSAGE');
    expect(await returning.request('system', 'recover', recover)).toEqual({
      roomName: room,
      position,
      recovered: true,
      replayed: 2,
    });
    await say(room, 'c');
    expect(await offsetsAt(returning)).toEqual([1, 2, 3]);
    expect(await refusalOf(returning, 'recover', recover)).toBe('CONFLICT');
    const plain = newRoom('plain');
    await joinRoom(returning, plain);
    expect(await refusalOf(returning, 'recover', { ...recover, roomName: plain })).toBe('NOT_FOUND');
    returning.send(
      codec === 'pxl.v1'
        ? { type: 'system', action: 'recover', data: recover }
        : { event: 'system:recover', data: recover },
    );
    expect(await returning.take(isError)).toMatchObject({ data: { code: 'BAD_MESSAGE' } });
  },

  async 'room.lost'(codec) {
    const [someone, room] = [await client(codec), newRoom()];
    const { position } = await joinRoom(someone, room);
    await say(room, 'a');
    const begun = await service.clearHistory(room);
    expect(begun.epoch).not.toBe(position.epoch);
    const lost = { roomName: room, position: begun, reason: 'epoch' };
    await someone.request('test', 'echo');
    await clock.advance(1_000);
    expect(await someone.next('room', 'lost')).toEqual(push(codec, 'lost', lost));
    await say(room, 'b');
    expect(await offsetsAt(someone)).toEqual([1, 1]);
  },

  async 'room.position'(codec) {
    const [someone, other, room] = [await client(codec), await client(codec), newRoom()];
    const { position } = await joinRoom(someone, room);
    await joinRoom(other, room);
    await service.sendToRooms([room], { event: 'news' }, { exclude: [someone.clientId] });
    await clock.advance(1_000);
    const moved = { roomName: room, position: { ...position, offset: 1 } };
    expect(await someone.next('room', 'position')).toEqual(push(codec, 'position', moved));
    expect(await offsetsAt(someone)).toEqual([]);
    expect(await offsetsAt(other)).toEqual([1]);
  },

  async history(codec) {
    const [someone, room] = [await client(codec), newRoom()];
    const page = (fields: object): Promise<HistoryPage> =>
      someone.request('system', 'history', { roomName: room, ...fields }) as Promise<HistoryPage>;
    expect(await refusalOf(someone, 'history', { roomName: room })).toBe('FORBIDDEN');
    const { position } = await joinRoom(someone, room);
    const at = (offset: number): WsPosition => ({ ...position, offset });
    await say(room, 'a', 'b', 'c', 'd', 'e', 'f');
    const kept = ['b', 'c', 'd', 'e', 'f'].map((data, index) => ({ ...line(codec, data), offset: index + 2 }));
    const whole = { position: at(6), more: false };
    expect(await page({})).toEqual({ ...whole, messages: kept });
    expect(await page({ since: at(4) })).toEqual({ ...whole, messages: kept.slice(3) });
    expect(await page({ limit: 2 })).toEqual({ position: at(6), more: true, messages: kept.slice(0, 2) });
    expect(await page({ reverse: true, limit: 2, since: at(5) })).toEqual({
      position: at(6),
      more: true,
      messages: [kept[2], kept[1]],
    });
    expect(await page({ since: at(0) })).toEqual({ ...whole, messages: kept, reason: 'trimmed' });
    expect(await page({ since: { epoch: 'another', offset: 1 } })).toEqual({ ...whole, messages: [], reason: 'epoch' });
    for (const bad of [{ limit: 0 }, { limit: 1_001 }, { reverse: 'yes' }, { since: 1 }]) {
      expect(await refusalOf(someone, 'history', { roomName: room, ...bad })).toBe('BAD_MESSAGE');
    }
    const [plain, secret, two] = [newRoom('plain'), newRoom('secret'), newRoom('two')];
    for (const roomName of [plain, secret, two]) await joinRoom(someone, roomName);
    expect(await refusalOf(someone, 'history', { roomName: plain })).toBe('NOT_FOUND');
    expect(await refusalOf(someone, 'history', { roomName: secret })).toBe('FORBIDDEN');
    await say(two, 1, 2, 3);
    const newest = (await someone.request('system', 'history', { roomName: two })) as HistoryPage;
    expect(newest.messages.map(({ offset }) => offset)).toEqual([2, 3]);
  },
};

function isError({ type, event }: Received): boolean {
  return type === 'error' || event === 'error';
}

describe.each(CODECS)('PROTOCOL.md, rooms with history (%s)', (codec) => {
  it.each(historyHeadings())('%s', async (heading) => {
    await promises[heading]?.(codec);
  });
});

describe('PROTOCOL.md, rooms with history', () => {
  it('has a test for every heading, and a heading for every test', () => {
    expect(Object.keys(promises).sort()).toEqual([...historyHeadings()].sort());
  });
});
