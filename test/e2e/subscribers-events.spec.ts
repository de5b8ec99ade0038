import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  ClientManager,
  PxlWebSocketServer,
  WebSocketRedisSubscriberEvent,
  WebSocketService,
  type PxlWebSocketModuleOptions,
} from 'nestjs-pxl-websocket';
import { Diary } from '../support/diary.js';
import { refused } from '../support/refused.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { until } from '../support/until.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

/** Everything that is told, in order, beside the library's own words for it. */
let told: { channel: string; message: unknown }[];
let diary: Diary;
let app: TestApp;

async function start(options: PxlWebSocketModuleOptions = {}): Promise<void> {
  told = [];
  diary = new Diary();
  const handle = ({ channel, message }: { channel: string; message: unknown }): void => {
    told.push({ channel, message });
    diary.write(channel);
  };
  app = await startApp({
    options: { auth: { authenticate: urlIdentity }, ...options, subscribers: [{ channel: '*', handle }] },
  });
}

/** What was told, once the last of it has been. */
async function toldUntil(last: string): Promise<typeof told> {
  await diary.until(last);
  return told;
}

beforeEach(() => start());
afterEach(() => app.close());

describe('Subscribers hear of', () => {
  it('a client that connects, of its rooms, of its end with code and reason, and of its user', async () => {
    const client = await connectAs(app, { userId: '7' });
    const { clientId } = client;
    const side = app.app.get(ClientManager).getClient({ clientId, requireWs: true })!;
    const { workerId, connectedAt } = side;
    await side.join('tea');
    await side.join('chess');
    side.leave('tea');
    client.socket.close(4242, 'enough');
    const about = { clientId, workerId };
    expect(await toldUntil('userDisconnected')).toEqual([
      { channel: 'clientConnected', message: { ...about, userId: '7', connectedAt } },
      { channel: 'userConnected', message: { userId: '7' } },
      { channel: 'clientJoinedRoom', message: { ...about, userId: '7', roomName: 'tea' } },
      { channel: 'clientJoinedRoom', message: { ...about, userId: '7', roomName: 'chess' } },
      { channel: 'clientLeftRoom', message: { ...about, userId: '7', roomName: 'tea' } },
      { channel: 'clientLeftRoom', message: { ...about, userId: '7', roomName: 'chess' } },
      { channel: 'clientDisconnected', message: { ...about, userId: '7', code: 4242, reason: 'enough' } },
      { channel: 'userDisconnected', message: { userId: '7' } },
    ]);
  });

  it("a user's first session and the end of the last one, and of no other", async () => {
    const first = await connectAs(app, { userId: '7' });
    const second = await connectAs(app, { userId: '7' });
    const other = await connectAs(app, { userId: '8' });
    for (const client of [first, second, other]) await client.close();
    await until(() => told.filter(({ channel }) => channel === 'userDisconnected').length === 2);
    const users = told.filter(({ channel }) => channel.startsWith('user'));
    expect(users).toEqual([
      { channel: 'userConnected', message: { userId: '7' } },
      { channel: 'userConnected', message: { userId: '8' } },
      { channel: 'userDisconnected', message: { userId: '7' } },
      { channel: 'userDisconnected', message: { userId: '8' } },
    ]);
  });

  it('an anonymous client without a user, and of the user that it becomes', async () => {
    const { clientId } = await app.client();
    expect(await app.app.get(PxlWebSocketServer).joinRoom({ clientId, roomName: 'tea', userId: 9 })).toBe(true);
    await toldUntil('clientJoinedRoom');
    expect(told.map(({ channel, message }) => [channel, (message as { userId?: string }).userId])).toEqual([
      ['clientConnected', undefined],
      ['userConnected', '9'],
      ['clientJoinedRoom', '9'],
    ]);
  });

  it('the end of a user whose type the application has told: there is still one session', async () => {
    const client = await connectAs(app, { userId: '9' });
    const join = { clientId: client.clientId, roomName: 'tea', userId: 9, userType: 'member' };
    expect(await app.app.get(PxlWebSocketServer).joinRoom(join)).toBe(true);
    await client.close();
    await toldUntil('userDisconnected');
    expect(told.filter(({ channel }) => channel.startsWith('user'))).toEqual([
      { channel: 'userConnected', message: { userId: '9' } },
      { channel: 'userDisconnected', message: { userId: '9' } },
    ]);
  });

  it("a change of a client's metadata", async () => {
    const { clientId } = await app.client();
    const clients = app.app.get(ClientManager);
    const { workerId } = clients.getClient({ clientId, requireWs: true })!;
    clients.updateClient({ clientId, key: 'theme', data: { dark: true } });
    clients.updateClient({ clientId: 'unknown', key: 'theme', data: 1 });
    expect(() => clients.updateClient({ clientId, key: '__proto__', data: 1 })).toThrow(refused());
    await app.app.get(WebSocketService).publish('end', 0);
    expect((await toldUntil('end')).slice(1)).toEqual([
      { channel: 'clientUpdated', message: { clientId, workerId, key: 'theme', data: { dark: true } } },
      { channel: 'end', message: 0 },
    ]);
  });

  it('the verb disconnectClient, whether the client is known or not, and not of one with a wrong code', async () => {
    const { clientId } = await app.client();
    const clients = app.app.get(ClientManager);
    clients.disconnectClient({ clientId, code: 4999, reason: 'bye' });
    clients.disconnectClient({ clientId: 'unknown' });
    expect(() => clients.disconnectClient({ clientId, code: 1001 })).toThrow(refused());
    await toldUntil('clientDisconnected');
    expect(told.filter(({ channel }) => channel === 'disconnectClient').map(({ message }) => message)).toEqual([
      { clientId, code: 4999, reason: 'bye' },
      { clientId: 'unknown' },
    ]);
  });

  it('the verb sendMessageToAll, which reaches clients too', async () => {
    const client = await app.client();
    const data = { type: 'news', action: 'flash', data: 1 };
    app.app.get(PxlWebSocketServer).sendMessageToAll({ data });
    expect(await client.next()).toEqual(data);
    expect((await toldUntil('sendMessageToAll')).at(-1)).toEqual({ channel: 'sendMessageToAll', message: data });
  });

  it('the verb sendMessageError, which reaches its client too', async () => {
    const client = await app.client();
    const failed = { webSocketClientId: client.clientId, error: 'Declined.' };
    app.app.get(PxlWebSocketServer).sendMessageError(failed);
    expect((await client.next('error')).data).toMatchObject({ error: 'Declined.' });
    expect((await toldUntil('messageError')).at(-1)).toEqual({ channel: 'messageError', message: failed });
  });

  it('the sends of one worker to its own clients, and other sends, nothing', async () => {
    const client = await app.client();
    const { local } = app.app.get(PxlWebSocketServer);
    const data = { type: 'news', action: 'flash' };
    local.sendMessageToAll({ data });
    local.sendMessageError({ webSocketClientId: client.clientId, error: 'Declined.' });
    app.app.get(PxlWebSocketServer).broadcastToAllClients({ data });
    await app.app.get(WebSocketService).broadcast(data);
    await app.app.get(WebSocketService).publish('end', 0);
    expect((await toldUntil('end')).map(({ channel }) => channel)).toEqual(['clientConnected', 'end']);
  });

  it.each<[string, (clients: ClientManager, clientId: string) => void, number]>([
    ['removed', (clients, clientId) => clients.removeClient(clientId), 4506],
    ['cleaned up', (clients) => clients.cleanup(), 1001],
  ])('the end of a client that is %s, once', async (_how, end, code) => {
    const client = await app.client();
    end(app.app.get(ClientManager), client.clientId);
    await client.closed;
    await app.app.get(WebSocketService).publish('end', 0);
    await toldUntil('end');
    const ends = told.filter(({ channel }) => channel === 'clientDisconnected');
    expect(ends.map(({ message }) => (message as { code: number }).code)).toEqual([code]);
  });
});

describe('A message without a JSON form', () => {
  it('throws at sendMessageToAll, and neither clients nor subscribers hear of it', async () => {
    const client = await app.client();
    expect(() => app.app.get(PxlWebSocketServer).sendMessageToAll({ data: undefined })).toThrow(refused());
    await app.app.get(WebSocketService).publish('end', 0);
    expect((await toldUntil('end')).map(({ channel }) => channel)).toEqual(['clientConnected', 'end']);
    await client.expectNothing(30);
  });
});

describe('WebSocketRedisSubscriberEvent', () => {
  it('has the names of PXL, and those of users, metadata and rooms with presence', () => {
    expect(WebSocketRedisSubscriberEvent).toEqual({
      ClientConnected: 'clientConnected',
      ClientDisconnected: 'clientDisconnected',
      ClientJoinedRoom: 'clientJoinedRoom',
      ClientLeftRoom: 'clientLeftRoom',
      ClientUpdated: 'clientUpdated',
      UserConnected: 'userConnected',
      UserDisconnected: 'userDisconnected',
      RoomOccupied: 'roomOccupied',
      RoomVacated: 'roomVacated',
      PresenceJoined: 'presenceJoined',
      PresenceLeft: 'presenceLeft',
      DisconnectClient: 'disconnectClient',
      SendMessage: 'sendMessage',
      SendMessageToAll: 'sendMessageToAll',
      MessageError: 'messageError',
      QueueJobCompleted: 'queueJobCompleted',
      QueueJobError: 'queueJobError',
      QueueJobProgress: 'queueJobProgress',
      Custom: 'custom',
    });
  });
});
