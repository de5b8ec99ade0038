import { createSecretKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WebSocketGateway } from '@nestjs/websockets';
import { WebSocketService, WsRoute, type WsClient, type WsCredentials } from 'nestjs-pxl-websocket';
import { AesGcmCipher } from '../../lib/encryption/aes-gcm.cipher.js';
import { ClearFrames, framesOfEach, framesOfLists } from '../../lib/encryption/clear-frames.js';
import { pxlCodec } from '../../lib/protocol/pxl.codec.js';
import { EncryptedClient, type CodecName, type EncryptedClientOptions } from '../support/encrypted-client.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { encryptionHeadings, protocolFrom } from './headings.js';

@WebSocketGateway()
class ConformanceGateway {
  @WsRoute('test', 'echo')
  echo(_client: WsClient, data: unknown): unknown {
    return data;
  }
}

const authenticate = ({ data, request }: WsCredentials): { userId: string } | null =>
  data !== undefined || request.url.includes('user=ada') ? { userId: 'ada' } : null;

let optional: TestApp;
let required: TestApp;
let impatient: TestApp;
const clients: EncryptedClient[] = [];

beforeAll(async () => {
  const auth = { authenticate, mode: 'either' as const, required: false };
  const providers = [ConformanceGateway];
  optional = await startApp({ providers, options: { auth, encryption: true } });
  required = await startApp({ providers, options: { auth, encryption: { required: true } } });
  impatient = await startApp({ options: { auth: { ...auth, timeout: 50 }, encryption: { required: true } } });
});
afterAll(async () => {
  await optional.close();
  await required.close();
  await impatient.close();
  for (const { socket } of clients) socket.terminate();
});

async function client(options?: EncryptedClientOptions, url = optional.url()): Promise<EncryptedClient> {
  const connected = await EncryptedClient.connect(url, options);
  clients.push(connected);
  return connected;
}

/** A connection without a key where one is required. */
function open(codec: CodecName, path?: string): Promise<TestClient> {
  return TestClient.open(required.url(path), { protocols: [codec] });
}

const echo = { type: 'test', action: 'echo', data: 'text', id: 1 };

/** What each heading of the part about encryption promises. */
const promises: Record<string, () => Promise<void>> = {
  async Encryption() {
    const plain = await TestClient.connect(optional.url());
    expect(await plain.request('test', 'echo', 1)).toBe(1);
    const [refused, ofEvent] = [await open('pxl.v1', '/ws?user=ada'), await open('event.v1', '/ws?user=ada')];
    refused.send({ type: 'system', action: 'authenticate', data: {} });
    ofEvent.send({ event: 'authenticate', data: {} });
    for (const { closed } of [refused, ofEvent]) expect((await closed).code).toBe(4004);
  },

  async 'Exchange of keys'() {
    for (const codec of ['pxl.v1', 'event.v1'] as const) {
      for (const place of [{}, { inQuery: true }]) expect((await client({ codec, ...place })).clear).toHaveLength(1);
      const later = await client({ codec, authenticate: {} });
      expect(later.clear).toHaveLength(2);
      const reply = await later.next(({ id }) => id === 'auth');
      expect(reply.response ?? reply.data).toEqual({ userId: 'ada' });
      const keys = {
        serverPublicKey: expect.stringMatching(/^[\w-]{87}$/),
        salt: expect.stringMatching(/^[\w-]{43}$/),
      };
      expect(later.clear[1]).toMatchObject({ data: { userId: 'ada', ...keys } });
      expect(later.clear[1]).toMatchObject(
        codec === 'pxl.v1' ? { type: 'system', action: 'connected' } : { event: 'connected' },
      );
      expect((await client({ codec, authenticate: {} }, required.url())).clear).toHaveLength(1);
    }
    const ofUpgrade = await client({ codec: 'event.v1', authenticate: {} }, required.url('/ws?user=ada'));
    expect(ofUpgrade.clear).toHaveLength(1);
    const bad = await TestClient.open(optional.url('/ws?publicKey=bad'));
    expect(await bad.next('error')).toMatchObject({ data: { code: 'BAD_MESSAGE' } });
    expect((await bad.closed).code).toBe(4004);
    const none = await open('pxl.v1');
    none.send({ type: 'system', action: 'authenticate', data: {} });
    expect(await none.next('error')).toMatchObject({ data: { code: 'FORBIDDEN' } });
    expect((await none.closed).code).toBe(4004);
    const [badOfEvent, noneOfEvent] = [await open('event.v1'), await open('event.v1')];
    badOfEvent.send({ event: 'authenticate', data: { publicKey: 'bad' } });
    noneOfEvent.send({ event: 'authenticate', data: {} });
    expect(await badOfEvent.next()).toMatchObject({ event: 'error', data: { code: 'BAD_MESSAGE' } });
    expect(await noneOfEvent.next()).toMatchObject({ event: 'error', data: { code: 'FORBIDDEN' } });
    for (const { closed } of [badOfEvent, noneOfEvent]) expect((await closed).code).toBe(4004);
    const silent = await TestClient.open(impatient.url(), { protocols: ['event.v1'] });
    expect((await silent.closed).code).toBe(4004);
  },

  async 'Keys and frames'() {
    for (const codec of ['pxl.v1', 'event.v1'] as const) {
      const someone = await client({ codec });
      await optional.app.get(WebSocketService).sendToClients([someone.clientId], { type: 'n', action: 'm', data: 1 });
      const push = codec === 'pxl.v1' ? { type: 'n', action: 'm' } : { event: 'n:m' };
      expect(await someone.next()).toEqual({ ...push, data: 1 });
      const frame = await someone.seal(codec === 'pxl.v1' ? echo : { event: 'test:echo', data: 'text', id: 1 });
      someone.sendClear(frame);
      expect(await someone.next()).toMatchObject({ id: 1 });
      someone.sendClear(frame);
      expect((await someone.closed).code).toBe(1008);
    }
    const clear = await client();
    clear.sendClear(echo);
    expect((await clear.closed).code).toBe(1008);
  },

  async 'Sealed lists'() {
    const service = optional.app.get(WebSocketService);
    const send = (to: EncryptedClient, ...texts: string[]): void => {
      for (const data of texts) void service.sendToClients([to.clientId], { type: 'n', action: 'm', data });
    };
    const long = 'é'.repeat(9_000);
    for (const codec of ['pxl.v1', 'event.v1'] as const) {
      for (const place of [{}, { inQuery: true }, { authenticate: {} }]) {
        const reader = await client({ codec, ...place, sealed: 'lists' });
        if ('authenticate' in place) {
          await reader.next(({ id }) => id === 'auth');
          if (codec === 'pxl.v1') await reader.next(({ action }) => action === 'authenticated');
        }
        const before = reader.sealed.length;
        send(reader, 'one', 'two \ufffd', '', long, 'x'.repeat(12_000), 'three');
        const messages = await reader.take(6);
        expect(messages.map(({ data }) => data)).toEqual(['one', 'two \ufffd', '', long, 'x'.repeat(12_000), 'three']);
        const [list, ...others] = reader.sealed.slice(before);
        expect(others).toHaveLength(3);
        expect(list!.length).toBeLessThan(16_384);
      }
      const other = await client({ codec, sealed: 'list' });
      send(other, 'one', 'two');
      expect((await other.take(2)).map(({ data }) => data)).toEqual(['one', 'two']);
      expect(other.sealed).toHaveLength(2);
    }
  },

  async 'Encryption example'() {
    const example = protocolFrom('Encryption example');
    const value = (name: string): string => new RegExp(`^${name} +([\\w-]+)$`, 'm').exec(example)![1]!;
    const bytes = (name: string): Buffer => Buffer.from(value(name), 'base64url');
    const { subtle } = globalThis.crypto;
    const sides = ['client', 'server'] as const;
    const point = (side: string): Buffer => bytes(`${side}'s public key`);
    const curve = { name: 'ECDH', namedCurve: 'P-256' };
    for (const [side, other] of [sides, sides.toReversed()] as [string, string][]) {
      const [x, y] = [point(side).subarray(1, 33), point(side).subarray(33)].map((part) => part.toString('base64url'));
      const jwk = { kty: 'EC', crv: 'P-256', x, y, d: value(`${side}'s private key`) };
      const privateKey = await subtle.importKey('jwk', jwk, curve, false, ['deriveBits']);
      const publicKey = await subtle.importKey('raw', point(other), curve, false, []);
      const secret = await subtle.deriveBits({ name: 'ECDH', public: publicKey }, privateKey, 256);
      expect(Buffer.from(secret)).toEqual(bytes('shared secret'));
      const master = await subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits']);
      const info = Buffer.from(`pxl.v1 ${side}`);
      const derivation = { name: 'HKDF', hash: 'SHA-256', salt: bytes('salt'), info };
      expect(Buffer.from(await subtle.deriveBits(derivation, master, 256))).toEqual(bytes(`${side}'s AES key`));
    }
    const [ofClient, ofServer] = sides.map((side) => createSecretKey(bytes(`${side}'s AES key`)));
    const [client, server] = [
      new AesGcmCipher(pxlCodec, ofClient!, ofServer!, new ClearFrames(framesOfEach)),
      new AesGcmCipher(pxlCodec, ofServer!, ofClient!, new ClearFrames(framesOfLists)),
    ];
    const frames = [...example.matchAll(/((?:^[→←] \{.+\}\n)+) {2}(\{.+\})$/gm)];
    expect(frames).toHaveLength(4);
    for (const [, lines, encrypted] of frames) {
      const texts = lines!
        .trimEnd()
        .split('\n')
        .map((line) => line.slice(2));
      const [writer, reader] = lines!.startsWith('→') ? [client, server] : [server, client];
      expect(writer.sealAll(texts)).toEqual([encrypted]);
      // The server's own reader takes no lists, as clients write none.
      const { data } = JSON.parse(encrypted!) as { data: string };
      expect(reader.open(data)).toBe(texts.length === 1 ? texts[0] : texts.join('\ufffd'));
    }
    expect(frames.at(-1)?.[1]?.trimEnd().split('\n')).toHaveLength(2);
  },
};

describe('PROTOCOL.md, encryption', () => {
  it.each(encryptionHeadings())('%s', async (heading) => {
    await promises[heading]?.();
  });

  it('has a test for every heading, and a heading for every test', () => {
    expect(Object.keys(promises).sort()).toEqual([...encryptionHeadings()].sort());
  });
});
