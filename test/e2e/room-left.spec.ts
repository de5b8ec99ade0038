import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocketGateway } from '@nestjs/websockets';
import {
  PxlWebSocketServer,
  RoomManager,
  WebSocketService,
  WsRoute,
  type PxlWebSocketModuleOptions,
  type WsClient,
} from 'nestjs-pxl-websocket';
import { EncryptedClient } from '../support/encrypted-client.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

@WebSocketGateway()
class Gateway {
  @WsRoute('test', 'leave')
  leave(client: WsClient, roomName: string): string {
    client.leave(roomName);
    return 'done';
  }
}

let app: TestApp;
afterEach(() => app.close());

async function start(options: PxlWebSocketModuleOptions = {}): Promise<void> {
  const { rooms, ...others } = options;
  app = await startApp({
    providers: [Gateway],
    options: { auth: { authenticate: urlIdentity }, ...others, rooms: { open: true, ...rooms } },
  });
}

async function member(...rooms: string[]): Promise<TestClient> {
  const client = await connectAs(app, { userId: 'ada' });
  for (const roomName of rooms) await client.join(roomName);
  return client;
}

const left = (roomName: string, reason: string): object => ({
  type: 'room',
  action: 'left',
  data: { roomName, reason },
});

describe('a client that the server takes out of a room is told so', () => {
  it.each<[string, (client: TestClient) => unknown]>([
    ['WebSocketService.leaveRooms', ({ clientId }) => service().leaveRooms({ clientIds: [clientId], rooms: ['tea'] })],
    ['leaveRooms of a user', () => service().leaveRooms({ userIds: ['ada'], rooms: ['tea', 'unknown'] })],
    ['PxlWebSocketServer.leaveRoom', ({ clientId }) => server().leaveRoom({ clientId, roomName: 'tea' })],
    [
      'RoomManager.removeClientFromRoom',
      ({ clientId }) => manager().removeClientFromRoom({ clientId, roomName: 'tea' }),
    ],
    ['RoomManager.removeClientFromAllRooms', ({ clientId }) => manager().removeClientFromAllRooms({ clientId })],
    ['RoomManager.cleanup', () => manager().cleanup()],
    ['WsClient.leave', (client) => client.request('test', 'leave', 'tea')],
  ])('by %s, once', async (_what, remove) => {
    await start();
    const ada = await member('tea');
    await remove(ada);
    expect(await ada.next()).toEqual(left('tea', 'removed'));
    await service().leaveRooms({ clientIds: [ada.clientId], rooms: ['tea'] });
    await ada.expectNothing(20);
  });

  it('of each room', async () => {
    await start();
    const ada = await member('tea', 'coffee');
    manager().removeClientFromAllRooms(ada);
    expect([await ada.next(), await ada.next()]).toEqual([left('tea', 'removed'), left('coffee', 'removed')]);
  });

  it('behind what was sent to the room before, and gets nothing of the room behind it', async () => {
    await start();
    const ada = await member('tea');
    void service().sendToRooms(['tea'], { event: 'before' });
    manager().removeClientFromRoom({ clientId: ada.clientId, roomName: 'tea' });
    void service().sendToRooms(['tea'], { event: 'after' });
    expect([await ada.next(), await ada.next()]).toEqual([{ type: 'event', action: 'before' }, left('tea', 'removed')]);
    await ada.expectNothing(20);
  });

  it('in one-room mode, before the answer to the join of the room that takes its place', async () => {
    await start({ rooms: { clientCanJoinMultipleRooms: false, defaults: ['all'] } });
    const ada = await member('tea');
    ada.send({ type: 'system', action: 'joinRoom', data: { roomName: 'coffee' }, id: 1 });
    expect(await ada.next()).toEqual(left('tea', 'replaced'));
    expect(await ada.next()).toMatchObject({ id: 1 });
    await service().joinRooms({ clientIds: [ada.clientId], rooms: ['water'] });
    expect(await ada.next()).toEqual(left('coffee', 'replaced'));
    await ada.join('water');
    await ada.expectNothing(20);
  });

  it('in the other envelope, and encrypted', async () => {
    await start({ encryption: true });
    const bob = await EncryptedClient.connect(app.url(), { codec: 'event.v1' });
    await service().joinRooms({ clientIds: [bob.clientId], rooms: ['tea'] });
    await service().leaveRooms({ clientIds: [bob.clientId], rooms: ['tea'] });
    expect(await bob.next()).toEqual({ event: 'room:left', data: { roomName: 'tea', reason: 'removed' } });
    bob.socket.terminate();
  });
});

describe('a client is not told', () => {
  it('of a room that it leaves itself, which user.leftRoom and the answer tell', async () => {
    await start();
    const ada = await member('tea', 'coffee');
    await ada.request('system', 'leaveRoom', { roomName: 'tea' });
    expect(await ada.next()).toEqual({ type: 'user', action: 'leftRoom', data: { roomName: 'tea' } });
    await ada.request('system', 'leave', { rooms: ['coffee'] });
    await ada.expectNothing(20);
  });

  it('at the end of its connection', async () => {
    await start();
    const ada = await member('tea');
    await service().disconnectClients({ clientIds: [ada.clientId] });
    expect((await ada.closed).code).toBe(4506);
    expect(ada.pending).toEqual([]);
  });
});

const service = (): WebSocketService => app.app.get(WebSocketService);
const server = (): PxlWebSocketServer => app.app.get(PxlWebSocketServer);
const manager = (): RoomManager => app.app.get(RoomManager);
