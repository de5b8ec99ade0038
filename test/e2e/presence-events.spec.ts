import { afterEach, describe, expect, it } from '@jest/globals';
import {
  PxlWebSocketServer,
  WebSocketService,
  type PxlWebSocketModuleOptions,
  type WsRoomOptions,
} from 'nestjs-pxl-websocket';
import { Runtime } from '../../lib/runtime/runtime.js';
import { eventually } from '../../lib/testing/eventually.js';
import { Diary } from '../support/diary.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { RedisServer } from '../support/redis-server.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

const ISO_TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const GRACE = 300;

interface Told {
  readonly channel: string;
  readonly message: unknown;
}

let told: Told[];
let diary: Diary;
let app: TestApp;
/** Of a single worker: it stands still, so that nobody is away for too long. */
let clock: ManualRuntime;

afterEach(() => app.close());

async function start(presence: WsRoomOptions['presence'], options: PxlWebSocketModuleOptions = {}): Promise<void> {
  clock = new ManualRuntime();
  told = [];
  diary = new Diary();
  const handle = ({ channel, message }: Told): void => {
    told.push({ channel, message });
    diary.write(`${channel} ${lastOf(message)}`);
  };
  app = await startApp({
    options: {
      auth: { authenticate: urlIdentity },
      rooms: { open: true, presence },
      subscribers: [{ channels: ['roomOccupied', 'roomVacated', 'presenceJoined', 'presenceLeft'], handle }],
      ...options,
    },
    override: (builder) => (options.redis ? builder : builder.overrideProvider(Runtime).useValue(clock)),
  });
}

/** Who or what the news is about. */
function lastOf(message: unknown): string {
  const { roomName, member } = message as { roomName: string; member?: { userId?: string; clientId?: string } };
  return member?.userId ?? member?.clientId ?? roomName;
}

function lines(): string[] {
  return told.map(({ channel, message }) => `${channel} ${lastOf(message)}`);
}

describe('Subscribers hear of a room with presence', () => {
  it('its first member, who comes, who goes, and its end', async () => {
    await start({ grace: 0 });
    const ada = await connectAs(app, { userId: 'ada' });
    await ada.request('system', 'joinRoom', { roomName: 'tea', username: 'Ada', state: 'away' });
    const bob = await connectAs(app, { userId: 'bob' });
    await bob.request('system', 'joinRoom', { roomName: 'tea' });
    await diary.until('presenceJoined bob');
    await ada.close();
    await diary.until('presenceLeft ada');
    await bob.request('system', 'leaveRoom', { roomName: 'tea' });
    await diary.until('roomVacated');
    const member = { userId: 'ada', username: 'Ada', state: 'away', joinedAt: ISO_TIME };
    expect(told).toEqual([
      { channel: 'roomOccupied', message: { roomName: 'tea' } },
      { channel: 'presenceJoined', message: { roomName: 'tea', member } },
      { channel: 'presenceJoined', message: { roomName: 'tea', member: { userId: 'bob', joinedAt: ISO_TIME } } },
      { channel: 'presenceLeft', message: { roomName: 'tea', member } },
      { channel: 'presenceLeft', message: { roomName: 'tea', member: { userId: 'bob', joinedAt: ISO_TIME } } },
      { channel: 'roomVacated', message: { roomName: 'tea' } },
    ]);
  });

  it('nothing of a member that loses its connection and is back within its grace, and of one that is not after it', async () => {
    await start({ grace: GRACE });
    const ada = await connectAs(app, { userId: 'ada' });
    const bob = await connectAs(app, { userId: 'bob' });
    for (const client of [ada, bob]) await client.request('system', 'joinRoom', { roomName: 'tea' });
    for (const client of [ada, bob]) client.socket.terminate();
    const service = app.app.get(WebSocketService);
    await eventually('both are lost', () => service.getWebSocketHealth().activeConnections === 0);
    await clock.advance(GRACE - 1);
    const again = await connectAs(app, { userId: 'ada' });
    await again.request('system', 'joinRoom', { roomName: 'tea' });
    expect(lines()).not.toContain('presenceLeft bob');
    await clock.advance(1);
    await diary.until('presenceLeft bob');
    expect(lines()).toEqual(['roomOccupied tea', 'presenceJoined ada', 'presenceJoined bob', 'presenceLeft bob']);
  });

  it('one member for all devices of a user, and an anonymous client until it is a user', async () => {
    await start({ grace: GRACE });
    const nobody = await app.client();
    const { clientId } = nobody;
    await nobody.request('system', 'joinRoom', { roomName: 'tea' });
    const phone = await connectAs(app, { userId: 'ada' });
    await phone.request('system', 'joinRoom', { roomName: 'tea' });
    const other = await app.client();
    await other.request('system', 'joinRoom', { roomName: 'tea' });
    const server = app.app.get(PxlWebSocketServer);
    await server.joinRoom({ clientId, roomName: 'tea', userId: 'ada' });
    await diary.until(`presenceLeft ${clientId}`);
    await server.joinRoom({ clientId: other.clientId, roomName: 'tea', userId: 'bob' });
    await diary.until(`presenceLeft ${other.clientId}`);
    await phone.close();
    await nobody.close();
    await diary.until('presenceLeft ada');
    expect(lines()).toEqual([
      'roomOccupied tea',
      `presenceJoined ${clientId}`,
      'presenceJoined ada',
      `presenceJoined ${other.clientId}`,
      `presenceLeft ${clientId}`,
      'presenceJoined bob',
      `presenceLeft ${other.clientId}`,
      'presenceLeft ada',
    ]);
  });

  it('each client where members are clients, whatever user it becomes', async () => {
    await start({ by: 'client', grace: 0 });
    const [one, two] = [await connectAs(app, { userId: 'ada' }), await app.client()];
    for (const client of [one, two]) await client.request('system', 'joinRoom', { roomName: 'tea' });
    const join = { clientId: two.clientId, roomName: 'tea', userId: 'ada' };
    await app.app.get(PxlWebSocketServer).joinRoom(join);
    await two.close();
    await one.close();
    await diary.until('roomVacated');
    const ids = told.flatMap(({ message }) => (message as { member?: { clientId?: string } }).member?.clientId ?? []);
    expect(ids).toEqual([one.clientId, two.clientId, two.clientId, one.clientId]);
  });

  it('nothing of rooms without presence', async () => {
    await start((roomName) => (roomName === 'tea' ? { grace: 0 } : null));
    const ada = await connectAs(app, { userId: 'ada' });
    await ada.request('system', 'joinRoom', { roomName: 'plain' });
    await ada.request('system', 'joinRoom', { roomName: 'tea' });
    await ada.close();
    await diary.until('roomVacated');
    expect(lines()).toEqual(['roomOccupied tea', 'presenceJoined ada', 'presenceLeft ada', 'roomVacated tea']);
  });
});

async function isInBuckets(redis: RedisServer, userId: string): Promise<boolean> {
  const script = `for _, key in ipairs(redis.call('KEYS', 'pxl:{users.*')) do
    if redis.call('HEXISTS', key, ARGV[1]) == 1 then return 1 end
  end
  return 0`;
  return (await redis.command<number>('EVAL', script, 0, userId)) === 1;
}

describe('Redis', () => {
  it.each<[what: string, keeps: boolean, channels: string[]]>([
    ['one of the four', true, ['roomVacated']],
    ['every event', true, []],
    ['others', false, ['clientJoinedRoom']],
  ])('has members of rooms where a subscriber hears %s: %p', async (_what, keeps, channels) => {
    const redis = await RedisServer.start();
    try {
      const handle = (): void => {};
      const hears = channels.length > 0 ? { channels } : { match: /./ };
      await start({ grace: GRACE }, { redis: redis.url, subscribers: [{ ...hears, handle }] });
      const ada = await connectAs(app, { userId: 'ada' });
      await ada.request('system', 'joinRoom', { roomName: 'tea' });
      const keys = (): Promise<string[]> => redis.command<string[]>('KEYS', 'pxl:{rooms.*');
      // What Redis has of users comes by the same way.
      await connectAs(app, { userId: 'bob' });
      await eventually('a later user is there', () => isInBuckets(redis, 'bob'));
      if (keeps) await eventually('she is there', async () => (await keys()).length > 0);
      expect(await keys()).toHaveLength(Number(keeps));
    } finally {
      await app.close();
      await redis.stop();
    }
  });
});

describe('The service of a single worker', () => {
  it('tells of members, also of one whose grace runs, and of rooms without presence that they have none', async () => {
    await start((roomName) => (roomName === 'tea' ? { grace: GRACE } : null));
    const service = app.app.get(WebSocketService);
    expect(await service.getMembers('tea')).toEqual({ members: [], count: 0, partial: false });
    const ada = await connectAs(app, { userId: 'ada' });
    await ada.request('system', 'joinRoom', { roomName: 'tea' });
    ada.socket.terminate();
    await ada.closed;
    await eventually('she is gone', async () => !(await service.isUserOnline('ada')).online);
    expect((await service.getMembers('tea')).members).toMatchObject([{ userId: 'ada', clients: 0, clientIds: [] }]);
    expect(await service.countMembers('tea')).toEqual({ count: 1, partial: false });
    const change = { userId: 'ada', room: 'plain', state: 1 };
    const verbs = [service.getMembers('plain'), service.countMembers('plain'), service.setPresence(change)];
    for (const verb of verbs) await expect(verb).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await service.setPresence({ clientId: 'nobody', room: 'tea', state: 1 });
  });

  it('remembers when a user was seen last for as long as it is told to', async () => {
    await start(true, { cluster: { lastSeen: 1_000 } });
    const service = app.app.get(WebSocketService);
    const ada = await connectAs(app, { userId: 'ada' });
    expect((await service.lastSeen('ada')).at).toBe(clock.now());
    await ada.close();
    await eventually('she is gone', async () => !(await service.isUserOnline('ada')).online);
    await clock.advance(999);
    expect((await service.lastSeen('ada')).at).toBe(clock.now() - 999);
    await clock.advance(1);
    await eventually('it is forgotten', async () => (await service.lastSeen('ada')).at === null);
  });

  it('does not remember it by default', async () => {
    await start(true);
    const service = app.app.get(WebSocketService);
    const ada = await connectAs(app, { userId: 'ada' });
    await ada.close();
    await eventually('she is gone', async () => !(await service.isUserOnline('ada')).online);
    expect(await service.lastSeen('ada')).toEqual({ at: null, partial: false });
  });
});
