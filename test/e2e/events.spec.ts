import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocketGateway } from '@nestjs/websockets';
import { PxlWebSocketServer, RoomManager, WsClient, WsRoute, type WsEventOptions } from 'nestjs-pxl-websocket';
import { WebSocket, WebSocketServer as WsServer } from 'ws';
import { Diary } from '../support/diary.js';
import { Gate } from '../support/gate.js';
import { Logbook } from '../support/logbook.js';
import { PLATFORMS, startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';

let app: TestApp;
let diary: Diary;
const logbook = new Logbook();

@WebSocketGateway()
class EchoGateway {
  @WsRoute('echo', 'say')
  say(_client: WsClient, data: unknown): unknown {
    diary.write('handled');
    return data;
  }
}

async function start(events: WsEventOptions, rest: TestAppOptions = {}): Promise<void> {
  diary = new Diary();
  logbook.lines.length = 0;
  app = await startApp({ logger: logbook, ...rest, options: { events }, providers: [EchoGateway] });
}

afterEach(() => app.close());

describe.each(PLATFORMS)('events on %s', (platform) => {
  it('onServerStarted gets the ws server and the facade, and the start waits for it', async () => {
    const gate = new Gate();
    let isStarted = false;
    const starting = start(
      {
        async onServerStarted({ webSocketServer, server }) {
          expect(webSocketServer).toBeInstanceOf(WsServer);
          expect(server).toBeInstanceOf(PxlWebSocketServer);
          diary.write('starting');
          await gate.passed;
          isStarted = true;
        },
      },
      { platform },
    );
    void starting.then(() => diary.write(`listening, isStarted: ${isStarted}`));
    await diary.until('starting');
    gate.open();
    await starting;
    await diary.until('listening, isStarted: true');
  });

  it('onConnected gets the socket, the client, its id and joinRoom, which has joined when it resolves', async () => {
    await start(
      {
        async onConnected({ ws, client, clientId, joinRoom }) {
          expect(client).toBeInstanceOf(WsClient);
          expect(client.ws).toBe(ws);
          expect(ws).toBeInstanceOf(WebSocket);
          diary.write(`${await joinRoom({ roomName: 'lobby', username: 'Ada' })} ${clientId === client.clientId}`);
        },
      },
      { platform },
    );
    const { clientId } = await app.client();
    await diary.until('true true');
    expect(app.app.get(RoomManager).getRoomClients({ roomName: 'lobby' })).toEqual([clientId]);
  });

  it('onDisconnected gets the client, its id, code and reason', async () => {
    await start(
      {
        onDisconnected({ client, clientId, code, reason }) {
          diary.write(`${client.clientId === clientId} ${client.state} ${code} ${reason}`);
        },
      },
      { platform },
    );
    const client = await app.client();
    client.socket.close(4242, 'enough');
    await diary.until('true disconnected 4242 enough');
  });

  it('onMessage gets the whole message of every kind, before its handler runs', async () => {
    await start(
      {
        onMessage({ ws, client, clientId, data, redis, redisInstance }) {
          const isComplete = ws === client.ws && redis === null && redisInstance === null;
          diary.write(`${isComplete} ${clientId === client.clientId} ${JSON.stringify(data)}`);
        },
      },
      { platform },
    );
    const client = await app.client();
    client.send({ type: 'echo', action: 'say', data: { deep: [1] }, id: 7, more: 'fields' });
    await client.next('echo', 'say');
    client.send({ type: 'nobody', action: 'knows' });
    await client.next('error');
    expect(diary.entries).toEqual([
      'true true {"type":"echo","action":"say","data":{"deep":[1]},"id":7,"more":"fields"}',
      'handled',
      'true true {"type":"nobody","action":"knows"}',
    ]);
  });
});

describe('events.onMessage', () => {
  it('is not told of what is no message', async () => {
    await start({ onMessage: ({ data }) => diary.write(JSON.stringify(data)) });
    const client = await app.client();
    client.send('no json');
    await client.next('error');
    expect(diary.entries).toEqual([]);
  });

  it('is not waited for by the handler', async () => {
    await start({ onMessage: () => new Promise(() => undefined) });
    expect(await (await app.client()).request('echo', 'say', 1)).toBe(1);
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('no ink');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no ink'))],
  ])('that %s is reported, and the message is handled', async (_how, onMessage) => {
    await start({ onMessage, onError: ({ error, clientId }) => diary.write(`${clientId} ${error.message}`) });
    const client = await app.client();
    expect(await client.request('echo', 'say', 1)).toBe(1);
    await diary.until(`${client.clientId} no ink`);
    expect(logbook.of('error')).toEqual(['events.onMessage failed. no ink']);
  });
});

describe('events.onConnected', () => {
  it('that fails costs the connection', async () => {
    await start({
      onConnected: () => Promise.reject(new Error('no seat')),
      onError: ({ error }) => diary.write(error.message),
    });
    expect((await (await app.client()).closed).code).toBe(1011);
    await diary.until('no seat');
    expect(logbook.of('error')).toEqual(['events.onConnected failed. no seat']);
  });

  it('is waited for by the first message', async () => {
    const gate = new Gate();
    await start({ onConnected: () => gate.passed.then(() => diary.write('connected')) });
    const client = await app.client();
    client.send({ type: 'echo', action: 'say', data: 1 });
    await client.expectNothing(30);
    gate.open();
    await client.next('echo', 'say');
    expect(diary.entries).toEqual(['connected', 'handled']);
  });
});

describe('events.onDisconnected', () => {
  it('that fails is reported, and harms nobody', async () => {
    await start({
      onDisconnected: () => Promise.reject(new Error('no door')),
      onError: ({ error, clientId }) => diary.write(`${clientId} ${error.message}`),
    });
    const [leaving, staying] = [await app.client(), await app.client()];
    await leaving.close();
    await diary.until(`${leaving.clientId} no door`);
    expect(await staying.request('echo', 'say', 1)).toBe(1);
  });
});

describe('events.onError', () => {
  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('no phone');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no phone'))],
  ])('that itself %s is logged, and that is all', async (_how, fail) => {
    await start({
      onMessage: () => Promise.reject(new Error('no ink')),
      onError: () => {
        diary.write('told');
        return fail();
      },
    });
    const client = await app.client();
    expect(await client.request('echo', 'say', 1)).toBe(1);
    await diary.until('told');
    expect(await client.request('echo', 'say', 2)).toBe(2);
    expect(logbook.of('error').filter((line) => line.startsWith('events.onError itself failed.'))).toHaveLength(2);
  });
});

describe('The methods of an events object', () => {
  it('keep their this', async () => {
    class Events implements WsEventOptions {
      readonly #greeting = 'hello';

      onConnected(): void {
        diary.write(this.#greeting);
      }
    }
    await start(new Events());
    await app.client();
    await diary.until('hello');
  });
});
