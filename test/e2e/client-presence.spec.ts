import { afterEach, describe, expect, it } from '@jest/globals';
import type { PresenceChange, RoomPresence, WebSocketClientOptions } from '../../lib/client/index.js';
import { entered } from '../support/client-states.js';
import { ScriptedServer, type Heard, type ScriptedConnection } from '../support/scripted-server.js';
import { testsClients } from '../support/test-clients.js';
import { until } from '../support/until.js';

const newClient = testsClients();
let server: ScriptedServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

const limits = { maxPayload: 1_000_000, messagesPerSecond: null, burst: null, rooms: null };
const joinedAt = '2026-11-20T12:00:00.000Z';
const user = (userId: string, more: object = {}) => ({ userId, ...more, joinedAt });
const [ada, bo, cy] = [user('ada'), user('bo'), user('cy')] as const;
/** A member in a list. */
const listed = (member: object = {}, clients = 1) => ({ clients, ...member });
const told = (...members: object[]) => ({ members: members.map((member) => listed(member)), count: members.length });

/** A client with its end of the connection. The welcome of each connection is that of `welcomes`. */
async function connected(options: Partial<WebSocketClientOptions> = {}, welcomes: object[] = []) {
  let connections = 0;
  server = await ScriptedServer.start((connection) => {
    const clientId = `c${++connections}`;
    connection.welcome({ clientId, limits, ...welcomes[connections - 1] });
  });
  const tested = newClient(server.url, options);
  await tested.client.connect();
  return { ...tested, server, connection: await server.next() };
}
type Connected = Awaited<ReturnType<typeof connected>>;

function watched(presence: RoomPresence): PresenceChange[] {
  const changes: PresenceChange[] = [];
  presence.onChange((change) => changes.push(change));
  return changes;
}

const userIds = (members: readonly { userId?: string | undefined }[]) => members.map(({ userId }) => userId);
/** Who has come, gone and changed. */
const moves = (changes: PresenceChange[]) =>
  changes.map(({ joined, left, updated }) => [joined, left, updated].map(userIds));

async function letIn(connection: ScriptedConnection, more: object): Promise<Heard> {
  const asked = await connection.next('joinRoom');
  const { roomName } = asked.data as { roomName: string };
  connection.reply(asked, { success: true, message: 'Joined the room.', data: { roomName, ...more } });
  return asked;
}

/** A client that looks at `tea`, and is in it. */
async function inTea(options?: Partial<WebSocketClientOptions>, welcomes?: object[]) {
  const tested = await connected(options, welcomes);
  const { client, connection } = tested;
  const presence = client.presence('tea');
  const changes = watched(presence);
  const joining = client.join('tea');
  const asked = await letIn(connection, told(ada, bo));
  await joining;
  return { ...tested, presence, changes, asked };
}

/** Loses the connection; resolves with the next one. */
async function comeBack({ client, server }: Pick<Connected, 'client' | 'server'>): Promise<ScriptedConnection> {
  server.connections.at(-1)!.socket.terminate();
  await entered(client, 'reconnecting');
  void client.connect();
  return server.next();
}

const push = (connection: ScriptedConnection, data: object): void =>
  connection.send({ type: 'room', action: 'presence', data: { roomName: 'tea', ...data } });

/** What was said before has been handled. */
async function settled({ client }: Pick<Connected, 'client'>, connection: ScriptedConnection): Promise<void> {
  const answered = client.request('test', 'marker');
  connection.reply(await connection.next('marker'), null);
  await answered;
}

describe('who is in a room', () => {
  it('is the list of the join and what differs from it, one object whose members stay the same until they change', async () => {
    const tested = await inTea();
    const { client, connection, presence, changes, asked } = tested;
    expect(asked.data).toEqual({ roomName: 'tea', presence: true });
    expect(client.presence('tea')).toBe(presence);
    expect(presence).toMatchObject({ members: [ada, bo], count: 2, partial: false });
    expect(changes).toEqual([
      { joined: [ada, bo], left: [], updated: [], members: [ada, bo], count: 2, partial: false },
    ]);
    const [first] = presence.members;
    const away = user('bo', { state: 'away' });
    push(connection, { joined: [cy], updated: [away], count: 3 });
    push(connection, { left: [ada], count: 2 });
    push(connection, { count: 2 });
    await settled(tested, connection);
    expect(moves(changes.slice(1))).toEqual([
      [['cy'], [], ['bo']],
      [[], ['ada'], []],
    ]);
    expect(changes[1]!.members).toEqual([ada, away, cy]);
    expect(changes[1]!.members[0]).toBe(first);
    expect(presence).toMatchObject({ members: [away, cy], count: 2 });
    expect(presence.members).toBe(changes[2]!.members);
  });

  it('is asked for by nobody who has not looked, and by a handle of the room when it is read', async () => {
    const tested = await connected();
    const { client, connection } = tested;
    const room = client.room('tea');
    expect((await letIn(connection, {})).data).toEqual({ roomName: 'tea' });
    await room.joined;
    expect(room.members).toBe(client.presence('tea'));
    const changes = watched(room.members);
    const asked = await connection.next('members');
    expect(asked.data).toEqual({ roomName: 'tea', presence: true });
    connection.reply(asked, told(ada));
    await until('the list is there', () => room.members.count === 1);
    expect(moves(changes)).toEqual([[['ada'], [], []]]);
    const handle = client.room('tea');
    expect((await letIn(connection, told(ada))).data).toEqual({ roomName: 'tea', presence: true });
    await handle.joined;
    await settled(tested, connection);
    expect(changes).toHaveLength(1);
    expect(connection.heard).toEqual([]);
  });

  it('is told after a reconnect only where it differs, whatever the order and the number of connections', async () => {
    const tested = await inTea();
    const { presence, changes } = tested;
    const { members } = presence;
    const again = await comeBack(tested);
    const asked = await again.next('join');
    expect(asked.data).toEqual({ rooms: [{ room: 'tea', presence: true }] });
    again.reply(asked, {
      rooms: ['tea'],
      refused: [],
      joined: [{ room: 'tea', members: [listed(bo, 0), listed(ada, 3)], count: 2 }],
    });
    await settled(tested, again);
    expect(changes).toHaveLength(1);
    expect(presence.members).toBe(members);
    const third = await comeBack(tested);
    expect(presence.members).toBe(members);
    const list = await third.next('join');
    third.reply(list, { rooms: ['tea'], refused: [], joined: [{ room: 'tea', ...told(cy, ada) }] });
    await settled(tested, third);
    expect(moves(changes.slice(1))).toEqual([[['cy'], ['bo'], []]]);
    push(third, { left: [cy], count: 1 });
    await settled(tested, third);
    expect(presence).toMatchObject({ members: [ada], count: 1 });
  });

  it('knows clients of one user, and an anonymous one with the id of a user, as members of their own', async () => {
    const tested = await inTea();
    const { connection, presence } = tested;
    const [one, two, anonymous] = [
      { clientId: 'k1', ...ada },
      { clientId: 'k2', ...ada },
      { clientId: 'bo', joinedAt },
    ];
    push(connection, { joined: [one, two, anonymous], count: 5 });
    push(connection, { left: [two], count: 4 });
    await settled(tested, connection);
    expect(presence.members).toEqual([ada, bo, one, anonymous]);
  });

  it('is a number only in a room of too many, and a list again when it has become small', async () => {
    const tested = await inTea();
    const { connection, presence, changes } = tested;
    push(connection, { count: 201, partial: true });
    await settled(tested, connection);
    expect(presence).toMatchObject({ members: [], count: 201, partial: true });
    push(connection, told(ada, cy));
    await settled(tested, connection);
    expect(presence).toMatchObject({ members: [ada, cy], count: 2, partial: false });
    expect(changes.map(({ count, partial }) => [count, partial])).toEqual([
      [2, false],
      [201, true],
      [2, false],
    ]);
  });

  it('is nobody after the client has left, and the list again when it joins again', async () => {
    const tested = await inTea();
    const { client, connection, presence, changes } = tested;
    const leaving = client.leave('tea');
    expect(presence).toMatchObject({ members: [], count: 0 });
    push(connection, { joined: [cy], count: 3 });
    connection.reply(await connection.next('leaveRoom'), { success: true, data: { roomName: 'tea' } });
    await leaving;
    const joining = client.join('tea');
    push(connection, { left: [cy], count: 2 });
    expect((await letIn(connection, told(ada))).data).toMatchObject({ presence: true });
    await joining;
    expect(moves(changes)).toEqual([
      [['ada', 'bo'], [], []],
      [[], ['ada', 'bo'], []],
      [['ada'], [], []],
    ]);
  });

  it('is the list of the next join after one that was refused', async () => {
    const { client, connection } = await connected();
    const presence = client.presence('tea');
    const refused = client.join('tea');
    connection.refuse(await connection.next('joinRoom'), 'FORBIDDEN');
    await expect(refused).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const joining = client.join('tea');
    expect(await letIn(connection, told(ada, bo))).toMatchObject({ data: { presence: true } });
    await joining;
    expect(userIds(presence.members)).toEqual(['ada', 'bo']);
  });

  it('is not taken from the answer to a join that was left meanwhile', async () => {
    const tested = await connected();
    const { client, connection } = tested;
    const presence = client.presence('tea');
    const joining = client.join('tea');
    void client.leave('tea').catch(() => undefined);
    await letIn(connection, told(ada));
    await joining;
    await settled(tested, connection);
    expect(presence).toMatchObject({ members: [], count: 0 });
  });

  it('is nobody once the server does not let the client in again', async () => {
    const refused: unknown[] = [];
    const tested = await inTea({ events: { onRoomRefused: ({ roomName }) => refused.push(roomName) } });
    const again = await comeBack(tested);
    const asked = await again.next('join');
    again.reply(asked, { rooms: [], refused: [{ room: 'tea', code: 'FORBIDDEN' }] });
    await until('it was refused', () => refused.length === 1);
    expect(tested.presence).toMatchObject({ members: [], count: 0 });
    const third = await comeBack(tested);
    await settled(tested, third);
    expect(third.heard).toEqual([]);
  });

  it('ends with disconnect(), and where the next connection is another user', async () => {
    const tested = await inTea({}, [{ userId: 'ada' }, { userId: 'bo' }]);
    const { client, presence, changes, connection } = tested;
    connection.socket.terminate();
    await entered(client, 'reconnecting');
    expect(presence.count).toBe(2);
    await client.connect();
    expect(moves(changes.slice(1))).toEqual([[[], ['ada', 'bo'], []]]);
    const again = await tested.server.next();
    // It may be in the room by the server.
    again.reply(await again.next('members'), told(bo));
    await until('the list is there', () => presence.count === 1);
    client.disconnect();
    expect(moves(changes.slice(2))).toEqual([
      [['bo'], [], []],
      [[], ['bo'], []],
    ]);
  });

  it('is asked for on each connection in a room that the server has put the client into', async () => {
    const tested = await connected();
    const { client, connection } = tested;
    const presence = client.presence('lobby');
    const changes = watched(presence);
    connection.reply(await connection.next('members'), told(ada));
    await until('the list is there', () => presence.count === 1);
    const again = await comeBack(tested);
    again.reply(await again.next('members'), told(ada));
    await settled(tested, again);
    expect(changes).toHaveLength(1);
    // The server has not put it in this time.
    const third = await comeBack(tested);
    third.refuse(await third.next('members'), 'FORBIDDEN');
    await until('nobody is there', () => presence.count === 0);
    const fourth = await comeBack(tested);
    await settled(tested, fourth);
    expect(fourth.heard).toEqual([]);
    expect(tested.errors).toEqual([]);
  });

  it('is the list of a join behind a question that came too early', async () => {
    const tested = await connected();
    const { client, connection } = tested;
    const presence = client.presence('tea');
    const early = await connection.next('members');
    const joining = client.join('tea');
    const join = await connection.next('joinRoom');
    // In one piece, as a server that is asked both at once answers.
    const { _socket: tcp } = connection.socket as unknown as { _socket: { cork(): void; uncork(): void } };
    tcp.cork();
    connection.refuse(early, 'FORBIDDEN');
    connection.reply(join, { success: true, data: { roomName: 'tea', ...told(ada) } });
    tcp.uncork();
    await joining;
    await settled(tested, connection);
    expect(presence.members).toEqual([ada]);
    push(connection, { joined: [bo], count: 2 });
    await settled(tested, connection);
    expect(presence.members).toEqual([ada, bo]);
    expect(tested.errors).toEqual([]);
  });

  it('is nobody, and an error for the developer, in a room without presence and with a server that knows none', async () => {
    const tested = await connected();
    const { client, connection, errors } = tested;
    for (const [roomName, code] of [
      ['tea', 'NOT_FOUND'],
      ['chess', 'UNKNOWN_ROUTE'],
    ] as const) {
      const presence = client.presence(roomName);
      const joining = client.join(roomName);
      await letIn(connection, {});
      await joining;
      connection.refuse(await connection.next('members'), code);
      await until('the error is there', () => (errors.at(-1) as { code?: string } | undefined)?.code === code);
      expect(presence).toMatchObject({ members: [], count: 0 });
    }
    expect(errors).toHaveLength(2);
  });

  it('bears what is no list', async () => {
    const tested = await inTea();
    const { connection, presence } = tested;
    for (const members of [5, 'x', null, [null], [5], {}, { a: 1 }]) push(connection, { members, joined: members });
    push(connection, { joined: [null, 7], left: 5, updated: 'x', count: 'x', partial: 3 });
    connection.send({ type: 'room', action: 'presence' });
    connection.send({ type: 'room', action: 'left' });
    push(connection, told(ada));
    await settled(tested, connection);
    expect(presence).toMatchObject({ members: [ada], count: 1 });
  });
});

describe('a room that the server takes the client out of', () => {
  it('is forgotten, with all joins of it, and told', async () => {
    const removals: unknown[] = [];
    const tested = await inTea({ events: { onRoomLeft: (event) => removals.push(event) } });
    const { client, connection, presence } = tested;
    const reasons: string[] = [];
    const room = client.room('tea', { onLeft: (reason) => reasons.push(reason) });
    await letIn(connection, told(ada, bo));
    await room.joined;
    connection.send({ type: 'room', action: 'left', data: { roomName: 'tea', reason: 'rule' } });
    await settled(tested, connection);
    expect(removals).toEqual([{ roomName: 'tea', reason: 'rule' }]);
    expect(reasons).toEqual(['rule']);
    expect(presence).toMatchObject({ members: [], count: 0 });
    await room.leave();
    const again = await comeBack(tested);
    await settled(tested, again);
    expect(again.heard).toEqual([]);
    const joining = client.join('tea');
    await letIn(again, told(ada));
    await joining;
    expect(presence.members).toEqual([ada]);
  });
});

describe('the own state', () => {
  it('is told to the server, and again with each join that the client repeats', async () => {
    const tested = await inTea();
    const { client, connection } = tested;
    const setting = client.setPresence('tea', { away: true });
    const asked = await connection.next('presence');
    expect(asked.data).toEqual({ roomName: 'tea', state: { away: true } });
    connection.reply(asked, { success: true });
    await setting;
    const refused = client.setPresence('tea', 'x'.repeat(300));
    connection.refuse(await connection.next('presence'), 'BAD_MESSAGE');
    await expect(refused).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
    const again = await comeBack(tested);
    expect((await again.next('join')).data).toEqual({
      rooms: [{ room: 'tea', presence: true, state: { away: true } }],
    });
  });

  it('may come with the join, and waits behind it', async () => {
    const tested = await connected();
    const { client, connection } = tested;
    const joining = client.join('tea', { state: 1 });
    const setting = client.setPresence('tea', null);
    expect((await letIn(connection, {})).data).toEqual({ roomName: 'tea', state: 1 });
    connection.reply(await connection.next('presence'), { success: true });
    await Promise.all([joining, setting]);
    const again = await comeBack(tested);
    expect((await again.next('join')).data).toEqual({ rooms: [{ room: 'tea', state: null }] });
  });

  it('waits for a connection, behind the rooms', async () => {
    const tested = await inTea();
    const { client, connection, server } = tested;
    connection.socket.terminate();
    await entered(client, 'reconnecting');
    const setting = client.setPresence('tea', 'away');
    const again = await server.next();
    const join = await again.next();
    expect(join.action).toBe('join');
    again.reply(join, { rooms: ['tea'], refused: [], joined: [{ room: 'tea', ...told(ada) }] });
    again.reply(await again.next('presence'), { success: true });
    await setting;
  });

  it('is not told again after the room was left', async () => {
    const tested = await inTea();
    const { client, connection } = tested;
    const setting = client.setPresence('tea', 'away');
    connection.reply(await connection.next('presence'), { success: true });
    await setting;
    void client.leave('tea').catch(() => undefined);
    const refused = client.setPresence('tea', 'here');
    connection.refuse(await connection.next('presence'), 'FORBIDDEN');
    await expect(refused).rejects.toMatchObject({ code: 'FORBIDDEN' });
    void client.join('tea').catch(() => undefined);
    expect((await connection.next('joinRoom')).data).toEqual({ roomName: 'tea', presence: true });
  });
});

describe('a whisper', () => {
  it('leaves at once or not at all, and is heard with its room and who it is from', async () => {
    const tested = await connected({}, [{ limits: { ...limits, messagesPerSecond: 10, burst: 3 } }]);
    const { client, connection } = tested;
    expect(client.whisper('tea', 'typing', { to: 1 })).toBe(true);
    expect(await connection.next()).toEqual({
      type: 'system',
      action: 'whisper',
      data: { roomName: 'tea', action: 'typing', data: { to: 1 } },
    });
    const sent = Array.from({ length: 10 }, () => client.whisper('tea', 'typing'));
    expect(sent[0]).toBe(true);
    expect(sent.at(-1)).toBe(false);

    const room = client.room('tea');
    await letIn(connection, {});
    await room.joined;
    const heard: unknown[] = [];
    client.on('whisper', 'typing', (data, message) => heard.push([data, message.room, message.from]));
    room.on('whisper', 'typing', (data) => heard.push(data));
    const from = { clientId: 'k', userId: 'bo' };
    for (const name of ['tea', 'chess'])
      connection.send({ type: 'whisper', action: 'typing', data: 1, room: name, from });
    await settled(tested, connection);
    expect(heard).toEqual([[1, 'tea', from], 1, [1, 'chess', from]]);
    // Other messages do not name their room here.
    expect(() => room.on('chat', 'message', () => undefined)).toThrow(/does not name rooms/);

    connection.socket.terminate();
    await entered(client, 'reconnecting');
    expect(client.whisper('tea', 'typing')).toBe(false);
  });
});

describe('the secret of a connection', () => {
  const secretOf = ({ request }: ScriptedConnection) => new URL(request.url!, 'ws://host').searchParams.get('resume');

  it('is presented by the next one of the session, and dropped with disconnect()', async () => {
    const tested = await connected({}, [{ resume: 'one' }, { resume: 'two&', resumed: true }, {}, { resume: 'four' }]);
    const { client, server } = tested;
    expect(secretOf(tested.connection)).toBeNull();
    expect(secretOf(await comeBack(tested))).toBe('one');
    expect(secretOf(await comeBack(tested))).toBe('two&');
    expect(secretOf(await comeBack(tested))).toBeNull();
    client.disconnect();
    await client.connect();
    expect(secretOf(await server.next())).toBeNull();
  });
});
