import { afterEach, describe, expect, it } from '@jest/globals';
import type { ClientEncryption, EncryptionSession, WebSocketClientOptions } from '../../lib/client/index.js';
import { encryptedSocket } from '../../lib/client/encryption/index.js';
import { entered } from '../support/client-states.js';
import { Gate } from '../support/gate.js';
import { ScriptedServer, type ScriptedConnection } from '../support/scripted-server.js';
import { testsClients, type TestedClient } from '../support/test-clients.js';
import { until } from '../support/until.js';

const newClient = testsClients();
let server: ScriptedServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** No cipher, but as slow and as strict as one: frames carry a counter, and the later ones are done first. */
class SlowCipher implements ClientEncryption {
  readonly log: string[] = [];
  readonly over = encryptedSocket;

  /** @param sealed what its sessions announce */
  constructor(private readonly sealed?: 'lists') {}

  async offer(): Promise<EncryptionSession> {
    this.log.push('offer');
    return new SlowSession(this.log, this.sealed);
  }
}

class SlowSession implements EncryptionSession {
  readonly publicKey = 'client-key';
  #sent = 0;
  #received = 0;
  #key = '';

  constructor(
    private readonly log: string[],
    readonly sealed?: 'lists',
  ) {}

  async agree({ serverPublicKey, salt }: { serverPublicKey: string; salt: string }): Promise<void> {
    await turns(5);
    this.log.push('agree');
    this.#key = `${serverPublicKey}-${salt}`;
  }

  async encrypt(text: string): Promise<string> {
    const counter = this.#sent++;
    await turns(counter % 2 === 0 ? 5 : 0);
    return seal(this.#key, counter, text);
  }

  async decrypt(data: string): Promise<string | readonly string[]> {
    const counter = this.#received++;
    await turns(counter % 2 === 0 ? 5 : 0);
    const text = unseal(this.#key, counter, data);
    return this.sealed ? text.split('\n') : text;
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function seal(key: string, counter: number, text: string): string {
  return Buffer.from(`${key}|${counter}|${text}`).toString('base64url');
}

function unseal(key: string, counter: number, data: string): string {
  const text = Buffer.from(data, 'base64url').toString();
  if (!text.startsWith(`${key}|${counter}|`)) throw new Error(`Not the frame ${counter} under ${key}: ${text}`);
  return text.slice(`${key}|${counter}|`.length);
}

const KEYS = { serverPublicKey: 'server-key', salt: 'salt' };
const KEY = 'server-key-salt';

/** A frame of the server, encrypted. */
function sealed(counter: number, frame: unknown): object {
  return { type: 'system', action: 'encrypted', data: seal(KEY, counter, JSON.stringify(frame)) };
}

/** Frames of the server, encrypted as a list. */
function sealedList(counter: number, ...frames: unknown[]): object {
  const data = seal(KEY, counter, frames.map((frame) => JSON.stringify(frame)).join('\n'));
  return { type: 'system', action: 'encrypted', data };
}

async function nextClear(connection: ScriptedConnection, counter: number): Promise<unknown> {
  const { data } = await connection.next('encrypted');
  return JSON.parse(unseal(KEY, counter, String(data)));
}

async function connected(options: Partial<WebSocketClientOptions> = {}, cipher = new SlowCipher()) {
  server = await ScriptedServer.start((connection) => connection.welcome(KEYS));
  const tested = newClient(server.url, { encryption: cipher, ...options });
  await tested.client.connect();
  return { ...tested, server, cipher, connection: await server.next() };
}

describe('a client with encryption', () => {
  it('offers its key with the upgrade, and agrees on keys before anything else', async () => {
    const { connection, cipher, client } = await connected({ getToken: () => 'ada' });
    expect(connection.request.url).toBe('/ws?publicKey=client-key');
    expect(connection.request.headers['sec-websocket-protocol']).toBe('pxl.v1,pxl.refusals,bearer.ada');
    expect(cipher.log).toEqual(['offer', 'agree']);
    expect(client.clientId).toBe('c');
  });

  it('offers it in-band where it authenticates so, and waits for the welcome that brings the keys', async () => {
    server = await ScriptedServer.start((connection) => connection.welcome());
    const { client } = newClient(server.url, {
      encryption: new SlowCipher(),
      getToken: () => 'ada',
      tokenTo: 'message',
    });
    const connecting = client.connect();
    const connection = await server.next();
    expect(connection.request.url).toBe('/ws');
    expect(await connection.next()).toMatchObject({
      action: 'authenticate',
      data: { token: 'ada', publicKey: 'client-key' },
    });
    connection.welcome(KEYS);
    connection.send(sealed(0, { type: 'system', action: 'authenticate', id: 0, response: { userId: 'ada' } }));
    await connecting;
  });

  it('offers it with the upgrade where there is no token to send in-band', async () => {
    const { connection } = await connected({ getToken: () => null, tokenTo: 'message' });
    expect(connection.request.url).toBe('/ws?publicKey=client-key');
  });

  it('keeps the order of what it sends and of what it hears, however long each frame takes', async () => {
    const { client, connection } = await connected();
    const heard: unknown[] = [];
    client.on('a', 'b', (data) => heard.push(data));
    for (let number = 0; number < 20; number++) {
      client.send('c', 'd', number);
      connection.send(sealed(number, { type: 'a', action: 'b', data: number }));
    }
    for (let number = 0; number < 20; number++) {
      expect(await nextClear(connection, number)).toEqual({ type: 'c', action: 'd', data: number });
    }
    await until(() => heard.length === 20);
    expect(heard).toEqual(Array.from({ length: 20 }, (_, number) => number));
  });

  it('says beside its key that it reads lists, where its cipher does', async () => {
    const { connection } = await connected({}, new SlowCipher('lists'));
    expect(connection.request.url).toBe('/ws?publicKey=client-key&sealed=lists');
    await server?.close();
    const inBand = { getToken: () => 'ada', tokenTo: 'message' as const };
    server = await ScriptedServer.start((other) => other.welcome());
    const { client } = newClient(server.url, { encryption: new SlowCipher('lists'), ...inBand });
    const connecting = client.connect().catch(() => undefined);
    const other = await server.next();
    expect(await other.next()).toMatchObject({ data: { token: 'ada', publicKey: 'client-key', sealed: 'lists' } });
    client.disconnect();
    await connecting;
  });

  it('hears the frames of a list one by one: who awaits the first can listen for the second', async () => {
    const { client, connection } = await connected({}, new SlowCipher('lists'));
    const heard: unknown[] = [];
    const answered = client.request('c', 'd').then(() => client.on('a', 'b', (data) => heard.push(data)));
    await nextClear(connection, 0);
    connection.send(
      sealedList(
        0,
        { type: 'c', action: 'd', id: 1, response: null },
        { type: 'a', action: 'b', data: 1 },
        { type: 'a', action: 'b', data: 2 },
      ),
    );
    connection.send(sealedList(1, { type: 'a', action: 'b', data: 3 }, { type: 'a', action: 'b', data: 4 }));
    await answered;
    await until(() => heard.length === 4);
    expect(heard).toEqual([1, 2, 3, 4]);
  });

  it('hears nothing more of a list once it has disconnected', async () => {
    const { client, connection } = await connected({}, new SlowCipher('lists'));
    const heard: unknown[] = [];
    client.on('a', 'b', (data) => {
      heard.push(data);
      client.disconnect();
    });
    connection.send(sealedList(0, { type: 'a', action: 'b', data: 1 }, { type: 'a', action: 'b', data: 2 }));
    await connection.closed;
    await turns(3);
    expect(heard).toEqual([1]);
  });

  it('begins anew on each connection, and nothing of the one before uses its keys', async () => {
    const { client, connection, server, cipher } = await connected();
    for (let number = 0; number < 10; number++) client.send('c', 'lost', number);
    connection.socket.terminate();
    await entered(client, 'reconnecting');
    await client.connect();
    expect(cipher.log).toEqual(['offer', 'agree', 'offer', 'agree']);
    const next = await server.next();
    const answer = client.request('c', 'd');
    expect(await nextClear(next, 0)).toEqual({ type: 'c', action: 'd', id: 1 });
    next.send(sealed(0, { type: 'c', action: 'd', id: 1, response: 'yes' }));
    expect(await answer).toBe('yes');
  });

  it('asks for no key once its attempt is over', async () => {
    server = await ScriptedServer.start((connection) => connection.welcome(KEYS));
    const token = new Gate<string>();
    const cipher = new SlowCipher();
    const tokens = [token.passed, Promise.resolve('second')];
    const { client } = newClient(server.url, { encryption: cipher, getToken: () => tokens.shift() ?? null });
    const first = client.connect();
    client.disconnect();
    await first.catch(() => undefined);
    await client.connect();
    token.open('first');
    await turns(3);
    expect(cipher.log).toEqual(['offer', 'agree']);
  });

  it.each<[string, (connection: ScriptedConnection) => void]>([
    ['a clear frame', (connection) => connection.send({ type: 'a', action: 'b' })],
    ['a frame that is not the next one', (connection) => connection.send(sealed(1, { type: 'a', action: 'b' }))],
    ['a frame without data', (connection) => connection.send({ type: 'system', action: 'encrypted' })],
    ['no JSON', (connection) => connection.send('{')],
  ])('takes %s for a breach, and stops', async (_what, breach) => {
    const { client, connection, changes } = await connected();
    const heard: unknown[] = [];
    client.onAny((message) => heard.push(message));
    breach(connection);
    await until(() => client.state === 'disconnected');
    expect(changes.at(-1)).toMatchObject({ reason: 'The encryption is broken.' });
    expect(heard).toEqual([]);
  });

  it.each<[string, 'encrypt' | 'decrypt', (tested: TestedClient, connection: ScriptedConnection) => void]>([
    ['disconnect()', 'encrypt', ({ client }) => client.disconnect()],
    ["the server's close", 'decrypt', (_tested, { socket }) => socket.close(4500)],
  ])('ends soon after %s where it can no longer %s', async (_what, method, end) => {
    server = await ScriptedServer.start((connection) => connection.welcome(KEYS));
    const encryption: ClientEncryption = {
      over: encryptedSocket,
      offer: async () =>
        Object.assign(await new SlowCipher().offer(), { [method]: () => new Promise(() => undefined) }),
    };
    const tested = newClient(server.url, { encryption });
    await tested.client.connect();
    const connection = await server.next();
    tested.client.send('a', 'b');
    connection.send(sealed(0, { type: 'a', action: 'b' }));
    end(tested, connection);
    await connection.closed;
    await until(() => tested.client.state === 'disconnected');
  });

  it('leaves a server that does not encrypt', async () => {
    server = await ScriptedServer.start();
    const { client } = newClient(server.url, { encryption: new SlowCipher() });
    await expect(client.connect()).rejects.toMatchObject({ message: 'The server does not encrypt.', retryable: false });
  });
});
