import { beforeEach, describe, expect, it } from '@jest/globals';
import { WebSocketGateway } from '@nestjs/websockets';
import { ClientManager, WebSocketService, WsError, WsRoute, type WsClient } from 'nestjs-pxl-websocket';
import { of, type Observable } from 'rxjs';
import type { WebSocketClient } from '../../lib/client/index.js';
import { webCryptoEncryption } from '../../lib/client/encryption/index.js';
import { entered } from '../support/client-states.js';
import { startsOneApp, type TestApp } from '../support/test-app.js';
import { testsClients, type TestedClient } from '../support/test-clients.js';
import { until } from '../support/until.js';

const start = startsOneApp();
const newClient = testsClients();

@WebSocketGateway()
class Gateway {
  @WsRoute('test', 'echo')
  echo(_client: WsClient, data: unknown): unknown {
    return data;
  }

  @WsRoute('test', 'who')
  who(client: WsClient): unknown {
    return { userId: client.user?.userId ?? null, isEncrypted: client.encrypted };
  }

  @WsRoute('test', 'numbers')
  numbers(): Observable<number> {
    return of(1, 2, 3);
  }

  @WsRoute('test', 'refuse')
  refuse(): never {
    throw new WsError('FULL', 'No seat is left.');
  }
}

/** What differs; each is the server's default envelope and the client's. */
const KINDS = [
  ['pxl', true],
  ['event', true],
  ['event', false],
] as const;

describe.each(KINDS)('a client and a server of the library (%s, encrypted: %s)', (protocol, isEncrypted) => {
  let app: TestApp;
  let tested: TestedClient;
  let client: WebSocketClient;

  beforeEach(async () => {
    const encryption = isEncrypted && { required: true };
    const authenticate = ({ token }: { token?: string | undefined }) => (token ? { userId: token } : null);
    app = await start({
      providers: [Gateway],
      options: { protocol, encryption, rooms: { open: true }, auth: { authenticate, required: false } },
    });
    tested = connector();
    client = tested.client;
    await client.connect();
  });

  function connector(more: { tokenTo?: 'protocol' | 'query' } = {}): TestedClient {
    const encryption = isEncrypted ? webCryptoEncryption() : undefined;
    return newClient(app.url(), { protocol, encryption, getToken: () => more.tokenTo && 'ada', ...more });
  }

  const onServer = (): WsClient => app.app.get(ClientManager).getClients()[0] as WsClient;
  const isInRoom = (roomName: string): boolean => onServer().rooms.has(roomName);

  it('know each other, and whether they encrypt', async () => {
    expect(client.clientId).toBe(onServer().clientId);
    expect(await client.request('test', 'who')).toEqual({ userId: null, isEncrypted });
  });

  it.each(['protocol', 'query'] as const)('agree on a user whose token travels by %s', async (tokenTo) => {
    client.disconnect();
    const { client: ada } = connector({ tokenTo });
    await ada.connect();
    expect(await ada.request('test', 'who')).toEqual({ userId: 'ada', isEncrypted });
  });

  it('ask and answer: values, nothing, refusals, streams', async () => {
    for (const value of ['é', 5, [null], { a: { b: true } }, null]) {
      expect(await client.request('test', 'echo', value)).toEqual(value);
    }
    expect(await client.request('test', 'echo')).toBeNull();
    await expect(client.request('test', 'refuse')).rejects.toMatchObject({ code: 'FULL', message: 'No seat is left.' });
    await expect(client.request('no', 'such')).rejects.toMatchObject({ code: 'UNKNOWN_ROUTE' });
    const values: unknown[] = [];
    for await (const value of client.stream('test', 'numbers')) values.push(value);
    expect(values).toEqual([1, 2, 3]);
    client.send('test', 'refuse');
    await until(() => tested.errors.length === 1);
    expect(tested.errors).toEqual([expect.objectContaining({ code: 'FULL' })]);
  });

  it('hear each other in order, and the server asks too', async () => {
    const heard: unknown[] = [];
    client.on('news', 'flash', (data) => heard.push(data));
    client.handle('user', 'confirm', (data) => ({ confirmed: data }));
    const numbers = Array.from({ length: 50 }, (_, number) => number);
    for (const data of numbers) await app.app.get(WebSocketService).broadcast({ type: 'news', action: 'flash', data });
    expect(await onServer().call({ type: 'user', action: 'confirm', data: 7 })).toEqual({ confirmed: 7 });
    expect(heard).toEqual(numbers);
  });

  it('have rooms, and have them again after a reconnect', async () => {
    const heard: unknown[] = [];
    client.on('news', 'tea', (data) => heard.push(data));
    await client.join('tea');
    await client.join('left');
    await client.leave('left');
    await expect(client.join('x'.repeat(500))).rejects.toMatchObject({ code: 'INVALID_ROOM' });
    onServer().close(4000);
    await until(() => tested.states.includes('reconnecting:4000') && client.state === 'connected');
    await until(() => isInRoom('tea'));
    expect(isInRoom('left')).toBe(false);
    await app.app.get(WebSocketService).sendToRooms(['tea', 'left'], { type: 'news', action: 'tea', data: 'hot' });
    await until(() => heard.length === 1);
    expect(await client.request('test', 'who')).toEqual({ userId: null, isEncrypted });
  });

  it('go on with what was sent while the connection was away', async () => {
    onServer().close(4000);
    await entered(client, 'reconnecting');
    expect(await client.request('test', 'echo', 'later')).toBe('later');
  });
});

describe.each(KINDS)('where clients authenticate by message (%s, encrypted: %s)', (protocol, isEncrypted) => {
  it('the exchange of keys goes with the token, and comes again with each connection', async () => {
    const app = await start({
      providers: [Gateway],
      options: {
        protocol,
        encryption: isEncrypted && { required: true },
        auth: { mode: 'message', authenticate: ({ token }) => (token ? { userId: token } : null) },
      },
    });
    const encryption = isEncrypted ? webCryptoEncryption() : undefined;
    const options = { protocol, encryption, getToken: () => 'ada', tokenTo: 'message' } as const;
    const { client } = newClient(app.url(), options);
    for (let connection = 0; connection < 3; connection++) {
      await client.connect();
      expect(await client.request('test', 'who')).toEqual({ userId: 'ada', isEncrypted });
      client.disconnect();
    }
  });
});
