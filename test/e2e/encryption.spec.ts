import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocketGateway, WebSocketServer as InjectServer } from '@nestjs/websockets';
import {
  ClientManager,
  PxlWebSocketServer,
  WebSocketService,
  WsError,
  WsRoute,
  type PxlWebSocketModuleOptions,
  type WsTypedMessage,
  type WsClient,
  type WsCredentials,
} from 'nestjs-pxl-websocket';
import { of } from 'rxjs';
import type { Server } from 'ws';
import { isSoak } from '../support/cluster-periods.js';
import { EncryptedClient, type CodecName, type EncryptedClientOptions } from '../support/encrypted-client.js';
import { framesOf, RecordingProxy } from '../support/recording-proxy.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { until } from '../support/until.js';
import { WebCryptoPeer } from '../support/web-crypto-peer.js';

/** Stands in everything that is sent: whoever reads the wire must not find it. */
const MARK = 'a-word-that-only-the-client-may-read';
/** ms that clients wait on a busy machine. */
const PATIENCE = 15_000;

@WebSocketGateway()
class Gateway {
  @InjectServer() server!: Server;
  readonly handled: unknown[] = [];

  @WsRoute('test', 'echo')
  echo(_client: WsClient, data: unknown): unknown {
    this.handled.push(data);
    return data;
  }

  @WsRoute('test', 'fail')
  fail(): never {
    throw new WsError('CONFLICT', MARK, { details: { MARK } });
  }

  @WsRoute('test', 'stream')
  stream(): unknown {
    return of(MARK, MARK);
  }

  @WsRoute('test', 'ask')
  ask(client: WsClient): Promise<unknown> {
    return client.call({ type: 'test', action: 'question', data: MARK });
  }
}

let app: TestApp;
let gateway: Gateway;
let service: WebSocketService;
let proxy: RecordingProxy | undefined;
const open: { socket: { terminate(): void } }[] = [];

async function start(options: PxlWebSocketModuleOptions = {}): Promise<void> {
  app = await startApp({ providers: [Gateway], options: { encryption: true, ...options } });
  gateway = app.app.get(Gateway);
  service = app.app.get(WebSocketService);
}

afterEach(async () => {
  await proxy?.close();
  proxy = undefined;
  await app.close();
  for (const { socket } of open.splice(0)) socket.terminate();
});

async function connect(options?: EncryptedClientOptions, url = app.url()): Promise<EncryptedClient> {
  const client = await EncryptedClient.connect(url, options);
  open.push(client);
  return client;
}

async function plain(): Promise<TestClient> {
  const client = await app.client();
  open.push(client);
  return client;
}

/** A connection that offers a key and may be refused. */
async function offer(options?: EncryptedClientOptions): Promise<EncryptedClient> {
  const client = await EncryptedClient.open(app.url(), options);
  open.push(client);
  return client;
}

function onServer(clientId: string): WsClient {
  return app.app.get(ClientManager).getClient({ clientId, requireWs: true })!;
}

type Message = Record<string, unknown>;

/** The same request in the envelope of either codec. */
function request(codec: CodecName, action: string, data?: unknown, id: unknown = 'r'): Message & { id: unknown } {
  const names = codec === 'pxl.v1' ? { type: 'test', action } : { event: `test:${action}` };
  return { ...names, data, id };
}

const answerOf = (message: Message): unknown => message.response ?? message.data;

const credentials = ({ request: { url }, data }: WsCredentials): { userId: string } | null => {
  const { user } = (data ?? {}) as { user?: string };
  const userId = user ?? new URL(url, 'http://localhost').searchParams.get('user');
  return userId === null ? null : { userId };
};

describe.each<CodecName>(['pxl.v1', 'event.v1'])('an encrypted connection (%s)', (codec) => {
  it.each([
    ['the header of the upgrade', {}],
    ['the query of the upgrade', { inQuery: true }],
  ])('agrees on keys that come in %s, and everything behind connected is encrypted', async (_place, options) => {
    await start();

    const client = await connect({ codec, ...options });

    expect(answerOf(await client.request(request(codec, 'echo', { deep: [1, 'é', null] })))).toEqual({
      deep: [1, 'é', null],
    });
    expect(client.clear).toHaveLength(1);
    expect(onServer(client.clientId).encrypted).toBe(true);
  });

  it('agrees on keys that come with its credentials, and its reply to them is encrypted', async () => {
    await start({ auth: { authenticate: credentials, mode: 'message' } });

    const client = await connect({ codec, authenticate: { user: 'ada' } });

    expect(answerOf(await client.next(({ id }) => id === 'auth'))).toMatchObject({ userId: 'ada' });
    expect(client.clear).toHaveLength(1);
    expect(client.clear[0]).toMatchObject({ data: { userId: 'ada' } });
    expect(answerOf(await client.request(request(codec, 'echo', 1)))).toBe(1);
  });

  it('is switched on when an anonymous client, welcomed before, authenticates with a key', async () => {
    await start({ auth: { authenticate: credentials, mode: 'either', required: false } });

    const client = await connect({ codec, authenticate: { user: 'ada' } });

    expect(client.clear).toHaveLength(2);
    expect(client.clear[0]).not.toHaveProperty('data.serverPublicKey');
    expect(client.clear[1]).toMatchObject({ data: { userId: 'ada' } });
    expect(answerOf(await client.request(request(codec, 'echo', 1)))).toBe(1);
    expect(onServer(client.clientId)).toMatchObject({ encrypted: true, user: { userId: 'ada' } });
  });

  it('is closed with 1008 for anything but its own next frame, and nothing of that is handled', async () => {
    await start();
    const other = await connect({ codec });
    const breaches: Record<string, (client: EncryptedClient) => Promise<unknown>> = {
      clear: async () => request(codec, 'echo', 'clear'),
      'no JSON': async () => 'nonsense',
      'no text': async () => ({ type: 'system', action: 'encrypted', event: 'encrypted', data: 5 }),
      'too short': async () => ({ type: 'system', action: 'encrypted', event: 'encrypted', data: 'AAAAAAAAAAE' }),
      'of another connection': () => other.seal(request(codec, 'echo', 'other')),
      replayed: async (client) => {
        const frame = await client.seal(request(codec, 'echo', 'once'));
        client.sendClear(frame);
        return frame;
      },
      reordered: async (client) => {
        const [first, second] = [
          await client.seal(request(codec, 'echo', 1)),
          await client.seal(request(codec, 'echo', 2)),
        ];
        client.sendClear(second);
        return first;
      },
      altered: async (client) => (await client.seal(request(codec, 'echo', 'altered'))).replace(/(.)(.{8}"})$/, change),
      'in another spelling': async (client) =>
        (await client.seal(request(codec, 'echo', 'padded'))).replace(/"}$/, '="}'),
    };
    for (const [what, breach] of Object.entries(breaches)) {
      gateway.handled.length = 0;
      const client = await connect({ codec });
      client.sendClear(await breach(client));
      expect([what, await client.closed]).toEqual([what, { code: 1008, reason: 'not the next encrypted frame' }]);
      expect([what, gateway.handled]).toEqual([what, what === 'replayed' ? ['once'] : []]);
    }
    expect(service.getRefusals().encryption).toBe(Object.keys(breaches).length);
  });

  it('writes nothing in clear behind connected: control run with every byte', async () => {
    await start({ rooms: { open: true, announce: true } });
    proxy = await RecordingProxy.to(app.port);
    const encrypted = await connect({ codec }, proxy.url);
    const control = await TestClient.open(proxy.url, { protocols: [codec], patience: PATIENCE });
    open.push(control);
    const welcome = (await control.next()).data as { id?: string; clientId?: string };
    const ids = [encrypted.clientId, welcome.id ?? welcome.clientId ?? ''];
    const server = app.app.get(PxlWebSocketServer);

    await service.joinRooms({ clientIds: ids, rooms: [MARK] });
    await service.broadcast({ type: 'n', action: 'everybody', data: MARK });
    await service.sendToRooms([MARK], { type: 'n', action: 'room', data: MARK });
    await service.sendToClients(ids, { event: 'n:volatile', data: MARK }, { volatile: true });
    for (const clientId of ids) {
      const client = onServer(clientId);
      server.sendMessageError({ webSocketClientId: clientId, error: MARK });
      server.sendClientMessage(client, { event: 'n:own', data: MARK });
      server.sendClientMessage(client, { event: 'n:binary', data: MARK }, true);
      client.send(`{"event":"n:ready","type":"n","action":"ready","data":"${MARK}"}`);
    }
    for (const action of ['echo', 'fail', 'stream', 'ask', 'nowhere']) {
      await encrypted.send(request(codec, action, MARK, action));
      control.send(request(codec, action, MARK, action));
    }
    const isLast = (frame: { id?: unknown; event?: unknown; type?: unknown }): boolean =>
      frame.id === 'nowhere' && (frame.event === 'error' || frame.type === 'error');
    // The call is never answered, so the route that nobody has is refused only behind it.
    const answer = codec === 'pxl.v1' ? { type: 'system', action: 'answer' } : { event: 'system:answer' };
    await encrypted.send({ ...answer, data: { callId: 1, response: MARK } });
    control.send({ ...answer, data: { callId: 1, response: MARK } });
    await Promise.all([encrypted.next(isLast), control.take(isLast as never)]);

    const [ofEncrypted, ofControl] = proxy.recordings.map((recording) => framesOf(recording.fromServer()));
    expect(ofControl!.filter((frame) => frame.includes(MARK)).length).toBeGreaterThan(10);
    expect(ofEncrypted!.length).toBeGreaterThan(10);
    expect(ofEncrypted!.slice(1).filter((frame) => !isEncryptedFrame(frame))).toEqual([]);
    expect(proxy.recordings[0]!.fromServer().includes(MARK)).toBe(false);
    expect(proxy.recordings[1]!.fromServer().includes(MARK)).toBe(true);
  });
});

function change(_match: string, letter: string, rest: string): string {
  return `${letter === 'A' ? 'B' : 'A'}${rest}`;
}

/** Exactly an encrypted frame, in either envelope, and nothing beside its data. */
function isEncryptedFrame(frame: string): boolean {
  return /^\{("type":"system","action"|"event"):"encrypted","data":"[\w-]{32,}"\}$/.test(frame);
}

describe('the exchange of keys', () => {
  it('leaves those alone that offer none', async () => {
    await start();
    const [client, other] = [await plain(), await connect()];

    expect(await client.request('test', 'echo', 1)).toBe(1);
    expect(onServer(client.clientId).encrypted).toBe(false);
    expect(onServer(other.clientId).encrypted).toBe(true);
  });

  it('does not happen where encryption is off', async () => {
    await start({ encryption: undefined });

    const client = await offer();
    await until('the welcome', () => client.clear.length > 0);

    expect(client.clear[0]).not.toHaveProperty('data.serverPublicKey');
  });

  const point = (change: (bytes: Buffer) => Buffer) => async () =>
    change(Buffer.from((await WebCryptoPeer.create()).publicKey, 'base64url')).toString('base64url');

  it.each<[string, () => Promise<string>]>([
    ['nothing', async () => ''],
    ['no base64url', async () => 'ö'],
    ['padded', async () => `${(await WebCryptoPeer.create()).publicKey}=`],
    ['too short', point((bytes) => bytes.subarray(0, 64))],
    ['not on the curve', point((bytes) => Buffer.concat([bytes.subarray(0, 64), Buffer.from([bytes[64]! ^ 1])]))],
    ['the point at infinity', async () => Buffer.alloc(65).toString('base64url')],
    ['compressed', point((bytes) => Buffer.concat([Buffer.from([2]), bytes.subarray(1, 33)]))],
    ['hybrid', point((bytes) => Buffer.concat([Buffer.from([6 + (bytes[64]! & 1)]), bytes.subarray(1)]))],
  ])('refuses a key that is %s, in a sentence, and closes with 4004', async (_what, publicKey) => {
    await start({ auth: { authenticate: credentials, mode: 'either', required: false } });
    const url = `${app.url()}?publicKey=${encodeURIComponent(await publicKey())}`;

    const atUpgrade = await TestClient.open(url, { patience: PATIENCE });
    const byMessage = await app.client();
    open.push(atUpgrade, byMessage);
    const authenticate = {
      type: 'system',
      action: 'authenticate',
      data: { user: 'ada', publicKey: await publicKey() },
    };
    byMessage.send(authenticate);

    for (const client of [atUpgrade, byMessage]) {
      const { data } = await client.next('error');
      expect(data).toMatchObject({ code: 'BAD_MESSAGE', error: expect.stringMatching(/P-256/) });
      expect(await client.closed).toEqual({ code: 4004, reason: 'key exchange failed' });
    }
    expect(app.app.get(ClientManager).getClientsByUser({ userId: 'ada' })).toEqual([]);
  });

  it('is over before anybody knows the client', async () => {
    await start({ auth: { authenticate: credentials }, encryption: { required: true } });

    const without = await TestClient.open(`${app.url()}?user=ada`, { patience: PATIENCE });
    open.push(without);

    expect((await without.next()).data).toMatchObject({ code: 'FORBIDDEN' });
    expect(await without.closed).toEqual({ code: 4004, reason: 'encryption required' });
    expect(without.pending).toEqual([]);
    const client = await connect(undefined, `${app.url()}?user=ada`);
    expect(onServer(client.clientId)).toMatchObject({ state: 'authenticated', encrypted: true });
  });

  it('where it is required, is asked of those who authenticate by message too', async () => {
    await start({ auth: { authenticate: credentials, mode: 'message' }, encryption: { required: true } });

    const without = await TestClient.open(app.url(), { patience: PATIENCE });
    open.push(without);
    without.send({ type: 'system', action: 'authenticate', data: { user: 'ada' }, id: 1 });

    expect(await without.next()).toMatchObject({ id: 1, data: { code: 'FORBIDDEN' } });
    expect(await without.closed).toEqual({ code: 4004, reason: 'encryption required' });
    expect(onServer((await connect({ authenticate: { user: 'ada' } })).clientId).encrypted).toBe(true);
  });

  it('where it is required, lets clients of event.v1 bring their key with authenticate, whoever they are', async () => {
    await start({ protocol: 'event', encryption: { required: true } });

    const without = await TestClient.open(app.url(), { patience: PATIENCE });
    open.push(without);
    without.send({ event: 'join', data: { rooms: ['tea'] } });
    expect(await without.next()).toMatchObject({ event: 'error', data: { code: 'UNAUTHENTICATED' } });
    without.send({ event: 'authenticate', data: {} });
    expect(await without.next()).toMatchObject({ event: 'error', data: { code: 'FORBIDDEN' } });
    expect((await without.closed).code).toBe(4004);

    const client = await connect({ codec: 'event.v1', authenticate: {} });
    expect(client.clear).toHaveLength(1);
    expect(await client.request({ event: 'test:echo', data: 1, id: 'r' })).toMatchObject({ data: 1 });
  });

  it.each<[string, PxlWebSocketModuleOptions['auth'], number]>([
    ['by those who are let in as nobody', { authenticate: () => ({ anonymous: true }) }, 4004],
    ['by those whose upgrade has told who they are', { authenticate: () => ({ userId: 'ada' }) }, 4004],
    ['by those who would have to authenticate first', { authenticate: credentials, mode: 'message' }, 4001],
  ])('that is required and never begun %s is waited for as long as credentials are', async (_whom, auth, code) => {
    await start({ protocol: 'event', auth: { ...auth, timeout: 100 }, encryption: { required: true } });

    const silent = await TestClient.open(app.url(), { patience: PATIENCE });
    open.push(silent);

    expect((await silent.closed).code).toBe(code);
    expect(silent.pending).toEqual([]);
  });

  it('on event.v1 may follow a welcome, once', async () => {
    await start({ protocol: 'event' });

    const client = await connect({ codec: 'event.v1', authenticate: {} });
    await client.send({ event: 'authenticate', data: { publicKey: client.peer.publicKey }, id: 'again' });

    expect(await client.next(({ event }) => event === 'connected')).not.toHaveProperty('data.serverPublicKey');
    expect(await client.request({ event: 'test:echo', data: 1, id: 'r' })).toMatchObject({ data: 1 });
  });
});

describe('what an encrypted client is sent', () => {
  const push = (data: unknown): WsTypedMessage => ({ type: 'n', action: 'm', data });

  it('cannot be sent by its socket', async () => {
    await start();
    const [client, other] = [await connect(), await plain()];

    for (const data of ['{"type":"n"}', Buffer.from('bytes')]) {
      expect(() => onServer(client.clientId).ws.send(data)).toThrow(WsError);
    }
    const sent = [...gateway.server.clients].map((socket) => {
      try {
        socket.send(JSON.stringify(push('to all')));
        return 'sent';
      } catch {
        return 'refused';
      }
    });

    expect(sent.sort()).toEqual(['refused', 'sent']);
    expect(await other.next()).toEqual(push('to all'));
    expect(await client.request({ type: 'test', action: 'echo', data: 1, id: 1 })).toMatchObject({ response: 1 });
    expect(client.messages).toEqual([]);
  });

  it('is encrypted too where it was pending when encryption was switched on', async () => {
    const texts = [MARK, `${MARK}${'é'.repeat(100)}`, `${MARK}${'x'.repeat(30_000)}`];
    // Sent in the turn in which the exchange ends: nothing of it has been written by then.
    const authenticate = ({ clientId, data }: WsCredentials): { userId: string } | null => {
      if (!data) return null;
      for (const text of texts) void service.broadcast(push(text));
      for (const text of texts) onServer(clientId).send(push(text));
      return { userId: 'ada' };
    };
    await start({ auth: { authenticate, mode: 'either', required: false } });
    proxy = await RecordingProxy.to(app.port);

    const client = await connect({ authenticate: {} }, proxy.url);
    const control = await TestClient.connect(proxy.url, { patience: PATIENCE });
    open.push(control);
    control.send({ type: 'system', action: 'authenticate', data: {} });

    expect((await client.take(2 * texts.length)).map(({ data }) => data)).toEqual([...texts, ...texts]);
    expect(client.clear).toHaveLength(2);
    expect(proxy.recordings[0]!.fromServer().includes(MARK)).toBe(false);
    await control.next('auth', 'authenticated');
    expect(proxy.recordings[1]!.fromServer().includes(MARK)).toBe(true);
  });

  it('is so where the connection is compressed too, which keeps ws busy', async () => {
    const texts = Array.from({ length: 10 }, (_, n) => `${n}${MARK.repeat(50)}`);
    const authenticate = ({ clientId, data }: WsCredentials): { userId: string } | null => {
      if (!data) return null;
      for (const text of texts) void service.broadcast(push(text));
      for (const text of texts) onServer(clientId).send(push(text));
      return { userId: 'ada' };
    };
    await start({ auth: { authenticate, mode: 'either', required: false }, compression: true });

    const client = await connect({ authenticate: {}, perMessageDeflate: true });

    expect(client.socket.extensions).toBe('permessage-deflate');
    expect((await client.take(2 * texts.length)).map(({ data }) => data)).toEqual([...texts, ...texts]);
    expect(client.clear).toHaveLength(2);
  });

  it('reaches it in order beside plain clients of the same room: thousands of messages each way', async () => {
    await start({ limits: { maxBufferedBytes: 64 * 1024 * 1024 } });
    const clients = [await connect(), await connect({ codec: 'event.v1' })];
    const others = [await plain(), await plain()];
    const ids = [...clients, ...others].map(({ clientId }) => clientId);
    await service.joinRooms({ clientIds: ids, rooms: ['tea'] });
    const count = isSoak ? 10_000 : 2_000;
    const numbers = Array.from({ length: count }, (_, n) => n);

    for (const n of numbers) {
      void service.sendToRooms(['tea'], push(n));
      if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    for (const client of clients) {
      expect((await client.take(count, 30_000)).map(({ data }) => data)).toEqual(numbers);
    }
    for (const other of others) {
      await until('all pushes', () => other.pending.length === count);
      expect(other.pending.map(({ data }) => data)).toEqual(numbers);
    }
    expect(clients.map(({ clear }) => clear.length)).toEqual([1, 1]);

    const [client, event] = clients as [EncryptedClient, EncryptedClient];
    for (const n of numbers) {
      void client.send({ type: 'test', action: 'echo', data: n, id: n });
      void event.send({ event: 'test:echo', data: n, id: n });
    }
    expect((await client.take(count, 30_000)).map(({ response }) => response)).toEqual(numbers);
    expect((await event.take(count, 30_000)).map(({ data }) => data)).toEqual(numbers);
  }, 60_000);

  it('comes before a close', async () => {
    await start();
    const client = await connect();

    for (let n = 0; n < 100; n++) onServer(client.clientId).send(push(n));
    onServer(client.clientId).close(4000, 'enough');

    expect(await client.closed).toEqual({ code: 4000, reason: 'enough' });
    expect(client.messages).toHaveLength(100);
  });

  it('may be missed by a slow reader without a gap in what it reads', async () => {
    await start({ limits: { maxBufferedBytes: 65_536, slowConsumer: 'drop', slowConsumerGrace: 0 } });
    const client = await connect();
    const member = onServer(client.clientId);
    client.socket.pause();

    let refused = 0;
    const big = 'x'.repeat(20_000);
    for (let n = 0; n < 2_000; n++) {
      if (!member.send(push([n, big]))) refused++;
      if (n % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    client.socket.resume();
    await until('it has caught up', () => !member.backpressured);
    await until('a send', () => member.send(push('end')));
    await client.next(({ data }) => data === 'end');

    expect(refused).toBeGreaterThan(0);
    expect(client.clear).toHaveLength(1);
  });

  it('counts for its byte budget', async () => {
    await start({ limits: { maxBufferedBytes: 65_536, slowConsumerGrace: 0 } });
    const client = await connect();
    const member = onServer(client.clientId);
    client.socket.pause();

    const big = 'x'.repeat(50_000);
    await until('it is closed', () => !member.send(push(big)) && member.readyState !== 1);
    client.socket.resume();

    expect((await client.closed).code).toBe(4008);
    expect(service.getWebSocketHealth().slowConsumers.disconnected).toBe(1);
  });
});
