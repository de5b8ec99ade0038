import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocketGateway } from '@nestjs/websockets';
import {
  ClientManager,
  PxlWebSocketServer,
  WebSocketService,
  WsError,
  WsRoute,
  type WsOutboundTransformer,
  type PxlWebSocketModuleOptions,
  type WsTypedMessage,
  type WsClient,
} from 'nestjs-pxl-websocket';
import { of } from 'rxjs';
import { WebSocketServer, type WebSocket } from 'ws';
import { EncryptedClient } from '../support/encrypted-client.js';
import { Gate } from '../support/gate.js';
import { SeededRandom } from '../support/seeded-random.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { until } from '../support/until.js';

@WebSocketGateway()
class Gateway {
  @WsRoute('test', 'echo')
  echo(_client: WsClient, data: unknown): unknown {
    return data;
  }

  @WsRoute('test', 'stream')
  stream(): unknown {
    return of({ secret: 1, n: 1 }, { secret: 2, n: 2 });
  }

  @WsRoute('test', 'ask')
  ask(client: WsClient): Promise<unknown> {
    return client.call({ type: 'test', action: 'question', data: { secret: 3 } });
  }
}

/** Nobody but an administrator may read `secret`; some frames nobody gets. */
const redact: WsOutboundTransformer = ({ client, event, data }) => {
  if (event === 'n:private') return null;
  if (typeof data !== 'object' || data === null || client.metadata.isAdmin === true) return { event, data };
  return { event, data: { ...data, secret: undefined } };
};

let app: TestApp;
let service: WebSocketService;
let errors: string[];
let others: WebSocketServer | undefined;
const open: { socket: { terminate(): void } }[] = [];

async function start(
  outboundTransformer: WsOutboundTransformer,
  options: PxlWebSocketModuleOptions = {},
): Promise<void> {
  errors = [];
  const events = { onError: ({ error }: { error: Error }) => void errors.push(error.message) };
  app = await startApp({ providers: [Gateway], options: { outboundTransformer, events, ...options } });
  service = app.app.get(WebSocketService);
}

afterEach(async () => {
  await app.close();
  for (const { socket } of open.splice(0)) socket.terminate();
  others?.close();
  others = undefined;
});

async function connect(protocols?: string[]): Promise<TestClient> {
  const client = await TestClient.open(app.url(), { protocols });
  await client.welcomed();
  open.push(client);
  return client;
}

/** Connects to another ws server, whose sockets the module adopts. */
async function connectAdopted(): Promise<TestClient> {
  others = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  others.on('connection', (ws: WebSocket) => app.app.get(ClientManager).addClient({ clientId: 'adopted', ws }));
  await once(others, 'listening');
  const client = await TestClient.connect(`ws://127.0.0.1:${(others.address() as AddressInfo).port}`);
  open.push(client);
  return client;
}

function onServer({ clientId }: { clientId: string }): WsClient {
  return app.app.get(ClientManager).getClient({ clientId, requireWs: true })!;
}

const push = (data: unknown, action = 'm'): WsTypedMessage => ({ type: 'n', action, data });

describe('outboundTransformer', () => {
  it('shows each client its own of what many are sent, whatever codec they speak', async () => {
    await start(redact);
    const [admin, user, event] = [await connect(), await connect(), await connect(['event.v1'])];
    onServer(admin).metadata.isAdmin = true;
    await service.joinRooms({ clientIds: [admin, user, event].map(({ clientId }) => clientId), rooms: ['tea'] });

    await service.sendToRooms(['tea'], push({ secret: 1, n: 1 }));
    await service.broadcast(push({ n: 2 }, 'private'));
    await service.broadcast({ event: 'plain', data: { secret: 3 } });

    expect(await admin.next()).toEqual(push({ secret: 1, n: 1 }));
    expect(await user.next()).toEqual(push({ n: 1 }));
    expect(await event.next()).toEqual({ event: 'n:m', data: { n: 1 } });
    expect(await admin.next()).toEqual({ type: 'event', action: 'plain', data: { secret: 3 } });
    expect(await user.next()).toEqual({ type: 'event', action: 'plain', data: {} });
    expect(await event.next()).toEqual({ event: 'plain', data: {} });
  });

  it('gives each client a copy of the data, which may be changed', async () => {
    await start(({ client, event, data }) => {
      (data as { to: string }).to = client.clientId;
      return { event, data };
    });
    const clients = [await connect(), await connect()];
    const sent = { to: 'everybody' };

    await service.broadcast(push(sent));

    for (const client of clients) expect(await client.next()).toEqual(push({ to: client.clientId }));
    expect(sent).toEqual({ to: 'everybody' });
  });

  it('sees replies, streams, calls, errors, ready text and binary frames too, which keep their shape', async () => {
    await start(redact);
    const client = await connect();
    const server = app.app.get(PxlWebSocketServer);

    expect(await client.call('test', 'echo', { secret: 1, n: 1 })).toEqual({
      type: 'test',
      action: 'echo',
      id: 't1',
      response: { n: 1 },
    });
    client.send({ type: 'test', action: 'stream', id: 's' });
    const stream = [await client.next(), await client.next(), await client.next()];
    expect(stream.map(({ response }) => response)).toEqual([{ n: 1 }, { n: 2 }, undefined]);
    expect(stream[2]).toEqual({ type: 'test', action: 'stream', id: 's', done: true });
    client.send({ type: 'test', action: 'ask' });
    expect(await client.next()).toEqual({ type: 'test', action: 'question', data: {}, callId: 1 });
    client.send({ type: 'system', action: 'answer', data: { callId: 1, response: { secret: 4, n: 4 } } });
    expect(await client.next()).toEqual({ type: 'test', action: 'ask', response: { n: 4 } });
    expect(await client.call('test', 'nowhere')).toMatchObject({ id: 't2', data: { code: 'UNKNOWN_ROUTE' } });
    onServer(client).send('{"type":"n","action":"ready","data":{"secret":1}}');
    expect(await client.next('n', 'ready')).toEqual(push({}, 'ready'));
    onServer(client).ws.send('{"type":"n","action":"direct","data":{"secret":1}}');
    expect(await client.next('n', 'direct')).toEqual(push({}, 'direct'));
    const binary = once(client.socket, 'message');
    server.sendClientMessage(onServer(client), push({ secret: 1 }, 'binary'), true);
    expect((await binary)[1]).toBe(true);
    expect(await client.next('n', 'binary')).toEqual(push({}, 'binary'));
    onServer(client).send(5);
    expect(await client.next()).toBe(5);
  });

  it('may rename an event, in either codec', async () => {
    await start(({ data }) => ({ event: 'other:name', data }));
    const [client, event] = [await connect(), await connect(['event.v1'])];

    await service.broadcast(push(1));
    for (const { clientId } of [client, event]) onServer({ clientId }).send([1]);

    expect([await client.next(), await client.next()]).toEqual([
      { type: 'other', action: 'name', data: 1 },
      { type: 'other', action: 'name', data: [1] },
    ]);
    expect([await event.next(), await event.next()]).toEqual([
      { event: 'other:name', data: 1 },
      { event: 'other:name', data: [1] },
    ]);
  });

  it('may take any time: frames keep their order, a close behind them included', async () => {
    const random = new SeededRandom(3);
    await start(async ({ event, data }) => {
      await after(random.below(6));
      return { event, data };
    });
    const [client, other] = [await connect(), await connect()];
    const numbers = Array.from({ length: 200 }, (_, n) => n);

    for (const n of numbers) void service.broadcast(push(n));
    onServer(client).ws.send(Buffer.from(JSON.stringify(push('behind'))));
    onServer(client).close(4000, 'done');

    expect(await client.closed).toEqual({ code: 4000, reason: 'done' });
    expect(client.pending.map(({ data }) => data)).toEqual([...numbers, 'behind']);
    await until('all pushes', () => other.pending.length === numbers.length);
    expect(other.pending.map(({ data }) => data)).toEqual(numbers);
  });

  it('that fails never lets the frame out: it is counted and reported', async () => {
    const failures: Record<string, () => unknown> = {
      throws: () => {
        throw new Error('thrown');
      },
      rejects: () => Promise.reject(new Error('rejected')),
      'answers nothing': () => undefined,
      'answers a text': () => 'n:m',
      'answers what has no JSON form': () => ({ event: 'n:m', data: 5n }),
      'never answers': () => new Promise(() => undefined),
    };
    await start(
      ({ event, data }) => {
        const fail = failures[String(data)];
        return (fail ? fail() : { event, data }) as never;
      },
      { timeouts: { hook: 50 } },
    );
    const client = await connect();

    for (const name of Object.keys(failures)) await service.broadcast(push(name));
    await service.broadcast(push('last'));

    expect(await client.next()).toEqual(push('last'));
    expect(client.pending).toEqual([]);
    expect(service.getRefusals()).toEqual({ outboundTransformer: Object.keys(failures).length });
    expect(errors).toHaveLength(Object.keys(failures).length);
  });

  it('comes before the cipher of an encrypted client, also where it is asynchronous', async () => {
    const random = new SeededRandom(5);
    await start(
      async ({ event, data }) => {
        await after(random.below(4));
        return data === 'hidden' ? null : { event, data: [data] };
      },
      { encryption: true },
    );
    const client = await EncryptedClient.connect(app.url());
    open.push(client);
    const numbers = Array.from({ length: 50 }, (_, n) => n);

    for (const n of numbers) void service.broadcast(push(n % 5 === 4 ? 'hidden' : n));

    const shown = numbers.filter((n) => n % 5 !== 4);
    expect((await client.take(shown.length)).map(({ data }) => data)).toEqual(shown.map((n) => [n]));
  });

  it.each([
    ['a socket of the module', connect],
    ['an adopted socket', connectAdopted],
  ])('leaves no way around it by %s itself', async (_kind, connects) => {
    await start(redact);
    const client = await connects();
    const { ws } = onServer(client);
    const text = JSON.stringify(push({ secret: 1, n: 1 }));
    const bytes = Buffer.from(text);

    const done = new Promise((resolve) => ws.send(text, resolve));
    ws.send(text, {});
    ws.send(bytes, { binary: false });
    ws.send(bytes, { binary: undefined });
    ws.send(new Uint8Array(bytes), { binary: false });
    ws.send(new Uint8Array(bytes).buffer, { binary: false });
    ws.send(5);

    expect(await done).toBeUndefined();
    for (let n = 0; n < 6; n++) expect(await client.next()).toEqual(push({ n: 1 }));
    expect(await client.next()).toBe(5);
    expect(() => ws.send(new Blob([text]), { binary: false })).toThrow(WsError);
    expect(() => ws.send('{"type":"n",', { fin: false })).toThrow(WsError);
    await service.broadcast(push(1));
    expect(await client.next()).toEqual(push(1));
  });

  it('that is slow does not work for a client that is gone', async () => {
    const gates: Gate[] = [];
    await start(async ({ event, data }) => {
      const gate = new Gate();
      gates.push(gate);
      await gate.passed;
      return { event, data };
    });
    const client = await connect();
    const member = onServer(client);
    const outcome = new Promise((resolve) => {
      for (let n = 0; n < 100; n++) member.ws.send(JSON.stringify(push(n)), n === 99 ? resolve : undefined);
    });
    await until('some are under way', () => gates.length === 10);

    client.socket.terminate();
    await until('it is gone', () => member.state === 'disconnected');
    for (const gate of gates) gate.open();

    expect(await outcome).toMatchObject({ code: 'UNAVAILABLE' });
    expect(member.ws.bufferedAmount).toBe(0);
    await client.expectNothing();
    expect(gates).toHaveLength(10);
  });

  it('holds for adopted sockets too', async () => {
    const gate = new Gate();
    await start(async (frame) => {
      await gate.passed;
      return redact({ ...frame });
    });
    const client = await connectAdopted();
    const member = onServer({ clientId: 'adopted' });
    await service.broadcast(push({ secret: 1 }));
    member.ws.send(JSON.stringify(push({ secret: 2, n: 2 })));
    member.ws.send(Buffer.from(JSON.stringify(push('bytes'))));
    member.close(4000, 'done');
    expect([member.readyState, member.send(push('behind'))]).toEqual([2, false]);
    gate.open();

    expect(await client.closed).toEqual({ code: 4000, reason: 'done' });
    expect(client.pending).toEqual([push({}), push({ n: 2 }), push('bytes')]);
  });
});
