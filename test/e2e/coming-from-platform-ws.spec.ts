import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Catch,
  Injectable,
  UseFilters,
  type ExceptionFilter,
  type INestApplication,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import { Test } from '@nestjs/testing';
import {
  BaseWsExceptionFilter,
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WsException,
  type WsResponse,
} from '@nestjs/websockets';
import { PxlWebSocketModule, WsClient, type PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { from, map } from 'rxjs';
import { WebSocket } from 'ws';
import { Runtime } from '../../lib/runtime/runtime.js';
import { failureOf } from '../support/failure-of.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { until } from '../support/until.js';

/** A socket that keeps what it hears. */
interface Peer {
  socket: WebSocket;
  heard: unknown[];
  say(message: unknown): void;
  /** The next message that nobody has taken. */
  next(): Promise<unknown>;
}

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function listen(app: INestApplication): Promise<number> {
  await app.listen(0, '127.0.0.1');
  closing.push(() => app.close());
  return ((app.getHttpServer() as Server).address() as AddressInfo).port;
}

/** The gateway behind platform-ws' own adapter. */
async function theirs(gateway: Type, configure: (app: INestApplication) => void = () => undefined): Promise<number> {
  const module = await Test.createTestingModule({ providers: [gateway] }).compile();
  const app = module.createNestApplication({ logger: false });
  app.useWebSocketAdapter(new WsAdapter(app));
  configure(app);
  return listen(app);
}

/** The same gateway here: the module is imported, nothing else changes. */
async function ours(
  gateway: Type,
  configure: (app: INestApplication) => void = () => undefined,
  options: PxlWebSocketModuleOptions = {},
): Promise<number> {
  const imports = [PxlWebSocketModule.forRoot(options)];
  const module = await Test.createTestingModule({ imports, providers: [gateway] }).compile();
  const app = module.createNestApplication({ logger: false });
  configure(app);
  return listen(app);
}

async function peer(port: number): Promise<Peer> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
  const heard: unknown[] = [];
  const queue: unknown[] = [];
  socket.on('message', (data) => {
    const message = JSON.parse((data as Buffer).toString()) as unknown;
    heard.push(message);
    queue.push(message);
  });
  socket.on('error', () => undefined);
  await once(socket, 'open');
  closing.push(() => socket.terminate());
  return {
    socket,
    heard,
    say: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    async next() {
      await until(() => queue.length > 0);
      return queue.shift();
    },
  };
}

/** A peer of ours, its welcome taken. */
async function welcomed(port: number): Promise<Peer> {
  const someone = await peer(port);
  await someone.next();
  return someone;
}

@WebSocketGateway({ path: '/ws' })
class TheirGateway {
  static readonly order: string[] = [];
  static client: unknown;
  static disconnected: unknown[] = [];

  @SubscribeMessage('echo')
  echo(@ConnectedSocket() client: unknown, @MessageBody() data: unknown): unknown {
    TheirGateway.client = client;
    return { event: 'echo', data };
  }

  @SubscribeMessage('fail')
  fail(): never {
    throw new WsException('No.');
  }

  @SubscribeMessage('slow')
  async slow(@MessageBody() turns: number): Promise<unknown> {
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
    TheirGateway.order.push(`slow ${turns}`);
    return { event: 'slow', data: turns };
  }

  handleDisconnect(...args: unknown[]): void {
    TheirGateway.disconnected = args.slice(1);
  }
}

describe('a gateway of platform-ws', () => {
  it('needs no useWebSocketAdapter', async () => {
    const someone = await welcomed(await ours(TheirGateway));
    someone.say({ type: 'event', action: 'echo', data: 1 });
    expect(await someone.next()).toMatchObject({ response: 1 });
  });

  it('speaks { type, action } on the wire: an event without a colon is type "event"', async () => {
    const before = await peer(await theirs(TheirGateway));
    before.say({ event: 'echo', data: 1 });
    expect(await before.next()).toEqual({ event: 'echo', data: 1 });

    const after = await welcomed(await ours(TheirGateway));
    after.say({ type: 'event', action: 'echo', data: 1, id: 7 });
    expect(await after.next()).toEqual({ type: 'event', action: 'echo', id: 7, response: 1 });
  });

  it('gets the WsClient, whose ws is the socket', async () => {
    const before = await peer(await theirs(TheirGateway));
    before.say({ event: 'echo', data: 1 });
    await before.next();
    expect(TheirGateway.client).not.toBeInstanceOf(WsClient);

    const after = await welcomed(await ours(TheirGateway));
    after.say({ type: 'event', action: 'echo', data: 1 });
    await after.next();
    expect(TheirGateway.client).toBeInstanceOf(WsClient);
    expect((TheirGateway.client as WsClient).ws).toBeInstanceOf(WebSocket);
  });

  it('answers unknown events and malformed JSON instead of dropping them', async () => {
    const before = await peer(await theirs(TheirGateway));
    before.say({ event: 'unknown' });
    before.say('not JSON');
    before.say({ event: 'echo', data: 'the only answer' });
    expect(await before.next()).toMatchObject({ data: 'the only answer' });

    const after = await welcomed(await ours(TheirGateway));
    after.say({ type: 'event', action: 'unknown' });
    after.say('not JSON');
    expect(await after.next()).toMatchObject({ type: 'error', data: { code: 'UNKNOWN_ROUTE' } });
    expect(await after.next()).toMatchObject({ type: 'error', data: { code: 'BAD_MESSAGE' } });
  });

  it('does not echo what a client sent when it refuses', async () => {
    const before = await peer(await theirs(TheirGateway));
    before.say({ event: 'fail', data: 'my secret' });
    expect(JSON.stringify(await before.next())).toContain('my secret');

    const after = await welcomed(await ours(TheirGateway));
    after.say({ type: 'event', action: 'fail', data: 'my secret' });
    const refusal = await after.next();
    expect(refusal).toMatchObject({ type: 'error', data: { error: 'No.', code: 'APPLICATION' } });
    expect(JSON.stringify(refusal)).not.toContain('my secret');
  });

  it("handles one client's messages in order", async () => {
    TheirGateway.order.length = 0;
    const before = await peer(await theirs(TheirGateway));
    for (const data of [5, 1]) before.say({ event: 'slow', data });
    await before.next();
    await before.next();
    expect(TheirGateway.order).toEqual(['slow 1', 'slow 5']);

    TheirGateway.order.length = 0;
    const after = await welcomed(await ours(TheirGateway));
    for (const data of [5, 1]) after.say({ type: 'event', action: 'slow', data });
    await after.next();
    await after.next();
    expect(TheirGateway.order).toEqual(['slow 5', 'slow 1']);
  });

  it('tells handleDisconnect the reason and the code', async () => {
    const ending = async (port: number): Promise<unknown[]> => {
      const someone = await peer(port);
      TheirGateway.disconnected = [];
      someone.socket.close(4321, 'enough');
      await once(someone.socket, 'close');
      await until(() => TheirGateway.disconnected.length > 0);
      return TheirGateway.disconnected;
    };
    expect(await ending(await theirs(TheirGateway))).toEqual([4321]);
    expect(await ending(await ours(TheirGateway))).toEqual(['enough', 4321]);
  });

  it('has connection hooks that are awaited before the first message', async () => {
    @WebSocketGateway({ path: '/ws' })
    class SlowHook {
      static readonly order: string[] = [];

      async handleConnection(): Promise<void> {
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
        SlowHook.order.push('connected');
      }

      @SubscribeMessage('first')
      first(): unknown {
        SlowHook.order.push('message');
        return { event: 'first', data: 1 };
      }
    }
    const orderOn = async (port: number, message: unknown): Promise<string[]> => {
      SlowHook.order.length = 0;
      const someone = await peer(port);
      someone.say(message);
      await until(() => SlowHook.order.length === 2);
      return [...SlowHook.order];
    };
    expect(await orderOn(await theirs(SlowHook), { event: 'first' })).toEqual(['message', 'connected']);
    const message = { type: 'event', action: 'first' };
    expect(await orderOn(await ours(SlowHook), message)).toEqual(['connected', 'message']);
  });

  it('is covered by app-wide filters', async () => {
    @Catch(WsException)
    class AppFilter implements ExceptionFilter {
      catch(): unknown {
        return 'filtered';
      }
    }
    const configure = (app: INestApplication): unknown => app.useGlobalFilters(new AppFilter());
    const before = await peer(await theirs(TheirGateway, configure));
    before.say({ event: 'fail' });
    expect(await before.next()).toMatchObject({ event: 'exception' });

    const after = await welcomed(await ours(TheirGateway, configure));
    after.say({ type: 'event', action: 'fail', id: 1 });
    expect(await after.next()).toMatchObject({ id: 1, response: 'filtered' });
  });

  it('has pipes that get what the client sent, not its socket', async () => {
    @Injectable()
    class RecordingPipe implements PipeTransform {
      readonly seen: unknown[] = [];

      transform(value: unknown): unknown {
        this.seen.push(value);
        return value;
      }
    }
    const pipe = new RecordingPipe();
    const before = await peer(await theirs(TheirGateway, (app) => app.useGlobalPipes(pipe)));
    before.say({ event: 'echo', data: 'x' });
    await before.next();
    expect(pipe.seen).toHaveLength(2);

    pipe.seen.length = 0;
    const after = await welcomed(await ours(TheirGateway, (app) => app.useGlobalPipes(pipe)));
    after.say({ type: 'event', action: 'echo', data: 'x' });
    await after.next();
    expect(pipe.seen).toEqual(['x']);
  });

  it('leaves upgrades of other paths to other listeners', async () => {
    const answerTo = async (port: number, app: INestApplication): Promise<string> => {
      (app.getHttpServer() as Server).on('upgrade', (request, socket) => {
        if (request.url === '/other') setImmediate(() => socket.end('HTTP/1.1 299 Mine\r\n\r\n'));
      });
      const socket = connect(port, '127.0.0.1');
      socket.write('GET /other HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      let answer = '';
      socket.on('data', (data) => (answer += data.toString()));
      socket.on('error', () => undefined);
      await once(socket, 'close');
      return answer.split('\r\n')[0]!;
    };
    let app!: INestApplication;
    const keep = (kept: INestApplication): unknown => (app = kept);
    expect(await answerTo(await theirs(TheirGateway, keep), app)).toBe('');
    expect(await answerTo(await ours(TheirGateway, keep), app)).toBe('HTTP/1.1 299 Mine');
  });

  it('pings its clients', async () => {
    const options = { heartbeat: { interval: 100, timeout: 100 } };
    const someone = await welcomed(await ours(TheirGateway, undefined, options));
    await once(someone.socket, 'ping');
  });

  it('closes its clients with 1001 when the application stops', async () => {
    const codeOf = async (port: number, app: INestApplication): Promise<unknown> => {
      const someone = await peer(port);
      const closed = once(someone.socket, 'close');
      await app.close();
      return (await closed)[0];
    };
    let app!: INestApplication;
    const keep = (kept: INestApplication): unknown => (app = kept);
    expect(await codeOf(await theirs(TheirGateway, keep), app)).toBe(1006);
    expect(await codeOf(await ours(TheirGateway, keep), app)).toBe(1001);
  });
});

describe("a gateway of platform-ws with protocol: 'event'", () => {
  @WebSocketGateway({ path: '/ws' })
  class Unchanged {
    @SubscribeMessage('events')
    events(): unknown {
      return from([1, 2, 3]).pipe(map((data) => ({ event: 'events', data })));
    }

    @SubscribeMessage('identity')
    identity(@MessageBody() data: number): Promise<WsResponse<number>> {
      return Promise.resolve({ event: 'identified', data });
    }

    @SubscribeMessage('join')
    join(@MessageBody('room') room: string): WsResponse {
      return { event: 'joined', data: room };
    }

    @SubscribeMessage('leave')
    leave(): void {}

    @SubscribeMessage('chat:say')
    say(@ConnectedSocket() client: { send(text: string): void }, @MessageBody() text: string): void {
      client.send(JSON.stringify({ event: 'said', data: text }));
    }
  }

  const options: PxlWebSocketModuleOptions = { protocol: 'event' };

  /** What its client, the same on both sides, hears for what it says. */
  async function conversation(someone: Peer): Promise<unknown[]> {
    const answers: unknown[] = [];
    for (const [message, count] of [
      [{ event: 'events' }, 3],
      [{ event: 'identity', data: 7 }, 1],
      [{ event: 'join', data: { room: 'tea' } }, 1],
      [{ event: 'leave', data: 'not a list' }, 0],
      [{ event: 'chat:say', data: 'hello' }, 1],
    ] as const) {
      someone.say(message);
      for (let n = 0; n < count; n++) answers.push(await someone.next());
    }
    return answers;
  }

  it('and its clients stay as they are, their own join and leave events too', async () => {
    const before = await conversation(await peer(await theirs(Unchanged)));
    expect(before).toHaveLength(6);
    expect(await conversation(await welcomed(await ours(Unchanged, undefined, options)))).toEqual(before);
  });

  it('greets its clients with one event that they did not know', async () => {
    const someone = await peer(await ours(Unchanged, undefined, options));
    expect(await someone.next()).toMatchObject({ event: 'connected', data: { id: expect.any(String) } });
  });

  it('answers a request that has an id under it', async () => {
    const someone = await welcomed(await ours(Unchanged, undefined, options));
    someone.say({ event: 'identity', data: 7, id: 1 });
    expect(await someone.next()).toEqual({ event: 'identified', id: 1, data: 7 });
    someone.say({ event: 'leave', id: 2 });
    expect(await someone.next()).toEqual({ event: 'leave', id: 2, data: null });
  });

  it('tells refusals as an error, without what the client sent', async () => {
    const someone = await welcomed(await ours(TheirGateway, undefined, options));
    someone.say({ event: 'fail', data: 'my secret' });
    const data = { message: 'No.', code: 'APPLICATION', retryable: false, event: 'fail' };
    expect(await someone.next()).toEqual({ event: 'error', data });
  });

  it('sends what a filter of Nest sends as it is', async () => {
    @UseFilters(new BaseWsExceptionFilter({ includeCause: false }))
    @WebSocketGateway({ path: '/ws' })
    class Filtered {
      @SubscribeMessage('fail')
      fail(): never {
        throw new WsException('No.');
      }
    }
    const before = await peer(await theirs(Filtered));
    before.say({ event: 'fail' });
    const exception = await before.next();
    expect(exception).toMatchObject({ event: 'exception', data: { message: 'No.' } });
    const after = await welcomed(await ours(Filtered, undefined, options));
    after.say({ event: 'fail' });
    expect(await after.next()).toEqual(exception);
  });

  it('closes clients that only listen after 90 s, unless it is told not to', async () => {
    const clock = new ManualRuntime();
    const listening = async (more: PxlWebSocketModuleOptions): Promise<Peer> => {
      const imports = [PxlWebSocketModule.forRoot({ ...options, heartbeat: false, ...more })];
      const builder = Test.createTestingModule({ imports, providers: [Unchanged] });
      const module = await builder.overrideProvider(Runtime).useValue(clock).compile();
      return welcomed(await listen(module.createNestApplication({ logger: false })));
    };
    const [closed, open] = [await listening({}), await listening({ disconnectInactiveClients: { enabled: false } })];
    const ended = once(closed.socket, 'close');
    await clock.advance(90_000);
    expect((await ended)[0]).toBe(4002);
    expect(open.socket.readyState).toBe(1);
  });

  it('fails the start for an event that is the library’s, naming its method', async () => {
    @WebSocketGateway({ path: '/ws' })
    class Clash {
      @SubscribeMessage('disconnect')
      bye(): void {}
    }
    const failure = await failureOf({ providers: [Clash], options });
    expect(failure).toBe('The route of Clash.bye cannot be: the event "disconnect" of /ws belongs to the library.');
    expect(await failureOf({ providers: [Clash] })).toBe('started');
  });
});
