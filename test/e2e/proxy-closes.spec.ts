import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Injectable } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ClientManager, WebSocketService, WsRoute, type WsClient } from 'nestjs-pxl-websocket';
import { WebSocketServer } from 'ws';
import type { CloseReason } from '../../lib/protocol/close-codes.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { eventually } from '../../lib/testing/eventually.js';
import { Gate } from '../support/gate.js';
import { Logbook } from '../support/logbook.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { encodeFrame, RawClient, type FrameBits } from '../support/raw-client.js';
import { startsOneApp, type TestApp } from '../support/test-app.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

const GRACE = 300;
/** ms between two pushes to a member. */
const INTERVAL = 20;
/** In which what was written would have come. */
const QUIET = 50;

/** Writes down how connections end. */
@Injectable()
class Journal {
  #next = new Gate<CloseReason>();

  /** The end of the next connection that ends. */
  nextEnd(): Promise<CloseReason> {
    return this.#next.passed;
  }

  end(end: CloseReason): void {
    this.#next.open(end);
    this.#next = new Gate();
  }
}

@WebSocketGateway()
class QuietGateway {
  readonly handled: unknown[] = [];

  constructor(private readonly journal: Journal) {}

  @WsRoute('test', 'take')
  take(_client: unknown, data: unknown): void {
    this.handled.push(data);
  }

  handleDisconnect(_client: WsClient, reason: string, code: number): void {
    this.journal.end({ code, reason });
  }
}

/** A close frame as a proxy writes it into the stream of its client. */
function unmasked(code: number, reason: string | Buffer = ''): FrameBits {
  const payload = Buffer.concat([Buffer.alloc(2), Buffer.from(reason)]);
  payload.writeUInt16BE(code);
  return { opcode: 8, masked: false, payload };
}

const BY_PROXY: [what: string, end: CloseReason, ...frames: FrameBits[]][] = [
  ['the code of Caddy', { code: 1001, reason: 'closed by a proxy' }, unmasked(1001)],
  ['within a message', { code: 1001, reason: 'closed by a proxy' }, { fin: false, payload: 'a' }, unmasked(1001)],
  ['a reason', { code: 1012, reason: 'closed by a proxy: deploy €' }, unmasked(1012, 'deploy €')],
  [
    'the longest reason',
    { code: 4000, reason: `closed by a proxy: ${'x'.repeat(104)}` },
    unmasked(4000, 'x'.repeat(123)),
  ],
  ['no code', { code: 1006, reason: 'closed by a proxy' }, { opcode: 8, masked: false }],
  ['half of itself', { code: 1006, reason: 'closed by a proxy' }, { ...unmasked(1001), length: 10 }],
];

const FAULTS: [what: string, code: number, ...frames: FrameBits[]][] = [
  ['a text', 1002, { masked: false, payload: '{"type":"test","action":"take"}' }],
  ['a ping', 1002, { opcode: 9, masked: false }],
  ['a pong', 1002, { opcode: 10, masked: false, payload: Buffer.from([3, 233]) }],
  ['the rest of a text', 1002, { fin: false, payload: 'a' }, { opcode: 0, masked: false, payload: 'b' }],
  ['a close frame in parts', 1002, { ...unmasked(1001), fin: false }],
  ['a close frame with a reserved bit', 1002, { ...unmasked(1001), rsv: 4 }],
  ['a close frame of one byte', 1002, { opcode: 8, masked: false, payload: 'x' }],
  ['a close frame of 126 bytes', 1002, unmasked(1001, 'x'.repeat(124))],
  ['the code 999', 1002, unmasked(999)],
  ['the code 1005', 1002, unmasked(1005)],
  ['the code 1006', 1002, unmasked(1006)],
  ['the code 2999', 1002, unmasked(2999)],
  ['the code 5000', 1002, unmasked(5000)],
  ['a reason that is no UTF-8', 1002, unmasked(1001, Buffer.from([0xff]))],
  ['a close frame of the client itself, with such words', 1001, { ...unmasked(1001, 'closed by'), masked: true }],
];

const startApp = startsOneApp();
const clients: RawClient[] = [];

afterEach(() => {
  for (const { socket } of clients.splice(0)) socket.destroy();
});

/** Writes the frame and ends the connection, as proxies do. */
function closeBy(client: RawClient, frame: FrameBits): void {
  client.writeFrame(frame);
  client.end();
}

async function open(app: TestApp, path = '/ws'): Promise<RawClient> {
  const client = await RawClient.open(app.port, path);
  clients.push(client);
  return client;
}

describe('A close frame without a mask, which a proxy has written into the stream of its client,', () => {
  it('is told as what it is: its own code, and a reason that names the proxy', async () => {
    const app = await startApp({ providers: [Journal, QuietGateway] });
    for (const [what, end, ...frames] of BY_PROXY) {
      const client = await open(app);
      const ended = app.app.get(Journal).nextEnd();
      const behind = { payload: '{"type":"test","action":"take","data":"behind it"}' };
      for (const frame of what === 'half of itself' ? frames : [...frames, behind]) client.writeFrame(frame);
      // The other side is told what RFC 6455 has for such frames, as before.
      expect([what, await client.closeCode()]).toEqual([what, 1002]);
      client.end();
      expect([what, await ended]).toEqual([what, end]);
    }
    expect(app.app.get(QuietGateway).handled).toEqual([]);
  });

  it('is no fault of the client either when the connection is gone right behind it while the server writes', async () => {
    const app = await startApp({ providers: [Journal, QuietGateway] });
    const service = app.app.get(WebSocketService);
    for (let turn = 0; turn < 10; turn++) {
      const client = await open(app);
      const ended = app.app.get(Journal).nextEnd();
      client.socket.write(encodeFrame(unmasked(1001)), () => client.socket.destroy());
      for (let sent = 0; sent < 20; sent++) await service.broadcast({ type: 'news', action: 'flash', data: sent });
      // A reset may overtake the frame: then the connection is lost, and nobody knows why.
      expect([1001, 1006]).toContain((await ended).code);
    }
  });

  it('makes nothing else than a close frame lenient', async () => {
    const app = await startApp({ providers: [Journal, QuietGateway] });
    for (const [what, code, ...frames] of FAULTS) {
      const client = await open(app);
      const ended = app.app.get(Journal).nextEnd();
      client.write(Buffer.concat(frames.map(encodeFrame)));
      expect([what, await client.closeCode()]).toEqual([what, code]);
      client.end();
      expect([what, (await ended).code]).toEqual([what, code]);
      expect((await ended).reason).not.toContain('proxy');
    }
    expect(app.app.get(QuietGateway).handled).toEqual([]);
    expect(app.app.get(WebSocketService).getMetrics()).toContainEqual(
      expect.objectContaining({ name: 'pxl_ws_proxy_closes_total', value: 0 }),
    );
  });

  it('is counted, logged once, and told to subscribers', async () => {
    const logger = new Logbook();
    const heard: unknown[] = [];
    const handle = ({ message }: { message: unknown }): unknown => heard.push(message);
    const subscribers = [{ channel: 'clientDisconnected', handle }];
    const app = await startApp({ options: { subscribers }, logger });
    for (let count = 0; count < 3; count++) closeBy(await open(app), unmasked(1001));
    await eventually('all have ended', () => heard.length === 3);
    const end = expect.objectContaining({ code: 1001, reason: 'closed by a proxy' });
    expect(heard).toEqual([end, end, end]);
    expect(app.app.get(WebSocketService).getMetrics()).toContainEqual(
      expect.objectContaining({
        name: 'pxl_ws_proxy_closes_total',
        kind: 'counter',
        value: 3,
      }),
    );
    const lines = logger.lines.filter((line) => line.includes('proxy'));
    expect(lines).toEqual(['log A proxy closes connections of clients, by a frame without a mask (1001).']);
  });

  it.each([1001, 1000])('keeps its client in rooms with presence for the grace (code %i)', async (code) => {
    const presence = { interval: INTERVAL, grace: GRACE };
    const clock = new ManualRuntime();
    const app = await startApp({
      options: { auth: { authenticate: urlIdentity }, rooms: { open: true, presence } },
      override: (builder) => builder.overrideProvider(Runtime).useValue(clock),
    });
    const isGone = (userId: string): Promise<unknown> =>
      eventually('it has gone', async () => !(await app.app.get(WebSocketService).isUserOnline(userId)).online);
    const ada = await connectAs(app, { userId: 'ada' });
    await ada.request('system', 'joinRoom', { roomName: 'tea', presence: true });
    const join = async (userId: string): Promise<RawClient> => {
      const client = await open(app, `/ws?userId=${userId}`);
      const wish = { type: 'system', action: 'joinRoom', data: { roomName: 'tea' } };
      client.writeFrame({ payload: JSON.stringify(wish) });
      await eventually(
        'it is a member',
        async () => (await app.app.get(WebSocketService).countMembers('tea')).count === 2,
      );
      await clock.advance(INTERVAL);
      await ada.next('room', 'presence');
      return client;
    };
    closeBy(await join('bob'), unmasked(code));
    await isGone('bob');
    await clock.advance(GRACE - 1);
    await ada.expectNothing(QUIET);
    await clock.advance(1 + INTERVAL);
    expect((await ada.next('room', 'presence')).data).toMatchObject({ left: [{ userId: 'bob' }] });
    // What the same frame would be without its own name: a client that breaks the protocol has left at once.
    closeBy(await join('eve'), { masked: false, payload: 'x' });
    await isGone('eve');
    await clock.advance(INTERVAL);
    expect((await ada.next('room', 'presence')).data).toMatchObject({ left: [{ userId: 'eve' }] });
  });

  it('is told of an adopted socket, and by the code with which the server has closed before', async () => {
    const app = await startApp({ providers: [Journal, QuietGateway] });
    const others = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    const ended = new Gate<number>();
    others.once('connection', (ws) => {
      ws.once('close', (code) => ended.open(code));
      app.app.get(ClientManager).addClient({ clientId: 'adopted', ws });
    });
    await once(others, 'listening');
    const { port } = others.address() as AddressInfo;
    const adopted = await RawClient.open(port);
    clients.push(adopted);
    const told = app.app.get(Journal).nextEnd();
    closeBy(adopted, unmasked(1001));
    expect(await told).toEqual({ code: 1001, reason: 'closed by a proxy' });
    // ws itself calls it a lost connection.
    expect(await ended.passed).toBe(1006);
    others.close();

    const client = await open(app);
    const closed = app.app.get(Journal).nextEnd();
    for (const { ws } of app.app.get(ClientManager).getClients()) ws?.close(4000, 'enough');
    expect(await client.closeCode()).toBe(4000);
    closeBy(client, unmasked(1001));
    expect(await closed).toEqual({ code: 4000, reason: 'enough' });
  });
});
