import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { WebSocket, type ClientOptions } from 'ws';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  ClientManager,
  PxlWebSocketServer,
  WebSocketService,
  type PxlWebSocketModuleOptions,
  type WsClient,
} from 'nestjs-pxl-websocket';
import { Gate } from '../support/gate.js';
import { RawClient, type RawFrame } from '../support/raw-client.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { WriteCounter } from '../support/write-counter.js';

const TEXT = 1;
const BINARY = 2;
const PING = 9;
const message = (data: unknown): { type: string; action: string; data: unknown } => ({ type: 'n', action: 'm', data });
const textOf = (data: unknown): string => JSON.stringify(message(data));

/** A browser's view of a connection: whole messages, in the order of their arrival. */
class Reader {
  readonly messages: string[] = [];
  readonly closed: Promise<number>;
  #more = new Gate();

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data) => {
      this.messages.push((data as Buffer).toString());
      this.#more.open();
      this.#more = new Gate();
    });
    socket.on('error', (error) => this.messages.push(error.message));
    this.closed = once(socket, 'close').then(([code]) => code as number);
  }

  /** A connection whose welcome was read, and its id. */
  static async open(url: string, options: ClientOptions = {}): Promise<[Reader, string]> {
    const reader = new Reader(new WebSocket(url, options));
    const [welcome] = await reader.next(1);
    return [reader, (JSON.parse(welcome ?? '') as { data: { clientId: string } }).data.clientId];
  }

  /** The next `count` messages. */
  async next(count: number): Promise<string[]> {
    while (this.messages.length < count) await this.#more.passed;
    return this.messages.splice(0, count);
  }
}

describe('the outbox of a connection', () => {
  let app: TestApp;
  let service: WebSocketService;
  const writes = new Map<Socket, WriteCounter>();
  const raw: RawClient[] = [];

  async function start(options: PxlWebSocketModuleOptions = {}): Promise<void> {
    app = await startApp({ options });
    service = app.app.get(WebSocketService);
    (app.app.getHttpServer() as Server).on('connection', (socket: Socket) =>
      writes.set(socket, new WriteCounter(socket)),
    );
  }

  /** A client as it reads, as the application holds it, and what is written to its socket. */
  async function connect(options: ClientOptions = {}): Promise<[Reader, WsClient, WriteCounter]> {
    const [reader, clientId] = await Reader.open(app.url(), { perMessageDeflate: false, ...options });
    const client = app.app.get(ClientManager).getClient({ clientId, requireWs: true })!;
    return [reader, client, [...writes.values()].at(-1)!];
  }

  /** The same for a client that sees single frames. */
  async function connectRaw(): Promise<[RawClient, WsClient]> {
    const client = await RawClient.open(app.port);
    raw.push(client);
    return [client, app.app.get(ClientManager).getClients().at(-1) as WsClient];
  }

  async function frames(client: RawClient, count: number): Promise<RawFrame[]> {
    const all: RawFrame[] = [];
    while (all.length < count) all.push(await client.frame());
    return all;
  }

  afterEach(async () => {
    for (const { socket } of raw.splice(0)) socket.destroy();
    writes.clear();
    await app.close();
  });

  it('writes frames of every header size that clients read', async () => {
    await start();
    const [reader, client] = await connect();
    const texts = [0, 1, 125, 126, 65_535, 65_536, 1_000_000].map((length) => 'x'.repeat(length));
    texts.push('é€😀', 'é'.repeat(62) + 'x', 'é'.repeat(63), '€'.repeat(30_000), '\ud83d\ude00'.repeat(20_000));

    for (const text of texts) client.send(text);
    const together = await reader.next(texts.length);
    for (const text of texts) {
      client.send(text);
      together.push(...(await reader.next(1)));
    }

    expect(together.map((text, at) => text === texts[at % texts.length])).toEqual(together.map(() => true));
  });

  it('keeps the order of everything that is sent in one turn, whoever sends it', async () => {
    await start();
    const [reader, client] = await connectRaw();
    await client.join('room');
    const written: (Error | undefined)[] = [];
    const done = (error?: Error | null): void => void written.push(error ?? undefined);
    const { ws } = client;

    client.send(message(1));
    void service.broadcast(message(2));
    ws.send(textOf(3));
    void service.sendToRooms(['room'], message(4));
    ws.send(Buffer.from(textOf(5)));
    void service.sendToClients([client.clientId], message(6));
    ws.send(textOf(7), { binary: false });
    client.send(message(8));
    ws.send(textOf(9), done);
    client.send(message(10));
    ws.send(textOf(11), {}, done);
    ws.ping('between');
    client.send(message(12));
    ws.close(4321, 'bye');

    const read = await frames(reader, 14);
    expect(read.map(({ opcode }) => opcode)).toEqual([...[1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1], PING, TEXT, 8]);
    expect(read.filter(({ opcode }) => opcode < 8).map(({ payload }) => payload.toString())).toEqual(
      Array.from({ length: 12 }, (_, at) => textOf(at + 1)),
    );
    expect(read[11]!.payload.toString()).toBe('between');
    expect(read[13]!.payload.readUInt16BE(0)).toBe(4321);
    expect(written).toEqual([undefined, undefined]);
  });

  it.each<[string, number, (client: WsClient) => void]>([
    ['WsClient.close', 4506, (client) => client.close()],
    ['ws.close', 1000, ({ ws }) => ws.close(1000)],
  ])('loses nothing that was sent in the turn of %s', async (_name, code, close) => {
    await start();
    const [reader, client] = await connect();
    const texts = Array.from({ length: 500 }, (_, at) => textOf(at));

    for (const text of texts) client.send(text);
    void service.broadcast(message('last'));
    close(client);

    expect(await reader.closed).toBe(code);
    expect(reader.messages).toEqual([...texts, textOf('last')]);
  });

  it('tells a callback given without options that its message was written', async () => {
    await start();
    const [reader, { ws }] = await connect();

    const error = await new Promise((resolve) => ws.send('text', undefined as never, resolve));

    expect(error ?? null).toBeNull();
    expect(await reader.next(1)).toEqual(['text']);
  });

  describe('when the application sends a message in fragments', () => {
    it('lets pings pass, holds everything else back, and sends it behind the last fragment', async () => {
      await start();
      const [reader, client] = await connectRaw();
      const { ws } = client;

      client.send(message(1));
      ws.send('frag', { fin: false });
      void service.broadcast(message(2));
      await turn();
      client.send(message(3));
      ws.send('men', { fin: false });
      ws.ping();
      await turn();
      void service.broadcast(message(4));
      ws.send('ted');
      client.send(message(5));
      ws.send(textOf(6));

      const read = await frames(reader, 10);
      expect(read.map(({ opcode, fin, payload }) => [opcode, fin, payload.toString()])).toEqual([
        [TEXT, true, textOf(1)],
        [TEXT, false, 'frag'],
        [0, false, 'men'],
        [PING, true, ''],
        [0, true, 'ted'],
        ...[2, 3, 4, 5, 6].map((at) => [TEXT, true, textOf(at)]),
      ]);
    });

    it('holds a binary message of the server back as well', async () => {
      await start();
      const [reader, client] = await connectRaw();

      client.ws.send('frag', { fin: false });
      app.app.get(PxlWebSocketServer).sendClientMessage(client, message(1), true);
      client.ws.send('ment');
      client.send(message(2));

      const read = await frames(reader, 4);
      expect(read.map(({ opcode, fin, payload }) => [opcode, fin, payload.toString()])).toEqual([
        [TEXT, false, 'frag'],
        [0, true, 'ment'],
        [BINARY, true, textOf(1)],
        [TEXT, true, textOf(2)],
      ]);
    });

    it('counts what it holds back', async () => {
      await start();
      const [, client] = await connect();
      client.ws.send('frag', { fin: false });
      const before = client.ws.bufferedAmount;

      client.send('x'.repeat(1_000));

      expect(client.ws.bufferedAmount - before).toBe(1_004);
    });

    it('holds back as well where frames are compressed', async () => {
      await start({ compression: true });
      const [reader, client] = await connect({ perMessageDeflate: true });
      const long = 'long '.repeat(2_000);

      client.ws.send(long, { fin: false });
      void service.broadcast(message(1));
      await turn();
      client.send(message(2));
      client.ws.send('end');
      client.send(message(3));

      expect(await reader.next(4)).toEqual([`${long}end`, textOf(1), textOf(2), textOf(3)]);
    });

    it('holds back as well where a fragment is a Blob', async () => {
      await start();
      const [reader, client] = await connect();

      client.ws.send(new Blob(['frag']), { fin: false });
      client.send(message(1));
      await turn();
      client.send(message(2));
      client.ws.send('mented');
      client.send(message(3));

      expect(await reader.next(4)).toEqual(['fragmented', textOf(1), textOf(2), textOf(3)]);
    });

    it('closes in the middle of it when it is told to', async () => {
      await start();
      const [reader, client] = await connectRaw();

      client.ws.send('frag', { fin: false });
      client.send(message(1));
      client.close(4000);

      const read = await frames(reader, 2);
      expect(read.map(({ opcode }) => opcode)).toEqual([TEXT, 8]);
    });
  });

  it('keeps what follows a Blob behind it, though it is read later', async () => {
    await start();
    const [reader, client] = await connect();

    client.send(message(1));
    client.ws.send(new Blob([textOf(2)]));
    client.send(message(3));
    void service.broadcast(message(4));
    client.ws.ping(); // writes at once what waits
    await turn();
    client.send(message(5));
    client.ws.close(1000);

    expect(await reader.closed).toBe(1000);
    expect(reader.messages).toEqual([1, 2, 3, 4, 5].map(textOf));
  });

  it('keeps the order where messages are compressed, and compresses for those alone who asked for it', async () => {
    await start({ compression: true });
    const [reader, client] = await connect({ perMessageDeflate: true });
    const [other, otherClient] = await connect();
    const long = 'long '.repeat(5_000);
    expect(reader.socket.extensions).toBe('permessage-deflate');
    expect([otherClient.ws.extensions, other.socket.extensions]).toEqual(['', '']);

    client.send(message(1));
    void service.broadcast(message(long));
    client.send(message(3));
    client.ws.send(textOf(4));
    void service.broadcast(message(5));
    client.ws.close(1000);

    expect(await reader.closed).toBe(1000);
    expect(reader.messages).toEqual([1, long, 3, 4, 5].map(textOf));
    expect(await other.next(2)).toEqual([long, 5].map(textOf));
  });

  it.each([
    ['keeps no compressor between two messages', true, false],
    ['keeps it with context takeover', { serverNoContextTakeover: undefined }, true],
  ])('%s', async (_what, compression, isKept) => {
    await start({ compression });
    const [reader, client] = await connect({ perMessageDeflate: true });
    const hasCompressor = (): boolean => {
      const { _extensions } = client.ws as unknown as { _extensions: Record<string, { _deflate: object | null }> };
      return _extensions['permessage-deflate']?._deflate !== null;
    };
    const long = 'long '.repeat(1_000);
    for (let times = 0; times < 2; times++) {
      const written = new Promise((resolve) => client.ws.send(long, resolve));
      expect(hasCompressor()).toBe(true);
      await written;
      expect(hasCompressor()).toBe(isKept);
      expect(await reader.next(1)).toEqual([long]);
    }
  });

  it('really sends compressed frames where that was agreed', async () => {
    await start({ compression: true });
    const client = await RawClient.upgrading(app.port, '/ws', {
      headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' },
    });
    raw.push(client);
    await client.response();
    await client.frame();

    void service.broadcast(message('long '.repeat(5_000)));

    const { rsv, payload } = await client.frame();
    expect(rsv).toBe(4);
    expect(payload.length).toBeLessThan(1_000);
  });

  describe('writes', () => {
    it('once per socket and turn, however many messages the turn sends', async () => {
      await start();
      const [first, client, counter] = await connect();
      const [second, , otherCounter] = await connect();
      counter.count = otherCounter.count = 0;

      for (let at = 0; at < 10; at++) void service.broadcast(message(at));

      expect([counter.count, otherCounter.count]).toEqual([0, 0]);
      await Promise.all([first.next(10), second.next(10)]);
      expect([counter.count, otherCounter.count]).toEqual([1, 1]);

      // Past the outbox, each message costs a write of its own.
      for (let at = 0; at < 10; at++) client.ws.send(textOf(at), { compress: false });
      await first.next(10);
      expect(counter.count).toBe(11);
    });

    it('the same bytes for sockets whose turns differ in a message to one of them', async () => {
      await start();
      const [first, client] = await connect();
      const [second] = await connect();
      const [third] = await connect();

      void service.broadcast(message(1));
      client.send(message('own'));
      void service.broadcast(message(2));
      void service.broadcast(message(3));

      expect(await first.next(4)).toEqual([1, 'own', 2, 3].map(textOf));
      expect(await second.next(3)).toEqual([1, 2, 3].map(textOf));
      expect(await third.next(3)).toEqual([1, 2, 3].map(textOf));
    });

    it('long turns in one write too, to the first socket and to the others', async () => {
      await start();
      const [first, , counter] = await connect();
      const [second, , otherCounter] = await connect();
      counter.count = otherCounter.count = 0;
      const texts = Array.from({ length: 10 }, (_, at) => `${at}`.repeat(4_000));

      for (const text of texts) void service.broadcast(message(text));

      expect(await first.next(10)).toEqual(texts.map(textOf));
      expect(await second.next(10)).toEqual(texts.map(textOf));
      expect([counter.count, otherCounter.count]).toEqual([1, 1]);
    });

    it('at once when more than 64 KiB wait', async () => {
      await start();
      const [reader, client, counter] = await connect();
      counter.count = 0;
      const text = 'x'.repeat(40_000);

      client.send(text);
      expect([counter.count, client.ws.bufferedAmount]).toEqual([0, 40_004]);
      client.send(text);

      expect(counter.count).toBe(1);
      expect((await reader.next(2)).every((each) => each === text)).toBe(true);
    });
  });

  it('counts in bufferedAmount what waits for the end of the turn', async () => {
    await start();
    const [reader, client] = await connect();
    expect(client.ws.bufferedAmount).toBe(0);

    client.send('x'.repeat(100));
    expect(client.ws.bufferedAmount).toBe(102);
    void service.broadcast(message(1));
    expect(client.ws.bufferedAmount).toBe(102 + 2 + textOf(1).length);

    await reader.next(2);
    expect(client.ws.bufferedAmount).toBe(0);
  });

  it('counts each byte of the texts for a client that does not read, and keeps them out of the heap', async () => {
    await start();
    const [reader, client] = await connectRaw();
    const network = [...writes.keys()].at(-1)!;
    const before = network.bytesWritten;
    reader.socket.pause();
    const texts = Array.from({ length: 200 }, (_, at) => `${(at % 3 ? 'x' : 'é').repeat(40_000)}${at}`);

    for (const text of texts) {
      client.send(text);
      await turn();
    }

    const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    const headers = texts.reduce((sum, text) => sum + (Buffer.byteLength(text) < 65_536 ? 4 : 10), 0);
    expect(network.bytesWritten - before).toBe(bytes + headers);
    const queue = (network as unknown as { writableBuffer: { chunk: unknown }[] }).writableBuffer;
    expect(queue.length).toBeGreaterThan(10);
    expect(queue.every(({ chunk }) => Buffer.isBuffer(chunk))).toBe(true);

    reader.socket.resume();
    const read = await frames(reader, texts.length);
    expect(read.map(({ payload }, at) => payload.toString() === texts[at])).toEqual(texts.map(() => true));
    expect(client.ws.bufferedAmount).toBe(0);
  });

  it('does nothing for a client that is gone', async () => {
    await start();
    const [reader, client] = await connect();
    const [bystander] = await connect();
    const ended = once(client.ws, 'close');

    client.send(message('on its way'));
    client.ws.terminate();
    expect(client.send(message(1))).toBe(false);
    await ended;
    await reader.closed;

    expect(client.send(message(2))).toBe(false);
    expect(() => client.ws.send(textOf(3))).not.toThrow();
    expect(() => client.ws.ping()).not.toThrow();
    expect(() => client.close()).not.toThrow();
    await service.broadcast(message(4));
    expect(await bystander.next(1)).toEqual([textOf(4)]);
    expect(reader.messages).toEqual([]);
  });
});
