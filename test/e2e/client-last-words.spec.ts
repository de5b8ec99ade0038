import { describe, expect, it } from '@jest/globals';
import { WebSocketGateway } from '@nestjs/websockets';
import {
  PxlWebSocketClientModule,
  WebSocketClientController,
  WebSocketService,
  WsRoute,
  type WsClient,
} from 'nestjs-pxl-websocket';
import type { ClientEncryption, WebSocketClientOptions } from '../../lib/client/index.js';
import { encryptedSocket, webCryptoEncryption } from '../../lib/client/encryption/index.js';
import { Diary } from '../support/diary.js';
import { Gate } from '../support/gate.js';
import { startApp, startsOneApp, type TestApp } from '../support/test-app.js';
import { testsClients } from '../support/test-clients.js';
import { until } from '../support/until.js';

const COUNT = 50;
const numbers = Array.from({ length: COUNT }, (_, number) => number);
const newClient = testsClients();
const start = startsOneApp();

@WebSocketGateway()
class Gateway {
  readonly heard: unknown[] = [];

  @WsRoute('test', 'note')
  note(_client: WsClient, data: unknown): void {
    this.heard.push(data);
  }

  /** Says a lot, answers, and closes. */
  @WsRoute('test', 'farewell')
  farewell(client: WsClient): string {
    for (const data of numbers) client.send({ type: 'a', action: 'b', data });
    setImmediate(() => client.close(4500, 'enough'));
    return 'bye';
  }
}

/** A server whose clients encrypt, or none of them does. */
async function startServer(protocol: 'pxl' | 'event', isEncrypted: boolean): Promise<TestApp> {
  return start({ providers: [Gateway], options: { protocol, encryption: isEncrypted && { required: true } } });
}

function optionsOf(protocol: 'pxl' | 'event', isEncrypted: boolean): Partial<WebSocketClientOptions> {
  return { protocol, encryption: isEncrypted ? webCryptoEncryption() : undefined };
}

describe.each([
  ['pxl', false],
  ['pxl', true],
  ['event', false],
  ['event', true],
] as const)('the last words between a client and its server (%s, encrypted: %s)', (protocol, isEncrypted) => {
  it('of the client arrive, also where it connects again at once', async () => {
    const app = await startServer(protocol, isEncrypted);
    const { client } = newClient(app.url(), optionsOf(protocol, isEncrypted));
    const { heard } = app.app.get(Gateway);
    for (const isLast of [false, true]) {
      await client.connect();
      for (const number of numbers) client.send('test', 'note', number);
      client.disconnect();
      if (!isLast) client.connect().catch(() => undefined);
    }
    await until(() => heard.length === 2 * COUNT);
    expect([...heard].sort()).toEqual([...numbers, ...numbers].sort());
  });

  it('of the server are heard before the close, an answer too', async () => {
    const app = await startServer(protocol, isEncrypted);
    const { client, changes } = newClient(app.url(), optionsOf(protocol, isEncrypted));
    const heard: unknown[] = [];
    client.on('a', 'b', (data) => heard.push(data));
    client.onState(({ state }) => heard.push(state));
    await client.connect();
    expect(await client.request('test', 'farewell')).toBe('bye');
    await until(() => client.state === 'disconnected');
    expect(heard).toEqual(['connecting', 'connected', ...numbers, 'disconnected']);
    expect(changes.at(-1)).toMatchObject({ code: 4500, reason: 'enough' });
  });
});

/** Encrypts late, and tells how much of it is under way. */
class LateEncryption implements ClientEncryption {
  running = 0;
  readonly over = encryptedSocket;

  async offer() {
    const session = await webCryptoEncryption().offer();
    const encrypt = async (text: string): Promise<string> => {
      this.running++;
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      this.running--;
      return session.encrypt(text);
    };
    return {
      publicKey: session.publicKey,
      agree: (answer: Parameters<typeof session.agree>[0]) => session.agree(answer),
      encrypt,
      decrypt: (data: string) => session.decrypt(data),
    };
  }
}

describe('a client of an application that ends, with encryption', () => {
  it('has sent the answers of its handlers when the application has closed', async () => {
    const server = await startServer('pxl', true);
    const diary = new Diary();
    const gate = new Gate<string>();
    @WebSocketClientController()
    class Slow {
      @WsRoute('slow', 'question')
      question(): Promise<string> {
        diary.write('asked');
        return gate.passed;
      }
    }
    const encryption = new LateEncryption();
    const options = { url: server.url(), waitForConnection: 15_000, encryption };
    const { close } = await startApp({
      options: false,
      imports: [PxlWebSocketClientModule.forRoot(options)],
      providers: [Slow],
    });
    const [client] = (await server.app.get(WebSocketService).fetchClients()).clients as WsClient[];
    const answer = client!.call({ type: 'slow', action: 'question' });
    await diary.until('asked');
    const closed = close();
    gate.open('at last');
    await closed;
    expect(encryption.running).toBe(0);
    expect(await answer).toBe('at last');
  });
});
