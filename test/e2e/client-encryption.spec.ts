import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { WebSocketGateway } from '@nestjs/websockets';
import { WsRoute, type WsClient } from 'nestjs-pxl-websocket';
import { WebSocket } from 'ws';
import { webCryptoEncryption } from '../../lib/client/encryption/index.js';
import { startApp, type TestApp } from '../support/test-app.js';
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
  async function connect(): Promise<WebSocket> {
    const { publicKey } = await encryption.offer();
    const socket = new WebSocket(`${app.url()}?publicKey=${publicKey}`, { perMessageDeflate: false });
    const { action, data } = await frameOf(socket);
    expect(action).toBe('connected');
    await encryption.agree(data);
    return socket;
  }

  it('serves one connection after the other, each with keys of its own', async () => {
    const publicKeys = new Set<string>();
    for (let connection = 0; connection < 3; connection++) {
      const { publicKey } = await encryption.offer();
      publicKeys.add(publicKey);
      const socket = await connect();
      for (const text of ['first', 'é'.repeat(10_000), '']) {
        const data = await encryption.encrypt(JSON.stringify({ type: 'test', action: 'echo', data: text }));
        socket.send(JSON.stringify({ type: 'system', action: 'encrypted', data }));
        const reply = await encryption.decrypt((await frameOf(socket)).data);
        expect(JSON.parse(reply)).toEqual({ type: 'test', action: 'echo', response: text });
      }
      socket.terminate();
    }
    expect(publicKeys.size).toBe(3);
  });

  it('refuses what is not the next frame of the server', async () => {
    const [client, server, stranger] = [webCryptoEncryption(), webCryptoEncryption(), await WebCryptoPeer.create()];
    const salt = 'A'.repeat(43);
    const offers = [await client.offer(), await server.offer()];
    await client.agree({ serverPublicKey: offers[1]!.publicKey, salt });
    await stranger.agree({ serverPublicKey: offers[0]!.publicKey, salt });

    // Written as a client writes: another key than the one that the server's frames have.
    await expect(client.decrypt(await stranger.seal('text'))).rejects.toThrow();
    await expect(client.decrypt('')).rejects.toThrow('not the next one');
    await expect(client.decrypt('no base64url!')).rejects.toThrow();
  });

  it('says what is missing where there are no keys', async () => {
    const none = webCryptoEncryption();
    await expect(none.agree({ serverPublicKey: '', salt: '' })).rejects.toThrow('Nothing was offered');
    await expect(none.encrypt('text')).rejects.toThrow('No keys');
    await expect(none.decrypt('AAAAAAAAAAA')).rejects.toThrow();

    await none.offer();
    await expect(none.agree({ serverPublicKey: 'AAAA', salt: '' })).rejects.toThrow();
    await expect(none.encrypt('text')).rejects.toThrow('No keys');
  });
});
