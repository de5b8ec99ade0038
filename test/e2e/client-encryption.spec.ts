import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { WebSocketGateway } from '@nestjs/websockets';
import { ClientManager, WsRoute, type WsClient } from 'nestjs-pxl-websocket';
import { WebSocket } from 'ws';
import { webCryptoEncryption, type EncryptionSession } from '../../lib/client/encryption/index.js';
import { framesOf, RecordingProxy } from '../support/recording-proxy.js';
import { testsClients } from '../support/test-clients.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { until } from '../support/until.js';
import { WebCryptoPeer } from '../support/web-crypto-peer.js';

@WebSocketGateway()
class Gateway {
  @WsRoute('test', 'echo')
  echo(_client: WsClient, data: unknown): unknown {
    return data;
  }
}

let app: TestApp;

beforeEach(async () => {
  app = await startApp({ providers: [Gateway], options: { encryption: { required: true } } });
});
afterEach(() => app.close());

interface Frame {
  action: string;
  data: never;
}

/** The next frame of the socket. */
async function frameOf(socket: WebSocket): Promise<Frame> {
  const [data] = (await once(socket, 'message')) as [Buffer];
  return JSON.parse(data.toString()) as Frame;
}

describe('webCryptoEncryption in Node', () => {
  const encryption = webCryptoEncryption();

  /** A connection on which the keys are agreed on. */
  async function connect(): Promise<{ socket: WebSocket; session: EncryptionSession }> {
    const session = await encryption.offer();
    const socket = new WebSocket(`${app.url()}?publicKey=${session.publicKey}`, { perMessageDeflate: false });
    const { action, data } = await frameOf(socket);
    expect(action).toBe('connected');
    await session.agree(data);
    return { socket, session };
  }

  it('serves one connection after the other, each with keys of its own', async () => {
    const publicKeys = new Set<string>();
    for (let connection = 0; connection < 3; connection++) {
      const { socket, session } = await connect();
      publicKeys.add(session.publicKey);
      for (const text of ['first', 'é'.repeat(10_000), '']) {
        const data = await session.encrypt(JSON.stringify({ type: 'test', action: 'echo', data: text }));
        socket.send(JSON.stringify({ type: 'system', action: 'encrypted', data }));
        const [reply] = await session.decrypt((await frameOf(socket)).data);
        expect(JSON.parse(reply!)).toEqual({ type: 'test', action: 'echo', response: text });
      }
      socket.terminate();
    }
    expect(publicKeys.size).toBe(3);
  });

  it('refuses what is not the next frame of the server', async () => {
    const stranger = await WebCryptoPeer.create();
    const [client, server] = [await encryption.offer(), await encryption.offer()];
    const salt = 'A'.repeat(43);
    await client.agree({ serverPublicKey: server.publicKey, salt });
    await stranger.agree({ serverPublicKey: client.publicKey, salt });

    // Written as a client writes: another key than the one that the server's frames have.
    await expect(client.decrypt(await stranger.seal('text'))).rejects.toThrow();
    await expect(client.decrypt('')).rejects.toThrow('not the next one');
    await expect(client.decrypt('no base64url!')).rejects.toThrow();
  });

  it('says what is missing where there are no keys', async () => {
    const none = await encryption.offer();
    await expect(none.encrypt('text')).rejects.toThrow('No keys');
    await expect(none.decrypt('AAAAAAAAAAA')).rejects.toThrow('No keys');
    await expect(none.agree({ serverPublicKey: 'AAAA', salt: '' })).rejects.toThrow();
    await expect(none.encrypt('text')).rejects.toThrow('No keys');
  });

  it('never writes two frames with the same key and counter, whatever an exchange does that was given up', async () => {
    const server = await WebCryptoPeer.create();
    const answer = { serverPublicKey: server.publicKey, salt: 'A'.repeat(43) };
    const abandoned = await encryption.offer();
    const late = abandoned.agree(answer);
    const session = await encryption.offer();
    await session.agree(answer);
    const first = await session.encrypt('text');
    await late;
    const second = await session.encrypt('text');
    expect([first, second].map((frame) => Buffer.from(frame, 'base64url').readBigUInt64BE(0))).toEqual([0n, 1n]);
    // The keys of one exchange are agreed on once.
    await expect(session.agree(answer)).rejects.toThrow('already');
  });
});

describe('a client with webCryptoEncryption', () => {
  const newClient = testsClients();

  it('stops where there is no WebCrypto, as on a page that is not secure, and says so', async () => {
    const own = Object.getOwnPropertyDescriptor(globalThis, 'crypto');
    const { client, states } = newClient(app.url(), { encryption: webCryptoEncryption() });
    Object.defineProperty(globalThis, 'crypto', { value: undefined, configurable: true });
    try {
      await expect(client.connect()).rejects.toMatchObject({
        code: 'BAD_OPTION',
        message: expect.stringContaining('no WebCrypto'),
      });
    } finally {
      Object.defineProperty(globalThis, 'crypto', own ?? {});
    }
    expect(states).toEqual(['connecting', 'disconnected:1006']);
    await client.connect();
  });

  it('refuses what is too large when it is encrypted, and sends what just fits', async () => {
    const { client } = newClient(app.url(), { encryption: webCryptoEncryption() });
    const { limits } = await client.connect();
    const whole = (length: number): string =>
      JSON.stringify({ type: 'test', action: 'echo', data: 'x'.repeat(length), id: 1 });
    const around = '{"type":"system","action":"encrypted","data":""}'.length;
    let length = Math.floor(((limits!.maxPayload - around) / 4) * 3) - 24 - whole(0).length;
    expect(await client.request('test', 'echo', 'x'.repeat(length))).toHaveLength(length);
    length += 1;
    await expect(client.request('test', 'echo', 'x'.repeat(length))).rejects.toMatchObject({
      code: 'BAD_MESSAGE',
      message: expect.stringContaining(`the server takes ${limits!.maxPayload}.`),
    });
    expect(await client.request('test', 'echo', 1)).toBe(1);
  });

  it('reads what a turn sends it as one list, whatever stands in it', async () => {
    const proxy = await RecordingProxy.to(app.port);
    const { client } = newClient(proxy.url, { encryption: webCryptoEncryption() });
    const heard: unknown[] = [];
    client.onAny(({ data }) => heard.push(data));
    const { clientId } = await client.connect();
    const session = app.app.get(ClientManager).getClient({ clientId, requireWs: true })!;
    const texts = ['one', '\ufffd', '\ud800', 'é', 'five'];
    for (const data of texts) session.send({ type: 'n', action: 'm', data });
    await until(() => heard.length === texts.length);
    expect(heard).toEqual(texts);
    // The welcome, and one list.
    expect(framesOf(proxy.recordings[0]!.fromServer())).toHaveLength(2);
    await proxy.close();
  });

  it('that is disconnected at any moment of its exchange connects again, and is understood', async () => {
    const { client, errors } = newClient(app.url(), { encryption: webCryptoEncryption() });
    for (let turns = 0; turns < 40; turns++) {
      client.connect().catch(() => undefined);
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
      client.disconnect();
      await client.connect();
      expect(await client.request('test', 'echo', turns)).toBe(turns);
      client.disconnect();
    }
    expect(errors).toEqual([]);
  });
});
