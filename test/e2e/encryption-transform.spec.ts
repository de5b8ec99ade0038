import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn, setTimeout as after } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { MessageBody, WebSocketGateway } from '@nestjs/websockets';
import {
  ClientManager,
  PxlWebSocketServer,
  WebSocketService,
  WsError,
  WsFallback,
  WsRoute,
  type WsEncryptionOptions,
  type PxlWebSocketModuleOptions,
  type WsTypedMessage,
  type WsClient,
} from 'nestjs-pxl-websocket';
import { WebSocketServer, type WebSocket } from 'ws';
import { Gate } from '../support/gate.js';
import { framesOf, RecordingProxy } from '../support/recording-proxy.js';
import { SeededRandom } from '../support/seeded-random.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient, type Received } from '../support/test-client.js';
import { until } from '../support/until.js';

const KEYS = { serverPublicKey: 'the server', salt: 'and its salt' };
const MARK = 'a-word-that-only-the-client-may-read';

/** A cipher of the application's own; that it is a bad one does not matter here. */
const hide = (value: unknown): string => Buffer.from(JSON.stringify(value)).reverse().toString('hex');
const reveal = (data: unknown): unknown => JSON.parse(Buffer.from(String(data), 'hex').reverse().toString());

const transform: WsEncryptionOptions['transform'] = ({ event, data }) => ({
  event: 'encrypted',
  data: hide({ event, data }),
});
const open: WsEncryptionOptions['open'] = ({ data }) => JSON.stringify(reveal(data));

@WebSocketGateway()
class Gateway {
  readonly handled: unknown[] = [];

  @WsRoute('test', 'echo')
  echo(_client: WsClient, data: unknown): unknown {
    this.handled.push(data);
    return data;
  }

  /** Where the application opens what its clients encrypt by itself, as applications of Ignis do. */
  @WsFallback()
  other(@MessageBody() { data }: { data: unknown }): void {
    this.handled.push(reveal(data));
  }
}

let app: TestApp;
let gateway: Gateway;
let service: WebSocketService;
let errors: string[];
let others: WebSocketServer | undefined;
const clients: TestClient[] = [];

async function start(encryption: WsEncryptionOptions, options: PxlWebSocketModuleOptions = {}): Promise<void> {
  // A list of its own for each application: a callback that never answers is reported 10 s later, in another test.
  const heard = (errors = [] as string[]);
  const events = { onError: ({ error }: { error: Error }) => void heard.push(error.message) };
  app = await startApp({
    providers: [Gateway],
    options: { encryption, events, protocol: 'event', rooms: { defaults: [] }, ...options },
  });
  gateway = app.app.get(Gateway);
  service = app.app.get(WebSocketService);
}

afterEach(async () => {
  await app.close();
  for (const { socket } of clients.splice(0)) socket.terminate();
  others?.close();
  others = undefined;
});

async function connect(url = app.url()): Promise<TestClient> {
  const client = await TestClient.open(url, { patience: 15_000 });
  clients.push(client);
  return client;
}

/** A client of `pxl.v1`, welcomed. */
async function connectToModule(): Promise<[TestClient, WsClient]> {
  const client = await connect();
  const { data } = await client.next();
  return [client, onServer((data as { clientId: string }).clientId)];
}

/** The same whose socket another ws server has accepted. */
async function connectAdopted(): Promise<[TestClient, WsClient]> {
  others = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  others.on('connection', (ws: WebSocket) => app.app.get(ClientManager).addClient({ clientId: 'adopted', ws }));
  await once(others, 'listening');
  const client = await connect(`ws://127.0.0.1:${(others.address() as AddressInfo).port}`);
  expect(await client.next()).toMatchObject({ data: { clientId: 'adopted' } });
  return [client, onServer('adopted')];
}

/** A client of `event.v1` whose keys are agreed on. */
async function agreed(url?: string): Promise<[TestClient, WsClient]> {
  const client = await connect(url);
  await client.next(); // its first welcome, in which there are no keys yet
  client.send({ event: 'authenticate', data: { clientKey: 'the client' } });
  const { data } = await client.next();
  return [client, onServer((data as { id: string }).id)];
}

function onServer(clientId: string): WsClient {
  return app.app.get(ClientManager).getClient({ clientId, requireWs: true })!;
}

const push = (data: unknown): WsTypedMessage => ({ type: 'n', action: 'm', data });
const opened = ({ data }: Received): unknown => (reveal(data) as { data: unknown }).data;

async function take(client: TestClient, count: number): Promise<Received[]> {
  await until(`${count} messages`, () => client.pending.length >= count);
  return Promise.all(Array.from({ length: count }, () => client.next()));
}

describe('an own handshake', () => {
  it('gets what Ignis names, and its keys are the last that is sent in clear', async () => {
    const asked: unknown[] = [];
    await start({
      handshake: ({ client, clientId, userId, data }) => {
        asked.push([clientId === client.clientId && clientId, userId, data]);
        return KEYS;
      },
      transform,
    });
    const client = await connect();
    const { id } = (await client.next()).data as { id: string };

    client.send({ event: 'authenticate', data: { clientKey: 'the client' } });

    expect(await client.next()).toMatchObject({ event: 'connected', data: { id, ...KEYS } });
    expect(asked.at(-1)).toEqual([id, undefined, { clientKey: 'the client' }]);
    await service.broadcast(push(1));
    const frame = await client.next();
    expect(frame).toEqual({ event: 'encrypted', data: expect.any(String) });
    expect(reveal(frame.data)).toEqual({ event: 'n:m', data: 1 });
  });

  it('is over before the client is authenticated, and before anybody can send to it', async () => {
    const gate = new Gate();
    let state: string | undefined;
    await start({
      required: true,
      handshake: async ({ client }) => {
        state = client.state;
        await gate.passed;
        return KEYS;
      },
      transform,
    });
    const client = await connect();
    client.send({ event: 'authenticate', data: {} });
    await until('the handshake', () => state !== undefined);

    await service.broadcast(push('too early'));
    client.send({ event: 'test:echo', data: 1 });

    expect(await client.next()).toMatchObject({ event: 'error', data: { code: 'UNAUTHENTICATED' } });
    expect(state).toBe('authenticating');
    expect(app.app.get(ClientManager).size).toBe(0);
    gate.open();
    const { data } = await client.next();
    expect(onServer((data as { id: string }).id).state).toBe('authenticated');
    await client.expectNothing();
  });

  it('of an upgrade is over before the client is anybody too; one that leaves meanwhile never was', async () => {
    const gate = new Gate();
    const shaking: WsClient[] = [];
    const connected: string[] = [];
    const handshake: WsEncryptionOptions['handshake'] = async ({ client }) => {
      shaking.push(client);
      await gate.passed;
      return KEYS;
    };
    const events = { onConnected: ({ clientId }: { clientId: string }) => void connected.push(clientId) };
    await start({ handshake, transform }, { protocol: 'pxl', events });
    const [client, leaving] = [await connect(`${app.url()}?publicKey=a`), await connect(`${app.url()}?publicKey=b`)];
    await until('both handshakes', () => shaking.length === 2);

    await service.broadcast(push('too early'));
    client.send({ type: 'test', action: 'echo', data: 1 });
    expect((await client.next()).data).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(shaking.map(({ state }) => state)).toEqual(['authenticating', 'authenticating']);
    expect(app.app.get(ClientManager).size).toBe(0);
    await leaving.close();
    await until('it is gone', () => shaking.some(({ state }) => state === 'disconnected'));
    gate.open();

    const { clientId } = (await client.next()).data as { clientId: string };
    expect(onServer(clientId)).toMatchObject({ state: 'authenticated', encrypted: true });
    expect(connected).toEqual([clientId]);
    expect(app.app.get(ClientManager).size).toBe(1);
  });

  it('runs once: another offer meanwhile is refused, and changes nothing', async () => {
    const gate = new Gate();
    let count = 0;
    const handshake: WsEncryptionOptions['handshake'] = async () => {
      count++;
      await gate.passed;
      return KEYS;
    };
    await start({ handshake, transform });
    const client = await connect();
    await client.next();

    client.send({ event: 'authenticate', data: {} });
    client.send({ event: 'authenticate', data: {}, id: 2 });
    expect(await client.next()).toMatchObject({ event: 'error', id: 2, data: { code: 'BAD_MESSAGE' } });
    gate.open();

    expect(await client.next()).toMatchObject({ event: 'connected', data: KEYS });
    await service.broadcast(push(1));
    expect(opened(await client.next())).toBe(1);
    expect(count).toBe(1);
  });

  it('that ends when the application has encrypted its client by itself changes nothing any more', async () => {
    const gate = new Gate();
    const handshake: WsEncryptionOptions['handshake'] = async ({ client: { clientId } }) => {
      app.app.get(PxlWebSocketServer).enableClientEncryption({ clientId });
      await gate.passed;
      return KEYS;
    };
    await start({ handshake, transform, open });
    const client = await connect();
    const { id } = (await client.next()).data as { id: string };

    client.send({ event: 'authenticate', data: {} });
    await until('it is encrypted', () => onServer(id).encrypted);
    gate.open();

    const welcome = await client.next();
    expect(welcome.event).toBe('encrypted');
    expect(reveal(welcome.data)).toMatchObject({ event: 'connected', data: { id } });
    expect(opened(welcome)).not.toHaveProperty('salt');
    await service.broadcast(push(1));
    expect(opened(await client.next())).toBe(1);
    client.send({ event: 'encrypted', data: hide({ event: 'test:echo', data: 2, id: 2 }) });
    expect(opened(await client.next())).toBe(2);
  });

  it.each([[null], [false]])('that answers %s leaves the connection as it is', async (none) => {
    await start({ handshake: () => none as null, transform });
    const client = await connect();
    await client.next();

    client.send({ event: 'authenticate', data: {} });

    expect(await client.next()).not.toHaveProperty('data.salt');
    client.send({ event: 'test:echo', data: 1, id: 1 });
    expect(await client.next()).toMatchObject({ id: 1, data: 1 });
  });

  it('that answers null where encryption is required closes with 4004', async () => {
    await start({ handshake: () => null, transform, required: true });
    const client = await connect();

    client.send({ event: 'authenticate', data: {} });

    expect(await client.next()).toMatchObject({ event: 'error', data: { code: 'FORBIDDEN' } });
    expect((await client.closed).code).toBe(4004);
  });

  it.each<[string, WsEncryptionOptions['handshake'], RegExp]>([
    [
      'throws',
      () => {
        throw new Error('no keys today');
      },
      /no keys today/,
    ],
    ['answers nonsense', (() => ({ salt: 5 })) as never, /neither \{ serverPublicKey, salt \} nor null/],
    ['answers nothing', (() => undefined) as never, /./],
    ['never answers', () => new Promise(() => undefined), /timeouts\.hook/],
  ])('that %s costs its connection 1011, and is reported', async (_what, handshake, reported) => {
    await start({ handshake, transform, required: true }, { timeouts: { hook: 50 } });
    const client = await connect();

    client.send({ event: 'authenticate', data: {}, id: 1 });

    expect(await client.next()).toMatchObject({ id: 1, event: 'error', data: { code: 'INTERNAL' } });
    expect((await client.closed).code).toBe(1011);
    expect(errors).toEqual([expect.stringMatching(reported)]);
  });

  it('of a client of pxl.v1 gets what its upgrade offers', async () => {
    const offers: unknown[] = [];
    const handshake: WsEncryptionOptions['handshake'] = async ({ data }) => {
      offers.push(data);
      await Promise.resolve();
      return KEYS;
    };
    await start({ handshake, transform }, { protocol: 'pxl' });
    const client = await connect(`${app.url()}?publicKey=mine`);

    expect((await client.next()).data).toMatchObject(KEYS);
    expect(offers).toEqual([{ publicKey: 'mine' }]);
    await service.broadcast(push(1));
    expect(await client.next()).toEqual({ type: 'system', action: 'encrypted', data: hide({ event: 'n:m', data: 1 }) });
  });
});

describe('an own transform', () => {
  it('sees every kind of frame as an event, and its whole text', async () => {
    const seen: unknown[] = [];
    await start(
      {
        handshake: () => KEYS,
        open,
        transform: ({ event, data, text }) => {
          seen.push([event, data, JSON.parse(text)]);
          return { event: 'encrypted', data: hide(JSON.parse(text)) };
        },
      },
      { protocol: 'pxl' },
    );
    const client = await connect(`${app.url()}?publicKey=mine`);
    const { clientId } = (await client.next()).data as { clientId: string };

    client.send({
      type: 'system',
      action: 'encrypted',
      data: hide({ type: 'test', action: 'echo', data: 7, id: 'a' }),
    });
    onServer(clientId).send(push({ deep: 1 }));
    onServer(clientId).send('no JSON');

    const frames = await take(client, 2);
    expect(frames.map(({ data }) => reveal(data))).toContainEqual({
      type: 'test',
      action: 'echo',
      id: 'a',
      response: 7,
    });
    expect(seen).toContainEqual(['test:echo', 7, { type: 'test', action: 'echo', id: 'a', response: 7 }]);
    expect(seen).toContainEqual(['n:m', { deep: 1 }, push({ deep: 1 })]);
  });

  it('may take any time: frames keep their order, and at most batchLimit of all clients are under way', async () => {
    const random = new SeededRandom(7);
    let underWay = 0;
    let most = 0;
    await start({
      batchLimit: 4,
      handshake: () => KEYS,
      transform: async ({ event, data }) => {
        most = Math.max(most, ++underWay);
        await after(random.below(8));
        underWay--;
        return { event: 'encrypted', data: hide({ event, data }) };
      },
    });
    const [[first, onServerFirst], [second]] = [await agreed(), await agreed()];
    const numbers = Array.from({ length: 200 }, (_, n) => n);

    for (const n of numbers) void service.broadcast(push(n));
    onServerFirst.close(4000, 'done');

    expect(await first.closed).toEqual({ code: 4000, reason: 'done' });
    expect(first.pending.map(opened)).toEqual(numbers);
    expect((await take(second, 200)).map(opened)).toEqual(numbers);
    expect(most).toBe(4);
  });

  it('that fails costs its frame, is counted and reported; the frames behind it still go out', async () => {
    const failures: Record<string, () => unknown> = {
      throws: () => {
        throw new Error('thrown');
      },
      rejects: () => Promise.reject(new Error('rejected')),
      'never answers': () => new Promise(() => undefined),
      'answers nothing': () => undefined,
      'answers no event': () => ({ data: MARK }),
      'answers in clear': () => ({ event: 'n:m', data: MARK }),
      'answers later in clear': () => Promise.resolve({ event: 'n:m', data: MARK }),
      'answers what has no JSON form': () => ({ event: 'encrypted', data: 5n }),
    };
    await start(
      {
        handshake: () => KEYS,
        transform: ({ event, data }) => {
          const fail = failures[String(data)];
          return (fail ? fail() : { event: 'encrypted', data: hide({ event, data }) }) as never;
        },
      },
      { timeouts: { hook: 50 } },
    );
    const [client] = await agreed();
    const names = Object.keys(failures);

    for (const name of names) void service.broadcast(push(name));
    await service.broadcast(push('last'));

    expect(opened(await client.next())).toBe('last');
    expect(service.getRefusals()).toEqual({ encryption: names.length });
    expect(errors).toHaveLength(names.length);
    expect(client.pending).toEqual([]);
  });

  it('that answers null keeps its frame back, and nothing is counted', async () => {
    await start({
      handshake: () => KEYS,
      transform: ({ event, data }) => (data === MARK ? null : { event: 'encrypted', data: hide({ event, data }) }),
    });
    const [client] = await agreed();

    await service.broadcast(push(MARK));
    await service.broadcast(push('next'));

    expect(opened(await client.next())).toBe('next');
    expect(service.getRefusals()).toEqual({});
  });

  it.each([
    ['a socket of the module', connectToModule],
    ['an adopted socket', connectAdopted],
  ])('that is too slow for what is sent makes %s a slow consumer: what waits is bounded', async (_kind, connects) => {
    const budget = 65_536;
    await start(
      { transform: () => new Promise(() => undefined) },
      { protocol: 'pxl', limits: { maxBufferedBytes: budget, slowConsumerGrace: 60_000 } },
    );
    const [client, member] = await connects();
    app.app.get(PxlWebSocketServer).enableClientEncryption({ clientId: member.clientId });
    const text = 'x'.repeat(10_000);

    let waiting = 0;
    for (let n = 0; n < 1_000; n++) if (member.send(push(text))) waiting += text.length;

    expect(waiting).toBeLessThan(9 * budget);
    expect(member.readyState).not.toBe(1);
    await client.closed;
    expect(service.getWebSocketHealth().slowConsumers.disconnected).toBe(1);
  });

  it('under way when its client is closed: nothing more is sent to it, and nothing of it is handled', async () => {
    const gate = new Gate();
    await start({
      handshake: () => KEYS,
      open,
      transform: async ({ event, data }) => {
        await gate.passed;
        return { event: 'encrypted', data: hide({ event, data }) };
      },
    });
    const [client, member] = await agreed();

    member.send(push('before'));
    member.close(4000, 'done');
    const isSent = member.send(push('behind'));
    client.send({ event: 'encrypted', data: hide({ event: 'test:echo', data: MARK }) });
    client.socket.ping();
    await new Promise((resolve) => client.socket.once('pong', resolve));
    gate.open();

    expect(await client.closed).toEqual({ code: 4000, reason: 'done' });
    expect(isSent).toBe(false);
    expect(client.pending.map(opened)).toEqual(['before']);
    expect(gateway.handled).toEqual([]);
  });
});

describe('what a client of an own cipher sends', () => {
  it('reaches the fallback of the application where there is no open, and nothing else is taken', async () => {
    await start({ handshake: () => KEYS, transform });
    const [client] = await agreed();

    client.send({ event: 'encrypted', data: hide('from event.v1') });
    await until('it is handled', () => gateway.handled.length === 1);
    client.send({ event: 'heartbeat' });

    expect((await client.closed).code).toBe(1008);
    expect(gateway.handled).toEqual(['from event.v1']);
  });

  it('does so from pxl.v1 too', async () => {
    await start({ handshake: () => KEYS, transform }, { protocol: 'pxl' });
    const client = await connect(`${app.url()}?publicKey=mine`);
    await client.next();

    client.send({ type: 'system', action: 'encrypted', data: hide('from pxl.v1') });

    await until('it is handled', () => gateway.handled.length === 1);
    expect(gateway.handled).toEqual(['from pxl.v1']);
  });

  it('keeps its order while it is opened, and the socket is not read when too much waits', async () => {
    const random = new SeededRandom(11);
    const gate = new Gate();
    let underWay = 0;
    let most = 0;
    await start(
      {
        batchLimit: 3,
        handshake: () => KEYS,
        transform,
        open: async ({ data }) => {
          most = Math.max(most, ++underWay);
          await gate.passed;
          await after(random.below(4));
          underWay--;
          return JSON.stringify(reveal(data));
        },
      },
      { inbound: { queue: 2 } },
    );
    const [client, member] = await agreed();
    const numbers = Array.from({ length: 100 }, (_, n) => n);

    for (const n of numbers) client.send({ event: 'encrypted', data: hide({ event: 'test:echo', data: n }) });
    await until('it is paused', () => member.ws.isPaused);
    gate.open();

    await until('all are handled', () => gateway.handled.length === numbers.length);
    expect(gateway.handled).toEqual(numbers);
    expect(most).toBe(3);
    await until('it is read again', () => !member.ws.isPaused);
  });

  it.each([
    ['says goodbye', (client: TestClient) => client.close()],
    ['resets its connection', ({ socket }: TestClient) => void setImmediate(() => socket.terminate())],
  ])('is handled though it %s while it is opened', async (_how, leave) => {
    const gate = new Gate();
    const ended: string[] = [];
    const events = { onDisconnected: ({ clientId }: { clientId: string }) => void ended.push(clientId) };
    const opens: WsEncryptionOptions['open'] = async ({ data }) => {
      await gate.passed;
      return JSON.stringify(reveal(data));
    };
    await start({ handshake: () => KEYS, transform, open: opens }, { events });
    const [client, member] = await agreed();

    for (let n = 0; n < 5; n++) client.send({ event: 'encrypted', data: hide({ event: 'test:echo', data: n }) });
    const answered = new Promise((resolve) => client.socket.once('pong', resolve));
    client.socket.ping();
    await answered;
    await leave(client);
    await until('its socket is gone', () => member.readyState === 3);
    expect([gateway.handled, ended]).toEqual([[], []]);
    gate.open();

    await until('its end is known', () => ended.length === 1);
    expect(gateway.handled).toEqual([0, 1, 2, 3, 4]);
    expect(app.app.get(ClientManager).size).toBe(0);
  });

  it('is forgotten behind a frame that ends its connection', async () => {
    await start({
      handshake: () => KEYS,
      transform,
      open: async ({ data }) => {
        await after(5);
        return data === 'bad' ? null : JSON.stringify(reveal(data));
      },
    });
    const [client] = await agreed();

    client.send({ event: 'encrypted', data: 'bad' });
    for (let n = 0; n < 5; n++) client.send({ event: 'encrypted', data: hide({ event: 'test:echo', data: n }) });

    expect((await client.closed).code).toBe(1008);
    await until('its end is known', () => app.app.get(ClientManager).size === 0);
    expect(gateway.handled).toEqual([]);
  });

  it.each<[string, WsEncryptionOptions['open']]>([
    ['is refused by open', () => null],
    ['is refused later', () => Promise.resolve(null)],
    [
      'makes open throw',
      () => {
        throw new Error('thrown');
      },
    ],
    ['makes open answer nonsense', (() => 5) as never],
  ])('ends the connection with 1008 when it %s', async (_what, opens) => {
    await start({ handshake: () => KEYS, transform, open: opens });
    const [client] = await agreed();

    client.send({ event: 'encrypted', data: hide({ event: 'test:echo', data: 1 }) });

    expect((await client.closed).code).toBe(1008);
    expect(gateway.handled).toEqual([]);
    expect(service.getRefusals()).toEqual({ encryption: 1 });
  });
});

describe('enableClientEncryption', () => {
  it('encrypts what is sent from then on, and what has not been written yet', async () => {
    await start({ transform, open }, { protocol: 'pxl' });
    const proxy = await RecordingProxy.to(app.port);
    const [client, other] = [await connect(proxy.url), await connect(proxy.url)];
    const [{ data }] = [await client.next(), await other.next()];
    const { clientId } = data as { clientId: string };
    const server = app.app.get(PxlWebSocketServer);

    await service.broadcast(push(`${MARK} 1`));
    onServer(clientId).send(push(`${MARK} 2`));
    server.enableClientEncryption({ clientId });
    server.enableClientEncryption({ clientId });
    onServer(clientId).send(push(`${MARK} 3`));
    await service.broadcast(push(`${MARK} 4`));

    expect((await take(client, 4)).map(opened)).toEqual([1, 2, 3, 4].map((n) => `${MARK} ${n}`));
    expect((await take(other, 2)).map((frame) => frame.data)).toEqual([`${MARK} 1`, `${MARK} 4`]);
    const [ofClient, ofOther] = proxy.recordings.map((recording) => framesOf(recording.fromServer()).join('\n'));
    expect(ofClient).not.toContain(MARK);
    expect(ofOther).toContain(MARK);
    expect(onServer(clientId).encrypted).toBe(true);
    client.send({ type: 'test', action: 'echo', data: 1 });
    expect((await client.closed).code).toBe(1008);
    await proxy.close();
  });

  it('takes back what waits for compression; what ws compresses already comes before', async () => {
    await start({ transform, open }, { protocol: 'pxl', compression: { threshold: 0 } });
    const [client, member] = await connectToModule();
    const text = MARK.repeat(1_000);

    for (let n = 0; n < 5; n++) member.send(push(text));
    await turn();
    for (let n = 0; n < 5; n++) member.send(push(n));
    app.app.get(PxlWebSocketServer).enableClientEncryption({ clientId: member.clientId });
    member.send(push(5));

    const frames = await take(client, 11);
    expect(frames.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => push(text)));
    expect(frames.slice(5).map(opened)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it.each([
    ['a socket of the module', connectToModule],
    ['an adopted socket', connectAdopted],
  ])('lets nothing out in clear that was sent by %s before and still waits', async (_kind, connects) => {
    const gate = new Gate();
    const outboundTransformer: PxlWebSocketModuleOptions['outboundTransformer'] = async ({ event, data }) => {
      await gate.passed;
      return { event, data };
    };
    await start({ transform, open }, { protocol: 'pxl', outboundTransformer });
    const [client, member] = await connects();

    member.send(push(1));
    const refusal = new Promise((resolve) => member.ws.send(Buffer.from(MARK), resolve));
    member.ws.send(Buffer.from(MARK));
    app.app.get(PxlWebSocketServer).enableClientEncryption({ clientId: member.clientId });
    member.send(push(2));
    gate.open();

    expect(await refusal).toMatchObject({ code: 'CONFLICT' });
    expect((await take(client, 2)).map(opened)).toEqual([1, 2]);
    expect(errors).toEqual([expect.stringMatching(/encrypted/)]);
    await client.expectNothing();
  });

  it('works for adopted sockets', async () => {
    await start({ transform, open }, { protocol: 'pxl' });
    const [client] = await connectAdopted();

    app.app.get(PxlWebSocketServer).enableClientEncryption({ clientId: 'adopted' });
    await service.broadcast(push(MARK));
    expect(() => onServer('adopted').ws.send('{}')).toThrow(WsError);
    client.send({ type: 'system', action: 'encrypted', data: hide({ type: 'test', action: 'echo', data: 1, id: 1 }) });

    expect((await take(client, 2)).map(opened)).toEqual([MARK, 1]);
    client.send({ type: 'test', action: 'echo', data: 2 });
    expect((await client.closed).code).toBe(1008);
  });

  it('does nothing for nobody', async () => {
    await start({ transform });

    expect(() => app.app.get(PxlWebSocketServer).enableClientEncryption({ clientId: 'nobody' })).not.toThrow();
  });

  it('is refused where the application has no cipher of its own', async () => {
    await start({}, { protocol: 'pxl' });
    const client = await connect();
    const { clientId } = (await client.next()).data as { clientId: string };

    expect(() => app.app.get(PxlWebSocketServer).enableClientEncryption({ clientId })).toThrow(WsError);
    expect(onServer(clientId).encrypted).toBe(false);
  });

  it.each([
    ['a socket of the module', connectToModule],
    ['an adopted socket', connectAdopted],
  ])('is refused while a fragmented message by %s is unfinished', async (_kind, connects) => {
    await start({ transform }, { protocol: 'pxl' });
    const [client, { clientId, ws }] = await connects();
    const server = app.app.get(PxlWebSocketServer);

    ws.send('{"type":"n",', { fin: false });
    expect(() => server.enableClientEncryption({ clientId })).toThrow(WsError);
    ws.send('"action":"m"}', { fin: true });
    server.enableClientEncryption({ clientId });

    expect(await client.next()).toEqual({ type: 'n', action: 'm' });
  });
});
