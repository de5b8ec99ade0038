import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { MessageBody, WebSocketGateway } from '@nestjs/websockets';
import {
  ClientManager,
  WebSocketService,
  WsFallback,
  type PxlWebSocketModuleOptions,
  type WsClient,
  type WsCredentials,
  type WsVerdict,
} from 'nestjs-pxl-websocket';
import { Runtime } from '../../lib/runtime/runtime.js';
import { Diary } from '../support/diary.js';
import { Gate } from '../support/gate.js';
import { IgnisClient } from '../support/ignis-client.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { identityOf } from '../support/url-identity.js';

const diary = new Diary();

/** The `messageHandler` of Ignis. */
@WebSocketGateway()
class Handler {
  @WsFallback()
  handle(_client: WsClient, @MessageBody() message: { event: string; data: unknown }): void {
    diary.write(`message ${JSON.stringify(message)}`);
  }
}

/** The `authenticateFn` of Ignis: it gets what the client sent, whole. The upgrade has told nothing. */
function authenticate({ source, data }: WsCredentials): WsVerdict {
  if (source === 'upgrade') return null;
  const { name, secret } = data as { name: string; secret: string };
  return secret === 'open sesame' && { userId: name, metadata: { name } };
}

const ada = { type: 'guest', name: 'ada', secret: 'open sesame' };

let app: TestApp;
let clock: ManualRuntime;

async function start(options: PxlWebSocketModuleOptions = {}): Promise<void> {
  diary.entries.length = 0;
  clock = new ManualRuntime();
  app = await startApp({
    providers: [Handler],
    options: {
      protocol: 'event',
      heartbeat: false,
      auth: { authenticate },
      rooms: { authorize: ({ roomName }) => !roomName.startsWith('secret') },
      ...options,
    },
    override: (builder) => builder.overrideProvider(Runtime).useValue(clock),
  });
}

afterEach(() => app.close());

const open = (): Promise<IgnisClient> => IgnisClient.open(app.url());
const connect = (name = 'ada'): Promise<IgnisClient> => IgnisClient.connect(app.url(), { ...ada, name });

/** Resolves once the server has handled what the client sent before. */
async function settled(client: IgnisClient): Promise<void> {
  await client.ask('heartbeat');
}

describe('authenticate', () => {
  it('is answered by connected, with the id, the user and the time', async () => {
    await start();
    const client = await open();
    client.emit('authenticate', ada);
    expect(await client.next()).toEqual({
      event: 'connected',
      data: { id: expect.any(String), userId: 'ada', time: clock.now(), heartbeat: null, limits: expect.any(Object) },
    });
    await settled(client);
    expect(client.pending).toEqual([]);
  });

  it('passes its data whole, and keeps the metadata', async () => {
    const asked: unknown[] = [];
    const recording = (credentials: WsCredentials): WsVerdict => {
      if (credentials.source === 'message') asked.push(credentials.data);
      return authenticate(credentials);
    };
    await start({ auth: { authenticate: recording } });
    const { id } = await connect();
    expect(asked).toEqual([ada]);
    expect(app.app.get(ClientManager).getClient({ clientId: id })?.metadata).toEqual({ name: 'ada' });
  });

  it.each([null, false, undefined])('that is answered with %p gets an error, and closes with 4003', async (verdict) => {
    await start({ auth: { authenticate: ({ source }) => (source === 'upgrade' ? null : (verdict as null)) } });
    const client = await open();
    client.emit('authenticate', ada);
    expect(await client.next()).toMatchObject({ event: 'error', data: { code: 'UNAUTHENTICATED' } });
    expect((await client.closed).code).toBe(4003);
  });

  it('that does not come within 5 s closes with 4001', async () => {
    await start();
    const client = await open();
    await clock.advance(4_999);
    expect(client.socket.readyState).toBe(1);
    await clock.advance(1);
    expect((await client.closed).code).toBe(4001);
  });

  it('has three times as long while the authentication runs', async () => {
    const asked = new Gate();
    const never = ({ source }: WsCredentials): Promise<WsVerdict> | null => {
      if (source === 'upgrade') return null;
      asked.open();
      return new Promise(() => undefined);
    };
    await start({ auth: { authenticate: never } });
    const client = await open();
    client.emit('authenticate', ada);
    await asked.passed;
    await clock.advance(14_999);
    expect(client.socket.readyState).toBe(1);
    await clock.advance(1);
    expect((await client.closed).code).toBe(4001);
  });

  it.each(['{"event":"authenticate"}', '{"event":"authenticate","data":null}', '{"event":"authenticate","data":[]}'])(
    'without credentials, as in %s, is refused and not a fault',
    async (text) => {
      await start({
        auth: {
          authenticate: ({ data }) => ((data as { name?: string } | null)?.name === 'ada' ? { anonymous: true } : null),
        },
      });
      const client = await open();
      client.say(text);
      expect(await client.next()).toMatchObject({ event: 'error', data: { code: 'UNAUTHENTICATED' } });
      expect((await client.closed).code).toBe(4003);
    },
  );

  it('is not needed where the upgrade has told who it is, and then answered by connected too', async () => {
    const byUrl = ({ request }: WsCredentials): WsVerdict => identityOf(request.url.split('?')[1]);
    await start({ auth: { authenticate: byUrl } });
    const client = await IgnisClient.open(app.url('/ws?bo'));
    const greeting = await client.next('connected');
    expect(greeting).toMatchObject({ data: { userId: 'bo' } });
    client.emit('authenticate', ada);
    expect(await client.next()).toEqual(greeting);
  });

  it('is answered by connected too where nobody is asked who it is', async () => {
    await start({ auth: undefined });
    const client = await open();
    const greeting = await client.next('connected');
    client.emit('authenticate', ada);
    expect(await client.next()).toEqual(greeting);
  });
});

describe('before it has authenticated, a client', () => {
  it('gets an error for any other event, and nothing of it happens', async () => {
    await start();
    const client = await open();
    for (const event of ['chat', 'join', 'leave', 'disconnect', 'system:joinRoom']) {
      client.emit(event, { rooms: ['tea'] });
      const error = { message: 'Not authenticated', code: 'UNAUTHENTICATED', event };
      expect(await client.next()).toMatchObject({ event: 'error', data: error });
    }
    client.say('{');
    const error = { message: 'Invalid message format', code: 'BAD_MESSAGE' };
    expect(await client.next()).toMatchObject({ event: 'error', data: error });
    expect(diary.entries).toEqual([]);
  });

  it('may send heartbeats, which nobody answers', async () => {
    await start();
    const client = await open();
    client.emit('heartbeat');
    client.emit('authenticate', ada);
    expect(await client.next()).toMatchObject({ event: 'connected' });
  });

  it('gets no broadcast and is in no room', async () => {
    await start();
    const client = await open();
    const service = app.app.get(WebSocketService);
    await service.broadcast({ event: 'news' });
    await service.sendToRooms(['ws-default'], { event: 'news' });
    client.emit('authenticate', ada);
    expect(await client.next()).toMatchObject({ event: 'connected' });
  });
});

it('a client is in the two default rooms once it has authenticated', async () => {
  await start();
  const client = await connect();
  await settled(client);
  for (const room of ['ws-default', 'ws-notification']) {
    await app.app.get(WebSocketService).sendToRooms([room], { event: 'news', data: room });
    expect(await client.next()).toEqual({ event: 'news', data: room });
  }
});

describe('join', () => {
  it('enters the rooms that the rule allows, and no others', async () => {
    await start();
    const client = await connect();
    client.emit('join', { rooms: ['tea', 'chess'] });
    await settled(client);
    const answer = await client.ask('join', { rooms: ['go', 'secret'] });
    expect(answer.data).toEqual({ rooms: ['go'], refused: [{ room: 'secret', code: 'FORBIDDEN' }] });
    for (const room of ['secret', 'tea', 'chess', 'go']) {
      await app.app.get(WebSocketService).sendToRooms([room], { event: 'news', data: room });
    }
    for (const data of ['tea', 'chess', 'go']) expect(await client.next()).toEqual({ event: 'news', data });
  });

  it('without an id tells what was refused, and nothing else', async () => {
    await start();
    const client = await connect();
    client.emit('join', { rooms: ['tea', 'secret', 'ws:tea'] });
    expect(await client.next()).toMatchObject({
      event: 'error',
      data: {
        code: 'INVALID_ROOM',
        details: {
          rooms: ['tea'],
          refused: [
            { room: 'ws:tea', code: 'INVALID_ROOM' },
            { room: 'secret', code: 'FORBIDDEN' },
          ],
        },
      },
    });
  });

  it('refuses every room where clients cannot join by themselves', async () => {
    await start({ rooms: {} });
    const { data } = await (await connect()).ask('join', { rooms: ['tea'] });
    expect(data).toEqual({ rooms: [], refused: [{ room: 'tea', code: 'FORBIDDEN' }] });
  });

  it('asks the rule about all rooms at once, and refuses those over the limit', async () => {
    const gate = new Gate<boolean>();
    const asked: string[] = [];
    const authorize = ({ roomName }: { roomName: string }): Promise<boolean> => {
      asked.push(roomName);
      return gate.passed;
    };
    await start({ rooms: { authorize, defaults: [] }, limits: { roomsPerClient: 2 } });
    const client = await connect();
    const answer = client.ask('join', { rooms: ['a', 'b', 'c'] });
    client.emit('heartbeat');
    await settled(client);
    expect(asked).toEqual(['a', 'b']);
    gate.open(true);
    expect((await answer).data).toEqual({ rooms: ['a', 'b'], refused: [{ room: 'c', code: 'ROOM_LIMIT' }] });
  });

  it('tells nothing of a rule that fails, and reports it', async () => {
    const failures: string[] = [];
    await start({
      rooms: {
        authorize: ({ roomName }) => {
          if (roomName === 'broken') throw new Error('secret detail');
          return true;
        },
      },
      events: { onError: ({ error }) => failures.push(error.message) },
    });
    const { data } = await (await connect()).ask('join', { rooms: ['broken', 'tea'] });
    expect(data).toEqual({ rooms: ['tea'], refused: [{ room: 'broken', code: 'INTERNAL' }] });
    expect(failures).toEqual(['secret detail']);
  });

  it('in one-room mode ends in the last room of the list', async () => {
    await start({ rooms: { open: true, clientCanJoinMultipleRooms: false, defaults: ['lobby'] } });
    const client = await connect();
    const { data } = await client.ask('join', { rooms: ['a', 'b'] });
    expect(data).toEqual({ rooms: ['b'], refused: [{ room: 'a', code: 'CONFLICT' }] });
    expect([...(app.app.get(ClientManager).getClient({ clientId: client.id })?.rooms ?? [])]).toEqual(['lobby', 'b']);
  });
});

it('leave leaves rooms, and is no error for others', async () => {
  await start();
  const client = await connect();
  await client.ask('join', { rooms: ['tea', 'chess'] });
  client.emit('leave', { rooms: ['tea'] });
  const { data } = await client.ask('leave', { rooms: ['nowhere', 7] });
  expect(data).toEqual({ rooms: ['nowhere'], refused: [{ room: null, code: 'INVALID_ROOM' }] });
  await app.app.get(WebSocketService).sendToRooms(['tea', 'chess'], { event: 'news' });
  await app.app.get(WebSocketService).sendToRooms(['tea'], { event: 'lost' });
  expect(await client.next()).toEqual({ event: 'news' });
  await settled(client);
  expect(client.pending).toEqual([]);
});

describe.each(['join', 'leave'])('%s', (event) => {
  it.each([
    ['null', null],
    ['no data', undefined],
    ['a list', ['tea']],
    ['no rooms', {}],
    ['rooms: null', { rooms: null }],
    ['rooms: a text', { rooms: 'abc' }],
    ['rooms: a likeness of a list', { rooms: { length: 1 } }],
    ['rooms: a number', { rooms: 3 }],
    ['too many rooms', { rooms: Array.from({ length: 1_025 }, (_, n) => `room ${n}`) }],
  ])('is answered BAD_MESSAGE for %s, and the connection goes on', async (_what, data) => {
    await start();
    const client = await connect();
    client.emit(event, data);
    expect(await client.next()).toMatchObject({ event: 'error', data: { code: 'BAD_MESSAGE', event } });
    expect(await client.ask(event, data)).toMatchObject({ event: 'error', data: { code: 'BAD_MESSAGE', event } });
    await settled(client);
  });

  it('takes lists of anything, and each room once', async () => {
    await start({ rooms: { open: true } });
    const client = await connect();
    const rooms = ['tea', 'tea', null, {}, ['x'], { length: 2 }, 1, true, '', 'ws:', 'x'.repeat(129), '*', '__proto__'];
    const answer = await client.ask(event, { rooms });
    expect(answer.data).toEqual({
      rooms: ['tea', '*', '__proto__'],
      refused: [null, null, null, null, null, null, '', 'ws:', 'x'.repeat(129)].map((room) => ({
        room,
        code: 'INVALID_ROOM',
      })),
    });
  });
});

it.each(['null', '1', '"text"', '[]', '{}', '{"event":null}', '{"event":{}}', '{"data":{}}', '{"event":"a","id":{}}'])(
  'the frame %s is answered with an error, and the connection goes on',
  async (text) => {
    await start();
    const client = await connect();
    client.say(text);
    const error = { message: 'Invalid message format', code: 'BAD_MESSAGE' };
    expect(await client.next()).toMatchObject({ event: 'error', data: error });
    await settled(client);
  },
);

it('every other event goes to the message handler, whole', async () => {
  await start();
  const client = await connect();
  client.emit('chat', { text: 'hello' });
  await diary.until('message');
  expect(diary.entries).toEqual(['message {"event":"chat","data":{"text":"hello"}}']);
  client.emit('chat:send', 1, 'a');
  await diary.until('message {"event":"chat:send","data":1,"id":"a"}');
});

describe('heartbeat', () => {
  it('keeps a connection that would be closed with 4002 after 90 s of silence', async () => {
    await start();
    const [silent, alive] = [await connect('ada'), await connect('bo')];
    for (let second = 0; second < 60; second += 30) {
      await clock.advance(30_000);
      alive.emit('heartbeat');
      await settled(alive);
    }
    expect(silent.socket.readyState).toBe(1);
    await clock.advance(30_000);
    expect((await silent.closed).code).toBe(4002);
    await settled(alive);
    expect(alive.pending).toEqual([]);
  });
});

it('disconnect ends the connection with 1000', async () => {
  await start();
  const client = await connect();
  client.emit('disconnect');
  expect((await client.closed).code).toBe(1000);
});

it('a server that stops closes everybody with 1001', async () => {
  await start();
  const clients = [await connect('ada'), await open()];
  const ended = Promise.all(clients.map(({ closed }) => closed));
  await app.app.close();
  expect((await ended).map(({ code }) => code)).toEqual([1001, 1001]);
});

it('a client that leaves is gone from the registry, its user and its rooms', async () => {
  await start();
  const manager = app.app.get(ClientManager);
  const client = await connect();
  await client.ask('join', { rooms: ['tea'] });
  const { ws } = manager.getClient({ clientId: client.id }) ?? {};
  const gone = once(ws!, 'close');
  client.socket.close();
  await gone;
  expect(manager.getClients()).toEqual([]);
  expect(manager.getClientsByUser({ userId: 'ada' })).toEqual([]);
  expect(manager.getClientsByRoom({ room: 'tea' })).toEqual([]);
});
