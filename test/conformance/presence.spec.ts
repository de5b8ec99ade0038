import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { WebSocketGateway } from '@nestjs/websockets';
import { WsRoute, type WsMember, type WsMemberList } from 'nestjs-pxl-websocket';
import { Runtime } from '../../lib/runtime/runtime.js';
import { refusalOf } from '../support/history-requests.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { until } from '../support/until.js';
import { urlIdentity } from '../support/url-identity.js';
import { presenceHeadings, protocolFrom } from './headings.js';

@WebSocketGateway()
class ConformanceGateway {
  @WsRoute('test', 'echo')
  echo(): boolean {
    return true;
  }
}

const CODECS = ['pxl.v1', 'event.v1'] as const;
const INTERVAL = 1_000;
const GRACE = 10_000;
/** The most members in a list. */
const LIMIT = 3;

const clock = new ManualRuntime();
let app: TestApp;
let rooms = 0;
const open: TestClient[] = [];

beforeAll(async () => {
  app = await startApp({
    providers: [ConformanceGateway],
    override: (builder) => builder.overrideProvider(Runtime).useValue(clock),
    options: {
      heartbeat: false,
      auth: { authenticate: urlIdentity },
      rooms: {
        open: true,
        presence: (roomName) => {
          if (roomName.startsWith('plain')) return null;
          return { by: roomName.startsWith('client') ? 'client' : 'user', limit: LIMIT };
        },
        profile: ({ userId }) => ({ colour: userId === 'ada' ? 'red' : 'blue' }),
      },
    },
  });
});
afterAll(() => app.close());
afterEach(() => open.splice(0).forEach(({ socket }) => socket.terminate()));

/** A client of a user, or an anonymous one. */
async function client(codec: string, userId?: string, resume?: string): Promise<TestClient> {
  const query = new URLSearchParams({
    ...(userId !== undefined && { userId }),
    ...(resume !== undefined && { resume }),
  });
  const someone = await TestClient.open(app.url(`/ws?${query.toString()}`), { protocols: [codec] });
  open.push(someone);
  return someone;
}

/** The data of its welcome. */
async function welcomeOf(someone: TestClient): Promise<{ resume?: string; resumed?: boolean }> {
  const [welcome] = await new Promise<TestClient['pending']>((resolve) => {
    void until(() => someone.pending.length > 0).then(() => resolve(someone.pending));
  });
  await someone.welcomed();
  return welcome?.data as { resume?: string; resumed?: boolean };
}

async function welcomed(codec: string, userId?: string): Promise<TestClient> {
  const someone = await client(codec, userId);
  await someone.welcomed();
  return someone;
}

/** A room that nobody has used. */
function newRoom(kind: 'users' | 'clients' | 'plain' = 'users'): string {
  return `${kind} ${++rooms}`;
}

async function join(someone: TestClient, roomName: string, fields: object = { presence: true }): Promise<WsMemberList> {
  const answer = (await someone.request('system', 'joinRoom', { roomName, ...fields })) as { data: WsMemberList };
  const { members, count, partial } = answer.data;
  return { members, count, ...(partial !== undefined && { partial }) };
}

/** What the room's push says next, an interval later. */
async function change(codec: string, someone: TestClient, roomName: string): Promise<object> {
  await someone.request('test', 'echo');
  await clock.advance(INTERVAL);
  const message = await someone.next('room', 'presence');
  const { data } = message as { data: { roomName: string } };
  expect(message).toEqual(
    codec === 'pxl.v1' ? { type: 'room', action: 'presence', data } : { event: 'room:presence', data },
  );
  const { roomName: name, ...rest } = data;
  expect(name).toBe(roomName);
  return rest;
}

/** Nothing of presence has come, nor comes in the next interval. */
async function isSilent(someone: TestClient): Promise<void> {
  await someone.request('test', 'echo');
  await clock.advance(2 * INTERVAL);
  await someone.request('test', 'echo');
  expect(someone.pending).toEqual([]);
}

const idsOf = ({ members }: WsMemberList): unknown[] => members.map(({ clientId, userId }) => clientId ?? userId);
const joinedAt = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown as string;
const ada: WsMember = { userId: 'ada', profile: { colour: 'red' }, joinedAt };
const bo: WsMember = { userId: 'bo', profile: { colour: 'blue' }, joinedAt };

/** Plays the frames of the example, and holds what comes against it, byte by byte. */
async function playExample(): Promise<void> {
  const [part = ''] = protocolFrom('room.presence').split('\n### ');
  const frames = [...part.matchAll(/^([→←]) (.*)$/gm)].map(([, arrow, frame = '']) => ({ arrow, frame }));
  const [requests, answers] = ['→', '←'].map((way) =>
    frames.flatMap(({ arrow, frame }) => (arrow === way ? frame : [])),
  );
  await join(await welcomed('pxl.v1', 'ada'), 'tea');
  const someone = await welcomed('pxl.v1', 'bo');
  const heard: string[] = [];
  someone.socket.on('message', (data: Buffer) => heard.push(data.toString()));
  for (const request of requests!) someone.send(request);
  await until(() => heard.length === 2);
  await clock.advance(INTERVAL);
  await until(() => heard.length === answers!.length);
  const plain = (frame: string): string => frame.replace(/"joinedAt":"[^"]*"/g, '"joinedAt":"…"');
  expect(heard.map(plain)).toEqual(answers!.map(plain));
}

/** What each heading of the part about presence promises, to clients of one codec. */
const promises: Record<string, (codec: string) => Promise<void>> = {
  async Presence(codec) {
    const [someone, plain] = [await welcomed(codec, 'ada'), newRoom('plain')];
    const fields = { roomName: plain, presence: 'x', state: 'x'.repeat(300) };
    const { data } = (await someone.request('system', 'joinRoom', fields)) as { data: object };
    expect(Object.keys(data).sort()).toEqual(['joinedAt', 'roomName', 'userId']);
    const room = newRoom();
    expect(await join(someone, room, {})).toEqual({});
    await join(await welcomed(codec, 'bo'), room);
    await isSilent(someone);
  },

  async Member(codec) {
    const [first, second, nobody] = [await welcomed(codec, 'ada'), await welcomed(codec, 'ada'), await welcomed(codec)];
    const [users, clients] = [newRoom(), newRoom('clients')];
    const entry = { presence: true, username: 'Ada', state: { mood: 'fine' } };
    expect(await join(first, users, entry)).toEqual({
      members: [{ ...ada, clients: 1, username: 'Ada', state: { mood: 'fine' } }],
      count: 1,
    });
    // Another connection of the same user: what it says last holds.
    await clock.advance(INTERVAL);
    const [member] = (await join(second, users, { presence: true, username: 'Countess' })).members;
    expect(member).toEqual({ ...ada, clients: 2, username: 'Countess', state: { mood: 'fine' } });
    const anonymous = { clientId: nobody.clientId, profile: { colour: 'blue' }, joinedAt, clients: 1 };
    await clock.advance(2 * INTERVAL);
    expect((await join(nobody, users)).members).toContainEqual(anonymous);

    for (const someone of [first, second]) await join(someone, clients, {});
    const list = await join(nobody, clients);
    for (const { clientId } of [first, second]) {
      expect(list.members).toContainEqual({ ...ada, clientId, clients: 1 });
    }
    expect(list.members).toContainEqual(anonymous);
  },

  async 'Joins with presence'(codec) {
    const [someone, other, room] = [await welcomed(codec, 'ada'), await welcomed(codec, 'bo'), newRoom()];
    await join(someone, room);
    expect(await join(other, room)).toEqual({
      members: [
        { ...ada, clients: 1 },
        { ...bo, clients: 1 },
      ],
      count: 2,
    });
    expect(await someone.next('room', 'presence')).toMatchObject({ data: { joined: [bo], count: 2 } });
    // Within the interval: the list is that of the last push, and its own member comes by the next one.
    const cy = await welcomed(codec, 'cy');
    expect(idsOf(await join(cy, room))).toEqual(['ada', 'bo']);
    const joined = { joined: [{ ...bo, userId: 'cy' }], count: 3 };
    for (const one of [someone, other, cy]) expect(await change(codec, one, room)).toEqual(joined);
    await isSilent(other);

    await join(await welcomed(codec, 'di'), room, {});
    const list = await welcomed(codec, 'eve');
    const plain = newRoom('plain');
    const rooms = [
      { room, presence: true },
      { room: plain, presence: true },
    ];
    const answer = (await list.request('system', 'join', { rooms })) as { joined: (WsMemberList & { room: string })[] };
    expect(answer).toMatchObject({
      rooms: [room, plain],
      refused: [],
      joined: [{ room, members: [], count: 4, partial: true }],
    });

    for (const bad of [{ presence: 'yes' }, { state: 'x'.repeat(255) }]) {
      expect(await refusalOf(list, 'joinRoom', { roomName: newRoom(), ...bad })).toBe('BAD_MESSAGE');
    }
  },

  async 'room.presence'(codec) {
    const [someone, other, room] = [await welcomed(codec, 'ada'), await welcomed(codec, 'bo'), newRoom()];
    await join(someone, room);
    await clock.advance(INTERVAL);
    // The first change at once, without waiting for an interval.
    await join(other, room, {});
    expect(await someone.next('room', 'presence')).toMatchObject({ data: { joined: [bo], count: 2 } });
    const third = await welcomed(codec, 'cy');
    await join(third, room, {});
    await other.request('system', 'presence', { roomName: room, state: 1 });
    expect(await change(codec, someone, room)).toEqual({
      joined: [{ ...bo, userId: 'cy' }],
      updated: [{ ...bo, state: 1 }],
      count: 3,
    });
    await third.request('system', 'leaveRoom', { roomName: room });
    expect(await change(codec, someone, room)).toEqual({ left: [expect.objectContaining({ userId: 'cy' })], count: 2 });

    // Over the limit: the number alone; the whole list when the room is small again.
    const crowd = [await welcomed(codec, 'di'), await welcomed(codec, 'eve')];
    for (const one of crowd) await join(one, room, {});
    expect(await change(codec, someone, room)).toEqual({ count: 4, partial: true });
    for (const one of crowd) await one.request('system', 'leaveRoom', { roomName: room });
    const back = (await change(codec, someone, room)) as WsMemberList;
    expect(back).toEqual({
      members: [expect.objectContaining(ada), expect.objectContaining({ ...bo, state: 1 })],
      count: 2,
    });
    await isSilent(someone);
    if (codec === 'pxl.v1') await playExample();
  },

  async members(codec) {
    const [someone, room] = [await welcomed(codec, 'ada'), newRoom()];
    const ask = (fields: object = {}): Promise<WsMemberList> =>
      someone.request('system', 'members', { roomName: room, ...fields }) as Promise<WsMemberList>;
    expect(await refusalOf(someone, 'members', { roomName: room })).toBe('FORBIDDEN');
    await join(someone, room, {});
    expect(await ask()).toEqual({ members: [{ ...ada, clients: 1 }], count: 1 });
    expect(await ask({ presence: true })).toMatchObject({ count: 1 });
    await join(await welcomed(codec, 'bo'), room, {});
    expect(await change(codec, someone, room)).toEqual({ joined: [bo], count: 2 });
    await ask({ presence: false });
    for (const userId of ['cy', 'di']) await join(await welcomed(codec, userId), room, {});
    await isSilent(someone);

    const page = await ask();
    expect([idsOf(page), page.count, page.partial]).toEqual([['ada', 'bo', 'cy'], 4, true]);
    const next = await ask({ after: 'cy' });
    expect([idsOf(next), next.count, next.partial]).toEqual([['di'], 4, undefined]);
    expect(idsOf(await ask({ limit: 1, after: 'ada' }))).toEqual(['bo']);
    for (const bad of [
      { limit: 0 },
      { limit: LIMIT + 1 },
      { after: 5 },
      { presence: 1 },
      { presence: true, limit: 1 },
    ]) {
      expect(await refusalOf(someone, 'members', { roomName: room, ...bad })).toBe('BAD_MESSAGE');
    }
    const plain = newRoom('plain');
    await join(someone, plain, {});
    expect(await refusalOf(someone, 'members', { roomName: plain })).toBe('NOT_FOUND');
  },

  async presence(codec) {
    const [someone, other, room] = [await welcomed(codec, 'ada'), await welcomed(codec, 'bo'), newRoom()];
    const set = (state: unknown): Promise<unknown> => other.request('system', 'presence', { roomName: room, state });
    expect(await refusalOf(other, 'presence', { roomName: room, state: 1 })).toBe('FORBIDDEN');
    for (const one of [someone, other]) await join(one, room);
    await someone.next('room', 'presence');
    await isSilent(other);

    expect(await set({ away: true })).toEqual({ success: true });
    expect(await change(codec, someone, room)).toEqual({ updated: [{ ...bo, state: { away: true } }], count: 2 });
    for (const bad of ['x'.repeat(255), 'é'.repeat(128)]) {
      expect(await refusalOf(other, 'presence', { roomName: room, state: bad })).toBe('BAD_MESSAGE');
    }
    expect(await refusalOf(other, 'presence', { roomName: room })).toBe('BAD_MESSAGE');
    await isSilent(someone);
    expect(await set('x'.repeat(254))).toEqual({ success: true });
    expect(await someone.next('room', 'presence')).toMatchObject({ data: { updated: [{ state: 'x'.repeat(254) }] } });
    // What is set and taken back within an interval is told by no push.
    await set('busy');
    await set('x'.repeat(254));
    await isSilent(someone);
    await set(null);
    expect(await change(codec, someone, room)).toEqual({ updated: [bo], count: 2 });
    const plain = newRoom('plain');
    await join(other, plain, {});
    expect(await refusalOf(other, 'presence', { roomName: plain, state: 1 })).toBe('NOT_FOUND');
  },

  async 'Coming back as the same member'(codec) {
    const [watcher, room] = [await welcomed(codec, 'ada'), newRoom('clients')];
    await join(watcher, room);
    const first = await client(codec, 'bo');
    const { resume, resumed } = await welcomeOf(first);
    expect([typeof resume, resumed]).toEqual(['string', undefined]);
    await join(first, room, { presence: true, state: 'here' });
    const member = { ...bo, clientId: first.clientId, state: 'here' };
    expect(await change(codec, watcher, room)).toEqual({ joined: [member], count: 2 });

    first.socket.terminate();
    await isSilent(watcher);
    const second = await client(codec, 'bo', resume);
    expect(await welcomeOf(second)).toMatchObject({ resumed: true });
    expect((await join(second, room)).members).toContainEqual({ ...member, clients: 1 });
    await clock.advance(GRACE);
    await isSilent(watcher);

    // Used, made up, and another user's.
    for (const [userId, secret] of [
      ['bo', resume],
      ['bo', 'made-up'],
    ] as const) {
      expect(await welcomeOf(await client(codec, userId, secret))).toMatchObject({ resumed: false });
    }
    const third = await client(codec, 'bo');
    const stolen = (await welcomeOf(third)).resume;
    expect(await welcomeOf(await client(codec, 'cy', stolen))).toMatchObject({ resumed: false });

    // A connection that is still open is taken over.
    const half = await client(codec, 'di');
    const halfOpen = (await welcomeOf(half)).resume;
    expect(await welcomeOf(await client(codec, 'di', halfOpen))).toMatchObject({ resumed: true });
    expect(await half.closed).toEqual({ code: 4506, reason: 'replaced by a newer connection' });

    // Who stays away is gone after the grace; who leaves for good at once.
    second.socket.terminate();
    await isSilent(watcher);
    await clock.advance(GRACE);
    expect(await change(codec, watcher, room)).toEqual({ left: [expect.objectContaining(member)], count: 1 });
    const guest = await welcomed(codec);
    await join(guest, room);
    expect(await change(codec, watcher, room)).toMatchObject({ joined: [{ clientId: guest.clientId }] });
    guest.socket.close(1000);
    await guest.closed;
    expect(await change(codec, watcher, room)).toMatchObject({ left: [{ clientId: guest.clientId }] });

    // A user needs no secret where all connections are one member.
    const [users, phone] = [newRoom(), await welcomed(codec, 'eve')];
    for (const one of [phone, watcher]) await join(one, users);
    await clock.advance(INTERVAL);
    phone.socket.terminate();
    await phone.closed;
    const laptop = await welcomed(codec, 'eve');
    await join(laptop, users, {});
    await clock.advance(GRACE);
    await isSilent(watcher);
  },
};

describe.each(CODECS)('PROTOCOL.md, presence (%s)', (codec) => {
  it.each(presenceHeadings())('%s', async (heading) => {
    await promises[heading]?.(codec);
  });
});

describe('PROTOCOL.md, presence', () => {
  it('has a test for every heading, and a heading for every test', () => {
    expect(Object.keys(promises).sort()).toEqual([...presenceHeadings()].sort());
  });
});
