import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  ClientManager,
  PxlWebSocketServer,
  WebSocketEmitter,
  WebSocketService,
  type PxlWebSocketModuleOptions,
} from 'nestjs-pxl-websocket';
import { eventually } from '../../lib/testing/eventually.js';
import { isRemoval } from '../support/audience.js';
import { IgnisFleet, type IgnisEnvelope } from '../support/ignis-fleet.js';
import { RedisServer } from '../support/redis-server.js';
import { mutationOf } from '../support/mutations.js';
import { refused } from '../support/refused.js';
import { SeededRandom } from '../support/seeded-random.js';
import { startApp, type TestApp } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';
import { urlIdentity } from '../support/url-identity.js';

const message = { event: 'chat:message', data: { text: 'hello' } };

type Name = 'ada' | 'bo' | 'cy';

let redis: RedisServer;
let old: IgnisFleet;
let workers: [TestApp, TestApp];
let services: [WebSocketService, WebSocketService];
let verbs: PxlWebSocketServer;
let emitter: WebSocketEmitter;
const failures: Error[] = [];
/** Ada (user 7, in tea) is on the first worker; Bo (user 8, in tea and chess) and Cy, who speaks `pxl.v1`, on the second. */
let clients: Record<Name, TestClient>;

beforeAll(async () => {
  redis = await RedisServer.start();
  old = await IgnisFleet.start(redis.port);
  await allow('&*');
  const options: PxlWebSocketModuleOptions = {
    protocol: 'event',
    redis: `redis://worker:secret@127.0.0.1:${redis.port}`,
    cluster: { ignis: true, probe: 200 },
    auth: { authenticate: urlIdentity },
    rooms: {
      defaults: [],
      history: (name) => (name === 'kept' ? { size: 10, ttl: 60_000 } : null),
      filters: { everybody: () => true },
    },
    events: { onError: ({ error }) => failures.push(error) },
  };
  workers = await Promise.all([startApp({ options }), startApp({ options })]);
  services = [workers[0].app.get(WebSocketService), workers[1].app.get(WebSocketService)];
  verbs = workers[0].app.get(PxlWebSocketServer);
  clients = {
    ada: await workers[0].client({ path: '/ws?userId=7' }),
    bo: await workers[1].client({ path: '/ws?userId=8' }),
    cy: await workers[1].client({ path: '/ws?userId=9', protocols: ['pxl.v1'] }),
  };
  await services[0].joinRooms({ clientIds: [idOf('ada'), idOf('bo')], rooms: ['tea'] });
  await services[0].joinRooms({ clientIds: [idOf('bo')], rooms: ['chess'] });
  emitter = new WebSocketEmitter({ redis: redis.url, cluster: { ignis: true } });
  await emitter.configure();
});

afterAll(async () => {
  await emitter.shutdown();
  await Promise.all(workers.map((worker) => worker.close()));
  old.stop();
  await redis.stop();
});

/** Which channels the workers may hear and speak on. */
async function allow(...channels: string[]): Promise<void> {
  const rights = ['reset', 'on', '>secret', '~*', '+@all', ...channels];
  await redis.command('ACL', 'SETUSER', 'worker', ...rights);
}

const idOf = (name: Name): string => clients[name].clientId;

/** What each client has got since it was asked last. */
async function received(): Promise<Partial<Record<Name, unknown[]>>> {
  const marker = await old.mark();
  const all: Partial<Record<Name, unknown[]>> = {};
  for (const [name, client] of Object.entries(clients) as [Name, TestClient][]) {
    for (;;) {
      const next = await client.next();
      if ([next.event, next.action].includes(marker)) break;
      if (!isRemoval(next)) (all[name] ??= []).push(next);
    }
  }
  return all;
}

const junk = (): number => {
  const counts = services[0].getMetrics().filter(({ name }) => name === 'pxl_ws_messages_junk_total');
  expect(counts.map(({ labels }) => labels)).toEqual([{ reason: 'ignis' }]);
  return counts[0]!.value;
};

describe('what a server of Ignis publishes', () => {
  const heard: [what: string, channel: () => string, envelope: () => Partial<IgnisEnvelope>, to: Name[]][] = [
    ['to everybody', () => 'ws:broadcast', () => ({ type: 'broadcast' }), ['ada', 'bo', 'cy']],
    ['to a room', () => 'ws:room:tea', () => ({ type: 'room', target: 'tea' }), ['ada', 'bo']],
    ['to a user', () => 'ws:user:7', () => ({ type: 'user', target: '7' }), ['ada']],
    ['to a client', () => `ws:client:${idOf('bo')}`, () => ({ type: 'client', target: idOf('bo') }), ['bo']],
    [
      'to everybody but some',
      () => 'ws:broadcast',
      () => ({ type: 'broadcast', exclude: [idOf('ada'), 'a client of its own'] }),
      ['bo', 'cy'],
    ],
    [
      'to a room but some',
      () => 'ws:room:tea',
      () => ({ type: 'room', target: 'tea', exclude: [idOf('bo')] }),
      ['ada'],
    ],
    [
      'by an emitter, whose id is none of a server',
      () => 'ws:room:chess',
      () => ({ serverId: 'emitter', type: 'room', target: 'chess' }),
      ['bo'],
    ],
    [
      'by send() to a client that it does not hold, as to a room',
      () => `ws:room:${idOf('ada')}`,
      () => ({ type: 'room', target: idOf('ada') }),
      ['ada'],
    ],
    ['to nobody here', () => 'ws:room:unknown', () => ({ type: 'room', target: 'unknown' }), []],
  ];

  it.each(heard)('%s reaches exactly those, once each', async (_what, channel, envelope, to) => {
    await old.publish(channel(), { ...message, ...envelope() });
    const typed = { type: 'chat', action: 'message', data: message.data };
    expect(await received()).toEqual(Object.fromEntries(to.map((name) => [name, [name === 'cy' ? typed : message]])));
  });

  it('to the id of a client reaches it once where it is in a room of that name, too', async () => {
    const room = idOf('ada');
    await services[0].joinRooms({ clientIds: [room, idOf('bo')], rooms: [room] });
    await old.publish(`ws:room:${room}`, { type: 'room', target: room, ...message });
    expect(await received()).toEqual({ ada: [message], bo: [message] });
    await services[0].leaveRooms({ clientIds: [room, idOf('bo')], rooms: [room] });
  });

  it('to a room with history reaches its members, without a number, and is counted', async () => {
    await services[0].joinRooms({ clientIds: [idOf('ada'), idOf('bo')], rooms: ['kept'] });
    const unnumbered = (): unknown =>
      services[1].getMetrics().find(({ name }) => name === 'pxl_ws_history_unnumbered_total')?.value;
    expect(unnumbered()).toBe(0);
    await old.publish('ws:room:kept', { type: 'room', target: 'kept', ...message });
    expect(await received()).toMatchObject({
      ada: [{ event: 'room:joined' }, message],
      bo: [{ event: 'room:joined' }, message],
    });
    expect(unnumbered()).toBe(1);
    await old.heard();
    await services[0].sendToRooms(['kept'], message);
    await eventually('the old one has it too', async () =>
      (await old.heard()).some(([channel, { event }]) => channel === 'ws:room:kept' && event === message.event),
    );
    const numbered = { ...message, room: 'kept', offset: 1 };
    expect(await received()).toEqual({ ada: [numbered], bo: [numbered] });
    await services[0].leaveRooms({ clientIds: [idOf('ada'), idOf('bo')], rooms: ['kept'] });
  });

  it('is dropped where another worker or emitter of ours has published it, in whatever order its fields come', async () => {
    const before = junk();
    await old.publish('ws:broadcast', { serverId: 'pxl:another', type: 'broadcast', ...message });
    await old.say('ws:broadcast', JSON.stringify({ type: 'broadcast', ...message, serverId: 'pxl:another' }));
    await old.publish('ws:user:7', { serverId: 'pxl', type: 'user', target: '7', ...message });
    expect(await received()).toEqual({ ada: [message] });
    expect(junk()).toBe(before);
  });

  it('arrives as it is: any name, any data', async () => {
    const all = ['a', 'a:b:c', 'error', 'connected', 'a:', ':b', 'é'].flatMap((event) =>
      [null, 0, '', [], { event: 'x', type: 'y' }].map((data) => ({ event, data })),
    );
    for (const sent of all) await old.publish('ws:user:7', { type: 'user', target: '7', ...sent });
    await old.publish('ws:user:7', { type: 'user', target: '7', event: 'without data' });
    expect(await received()).toEqual({ ada: [...all, { event: 'without data' }] });
  });

  it('and is no message is dropped and counted, and the next one is heard', async () => {
    const whole = { serverId: 'other', type: 'user', target: '7', ...message };
    const without = (field: keyof typeof whole): unknown => ({ ...whole, [field]: undefined });
    const before = junk();
    const bad: unknown[] = [
      ...[null, 7, 'text', [], {}, [whole]],
      ...(['serverId', 'type', 'target', 'event'] as const).map(without),
      ...[{ serverId: 7 }, { type: 'everybody' }, { type: '__proto__' }, { target: 7 }, { target: '' }, { event: '' }],
      ...[{ event: ['a'] }, { exclude: 'all' }, { exclude: [7] }, { exclude: {} }],
    ].map((field, at) => (at < 10 ? field : { ...whole, ...(field as object) }));
    for (const envelope of bad) await old.say('ws:user:7', JSON.stringify(envelope));
    for (const text of ['', '{', '\0', `${JSON.stringify(whole)} `.repeat(2)]) await old.say('ws:broadcast', text);
    await old.say('ws:room:tea', JSON.stringify({ ...whole, type: 'broadcast', exclude: null }));
    expect(await received()).toMatchObject({ ada: [message], bo: [message] });
    expect(junk() - before).toBe(bad.length + 4);
    expect(failures).toEqual([]);
  });

  it('and is anything at all, also very deep or large, ends no connection, and the next one is heard', async () => {
    const random = new SeededRandom(14);
    const channels = ['ws:broadcast', 'ws:room:tea', 'ws:user:7', `ws:client:${idOf('bo')}`];
    const events = ['error', 'connected', 'encrypted', 'disconnect', '__proto__', 'system:ping'];
    const data = JSON.parse('{"__proto__":{"polluted":true}}') as unknown;
    for (let count = 0; count < 1_000; count++) {
      const envelope = { serverId: 'other', type: random.pick(['broadcast', 'room', 'user', 'client']), data };
      const named = { ...envelope, target: random.pick(['tea', '7', idOf('bo')]), event: random.pick(events) };
      await old.say(random.pick(channels), mutationOf(JSON.stringify(named), random));
    }
    for (const text of ['['.repeat(50_000) + ']'.repeat(50_000), JSON.stringify('x'.repeat(1_000_000))]) {
      await old.say('ws:user:7', `{"serverId":"other","type":"user","target":"7","event":"a","data":${text}}`);
    }
    await received();
    failures.length = 0; // what is too deep to be written again is reported
    await old.publish('ws:broadcast', { type: 'broadcast', ...message });
    expect(Object.keys(await received())).toEqual(['ada', 'bo', 'cy']);
    expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('polluted');
  });
});

describe('what is sent here is told to the old fleet once, and reaches our own clients once', () => {
  beforeAll(() => old.heard());

  /** Verbs return before Redis has what they send; on one connection what follows is behind it. */
  const publishedByVerbs = (): Promise<void> => services[0].publish('follows', null);

  type Publication = [channel: string, envelope: Omit<IgnisEnvelope, 'serverId' | 'event'> & { event?: string }];
  const toAll: Publication = ['ws:broadcast', { type: 'broadcast' }];
  const toTea: Publication = ['ws:room:tea', { type: 'room', target: 'tea' }];
  const toChess: Publication = ['ws:room:chess', { type: 'room', target: 'chess' }];
  const toUser: Publication = ['ws:user:7', { type: 'user', target: '7' }];
  const toOld: Publication = ['ws:client:theirs', { type: 'client', target: 'theirs' }];
  const but = ([channel, envelope]: Publication, exclude: string[]): Publication => [channel, { ...envelope, exclude }];
  const typed = { type: 'chat', action: 'message', data: message.data };

  const sends: [what: string, send: () => unknown, spoken: Publication[], to: Name[]][] = [
    ['broadcast', () => services[0].broadcast(message), [toAll], ['ada', 'bo', 'cy']],
    ['by the names of PXL', () => services[0].broadcast(typed), [toAll], ['ada', 'bo', 'cy']],
    [
      'to rooms, one message each',
      () => services[0].sendToRooms(['tea', 'chess', 'tea'], typed),
      [toTea, toChess],
      ['ada', 'bo'],
    ],
    ['to users', () => services[1].sendToUsers([7], message), [toUser], ['ada']],
    [
      'to clients, those of our own left out',
      () => services[1].sendToClients([idOf('ada'), 'theirs', 'excluded'], message, { exclude: ['excluded'] }),
      [but(toOld, ['excluded'])],
      ['ada'],
    ],
    [
      'with an exclusion',
      () => services[0].sendToRooms(['tea'], message, { exclude: [idOf('ada'), 'theirs'] }),
      [['ws:room:tea', { type: 'room', target: 'tea', exclude: ['(ada)', 'theirs'] }]],
      ['bo'],
    ],
    [
      'of excluded rooms and users those that are named',
      async () => {
        await services[0].sendToRooms(['tea', 'chess'], message, { exclude: { rooms: ['chess'], users: [7] } });
        await emitter.toUser({ userId: 7, ...message, exclude: { users: ['7'] } });
        await services[0].sendToUsers([7, '9'], message, { exclude: { users: ['9'], clients: ['theirs'] } });
      },
      [toTea, but(toUser, ['theirs'])],
      ['ada'],
    ],
    [
      'with a filter, which they do not know: not told',
      () => services[0].sendToRooms(['tea'], message, { where: ['everybody'] }),
      [],
      ['ada', 'bo'],
    ],
    [
      'by send() to a client of the old fleet, as to a room',
      () => services[0].send({ destination: 'theirs', payload: { topic: message.event, data: message.data } }),
      [['ws:room:theirs', { type: 'room', target: 'theirs' }]],
      [],
    ],
    ['by the verbs', () => verbs.broadcastToRoom({ roomName: 'tea', data: message }), [toTea], ['ada', 'bo']],
    ['by the emitter to everybody', () => emitter.broadcast(message), [toAll], ['ada', 'bo', 'cy']],
    ['by the emitter to a room', () => emitter.toRoom({ room: 'tea', ...message }), [toTea], ['ada', 'bo']],
    ['by the emitter to a user', () => emitter.toUser({ userId: 7, ...message }), [toUser], ['ada']],
    ['by the emitter to a client', () => emitter.toClient({ clientId: 'theirs', ...message }), [toOld], []],
    [
      'to this worker alone: not told',
      () => verbs.local.broadcastToRoom({ roomName: 'tea', data: message }),
      [],
      ['ada'],
    ],
    [
      'joins, events, updates, ends: not told',
      async () => {
        await services[0].joinRooms({ clientIds: [idOf('cy')], rooms: ['go'] });
        await services[0].leaveRooms({ clientIds: [idOf('cy')], rooms: ['go'] });
        await services[0].publish('orders', { id: 1 });
        await emitter.publish('orders', { id: 1 });
        workers[0].app.get(ClientManager).updateClient({ clientId: idOf('cy'), key: 'a', data: 1 });
        await services[0].revoke({ jti: 'a' });
        await services[0].disconnectClients({ clientIds: ['theirs'] });
      },
      [],
      [],
    ],
  ];

  it.each(sends)('%s', async (_what, send, spoken, to) => {
    await send();
    await publishedByVerbs();
    const heard = await old.heard();
    expect(await received()).toEqual(Object.fromEntries(to.map((name) => [name, [name === 'cy' ? typed : message]])));
    expect(heard).toEqual(
      spoken.map(([channel, { exclude, ...envelope }]) => [
        channel,
        {
          serverId: expect.stringMatching(/^pxl:/),
          ...message,
          ...envelope,
          ...(exclude && { exclude: exclude.map((id) => (id === '(ada)' ? idOf('ada') : id)) }),
        },
      ]),
    );
  });

  it('has an event as the event codec names it, and no field of the message in the place of an own one', async () => {
    const data = { serverId: 'x' };
    const forged = { type: 'a', action: 'b', data, serverId: 'x', target: 'y', exclude: ['z'] };
    verbs.broadcastToUsers({ userIds: ['8'], data: forged });
    const disguised = { event: 'c', data, serverId: 'x', target: 'y', exclude: ['z'] };
    verbs.broadcastToUsers({ userIds: ['8'], data: { type: 'a', action: 'b', toJSON: () => disguised } });
    verbs.broadcastToUsers({ userIds: ['8'], data: 'any value' });
    verbs.broadcastToUsers({ userIds: ['8'], data: { type: 'error', action: 'message', data: { error: 'no' } } });
    await publishedByVerbs();
    await received();
    const envelope = { serverId: expect.stringMatching(/^pxl:/), type: 'user', target: '8' };
    expect((await old.heard()).map(([, heard]) => heard)).toEqual([
      { ...envelope, event: 'a:b', data },
      { ...envelope, event: 'c', data },
      { ...envelope, event: 'message', data: 'any value' },
      { ...envelope, event: 'error', data: { message: 'no' } },
    ]);
  });
});

describe('A worker that hears Ignis', () => {
  it('is told once of a send that Redis does not take, and hears again by itself', async () => {
    await redis.kill();
    await eventually('it is noticed', () => services.every((service) => !service.getWebSocketHealth().ready));
    await expect(services[0].sendToRooms(['tea', 'chess'], message)).rejects.toThrow(refused('UNAVAILABLE'));
    verbs.broadcastToRoom({ roomName: 'tea', data: message });
    await eventually('it is reported', () => failures.length > 0);
    await redis.run();
    await allow('&*');
    await eventually('both are back', () => services.every((service) => service.getWebSocketHealth().ready));
    await eventually('the old server is back', async () => (await old.publish('ws:user:0', {})) === 3);
    // Delivered where they were sent, and nothing of it later.
    expect(await received()).toEqual({ ada: [message, message] });
    expect(failures).toHaveLength(1);
    await old.publish('ws:user:8', { type: 'user', target: '8', ...message });
    expect(await received()).toEqual({ bo: [message] });
  });

  it('is not ready while Redis does not let it, and is once it does', async () => {
    await allow('&pxl:*', '&ws:room:*', '&ws:broadcast', '&ws:user:*');
    const health = (): ReturnType<WebSocketService['getWebSocketHealth']> => services[0].getWebSocketHealth();
    await eventually('it tells', () => health().redis.connected && !health().ready);
    expect(health()).toMatchObject({ status: 'degraded', redis: { isLimited: true } });
    await allow('&*');
    await eventually('it is ready', () => services.every((service) => service.getWebSocketHealth().ready));
    await old.publish(`ws:client:${idOf('bo')}`, { type: 'client', target: idOf('bo'), ...message });
    expect(await received()).toEqual({ bo: [message] });
  });
});
