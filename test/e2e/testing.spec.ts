import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Injectable,
  Module,
  ValidationPipe,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ConnectedSocket, MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { IsInt } from 'class-validator';
import { PxlWebSocketModule, WebSocketService, WsError, WsRoute, type WsClient } from 'nestjs-pxl-websocket';
import {
  createWsTestApp,
  WsTestClient,
  WsTestRefusalError,
  type WsTestApp,
  type WsTestAppOptions,
} from 'nestjs-pxl-websocket/testing';
import { claimsOf, hs256, SECRET } from '../support/tokens.js';

@Injectable()
class Greeting {
  readonly text: string = 'Hello';
}

class Count {
  @IsInt()
  n!: number;
}

@WebSocketGateway()
class HallGateway {
  constructor(
    private readonly greeting: Greeting,
    private readonly sockets: WebSocketService,
  ) {}

  @WsRoute('hall', 'greet')
  greet(@ConnectedSocket() { user }: WsClient): string {
    return `${this.greeting.text}, ${user?.userId ?? 'stranger'}`;
  }

  @WsRoute('hall', 'shout')
  async shout(@MessageBody() data: unknown): Promise<void> {
    await this.sockets.broadcast({ type: 'hall', action: 'heard', data });
  }

  @WsRoute('hall', 'double')
  double(@MessageBody() { n }: Count): number {
    return 2 * n;
  }

  @WsRoute('hall', 'closed')
  closed(): never {
    throw new WsError('RATE_LIMITED', 'Come back later.', { details: { retryAfter: 50 } });
  }

  @WsRoute('hall', 'ask')
  ask(@ConnectedSocket() client: WsClient): Promise<unknown> {
    return client.call({ type: 'hall', action: 'name', data: null });
  }

  @WsRoute('hall', 'raw')
  raw(@ConnectedSocket() client: WsClient): void {
    client.send('no JSON');
    client.send('null');
  }
}

@Module({
  imports: [PxlWebSocketModule.forRoot({ path: '/hall', rooms: { open: true } })],
  providers: [HallGateway, Greeting],
})
class HallModule {}

const running: WsTestApp[] = [];

async function start(options: WsTestAppOptions = { module: HallModule }): Promise<WsTestApp> {
  const test = await createWsTestApp({ logger: false, ...options });
  running.push(test);
  return test;
}

afterEach(() => Promise.all(running.splice(0).map((test) => test.close())));

describe('createWsTestApp', () => {
  it.each([['Express', undefined] as const, ['Fastify', FastifyAdapter] as const])(
    'starts an application on %s, and its clients talk to it',
    async (_name, Adapter) => {
      const { origin, port, client } = await start({ module: HallModule, httpAdapter: Adapter && new Adapter() });
      expect(origin).toBe(`http://127.0.0.1:${port}`);
      expect((await fetch(`${origin}/hall`)).status).toBe(426);
      expect(await (await client()).request('hall', 'greet')).toBe('Hello, stranger');
    },
  );

  it('starts an application of parts, some replaced, set up as main.ts would do', async () => {
    const { client } = await start({
      imports: [PxlWebSocketModule.forRoot()],
      providers: [HallGateway, Greeting],
      override: (builder) => builder.overrideProvider(Greeting).useValue({ text: 'Welcome' }),
      configure: (app) => void app.useGlobalPipes(new ValidationPipe()),
    });
    const guest = await client();
    expect(await guest.request('hall', 'greet')).toBe('Welcome, stranger');
    await expect(guest.request('hall', 'double', { n: 'two' })).rejects.toThrow('VALIDATION_FAILED');
  });

  it('knows the path of the module, and takes any other', async () => {
    const { url, port, client } = await start();
    expect(url()).toBe(`ws://127.0.0.1:${port}/hall`);
    expect(url('/other?a=1')).toBe(`ws://127.0.0.1:${port}/other?a=1`);
    await expect(client({ path: '/other' })).rejects.toThrow('404');
    const without = await start({});
    expect(() => without.url()).toThrow(
      'The application imports no PxlWebSocketModule whose path could be meant: name one.',
    );
  });

  it('connects users by token, and passes on how a connection is refused', async () => {
    const { client } = await start({
      imports: [PxlWebSocketModule.forRoot({ auth: { jwt: { secret: SECRET } } })],
      providers: [HallGateway, Greeting],
    });
    const ada = await client({ token: hs256(claimsOf('ada')) });
    expect(ada.userId).toBe('ada');
    expect(ada.pending).toEqual([]);
    expect(await ada.request('hall', 'greet')).toBe('Hello, ada');
    await expect(client()).rejects.toThrow('Unexpected server response: 401');
  });

  it('leaves nothing open when it cannot be configured', async () => {
    const log: string[] = [];
    @Injectable()
    class Database implements OnModuleDestroy {
      constructor() {
        log.push('opened');
      }

      onModuleDestroy(): void {
        log.push('closed');
      }
    }
    const configure = (): never => {
      throw new Error('no luck');
    };
    await expect(start({ providers: [Database], configure })).rejects.toThrow('no luck');
    expect(log).toEqual(['opened', 'closed']);
  });

  it('closes everything, however often it is told to', async () => {
    const { url, client, close } = await start();
    const [reading, stuck] = [await client(), await client()];
    stuck.socket.pause();
    await Promise.all([close(), close()]);
    expect(await reading.closed).toMatchObject({ code: 1001 });
    expect(stuck.socket.readyState).toBe(3);
    await expect(WsTestClient.open(url('/hall'))).rejects.toThrow('ECONNREFUSED');
    await close();
  });

  it('leaves nothing of an application that fails to start', async () => {
    const diary: string[] = [];
    class Database implements OnModuleInit, OnModuleDestroy {
      onModuleInit(): void {
        diary.push('opened');
      }

      onModuleDestroy(): void {
        diary.push('closed');
      }
    }
    class Broken implements OnApplicationBootstrap {
      onApplicationBootstrap(): void {
        throw new Error('no luck');
      }
    }
    await expect(start({ imports: [HallModule], providers: [Database, Broken] })).rejects.toThrow('no luck');
    expect(diary).toEqual(['opened', 'closed']);
  });
});

describe('the client of a test', () => {
  it('takes the next message, or the next of a type or a route, and leaves the others', async () => {
    const { app, client } = await start();
    const guest = await client();
    const sockets = app.get(WebSocketService);
    for (const action of ['one', 'two', 'three']) await sockets.broadcast({ type: 'news', action });
    await sockets.broadcast({ type: 'weather', action: 'rain', data: { mm: 7 } });
    expect(await guest.next('weather')).toEqual({ type: 'weather', action: 'rain', data: { mm: 7 } });
    expect(await guest.next('news', 'two')).toEqual({ type: 'news', action: 'two' });
    expect(guest.pending).toEqual([
      { type: 'news', action: 'one' },
      { type: 'news', action: 'three' },
    ]);
    expect(await guest.next()).toEqual({ type: 'news', action: 'one' });
    expect(await guest.take(({ action }) => action === 'three')).toEqual({ type: 'news', action: 'three' });
    await guest.expectNothing(20);
  });

  it('says what it waited for and what came instead', async () => {
    const { app, client } = await start();
    const guest = await client({ patience: 300 });
    await expect(guest.next('chat', 'message')).rejects.toThrow(
      'The next chat.message did not come within 300 ms; nothing else came.',
    );
    await app.get(WebSocketService).broadcast({ type: 'news', action: 'flash' });
    await expect(guest.next('chat')).rejects.toThrow(
      'The next chat.* did not come within 300 ms; what came: {"type":"news","action":"flash"}',
    );
    await expect(guest.expectNothing()).rejects.toThrow('Nothing was expected; what came: {"type":"news",');
    await guest.next();
    await guest.close(4321, 'bye');
    await expect(guest.next()).rejects.toThrow(
      'The next message did not come before the connection was closed with 4321 (bye); nothing else came.',
    );
    await guest.expectNothing();
  });

  it('says why the server closed the connection', async () => {
    const { app, client } = await start();
    const guest = await client();
    const next = guest.next('chat', 'message');
    await app.get(WebSocketService).disconnectClients({ clientIds: [guest.clientId], reason: 'too loud' });
    await expect(next).rejects.toThrow('before the connection was closed with 4506 (too loud)');
    expect(await guest.closed).toEqual({ code: 4506, reason: 'too loud' });
  });

  it('fails early when a message comes that was not expected', async () => {
    const { client } = await start();
    const [ada, bo] = [await client(), await client()];
    const quiet = bo.expectNothing(60_000);
    ada.send({ type: 'hall', action: 'shout', data: 'Hi' });
    await expect(quiet).rejects.toThrow('{"type":"hall","action":"heard","data":"Hi"}');
  });

  it('rejects a refused request with its code and details', async () => {
    const { client } = await start();
    const refusal: unknown = await (await client()).request('hall', 'closed').catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(WsTestRefusalError);
    expect(refusal).toMatchObject({
      message: 'RATE_LIMITED: Come back later.',
      code: 'RATE_LIMITED',
      retryable: true,
      details: { retryAfter: 50 },
    });
  });

  it('answers the calls of the server', async () => {
    const { client } = await start();
    const guest = await client();
    const asked = guest.request('hall', 'ask');
    guest.answer(await guest.next('hall', 'name'), 'Ada');
    expect(await asked).toBe('Ada');
  });

  it('joins rooms', async () => {
    const { app, client } = await start();
    const [member, other] = [await client(), await client()];
    await member.join('tea');
    await app.get(WebSocketService).sendToRooms(['tea'], { type: 'tea', action: 'ready' });
    await member.next('tea', 'ready');
    await other.expectNothing(20);
    await expect(other.join('')).rejects.toThrow('INVALID_ROOM');
  });

  it('joins rooms with presence, whispers, and comes back as the same member', async () => {
    const presence = { interval: 20, by: 'client' } as const;
    const imports = [PxlWebSocketModule.forRoot({ rooms: { open: true, presence, whisper: true } })];
    const { client } = await start({ imports });
    const [one, other] = [await client(), await client()];
    await one.join('tea');
    const { members, count } = await other.join('tea', { presence: true, state: 'here' });
    expect([members?.map(({ clientId }) => clientId).sort(), count]).toEqual([
      [one.clientId, other.clientId].sort(),
      2,
    ]);
    expect(await one.members('tea', { limit: 1 })).toMatchObject({ members: [{}], count: 2, partial: true });
    await one.whisper('tea', 'typing', { on: true });
    expect(await other.next('whisper', 'typing')).toMatchObject({ from: { clientId: one.clientId }, room: 'tea' });
    await expect(one.whisper('chess', 'typing')).rejects.toThrow('FORBIDDEN');
    one.socket.terminate();
    const again = await client({ path: `/ws?resume=${one.resume}` });
    await again.join('tea');
    await again.whisper('tea', 'typing');
    expect(await other.next('whisper')).toMatchObject({ from: { clientId: one.clientId } });
    expect(other.pending).toEqual([]);
  });

  it('takes whatever a server sends', async () => {
    const { client } = await start();
    const guest = await client();
    await guest.request('hall', 'raw');
    expect(guest.pending).toEqual(['no JSON', null]);
    expect([await guest.next(), await guest.next()]).toEqual(['no JSON', null]);
  });

  it('opens a connection that nobody has welcomed, and takes the welcome later', async () => {
    const { url } = await start({
      imports: [PxlWebSocketModule.forRoot({ auth: { jwt: { secret: SECRET }, mode: 'message' } })],
    });
    const ada = await WsTestClient.open(url());
    expect([ada.clientId, ada.userId]).toEqual(['', undefined]);
    await ada.request('system', 'authenticate', { token: hs256(claimsOf('ada')) });
    await ada.welcomed();
    expect([ada.clientId, ada.userId]).toEqual([expect.any(String), 'ada']);
    expect(ada.pending).toEqual([]);
  });

  it('does not wait for ever for a server that does not answer the upgrade', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const opening = WsTestClient.open(`ws://127.0.0.1:${port}/ws`, { patience: 50 });
    await expect(opening).rejects.toThrow('Opening handshake has timed out');
    silent.close();
  });
});
