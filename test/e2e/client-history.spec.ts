import { afterEach, describe, expect, it } from '@jest/globals';
import type { RoomRecovery, WebSocketClientOptions } from '../../lib/client/index.js';
import { entered } from '../support/client-states.js';
import { ManualClientRuntime } from '../support/manual-client-runtime.js';
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
const at = (offset: number, epoch = 'e') => ({ epoch, offset });
/** A message of a room with history. */
const line = (offset: number, room = 'tea', more: object = {}) => ({
  type: 'chat',
  action: 'line',
  data: `${room}${offset}`,
  room,
  offset,
  ...more,
});

/** A client with its end of the connection, and what it hears and is told. */
async function connected(options: Partial<WebSocketClientOptions> = {}, clock?: ManualClientRuntime) {
  let connections = 0;
  server = await ScriptedServer.start((connection) => connection.welcome({ clientId: `c${++connections}`, limits }));
  const recoveries: RoomRecovery[] = [];
  const heard: unknown[] = [];
  const events = { onRecovered: (recovery: RoomRecovery) => recoveries.push(recovery), ...options.events };
  const tested = newClient(server.url, { ...options, events }, clock);
  tested.client.on('chat', 'line', (data) => heard.push(data));
  await tested.client.connect();
  return { ...tested, server, heard, recoveries, connection: await server.next() };
}
type Connected = Awaited<ReturnType<typeof connected>>;

/** The request for a room. */
async function asked(connection: ScriptedConnection): Promise<Heard & { data: Record<string, unknown> }> {
  return (await connection.next('joinRoom')) as Heard & { data: Record<string, unknown> };
}

/** Answers a join of one room. */
function letIn(connection: ScriptedConnection, request: Heard, data: object): void {
  const { roomName } = request.data as { roomName: string };
  connection.reply(request, { success: true, message: 'Joined the room.', data: { roomName, ...data } });
}

/** The client joins a room, and stands there. */
async function stand({ client, connection }: Connected, offset: number, roomName = 'tea'): Promise<void> {
  const joining = client.join(roomName);
  letIn(connection, await asked(connection), { position: at(offset), replayed: 0 });
  await joining;
}

/** The client loses its connection and comes back; resolves with the next one. */
async function comeBack({ client, server }: Connected): Promise<ScriptedConnection> {
  server.connections.at(-1)!.socket.terminate();
  await entered(client, 'reconnecting');
  void client.connect();
  return server.next();
}

/** What was said before has been handled. */
async function settled({ client }: Connected, connection: ScriptedConnection): Promise<void> {
  const answered = client.request('test', 'marker');
  connection.reply(await connection.next('marker'), null);
  await answered;
}

describe('a client in a room with history', () => {
  it('joins again with its position and its former id, alone and in lists, and hears what it has missed', async () => {
    const tested = await connected();
    const { client, connection, heard, recoveries } = tested;
    await stand(tested, 5);
    connection.send(line(6));
    await settled(tested, connection);
    const second = await comeBack(tested);
    const list = await second.next('join');
    expect(list.data).toEqual({ rooms: [{ room: 'tea', since: expect.objectContaining(at(6)), was: 'c1' }] });
    second.reply(list, {
      rooms: ['tea'],
      refused: [],
      joined: [{ room: 'tea', position: at(6), recovered: true, replayed: 2 }],
    });
    for (const offset of [7, 8, 9]) second.send(line(offset));
    await settled(tested, second);
    expect([heard, recoveries]).toEqual([
      ['tea6', 'tea7', 'tea8', 'tea9'],
      [{ roomName: 'tea', recovered: true, replayed: 2, reason: undefined }],
    ]);
    tested.server.script = (next) => next.welcome({ clientId: 'c3' });
    const third = await comeBack(tested);
    const single = await asked(third);
    expect(single.data).toEqual({ roomName: 'tea', since: expect.objectContaining(at(9)), was: 'c2' });
    letIn(third, single, { position: at(9), recovered: true, replayed: 0 });
    await settled(tested, third);
    expect([client.positions.tea, recoveries.length]).toEqual([expect.objectContaining(at(9)), 2]);
  });

  it('knows where it stands before the next frame, also when both come in one piece', async () => {
    const tested = await connected();
    const { client, connection, heard } = tested;
    const joining = client.join('tea');
    const request = await asked(connection);
    connection.socket.pause();
    const { _socket: tcp } = connection.socket as unknown as { _socket: { cork(): void; uncork(): void } };
    tcp.cork();
    letIn(connection, request, { position: at(5), replayed: 1 });
    for (const offset of [6, 6, 5, 7]) connection.send(line(offset));
    tcp.uncork();
    connection.socket.resume();
    await joining;
    await settled(tested, connection);
    expect(heard).toEqual(['tea6', 'tea7']);
  });

  it('handles nothing twice: not what is repeated, nor after a join on the same connection, nor in a handler', async () => {
    const tested = await connected();
    const { client, connection, heard } = tested;
    const whole: unknown[] = [];
    client.onAny(({ offset }) => whole.push(offset));
    let joining: Promise<unknown> | undefined;
    client.on('chat', 'line', (data) => {
      if (data === 'tea6') joining = client.join('tea');
    });
    await stand(tested, 5);
    connection.send(line(6));
    const again = await asked(connection);
    // The position has moved before the handlers ran.
    expect(again.data.since).toMatchObject(at(6));
    for (const offset of [7, 8, 8]) connection.send(line(offset));
    letIn(connection, again, { position: at(6), recovered: true, replayed: 2 });
    for (const offset of [7, 8, 9]) connection.send(line(offset));
    await joining;
    await settled(tested, connection);
    expect([heard, whole]).toEqual([
      ['tea6', 'tea7', 'tea8', 'tea9'],
      [6, 7, 8, 9],
    ]);
    expect(tested.recoveries).toEqual([]);
  });

  it('takes gaps between numbers as they are, and moves to where the server says it is', async () => {
    const tested = await connected();
    const { client, connection, heard } = tested;
    await stand(tested, 5);
    connection.send(line(9));
    connection.send({ type: 'room', action: 'position', data: { roomName: 'tea', position: at(12) } });
    connection.send({ type: 'room', action: 'position', data: { roomName: 'tea', position: at(11) } });
    connection.send(line(12));
    await settled(tested, connection);
    expect([heard, client.positions.tea]).toEqual([['tea9'], expect.objectContaining(at(12))]);
  });

  it('handles the first copy of a message to several rooms, and only moves on at the others', async () => {
    const tested = await connected();
    const { client, connection, heard } = tested;
    await stand(tested, 5);
    await stand(tested, 0, 'go');
    connection.send(line(6, 'tea', { copy: 'x' }));
    connection.send(line(1, 'go', { copy: 'x' }));
    connection.send(line(2, 'go', { copy: 'y' }));
    connection.send(line(7, 'tea', { copy: 'y' }));
    // The same key after its time: a new message, of the same id.
    connection.send(line(8, 'tea', { copy: 'x' }));
    connection.send(line(3, 'go', { copy: 'x' }));
    await settled(tested, connection);
    expect(heard).toEqual(['tea6', 'go2', 'tea8']);
    expect(client.positions).toMatchObject({ tea: at(8), go: at(3) });
  });

  it('remembers copies over a reconnect', async () => {
    const tested = await connected();
    await stand(tested, 5);
    await stand(tested, 0, 'go');
    tested.connection.send(line(6, 'tea', { copy: 'x' }));
    await settled(tested, tested.connection);
    const second = await comeBack(tested);
    const joined = [
      { room: 'tea', position: at(6), recovered: true, replayed: 0 },
      { room: 'go', position: at(0), recovered: true, replayed: 1 },
    ];
    second.reply(await second.next('join'), { rooms: ['tea', 'go'], refused: [], joined });
    second.send(line(1, 'go', { copy: 'x' }));
    await settled(tested, second);
    expect(tested.heard).toEqual(['tea6']);
  });

  it('asks again with the same position while nobody can be asked', async () => {
    const clock = new ManualClientRuntime();
    const tested = await connected({ requestTimeout: false }, clock);
    await stand(tested, 5);
    const second = await comeBack(tested);
    for (let round = 0; round < 3; round++) {
      const list = await second.next('join');
      expect(list.data).toMatchObject({ rooms: [{ room: 'tea', since: at(5), was: 'c1' }] });
      second.reply(list, { rooms: [], refused: [{ room: 'tea', code: 'UNAVAILABLE' }], joined: [] });
      await until(() => clock.size === 1);
      await clock.advance(3_000);
    }
    expect(tested.recoveries).toEqual([]);
  });

  it('wants the last messages as a newcomer, and what it has missed later', async () => {
    const tested = await connected();
    const { client, connection } = tested;
    const joining = client.join('tea', { history: 50 });
    const request = await asked(connection);
    expect(request.data).toEqual({ roomName: 'tea', history: 50 });
    letIn(connection, request, { position: at(10), replayed: 2 });
    expect(await joining).toEqual({ roomName: 'tea', position: at(10), replayed: 2 });
    connection.send(line(11));
    connection.send(line(12));
    await settled(tested, connection);
    expect([tested.heard, tested.recoveries]).toEqual([['tea11', 'tea12'], []]);
  });

  it('begins where the application says, unless it is in the room', async () => {
    const tested = await connected();
    const { client, connection } = tested;
    const joining = client.join('tea', { since: at(3) });
    const request = await asked(connection);
    expect(request.data).toEqual({ roomName: 'tea', since: at(3) });
    // A failed join keeps it; another one is newer.
    connection.refuse(request, 'UNAVAILABLE', { retryable: true });
    await expect(joining).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(client.positions).toEqual({ tea: at(3) });
    const newer = client.join('tea', { since: at(4) });
    const second = await asked(connection);
    expect(second.data.since).toEqual(at(4));
    letIn(connection, second, { position: at(4), recovered: true, replayed: 1 });
    await newer;
    connection.send(line(5));
    await settled(tested, connection);
    const present = client.join('tea', { since: at(1) });
    const third = await asked(connection);
    expect(third.data.since).toMatchObject(at(5));
    letIn(connection, third, { position: at(5), recovered: true, replayed: 0 });
    await present;
    expect([tested.heard, tested.recoveries.length]).toEqual([['tea5'], 1]);
  });

  it('is told what cannot be had, at once, or for a new epoch within two seconds', async () => {
    const clock = new ManualClientRuntime();
    const own: RoomRecovery[] = [];
    const tested = await connected({ requestTimeout: false }, clock);
    const { client, connection, recoveries } = tested;
    const tea = client.room('tea', { onRecovered: (recovery) => own.push(recovery) });
    letIn(connection, await asked(connection), { position: at(5), replayed: 0 });
    await tea.joined;
    const lost = (position: object, reason: string): void =>
      connection.send({ type: 'room', action: 'lost', data: { roomName: 'tea', position, reason } });
    lost(at(9), 'trimmed');
    connection.send(line(9));
    connection.send(line(10));
    lost(at(0, 'f'), 'epoch');
    connection.send(line(1, 'tea', { data: 'new1' }));
    await settled(tested, connection);
    expect(tested.heard).toEqual(['tea10', 'new1']);
    const trimmed = { roomName: 'tea', recovered: false, replayed: 0, reason: 'trimmed' };
    expect([recoveries, own]).toEqual([[trimmed], [trimmed]]);
    // Until the application has been told, what it has to save is where it stood.
    expect(client.positions.tea).toMatchObject(at(10));
    await clock.advance(1_000);
    await until(() => client.positions.tea?.epoch === 'f');
    expect([recoveries.at(-1), own.length]).toEqual([{ ...trimmed, reason: 'epoch' }, 2]);
    expect(client.positions.tea).toMatchObject(at(1, 'f'));
  });

  it('is told by the answer to its return, and goes on from there', async () => {
    const tested = await connected();
    await stand(tested, 5);
    const second = await comeBack(tested);
    const joined = [{ room: 'tea', position: at(20), recovered: false, reason: 'limit', replayed: 0 }];
    second.reply(await second.next('join'), { rooms: ['tea'], refused: [], joined });
    second.send(line(20));
    second.send(line(21));
    await settled(tested, second);
    expect(tested.heard).toEqual(['tea21']);
    expect(tested.recoveries).toEqual([{ roomName: 'tea', recovered: false, replayed: 0, reason: 'limit' }]);
  });

  it('is told where a room has no history any more, since what it has missed does not come', async () => {
    const clock = new ManualClientRuntime();
    const tested = await connected({ requestTimeout: false }, clock);
    await stand(tested, 5);
    const second = await comeBack(tested);
    second.reply(await second.next('join'), { rooms: ['tea'], refused: [] });
    second.send({ type: 'chat', action: 'line', data: 'plain' });
    await settled(tested, second);
    await clock.advance(1_000);
    expect(tested.recoveries).toEqual([{ roomName: 'tea', recovered: false, replayed: 0, reason: 'epoch' }]);
    expect([tested.heard, tested.client.positions]).toEqual([['plain'], {}]);
    const third = await comeBack(tested);
    expect((await third.next('join')).data).toEqual({ rooms: ['tea'] });
  });

  it('forgets where it stood with the room, and with the user', async () => {
    const tested = await connected();
    const { client, connection, server } = tested;
    await stand(tested, 5);
    const leaving = client.leave('tea');
    const left = await connection.next('leaveRoom');
    expect(left.data).toEqual({ roomName: 'tea' });
    connection.reply(left, null);
    await leaving;
    expect(client.positions).toEqual({});
    await stand(tested, 7);
    client.disconnect();
    server.script = (next) => next.welcome({ userId: 'bob', limits });
    void client.connect();
    // Before it is known who comes, and after.
    const early = client.join('tea');
    const second = await server.next();
    const request = await asked(second);
    expect(request.data).toEqual({ roomName: 'tea' });
    letIn(second, request, { position: at(9), replayed: 0 });
    await early;
    expect([client.positions.tea, tested.recoveries]).toEqual([expect.objectContaining(at(9)), []]);
  });

  it('asks for one replay where a join waits for the connection beside the one that comes by itself', async () => {
    const tested = await connected();
    const { client, connection } = tested;
    await stand(tested, 5);
    connection.socket.terminate();
    await entered(client, 'reconnecting');
    const waiting = client.join('tea', { history: 3 });
    void client.connect();
    const second = await tested.server.next();
    const list = await second.next('join');
    const joined = [{ room: 'tea', position: at(5), recovered: true, replayed: 1 }];
    second.reply(list, { rooms: ['tea'], refused: [], joined });
    const request = await asked(second);
    expect(request.data).toEqual({ roomName: 'tea' });
    second.send(line(6));
    letIn(second, request, { position: at(5), replayed: 0 });
    second.send(line(7));
    await waiting;
    await settled(tested, second);
    expect([tested.heard, tested.recoveries.length]).toEqual([['tea6', 'tea7'], 1]);
  });

  it('hears it by the handle of the room, although the server names no rooms', async () => {
    const tested = await connected();
    const { client, connection, errors } = tested;
    const own: unknown[] = [];
    const tea = client.room('tea', { history: 1 });
    tea.on('chat', 'line', (data, { room, offset }) => own.push([data, room, offset]));
    const request = await asked(connection);
    expect(request.data).toEqual({ roomName: 'tea', history: 1 });
    letIn(connection, request, { position: at(4), replayed: 1 });
    await tea.joined;
    tea.on('chat', 'line', (data) => own.push(data));
    connection.send(line(5));
    connection.send(line(5, 'go'));
    await settled(tested, connection);
    expect([own, errors]).toEqual([[['tea5', 'tea', 5], 'tea5'], []]);
  });

  it('reads pages, in which its position stays', async () => {
    const tested = await connected();
    const { client, connection } = tested;
    await stand(tested, 5);
    const page = client.history('tea', { since: at(3), limit: 2, reverse: true });
    const request = await connection.next('history');
    expect(request.data).toEqual({ roomName: 'tea', since: at(3), limit: 2, reverse: true });
    const answer = { messages: [{ ...line(2), room: undefined }], position: at(9), more: true };
    connection.reply(request, answer);
    expect(await page).toEqual(JSON.parse(JSON.stringify(answer)));
    expect(client.positions.tea).toMatchObject(at(5));
    const refused = client.history('go');
    connection.refuse(await connection.next('history'), 'FORBIDDEN');
    await expect(refused).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});

describe('positions', () => {
  it('are those that the handlers have finished, in their order and with their promises', async () => {
    const tested = await connected();
    const { client, connection } = tested;
    const running = new Map<unknown, () => void>();
    client.on('chat', 'line', (data) => new Promise<void>((resolve) => running.set(data, resolve)));
    await stand(tested, 5);
    for (const offset of [6, 7, 8]) connection.send(line(offset));
    await until(() => running.size === 3);
    const finish = async (data: string): Promise<number | undefined> => {
      running.get(data)!();
      await new Promise((resolve) => setImmediate(resolve));
      return client.positions.tea?.offset;
    };
    expect([client.positions.tea?.offset, await finish('tea7'), await finish('tea6'), await finish('tea8')]).toEqual([
      5, 5, 7, 8,
    ]);
  });

  it('do not count a message inside its own handler, and count one that a handler failed at', async () => {
    const tested = await connected();
    const { client, connection, errors } = tested;
    const inside: unknown[] = [];
    client.onAny(({ offset }) => {
      inside.push([offset, client.positions.tea?.offset]);
      throw new Error('No.');
    });
    await stand(tested, 5);
    connection.send(line(6));
    await settled(tested, connection);
    expect([inside, client.positions.tea?.offset, errors.length]).toEqual([[[6, 5]], 6, 1]);
  });

  it('wait for what the application does about a loss', async () => {
    const reloaded: (() => void)[] = [];
    const onRecovered = () => new Promise<void>((resolve) => reloaded.push(resolve));
    const tested = await connected({ events: { onRecovered } });
    const { client, connection } = tested;
    await stand(tested, 5);
    connection.send({ type: 'room', action: 'lost', data: { roomName: 'tea', position: at(9), reason: 'trimmed' } });
    connection.send(line(10));
    await settled(tested, connection);
    expect([tested.heard, client.positions.tea?.offset]).toEqual([['tea10'], 5]);
    reloaded[0]!();
    await until(() => client.positions.tea?.offset === 10);
  });

  it('of an earlier client are where the next one goes on', async () => {
    const first = await connected();
    await stand(first, 5);
    first.connection.send(line(6));
    await settled(first, first.connection);
    const positions = JSON.parse(JSON.stringify(first.client.positions)) as typeof first.client.positions;
    first.client.destroy();
    await first.server.close();
    const second = await connected({ positions });
    const { client, connection } = second;
    expect(client.positions).toEqual(positions);
    const joining = client.join('tea', { history: 10 });
    const request = await asked(connection);
    expect(request.data).toMatchObject({ since: at(6), was: 'c1' });
    letIn(connection, request, { position: at(6), recovered: true, replayed: 1 });
    expect(await joining).toMatchObject({ recovered: true, replayed: 1 });
    connection.send(line(7));
    await settled(second, connection);
    expect([second.heard, second.recoveries.length]).toEqual([['tea7'], 1]);
  });

  it('outlive a first join that fails, or takes too long', async () => {
    const tested = await connected({ positions: { tea: at(5) } });
    const { client, connection } = tested;
    await expect(client.join('tea', { timeout: 20 })).rejects.toMatchObject({ code: 'TIMEOUT' });
    await connection.next('leaveRoom');
    // It is in the room, as far as the server knows; what comes belongs to a replay.
    connection.send(line(9));
    expect((await asked(connection)).data).toMatchObject({ since: at(5) });
    const joining = client.join('tea');
    const request = await asked(connection);
    expect(request.data).toMatchObject({ since: at(5) });
    letIn(connection, request, { position: at(5), recovered: true, replayed: 1 });
    connection.send(line(9));
    await joining;
    await settled(tested, connection);
    expect(tested.heard).toEqual(['tea9']);
  });

  it('that are none are refused by the server, in its words', async () => {
    const positions = JSON.parse('{"tea":{"epoch":7}}') as Record<string, { epoch: string; offset: number }>;
    const { client, connection } = await connected({ positions });
    const joining = client.join('tea');
    connection.refuse(await asked(connection), 'BAD_MESSAGE');
    await expect(joining).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
    expect(() => newClient('ws://127.0.0.1:1', { positions: 7 as unknown as typeof positions })).toThrow(
      'The option positions has to be an object.',
    );
  });
});

describe('a room into which the server puts the client', () => {
  const put = (connection: ScriptedConnection, position: object, roomName = 'tea'): void =>
    connection.send({ type: 'room', action: 'joined', data: { roomName, position } });

  it('is one where it stands from then on', async () => {
    const tested = await connected();
    const { client, connection, heard } = tested;
    put(connection, at(5));
    for (const offset of [5, 6]) connection.send(line(offset));
    await settled(tested, connection);
    // The server has taken it out meanwhile, and in again.
    put(connection, at(9));
    for (const offset of [9, 10]) connection.send(line(offset));
    await settled(tested, connection);
    expect([heard, client.positions, tested.recoveries, connection.heard]).toEqual([
      ['tea6', 'tea10'],
      { tea: expect.objectContaining(at(10)) },
      [],
      [],
    ]);
  });

  it('is recovered once on the next connection, and what comes before the answer is left to the replay', async () => {
    const tested = await connected();
    put(tested.connection, at(5));
    await settled(tested, tested.connection);
    const second = await comeBack(tested);
    second.send(line(9));
    put(second, at(9));
    second.send(line(10));
    const request = await second.next('recover');
    expect(request.data).toEqual({ roomName: 'tea', since: expect.objectContaining(at(5)), was: 'c1' });
    second.send(line(11));
    await settled(tested, second);
    expect(tested.heard).toEqual([]);
    second.reply(request, { roomName: 'tea', position: at(5), recovered: true, replayed: 3 });
    for (const offset of [9, 10, 11, 12]) second.send(line(offset));
    await settled(tested, second);
    expect([tested.heard, tested.recoveries, second.heard]).toEqual([
      ['tea9', 'tea10', 'tea11', 'tea12'],
      [{ roomName: 'tea', recovered: true, replayed: 3, reason: undefined }],
      [],
    ]);
  });

  it('is asked for again while nobody can be asked, and told as lost when it is refused', async () => {
    const clock = new ManualClientRuntime();
    const tested = await connected({ requestTimeout: false, positions: { tea: at(5) } }, clock);
    const { connection, recoveries } = tested;
    put(connection, at(9));
    for (let round = 0; round < 2; round++) {
      connection.refuse(await connection.next('recover'), 'UNAVAILABLE', { retryable: true });
      await until(() => clock.size === 1);
      await clock.advance(3_000);
    }
    connection.refuse(await connection.next('recover'), 'NOT_FOUND');
    await until(() => clock.size === 1);
    await clock.advance(1_000);
    expect(recoveries).toEqual([{ roomName: 'tea', recovered: false, replayed: 0, reason: 'epoch' }]);
    connection.send(line(10));
    await settled(tested, connection);
    expect(tested.heard).toEqual(['tea10']);
  });

  it('is not recovered where the client joins it again by itself, and stays when its own join is refused', async () => {
    const tested = await connected();
    const { client, connection } = tested;
    put(connection, at(5), 'go');
    const refused = client.join('go');
    connection.refuse(await asked(connection), 'FORBIDDEN');
    await expect(refused).rejects.toMatchObject({ code: 'FORBIDDEN' });
    connection.send(line(6, 'go'));
    await stand(tested, 5);
    expect([tested.heard, connection.heard]).toEqual([['go6'], []]);
    const second = await comeBack(tested);
    put(second, at(9));
    const joined = [{ room: 'tea', position: at(5), recovered: true, replayed: 0 }];
    second.reply(await second.next('join'), { rooms: ['tea'], refused: [], joined });
    await settled(tested, second);
    expect(second.heard).toEqual([]);
  });
});

describe('a server that speaks nonsense of positions', () => {
  const NONSENSE: unknown[] = [
    null,
    7,
    'e:5',
    [],
    {},
    { epoch: 'e' },
    { offset: 9 },
    { epoch: 7, offset: 9 },
    { epoch: 'e', offset: '9' },
    { epoch: 'e', offset: 9.5 },
    { epoch: 'e', offset: 2 ** 53 },
    { epoch: 'e', offset: null },
  ];

  it('moves nothing with it', async () => {
    const tested = await connected();
    const { client, connection, heard } = tested;
    await stand(tested, 5);
    for (const position of NONSENSE) {
      for (const action of ['lost', 'joined', 'position', 'memberJoined', '__proto__'])
        connection.send({ type: 'room', action, data: { roomName: 'tea', position } });
      const joining = client.join('tea');
      letIn(connection, await asked(connection), { position, recovered: 'yes', replayed: {} });
      await joining;
    }
    for (const data of [null, 7, [], { roomName: null }, { roomName: { a: 1 }, position: at(3) }])
      connection.send({ type: 'room', action: 'lost', data });
    // Without a number it is any message.
    for (const offset of ['7', 6.5, 2 ** 53, null, {}, 0]) connection.send({ ...line(1), data: offset, offset });
    connection.send({ ...line(6), copy: { a: 1 } });
    connection.send({ ...line(7), room: 7 });
    connection.send(line(-3));
    connection.send(line(7));
    await settled(tested, connection);
    expect(heard).toEqual(['7', 6.5, 2 ** 53, null, {}, 0, 'tea6', 'tea7', 'tea7']);
    expect([client.positions.tea, tested.recoveries]).toEqual([expect.objectContaining(at(7)), []]);
  });

  it('of rooms with names as objects inherit them is understood', async () => {
    const tested = await connected();
    const { client, connection } = tested;
    await stand(tested, 5, 'constructor');
    connection.send(line(6, 'constructor'));
    connection.send(line(6, 'toString'));
    await settled(tested, connection);
    expect(Object.keys(client.positions)).toEqual(['constructor']);
    expect(client.positions.constructor).toMatchObject(at(6));
  });

  it('loses what it says instead of an answer', async () => {
    const clock = new ManualClientRuntime();
    const tested = await connected({ requestTimeout: false }, clock);
    await stand(tested, 5);
    const second = await comeBack(tested);
    second.reply(await second.next('join'), { rooms: 'all', refused: 'none', joined: { a: 7, b: { room: 'tea' } } });
    await settled(tested, second);
    await clock.advance(2_000);
    expect(tested.recoveries).toEqual([{ roomName: 'tea', recovered: false, replayed: 0, reason: 'epoch' }]);
  });
});

describe('a server without history', () => {
  it('is asked as ever, and may have fields of these names in its own messages', async () => {
    const tested = await connected();
    const { client, connection, heard } = tested;
    const joining = client.join('tea');
    const request = await asked(connection);
    expect(request.data).toEqual({ roomName: 'tea' });
    letIn(connection, request, {});
    expect(await joining).toEqual({ roomName: 'tea' });
    for (const offset of [2, 1, 1]) connection.send(line(offset, 'tea', { copy: 'x' }));
    await settled(tested, connection);
    expect([heard, client.positions]).toEqual([['tea2', 'tea1', 'tea1'], {}]);
    const second = await comeBack(tested);
    expect((await second.next('join')).data).toEqual({ rooms: ['tea'] });
  });

  it('of another library hears nothing of it', async () => {
    server = await ScriptedServer.start(() => undefined);
    const { client } = newClient(server.url, { server: 'other' });
    await client.connect();
    await client.join('tea');
    const connection = await server.next();
    expect((await connection.next('joinRoom')).data).toEqual({ roomName: 'tea' });
    const heard: unknown[] = [];
    client.on('chat', 'line', (data) => heard.push(data));
    for (const offset of [2, 1]) connection.send(line(offset));
    await until(() => heard.length === 2);
    expect(client.positions).toEqual({});
  });
});
