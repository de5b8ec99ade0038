import { afterEach, describe, expect, it } from '@jest/globals';
import { ForbiddenException } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { WebSocketService, WsRoute, type PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { Runtime } from '../../lib/runtime/runtime.js';
import { EncryptedClient } from '../support/encrypted-client.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { RedisServer } from '../support/redis-server.js';
import { startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

@WebSocketGateway()
class Whisperer {
  @WsRoute('whisper', 'typing')
  typing(): void {}
}

type Rooms = NonNullable<PxlWebSocketModuleOptions['rooms']>;

let redis: RedisServer | undefined;
const apps: TestApp[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  await redis?.stop();
  redis = undefined;
});

async function start(
  rooms: Rooms,
  more: PxlWebSocketModuleOptions = {},
  override?: TestAppOptions['override'],
): Promise<TestApp> {
  const options = { auth: { authenticate: urlIdentity }, heartbeat: false as const, ...more };
  const app = await startApp({ options: { ...options, rooms: { open: true, ...rooms } }, override });
  apps.push(app);
  return app;
}

/** Two workers of one cluster. */
async function startTwo(rooms: Rooms): Promise<[TestApp, TestApp]> {
  redis = await RedisServer.start();
  const worker = (): Promise<TestApp> => start(rooms, { redis: redis!.url });
  return Promise.all([worker(), worker()]);
}

async function member(app: TestApp, userId?: string): Promise<TestClient> {
  const client = userId === undefined ? await app.client() : await connectAs(app, { userId });
  await client.join('tea');
  return client;
}

function whisper(client: TestClient, data: object = {}): Promise<unknown> {
  return client.request('system', 'whisper', { roomName: 'tea', action: 'typing', ...data });
}

describe('a whisper', () => {
  it('reaches the other members of all workers, in either envelope, and nobody else', async () => {
    const [one, two] = await startTwo({ whisper: true });
    const [ada, bob, cleo] = [await member(one, 'ada'), await member(one), await member(two)];
    const dan = await TestClient.connect(two.url(), { protocols: ['event.v1'] });
    await dan.join('tea');
    const stranger = await two.client();

    expect(await whisper(ada, { data: { for: 3 } })).toEqual({ success: true });
    const from = { clientId: ada.clientId, userId: 'ada' };
    const pushed = { type: 'whisper', action: 'typing', data: { for: 3 }, room: 'tea', from };
    expect(await bob.next()).toEqual(pushed);
    expect(await cleo.next()).toEqual(pushed);
    expect(await dan.next()).toEqual({ event: 'whisper:typing', data: { for: 3 }, room: 'tea', from });

    expect(await dan.request('system', 'whisper', { roomName: 'tea', action: 'a:b' })).toEqual({ success: true });
    const anonymous = { type: 'whisper', action: 'a:b', room: 'tea', from: { clientId: dan.clientId } };
    for (const other of [ada, bob, cleo]) expect(await other.next()).toEqual(anonymous);

    ada.send({ type: 'system', action: 'whisper', data: { roomName: 'tea', action: 'typing' } });
    for (const other of [bob, cleo, dan]) await other.next('whisper', 'typing');
    await Promise.all([ada, stranger, dan].map((client) => client.expectNothing(50)));
  });

  it('has its room and its sender where rooms are named, once', async () => {
    const app = await start({ whisper: true, named: true });
    const [ada, bob] = [await member(app), await member(app)];
    const dan = await TestClient.connect(app.url(), { protocols: ['event.v1'] });
    await dan.join('tea');
    await whisper(ada);
    const rest = { room: 'tea', from: { clientId: ada.clientId } };
    expect(await bob.next()).toEqual({ type: 'whisper', action: 'typing', ...rest });
    expect(await dan.next()).toEqual({ event: 'whisper:typing', ...rest });
  });

  it('reaches encrypted members encrypted', async () => {
    const app = await start({ whisper: true }, { encryption: true });
    const clients = [
      await EncryptedClient.connect(app.url()),
      await EncryptedClient.connect(app.url(), { codec: 'event.v1' }),
    ];
    const [ada, bob] = clients as [EncryptedClient, EncryptedClient];
    const rooms = ['tea'];
    await app.app.get(WebSocketService).joinRooms({ clientIds: [ada.clientId, bob.clientId], rooms });
    const data = { roomName: 'tea', action: 'typing', data: 1 };
    expect(await ada.request({ type: 'system', action: 'whisper', data, id: 1 })).toMatchObject({
      response: { success: true },
    });
    const from = { clientId: ada.clientId };
    expect(await bob.next()).toEqual({ event: 'whisper:typing', data: 1, room: 'tea', from });
    for (const { socket } of clients) socket.terminate();
  });

  it('is not kept in a room with history, nor does it move a position', async () => {
    const app = await start({ whisper: true, history: { size: 10, ttl: 60_000 } });
    const [ada, bob] = [await member(app), await member(app)];
    await whisper(ada);
    expect(await bob.next('whisper')).not.toHaveProperty('offset');
    expect(await app.app.get(WebSocketService).getHistory('tea')).toMatchObject({
      messages: [],
      position: { offset: 0 },
    });
  });

  it('counts against messagesPerSecond as any message does', async () => {
    const app = await start({ whisper: true }, { limits: { messagesPerSecond: 1, burst: 3 } }, (builder) =>
      builder.overrideProvider(Runtime).useValue(new ManualRuntime()),
    );
    const ada = await member(app);
    await whisper(ada);
    await whisper(ada);
    await expect(whisper(ada)).rejects.toThrow('RATE_LIMITED');
  });

  it('is refused with a code that says why, and reaches nobody', async () => {
    const app = await start({ whisper: true });
    const [ada, bob] = [await member(app), await member(app)];
    for (const [code, data] of [
      ['FORBIDDEN', { roomName: 'coffee' }],
      ['INVALID_ROOM', { roomName: undefined }],
      ['INVALID_ROOM', { roomName: 'x'.repeat(129) }],
      ['BAD_MESSAGE', { action: undefined }],
      ['BAD_MESSAGE', { action: '' }],
      ['BAD_MESSAGE', { action: 'x'.repeat(65) }],
    ] as const) {
      await expect(whisper(ada, data)).rejects.toThrow(code);
    }
    await bob.expectNothing(20);
  });

  it('has a type of its own: an application has no handler of it', async () => {
    const started = startApp({ providers: [Whisperer], options: {} });
    await expect(started).rejects.toThrow('the type "whisper" belongs to the library');
  });
});

describe('rooms.whisper', () => {
  it('is off unless it is set', async () => {
    const app = await start({});
    await expect(whisper(await member(app))).rejects.toThrow('FORBIDDEN');
  });

  it('decides about each whisper with the client and the room', async () => {
    const asked: unknown[] = [];
    const app = await start({
      whisper: ({ client, roomName }) => asked.push([client.clientId, roomName]) === 1,
    });
    const [ada, bob] = [await member(app), await member(app)];
    await whisper(ada);
    await expect(whisper(ada)).rejects.toThrow('FORBIDDEN');
    expect(asked).toEqual([
      [ada.clientId, 'tea'],
      [ada.clientId, 'tea'],
    ]);
    await bob.next('whisper', 'typing');
    await bob.expectNothing(20);
  });

  it('that fails, or does not answer true or false, refuses and is reported', async () => {
    const errors: string[] = [];
    const answers: (() => unknown)[] = [
      () => {
        throw new TypeError('no such list');
      },
      () => Promise.resolve(true),
      () => Promise.reject(new Error('too late')),
      () => 'yes',
      () => {
        throw new ForbiddenException('You are muted.');
      },
    ];
    const app = await start(
      { whisper: () => answers.shift()!() as boolean },
      { events: { onError: ({ error }) => void errors.push(error.message) } },
    );
    const [ada, bob] = [await member(app), await member(app)];
    for (let times = 0; times < 4; times++) {
      await expect(whisper(ada)).rejects.toThrow('You cannot whisper in this room.');
    }
    // An answer to the client is no failure.
    await expect(whisper(ada)).rejects.toThrow('You are muted.');
    expect(errors.sort()).toEqual([
      'It has answered a text, neither true nor false.',
      'It has answered an object, neither true nor false.',
      'It has answered an object, neither true nor false.',
      'no such list',
      'too late',
    ]);
    await bob.expectNothing(20);
  });
});
