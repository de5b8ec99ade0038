import { afterEach, describe, expect, it } from '@jest/globals';
import { ClientManager, PxlWebSocketServer, RoomManager, type PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { ClientRegistry } from '../../lib/clients/client-registry.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

let app: TestApp;
let clock: ManualRuntime;

async function start(
  clientList?: PxlWebSocketModuleOptions['clientList'],
  more?: PxlWebSocketModuleOptions,
): Promise<void> {
  clock = new ManualRuntime();
  app = await startApp({
    options: { auth: { authenticate: urlIdentity }, rooms: { open: true }, heartbeat: false, clientList, ...more },
    override: (builder) => builder.overrideProvider(Runtime).useValue(clock),
  });
}

afterEach(() => app.close());

/** The pushes of the list that have arrived; what was sent before a ping arrives before its pong. */
async function pushesTo(client: TestClient): Promise<unknown[]> {
  await client.request('system', 'ping');
  const pushes: unknown[] = [];
  while (client.pending.length > 0) {
    const { type, action, data } = await client.next();
    expect([type, action]).toEqual(['system', 'clientList']);
    pushes.push(data);
  }
  return pushes;
}

describe('system.clientList', () => {
  it('is refused with FORBIDDEN unless the list is enabled', async () => {
    await start();
    await expect((await app.client()).request('system', 'clientList')).rejects.toThrow('FORBIDDEN');
  });

  it('answers with every client: its id, user, label and rooms, and no claim of its token', async () => {
    await start({ enabled: true });
    const ada = await connectAs(app, { userId: '7', userType: 'admin', email: 'ada@example.org' });
    const nobody = await app.client();
    await ada.request('system', 'joinRoom', { roomName: 'chess', username: 'Ada' });
    expect(await nobody.request('system', 'clientList')).toEqual({
      clients: [
        { clientId: ada.clientId, userId: '7', username: 'Ada', rooms: ['chess'] },
        { clientId: nobody.clientId, rooms: [] },
      ],
    });
  });

  it('tells the allow-listed fields, claims and metadata among them, and no others', async () => {
    const fields = ['userType', 'user.payload.email', 'metadata.status', 'roomName', 'connectedAt'];
    await start({ enabled: true, fields });
    const ada = await connectAs(app, { userId: '7', userType: 'admin', email: 'ada@example.org' });
    app.app.get(ClientManager).updateClient({ clientId: ada.clientId, key: 'status', data: 'away' });
    expect(await ada.request('system', 'clientList')).toEqual({
      clients: [
        {
          userType: 'admin',
          'user.payload.email': 'ada@example.org',
          'metadata.status': 'away',
          roomName: null,
          connectedAt: clock.now(),
        },
      ],
    });
  });

  it('calls a client by its label in the room that it joined last, else by the latest one', async () => {
    await start({ enabled: true, fields: ['username'] });
    const ada = await app.client();
    const listed = async (): Promise<unknown> => ada.request('system', 'clientList');
    await ada.request('system', 'joinRoom', { roomName: 'chess', username: 'Ada' });
    await ada.request('system', 'joinRoom', { roomName: 'go', username: 'Countess' });
    expect(await listed()).toEqual({ clients: [{ username: 'Countess' }] });
    await ada.request('system', 'joinRoom', { roomName: 'tea' });
    expect(await listed()).toEqual({ clients: [{ username: 'Countess' }] });
    await ada.request('system', 'leaveRoom', { roomName: 'go' });
    expect(await listed()).toEqual({ clients: [{ username: 'Ada' }] });
    await ada.request('system', 'leaveRoom', { roomName: 'chess' });
    expect(await listed()).toEqual({ clients: [{}] });
  });

  it('leaves out the rooms of rooms.own, which would tell the ids that its fields keep back', async () => {
    const rooms = { own: true, open: true, defaults: [] };
    await start({ enabled: true, fields: ['rooms', 'roomName'] }, { protocol: 'event', rooms });
    const [ada, bob] = [await app.client(), await app.client()];
    await bob.join('chess');
    await app.app.get(RoomManager).addClientToRoom({ clientId: bob.clientId, roomName: ada.clientId });
    expect(await ada.request('system', 'clientList')).toEqual({
      clients: [
        { rooms: [], roomName: null },
        { rooms: ['chess'], roomName: null },
      ],
    });
  });
});

describe('the push of the client list', () => {
  it('does not happen unless it is enabled', async () => {
    await start();
    const ada = await app.client();
    app.app.get(ClientManager).broadcastClientList('mine');
    await app.client();
    await clock.advance(5_000);
    await ada.request('system', 'ping');
    expect(ada.pending).toEqual([]);
  });

  it('comes after connects, joins, leaves and disconnects, with the event', async () => {
    await start({ enabled: true, fields: ['clientId'] });
    const ada = await app.client();
    await clock.advance(1_000);
    expect(await pushesTo(ada)).toEqual([{ event: 'clientConnected', clients: [{ clientId: ada.clientId }] }]);
    const bob = await app.client();
    const both = [{ clientId: ada.clientId }, { clientId: bob.clientId }];
    await clock.advance(1_000);
    expect(await pushesTo(ada)).toEqual([{ event: 'clientConnected', clients: both }]);
    await bob.request('system', 'joinRoom', { roomName: 'chess' });
    await clock.advance(1_000);
    expect(await pushesTo(ada)).toEqual([{ event: 'clientJoinedRoom', clients: both }]);
    await bob.request('system', 'leaveRoom', { roomName: 'chess' });
    await clock.advance(1_000);
    expect(await pushesTo(ada)).toEqual([{ event: 'clientLeftRoom', clients: both }]);
    await bob.close();
    await ada.request('system', 'ping');
    await clock.advance(1_000);
    expect(await pushesTo(ada)).toEqual([{ event: 'clientDisconnected', clients: [both[0]] }]);
  });

  it('comes when an anonymous client becomes a user', async () => {
    await start({ enabled: true, fields: ['userId'] });
    const ada = await app.client();
    await clock.advance(1_000);
    await pushesTo(ada);
    const clients = app.app.get(ClientRegistry);
    clients.identify(clients.get(ada.clientId)!, { userId: '7', payload: {} });
    await clock.advance(1_000);
    expect(await pushesTo(ada)).toEqual([{ event: 'clientUpdated', clients: [{ userId: '7' }] }]);
  });

  it('comes at most once a second, and the last state always comes', async () => {
    await start({ enabled: true, fields: ['rooms'] });
    const ada = await app.client();
    await clock.advance(1_000);
    await pushesTo(ada);
    for (let count = 0; count < 20; count++) {
      await ada.request('system', 'joinRoom', { roomName: `room ${count}` });
      await clock.advance(100);
    }
    const pushes = (await pushesTo(ada)) as { clients: { rooms: string[] }[] }[];
    expect(pushes.length).toBeLessThanOrEqual(3);
    await clock.advance(1_000);
    const last = [...pushes, ...((await pushesTo(ada)) as typeof pushes)].at(-1);
    expect(last?.clients[0]?.rooms).toHaveLength(20);
    await clock.advance(10_000);
    expect(await pushesTo(ada)).toEqual([]);
  });

  it("never overtakes a new client's welcome", async () => {
    await start({ enabled: true });
    await app.client();
    for (let count = 0; count < 5; count++) {
      await clock.advance(1_500); // the last push was so long ago that the next one is due at once
      const client = await TestClient.open(app.url(), { patience: 15_000 });
      expect(await client.next()).toMatchObject({ action: 'connected' });
      await clock.advance(0);
      expect(await client.next()).toMatchObject({ action: 'clientList' });
    }
  });

  it('comes when the application asks for it, with the event that it names', async () => {
    await start({ enabled: true, fields: ['clientId'] });
    const ada = await app.client();
    await clock.advance(1_000);
    await pushesTo(ada);
    app.app.get(ClientManager).broadcastClientList('mine');
    app.app.get(ClientManager).broadcastClientList();
    await clock.advance(1_000);
    expect(await pushesTo(ada)).toEqual([{ clients: [{ clientId: ada.clientId }] }]);
  });

  it('does not come for joins and leaves with broadcast: false', async () => {
    await start({ enabled: true });
    const ada = await app.client();
    await clock.advance(1_000);
    await pushesTo(ada);
    const [rooms, { clientId }] = [app.app.get(RoomManager), ada];
    await rooms.addClientToRoom({ clientId, roomName: 'chess', broadcast: false });
    rooms.removeClientFromRoom({ clientId, roomName: 'chess', broadcast: false });
    await ada.next('room', 'left');
    await clock.advance(2_000);
    expect(await pushesTo(ada)).toEqual([]);
    await app.app.get(PxlWebSocketServer).joinRoom({ clientId, roomName: 'chess' });
    await clock.advance(2_000);
    expect(await pushesTo(ada)).toHaveLength(1);
  });

  it('goes to events.onError when the list has no JSON form, and comes again when it has', async () => {
    const errors: string[] = [];
    clock = new ManualRuntime();
    app = await startApp({
      options: {
        heartbeat: false,
        clientList: { enabled: true, fields: ['metadata.size'] },
        events: { onError: ({ error }) => void errors.push(error.message) },
      },
      override: (builder) => builder.overrideProvider(Runtime).useValue(clock),
    });
    const ada = await app.client();
    const client = app.app.get(ClientManager).getClient(ada)!;
    client.metadata.size = 1n;
    await clock.advance(1_000);
    expect(errors).toEqual(['The message has no JSON form.']);
    client.metadata.size = 1;
    app.app.get(ClientManager).broadcastClientList('again');
    await clock.advance(1_000);
    expect(await pushesTo(ada)).toEqual([{ event: 'again', clients: [{ 'metadata.size': 1 }] }]);
  });

  it('leaves no timer when the application stops', async () => {
    await start({ enabled: true });
    await app.client();
    await app.app.close();
    expect(clock.size).toBe(0);
  });
});
