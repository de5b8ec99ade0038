import { afterEach, describe, expect, it } from '@jest/globals';
import { PxlWebSocketServer, RoomManager, type PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { startApp, type TestApp } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

let app: TestApp;

async function start(rooms: PxlWebSocketModuleOptions['rooms']): Promise<void> {
  app = await startApp({ options: { auth: { authenticate: urlIdentity }, rooms: { open: true, ...rooms } } });
}

async function member(roomName: string): Promise<TestClient> {
  const client = await app.client();
  await client.request('system', 'joinRoom', { roomName });
  return client;
}

afterEach(() => app.close());

describe('with rooms.announce', () => {
  it('tells the other members who joins, with the label and the verified identity', async () => {
    await start({ announce: true });
    const witness = await member('chess');
    const ada = await connectAs(app, { userId: '7' });
    await ada.request('system', 'joinRoom', { roomName: 'chess', username: 'Ada', userId: '1' });
    expect(await witness.next()).toEqual({
      type: 'room',
      action: 'memberJoined',
      data: { roomName: 'chess', member: { clientId: ada.clientId, userId: '7', username: 'Ada' } },
    });
    await ada.expectNothing(50);
  });

  it('tells the other members who leaves', async () => {
    await start({ announce: true });
    const witness = await member('chess');
    const ada = await app.client();
    await ada.request('system', 'joinRoom', { roomName: 'chess', username: 'Ada' });
    await witness.next('room', 'memberJoined');
    await ada.request('system', 'leaveRoom', { roomName: 'chess' });
    expect(await witness.next()).toEqual({
      type: 'room',
      action: 'memberLeft',
      data: { roomName: 'chess', member: { clientId: ada.clientId, username: 'Ada' } },
    });
    await ada.next('user', 'leftRoom');
    await ada.expectNothing(50);
  });

  it('tells the other members of a closed connection, in each of its rooms', async () => {
    await start({ announce: true });
    const [inChess, inGo, ada] = [await member('chess'), await member('go'), await app.client()];
    for (const roomName of ['chess', 'go']) await ada.request('system', 'joinRoom', { roomName });
    ada.socket.terminate();
    for (const [witness, roomName] of [[inChess, 'chess'] as const, [inGo, 'go'] as const]) {
      await witness.next('room', 'memberJoined');
      expect(await witness.next()).toMatchObject({
        action: 'memberLeft',
        data: { roomName, member: { clientId: ada.clientId } },
      });
    }
  });

  it('tells nothing when a member joins again, but calls it by its new label from then on', async () => {
    await start({ announce: true });
    const [witness, ada] = [await member('chess'), await app.client()];
    await ada.request('system', 'joinRoom', { roomName: 'chess', username: 'Ada' });
    await witness.next('room', 'memberJoined');
    await ada.request('system', 'joinRoom', { roomName: 'chess', username: 'Countess' });
    await witness.expectNothing(50);
    await ada.close();
    expect(await witness.next()).toMatchObject({ action: 'memberLeft', data: { member: { username: 'Countess' } } });
  });

  it('tells both rooms of a move in one-room mode', async () => {
    await start({ announce: true, clientCanJoinMultipleRooms: false });
    const [inChess, inGo, ada] = [await member('chess'), await member('go'), await member('chess')];
    await inChess.next('room', 'memberJoined');
    await ada.request('system', 'joinRoom', { roomName: 'go' });
    expect(await inGo.next()).toMatchObject({ action: 'memberJoined', data: { roomName: 'go' } });
    expect(await inChess.next()).toMatchObject({ action: 'memberLeft', data: { roomName: 'chess' } });
  });

  it('tells of joins and leaves by the server, whatever their `broadcast` says of the client list', async () => {
    await start({ announce: true });
    const [witness, ada] = [await member('chess'), await app.client()];
    await app.app.get(PxlWebSocketServer).joinRoom({ clientId: ada.clientId, roomName: 'chess', username: 'Ada' });
    expect(await witness.next()).toMatchObject({ action: 'memberJoined', data: { member: { username: 'Ada' } } });
    const { clientId } = ada;
    app.app.get(RoomManager).removeClientFromRoom({ clientId, roomName: 'chess', broadcast: false });
    expect(await witness.next()).toMatchObject({ action: 'memberLeft' });
  });
});

it('tells nobody of joins and leaves without rooms.announce', async () => {
  await start({});
  const [witness, ada] = [await member('chess'), await member('chess')];
  await ada.close();
  await witness.expectNothing(50);
});
