import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { deflateRawSync } from 'node:zlib';
import { Injectable } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { afterEach, describe, expect, it } from '@jest/globals';
import { WsRoute, type PxlWebSocketModuleOptions, type WsClient } from 'nestjs-pxl-websocket';
import { Gate } from '../support/gate.js';
import { encodeFrame, RawClient, type FrameBits } from '../support/raw-client.js';
import { ServerSockets } from '../support/server-sockets.js';
import { PLATFORMS, startApp, type TestApp } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';

interface Ended {
  clientId: string;
  code: number;
}

/** Answers, and writes down what it is told. */
@Injectable()
class Journal {
  readonly handled: unknown[] = [];
  readonly ended: Ended[] = [];
  #next = new Gate<Ended>();

  handle(data: unknown): unknown {
    this.handled.push(data);
    return data;
  }

  end(ended: Ended): void {
    this.ended.push(ended);
    this.#next.open(ended);
    this.#next = new Gate();
  }

  /** The next connection that ends. */
  nextEnd(): Promise<Ended> {
    return this.#next.passed;
  }
}

@WebSocketGateway()
class EchoGateway {
  constructor(private readonly journal: Journal) {}

  @WsRoute('test', 'echo')
  echo(_client: unknown, data: unknown): unknown {
    return this.journal.handle(data);
  }

  handleDisconnect({ clientId }: WsClient, _reason: string, code: number): void {
    this.journal.end({ clientId, code });
  }
}

const MESSAGE = JSON.stringify({ type: 'test', action: 'echo', data: 'after the bad frame' });
const closeFrame = (code: number, reason: Buffer | string = ''): Buffer => {
  const payload = Buffer.concat([Buffer.alloc(2), Buffer.from(reason)]);
  payload.writeUInt16BE(code, 0);
  return payload;
};

/** What a peer can do wrong, in one frame or several, and the code that it reads. */
const WRONG: [string, number, ...FrameBits[]][] = [
  ['the first reserved bit', 1002, { rsv: 4, payload: MESSAGE }],
  ['the second reserved bit', 1002, { rsv: 2, payload: MESSAGE }],
  ['the third reserved bit', 1002, { rsv: 1, payload: MESSAGE }],
  ['a reserved bit on a ping', 1002, { opcode: 9, rsv: 4 }],
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): [string, number, FrameBits] => [
    `the reserved opcode ${opcode}`,
    1002,
    { opcode },
  ]),
  ['no mask', 1002, { masked: false, payload: MESSAGE }],
  ['a ping without a mask', 1002, { opcode: 9, masked: false }],
  ['a length that no JavaScript number holds', 1009, { length: 2n ** 63n }],
  ['a length of 2^62', 1009, { length: 2n ** 62n }],
  ['a length over the limit', 1009, { length: 65_537 }],
  ['a message over the limit in two fragments', 1009, ...inFragments('x'.repeat(40_000), 'x'.repeat(40_000))],
  ['invalid UTF-8', 1007, { payload: Buffer.from([0xc3, 0x28]) }],
  ['a character cut off at the end', 1007, { payload: Buffer.from('€').subarray(0, 2) }],
  ['a surrogate half in UTF-8', 1007, { payload: Buffer.from([0xed, 0xa0, 0x80]) }],
  ['a ping in fragments', 1002, { opcode: 9, fin: false, payload: 'a' }],
  ['a close frame in fragments', 1002, { opcode: 8, fin: false, payload: closeFrame(1000) }],
  ['a ping of 126 bytes', 1002, { opcode: 9, payload: 'x'.repeat(126) }],
  ['a continuation of nothing', 1002, { opcode: 0, payload: 'a' }],
  ['a new message inside of a fragmented one', 1002, { fin: false, payload: 'a' }, { payload: 'b' }],
  ['too many fragments', 1008, ...inFragments('x', ...Array.from({ length: 17_000 }, () => 'x'))],
  ['a close frame of one byte', 1002, { opcode: 8, payload: 'x' }],
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map((code): [string, number, FrameBits] => [
    `a close frame with the code ${code}`,
    1002,
    { opcode: 8, payload: closeFrame(code) },
  ]),
  ['a close reason that is no UTF-8', 1007, { opcode: 8, payload: closeFrame(1000, Buffer.from([0xff])) }],
];

function inFragments(first: string, ...others: string[]): FrameBits[] {
  const rest = others.map((payload, at) => ({ opcode: 0, payload, fin: at === others.length - 1 }));
  return [{ fin: false, payload: first }, ...rest];
}

describe.each(PLATFORMS)('a connection that breaks the protocol (%s)', (platform) => {
  let running: TestApp | null = null;
  let journal: Journal;
  let bystander: TestClient;
  const clients: RawClient[] = [];

  async function start(options: PxlWebSocketModuleOptions = {}): Promise<TestApp> {
    running = await startApp({ platform, options, providers: [Journal, EchoGateway] });
    journal = running.app.get(Journal);
    bystander = await running.client();
    return running;
  }

  async function open(port: number): Promise<RawClient> {
    const client = await RawClient.open(port);
    clients.push(client);
    return client;
  }

  async function expectBystanderUnharmed(): Promise<void> {
    expect(await bystander.request('test', 'echo', 'still here')).toBe('still here');
    expect(bystander.pending).toEqual([]);
  }

  afterEach(async () => {
    for (const { socket } of clients.splice(0)) socket.destroy();
    await running?.close();
    running = null;
  });

  it('reads the code for what it did, ends once, and takes nobody with it', async () => {
    const { app, port } = await start();
    const sockets = new ServerSockets(app.getHttpServer() as Server);

    for (const [what, code, ...frames] of WRONG) {
      const client = await open(port);
      const ended = journal.nextEnd();
      client.write(Buffer.concat([...frames.map(encodeFrame), encodeFrame({ payload: MESSAGE })]));

      expect([what, await client.closeCode()]).toEqual([what, code]);
      await client.ended;
      client.end();
      expect([what, (await ended).code]).toEqual([what, code]);
    }

    await expectBystanderUnharmed();
    await sockets.allClosed();
    expect(journal.handled).toEqual(['still here']);
    expect(journal.ended).toHaveLength(WRONG.length);
    expect(new Set(journal.ended.map(({ clientId }) => clientId)).size).toBe(WRONG.length);
  });

  it.each(['FIN', 'RST'])('ends with 1006 when a frame is cut off by %s, wherever that is', async (how) => {
    const { app, port } = await start();
    const sockets = new ServerSockets(app.getHttpServer() as Server);
    const whole = encodeFrame({ payload: 'x'.repeat(300) });

    for (const length of [1, 2, 3, 4, 7, 8, 9, whole.length - 1]) {
      const client = await open(port);
      const ended = journal.nextEnd();
      client.write(whole.subarray(0, length));
      if (how === 'FIN') client.end();
      else client.reset();
      expect((await ended).code).toBe(1006);
    }

    await sockets.allClosed();
    await expectBystanderUnharmed();
    expect(journal.handled).toEqual(['still here']);
  });

  it('costs nobody else anything when it floods with pings, whether it reads the pongs or not', async () => {
    const { app, port } = await start();
    const sockets = new ServerSockets(app.getHttpServer() as Server);
    const flood = Buffer.concat(
      Array.from({ length: 20_000 }, () => encodeFrame({ opcode: 9, payload: 'x'.repeat(125) })),
    );
    const ended = journal.nextEnd();
    const client = await open(port);
    client.socket.pause();

    client.write(flood);

    await expectBystanderUnharmed();
    expect((await ended).code).toBe(1006);
    client.socket.resume();
    await client.ended;
    client.socket.destroy();
    await sockets.allClosed();
    await expectBystanderUnharmed();
  });

  it('is none when it pings fifty times at once: each ping is answered, in order', async () => {
    const { port } = await start();
    const client = await open(port);
    const pings = Array.from({ length: 50 }, (_, at) => `ping ${at}`);

    client.write(Buffer.concat(pings.map((payload) => encodeFrame({ opcode: 9, payload }))));

    for (const ping of pings) {
      const { opcode, payload } = await client.frame();
      expect([opcode, payload.toString()]).toEqual([10, ping]);
    }
  });

  it('reads the code also where messages are compressed', async () => {
    const { port } = await start({ compression: true });
    const bomb = deflateRawSync(Buffer.alloc(1_000_000));
    const wrong: [number, ...FrameBits[]][] = [
      [1007, { rsv: 4, payload: 'this is no deflated data' }],
      [1009, { rsv: 4, payload: bomb }],
      [1002, { rsv: 4, fin: false, payload: '' }, { rsv: 4, opcode: 0, payload: '' }],
      [1002, { rsv: 4, opcode: 9 }],
    ];

    for (const [code, ...frames] of wrong) {
      const client = await RawClient.upgrading(port, '/ws', {
        headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' },
      });
      clients.push(client);
      expect((await client.response()).headers['sec-websocket-extensions']).toContain('permessage-deflate');
      const ended = journal.nextEnd();
      client.write(Buffer.concat(frames.map(encodeFrame)));
      expect(await client.closeCode()).toBe(code);
      client.end();
      expect((await ended).code).toBe(code);
    }

    await expectBystanderUnharmed();
  });
});

describe('a ws server that listens to no errors of its sockets', () => {
  it('ends its process at one frame with a reserved bit', async () => {
    const naive = `
      const { WebSocketServer } = require('ws');
      const server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => console.log(server.address().port));
      server.on('connection', (socket) => socket.send('welcome'));
    `;
    const child = spawn(process.execPath, ['-e', naive], { stdio: ['ignore', 'pipe', 'pipe'] });
    let complaint = '';
    child.stderr.on('data', (data: Buffer) => (complaint += data.toString()));
    const [port] = (await once(child.stdout, 'data')) as [Buffer];
    const client = await RawClient.open(Number(port.toString()));

    client.writeFrame({ rsv: 4, payload: MESSAGE });

    const [code] = (await once(child, 'close')) as [number];
    client.socket.destroy();
    expect(code).toBe(1);
    expect(complaint).toContain('WS_ERR_UNEXPECTED_RSV_1');
  });
});
