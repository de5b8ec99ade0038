import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { eventually } from '../../lib/testing/eventually.js';
import type { WsPresencePush } from '../../lib/protocol/presence.js';
import { isSoak, LEASE } from '../support/cluster-periods.js';
import { EncryptedClient } from '../support/encrypted-client.js';
import { GRACE, INTERVAL } from '../support/presence/presence-rules.js';
import { textOf, toldOf, type RoomView } from '../support/presence/room-view.js';
import { StoryMember } from '../support/presence/story-member.js';
import { TestClient } from '../support/test-client.js';
import { TestCluster } from '../support/test-cluster.js';
import { until } from '../support/until.js';
import type { WorkerProcess } from '../support/worker-process.js';

/** Whether there is time for crowds in their full sizes: `npm run test:soak`, `npm run test:matrix`. */
const isLong = isSoak || process.env.PXL_MATRIX !== undefined;
/** How many members there are, and fewer where it only shall be seen that the rule holds. */
const whole = (full: number, few: number): number => (isLong ? full : few);

/** Connections that are made at the same time. */
const AT_ONCE = 100;

let cluster: TestCluster;
let rooms = 0;
const members: StoryMember[] = [];

beforeAll(async () => {
  const options = {
    heartbeat: false,
    encryption: true,
    shutdown: { reconnectSpread: 500 },
  } as const;
  cluster = await TestCluster.start({ workers: 3, options, program: 'presence-worker' });
});

afterEach(async () => {
  await Promise.all(members.splice(0).map((member) => member.close()));
});

afterAll(() => cluster.close(), 60_000);

/** A name for a room of its own. */
function roomOf(kind: string): string {
  return `crowd ${++rooms} ${kind}`;
}

/** Somebody who is in a room, and hears who else is. */
async function comes(
  roomName: string,
  worker: WorkerProcess,
  userId?: string,
  says: { username?: string; state?: unknown } = {},
): Promise<StoryMember> {
  const member = new StoryMember(userId, `name of ${userId ?? 'nobody'}`, 'pxl.v1');
  members.push(member);
  await member.join(roomName, { username: says.username, state: says.state, watches: true });
  await member.connect(worker.url());
  return member;
}

/** As many on each worker in turn, connected and in no room. */
async function gather(count: number, workers = cluster.workers): Promise<StoryMember[]> {
  const watching: StoryMember[] = [];
  while (watching.length < count) {
    const batch = Math.min(AT_ONCE, count - watching.length);
    const connected = Array.from({ length: batch }, async (_, index) => {
      const at = watching.length + index;
      const member = new StoryMember(`user ${at}`, `name of user ${at}`, 'pxl.v1');
      await member.connect(workers[at % workers.length]!.url());
      return member;
    });
    watching.push(...(await Promise.all(connected)));
  }
  members.push(...watching);
  return watching;
}

/** All of them join at once. */
async function enter(roomName: string, watching: readonly StoryMember[]): Promise<void> {
  const wish = { username: undefined, state: undefined, watches: true };
  await Promise.all(watching.map((member) => member.join(roomName, wish)));
}

async function come(roomName: string, count: number, workers = cluster.workers): Promise<StoryMember[]> {
  const watching = await gather(count, workers);
  await enter(roomName, watching);
  return watching;
}

/** Resolves once these members know each other. */
async function know(roomName: string, watching: readonly StoryMember[], count = watching.length): Promise<void> {
  const missing = (): StoryMember[] => watching.filter((member) => member.viewOf(roomName).count !== count);
  await until(`all ${watching.length} know of ${count}`, () => missing().length === 0, 30_000);
}

/** Everything that was pushed to members of a room. */
function viewsOf(roomName: string, watching: readonly StoryMember[]): RoomView[] {
  return watching.map((member) => member.viewOf(roomName));
}

function faultsOf(roomName: string, watching: readonly StoryMember[]): string[] {
  return watching.flatMap((member) => [...member.faults, ...member.viewsOf(roomName).flatMap(({ faults }) => faults)]);
}

const rest = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Nothing is pushed to anybody of somebody who is away for less than the grace.
 *
 * @param comeBack is done again where the machine was too slow for that
 * @param quiet the time in which nothing is pushed afterwards
 */
async function expectSilence(
  roomName: string,
  watching: readonly StoryMember[],
  comeBack: () => Promise<unknown>,
  quiet: () => Promise<unknown>,
): Promise<void> {
  const views = viewsOf(roomName, watching);
  const { count } = views[0]!;
  for (let isInTime = false; !isInTime;) {
    for (const view of views) view.rest();
    const before = views.map(({ pushes }) => pushes);
    const begin = performance.now();
    await comeBack();
    isInTime = performance.now() - begin < GRACE;
    await quiet();
    const told = views.flatMap(({ pushes, notes }, at) => notes.slice(notes.length - (pushes - before[at]!)));
    if (isInTime) expect(told).toEqual([]);
    else await know(roomName, watching, count);
  }
}

it('who comes back within the grace was never away, on any worker; who does not is gone once', async () => {
  const roomName = roomOf('users');
  const watching = await come(roomName, 3);
  const [first, second, third] = cluster.workers;
  const guest = await comes(roomName, first!);
  const user = await comes(roomName, second!, 'ada');
  await know(roomName, watching, 5);
  const comeBack = async (): Promise<void> => {
    for (const member of [guest, user]) member.cut('reset');
    await Promise.all([guest.connect(third!.url()), user.connect(first!.url(), true)]);
  };
  await expectSilence(roomName, watching, comeBack, () => rest(GRACE + 4 * INTERVAL));

  const cutAt = performance.now();
  for (const member of [guest, user]) member.cut('reset');
  await know(roomName, watching, 3);
  expect(performance.now() - cutAt).toBeGreaterThan(GRACE - 1);
  for (const { leaves } of viewsOf(roomName, watching)) expect([...leaves.values()]).toEqual([1, 1]);
  expect(faultsOf(roomName, watching)).toEqual([]);
});

it('a worker that stood still does not tell of somebody who came back meanwhile', async () => {
  const roomName = roomOf('users');
  const [first, second, third] = cluster.workers;
  const watching = await come(roomName, 3);
  const guest = await comes(roomName, first!);
  await know(roomName, watching, 4);
  const watcher = watching.find(({ url }) => url === third!.url())!;
  const isLost = async (): Promise<boolean> => {
    const list = await watcher.read(roomName, 10);
    return typeof list !== 'string' && list.members.some(({ clients }) => clients === 0);
  };
  const comeBack = async (): Promise<void> => {
    guest.cut('reset');
    await eventually('the third worker knows that the guest is lost', isLost);
    third!.freeze();
    await guest.connect(second!.url());
  };
  const goOn = async (): Promise<void> => {
    await rest(GRACE);
    third!.thaw();
    await rest(10 * INTERVAL);
  };
  await expectSilence(roomName, watching, comeBack, goOn);
  expect(faultsOf(roomName, watching)).toEqual([]);
});

it('nobody hears of a page that is reloaded, with another tab or without', async () => {
  const roomName = roomOf('users');
  const watching = await come(roomName, 3);
  const tab = await comes(roomName, cluster.workers[0]!, 'ada');
  await know(roomName, watching, 4);
  // A page that is reloaded has forgotten its secret.
  const reload = async (): Promise<void> => {
    tab.cut('away');
    await rest(150);
    await tab.connect(cluster.workers[1]!.url(), true);
  };
  await expectSilence(roomName, watching, reload, () => rest(3 * INTERVAL));
  const open = (): Promise<StoryMember> => comes(roomName, cluster.workers[2]!, 'ada');
  await expectSilence(roomName, watching, open, () => rest(3 * INTERVAL));
  await expectSilence(roomName, watching, reload, () => rest(GRACE + 3 * INTERVAL));
  expect(faultsOf(roomName, watching)).toEqual([]);
});

it('the return of one of two tabs changes nothing, though they call themselves differently and say different things', async () => {
  const roomName = roomOf('users');
  const [first, second, third] = cluster.workers;
  const watching = await come(roomName, 3);
  const phone = await comes(roomName, first!, 'ada', { username: 'on the phone', state: 'away' });
  // A worker that heard of the desk first would tell of the phone later, since she is there for longer then.
  await know(roomName, watching, 4);
  await comes(roomName, second!, 'ada', { username: 'at the desk', state: 'busy' });
  const seen = (): unknown[] => viewsOf(roomName, watching).map(({ members: seen }) => seen.get('user ada'));
  const isLast = (text: unknown): boolean => /busy.*at the desk/.test(String(text));
  await until('all see the last', () => seen().every(isLast));
  const comeBack = async (): Promise<void> => {
    phone.cut('reset');
    await phone.connect(third!.url());
  };
  await expectSilence(roomName, watching, comeBack, () => rest(GRACE + 4 * INTERVAL));
  // Who says again what it has said before has said it last.
  await phone.setState(roomName, 'away');
  await until('all see that she is away', () => seen().every((text) => String(text).includes('"state":"away"')));
});

it('nobody stays longer than the grace by claiming that the server is restarting', async () => {
  const roomName = roomOf('users');
  const watching = await come(roomName, 3);
  const ghost = await TestClient.connect(cluster.workers[0]!.url());
  await ghost.join(roomName);
  await know(roomName, watching, 4);
  await ghost.close(1012, '{"after":60000}');
  await know(roomName, watching, 3);
});

it('members in either codec, in clear and encrypted, see the same of each other', async () => {
  const roomName = roomOf('users');
  const [first, second] = cluster.workers;
  const plain = await comes(roomName, first!, 'plain');
  const event = new StoryMember('event', 'name of event', 'event.v1');
  members.push(event);
  await event.join(roomName, { username: 'E', state: { away: true }, watches: true });
  await event.connect(second!.url());
  const sealed = await EncryptedClient.connect(second!.url({ userId: 'sealed' }));
  const sealedEvent = await EncryptedClient.connect(first!.url({ userId: 'sealed event' }), { codec: 'event.v1' });
  try {
    const wish = { presence: true, state: 'hidden from the network' };
    const joined = await sealed.request({ type: 'system', action: 'joinRoom', data: { roomName, ...wish }, id: 1 });
    const answered = await sealedEvent.request({
      event: 'join',
      data: { rooms: [{ room: roomName, ...wish }] },
      id: 1,
    });
    await know(roomName, [plain, event], 4);

    const told = new Map<string | undefined, string>();
    const take = ({ members: list = [], joined: news = [] }: Partial<WsPresencePush>): void => {
      for (const member of [...list, ...news]) told.set(member.userId, textOf(toldOf(member)));
    };
    take((joined.response as { data: WsPresencePush }).data);
    const pushed = await sealed.next(({ type, action }) => type === 'room' && action === 'presence');
    take(pushed.data as WsPresencePush);
    for (; told.size < 4;) take((await sealed.next(({ action }) => action === 'presence')).data as WsPresencePush);
    expect((answered.data as { joined: WsPresencePush[] }).joined).toMatchObject([{ room: roomName }]);
    const views = viewsOf(roomName, [plain, event]).map((view) => [...view.members.values()].sort());
    expect(views[0]).toEqual(views[1]);
    expect([...told.values()].sort()).toEqual(views[0]);
    expect(sealed.clear.filter(({ action }) => action === 'presence')).toEqual([]);
    expect(JSON.stringify(sealed.clear)).not.toContain('hidden from the network');
  } finally {
    sealed.socket.terminate();
    sealedEvent.socket.terminate();
  }
  expect(faultsOf(roomName, [plain, event])).toEqual([]);
});

it('many who join within a second cost few pushes and bytes; in the large room that it is now one more costs a count', async () => {
  const [crowd, limit] = [whole(1_000, 100), whole(200, 20)];
  const roomName = roomOf(`limit ${limit}`);
  const watching = await gather(crowd);
  const begin = performance.now();
  await enter(roomName, watching);
  await know(roomName, watching);
  const took = performance.now() - begin;
  const views = viewsOf(roomName, watching);
  const [pushes, bytes] = [Math.max(...views.map((view) => view.pushes)), Math.max(...views.map((view) => view.bytes))];
  process.stdout.write(`${crowd} join within ${Math.round(took)} ms: at most ${pushes} pushes, ${bytes} bytes\n`);
  // One more for each second that this machine takes longer.
  expect(pushes).toBeLessThanOrEqual(3 + Math.floor(took / 1_000));
  expect(bytes).toBeLessThanOrEqual(30_000);
  await expectCounts(roomName, watching, limit);
}, 120_000);

(isLong ? it : it.skip)(
  'a room of 5,000 costs counts only',
  async () => {
    const roomName = roomOf('limit 200');
    const watching = await come(roomName, 5_000);
    await know(roomName, watching);
    await expectCounts(roomName, watching, 200);
  },
  180_000,
);

/** Whoever comes to a room of more members than its limit costs each of them a count. */
async function expectCounts(roomName: string, watching: readonly StoryMember[], limit: number): Promise<void> {
  const views = viewsOf(roomName, watching);
  const bytesBefore = views.map(({ bytes }) => bytes);
  const late = await comes(roomName, cluster.workers[1]!, 'late');
  const crowd = watching.length;
  await know(roomName, [...watching, late], crowd + 1);
  for (const [at, { bytes, knows, notes }] of views.entries()) {
    expect(knows).toBe('count');
    expect(bytes - bytesBefore[at]!).toBeLessThan(200);
    expect(JSON.parse(notes.at(-1)!)).toEqual({ roomName, count: crowd + 1, partial: true });
  }
  expect(late.viewOf(roomName).notes[0]!.length).toBeLessThan(400);
  // Whoever wants to see them reads pages.
  const list = await late.read(roomName, limit);
  expect(list).toMatchObject({ count: crowd + 1 });
  const read = typeof list === 'string' ? [] : list.members;
  expect(new Set(read.map(({ userId }) => userId)).size).toBe(crowd + 1);
  expect(faultsOf(roomName, [...watching, late])).toEqual([]);
}

/** @returns whether they were back long before their worker is given up: a machine that is too slow for that shows nothing */
async function expectLeavesOfKilled(): Promise<boolean> {
  const count = whole(100, 20);
  const roomName = roomOf('users');
  const victim = await cluster.add();
  await cluster.converged();
  const others = cluster.workers.filter((worker) => worker !== victim);
  const watching = await come(roomName, 3, others);
  const lost = await Promise.all(Array.from({ length: count }, (_, at) => comes(roomName, victim, `lost ${at}`)));
  await know(roomName, watching, 3 + count);
  const killedAt = performance.now();
  await victim.kill();
  const [node] = cluster.nodes.splice(cluster.workers.indexOf(victim), 1);
  await node?.proxy.close();
  await until('they are cut', () => lost.every(({ isAway }) => isAway));
  const back = lost.slice(0, count / 2);
  await Promise.all(back.map((member, at) => member.connect(others[at % 3]!.url(), at % 2 === 0)));
  const isInTime = performance.now() - killedAt < LEASE / 2;
  await know(roomName, watching, 3 + count / 2);
  await rest(GRACE + 4 * INTERVAL);
  expect(faultsOf(roomName, [...watching, ...back])).toEqual([]);
  if (!isInTime) return false;
  for (const { leaves, count: known } of viewsOf(roomName, watching)) {
    const expected = lost.slice(count / 2).map((member): [string, number] => [`user ${member.userId!}`, 1]);
    expect([...leaves].sort()).toEqual(expected.sort());
    expect(known).toBe(3 + count / 2);
  }
  const told = viewsOf(roomName, watching).flatMap(({ notes }) => notes.filter((note) => note.includes('"updated"')));
  expect(told).toEqual([]);
  return true;
}

it('of members whose worker is killed those leave who do not come back', async () => {
  while (!(await expectLeavesOfKilled()));
}, 60_000);

it('nobody who stays hears of workers that are replaced one after the other', async () => {
  const count = whole(300, 30);
  const roomName = roomOf('limit 400');
  const watching = await come(roomName, count);
  await know(roomName, watching);
  const replaced = cluster.nodes.slice(0, whole(3, 1));
  for (const node of replaced) {
    const leaving = watching.filter(({ url }) => url === node.worker.url());
    const staying = watching.filter(({ url }) => url !== node.worker.url());
    const views = viewsOf(roomName, staying);
    const before = views.map(({ pushes }) => pushes);
    const next = await cluster.add();
    cluster.nodes.splice(cluster.nodes.indexOf(node), 1);
    const stopped = node.worker.stop();
    await until('they are sent away', () => leaving.every(({ isAway }) => isAway));
    await Promise.all(leaving.map((member) => member.connect(next.url())));
    await stopped;
    await node.worker.close();
    await node.proxy.close();
    await eventually('the others know', () => leaving.every((member) => member.viewOf(roomName).count === count));
    // A push of what has happened would come within an interval.
    await rest(1_200);
    const told = views.flatMap(({ pushes, notes }, at) => (pushes === before[at] ? [] : [notes.at(-1)]));
    expect(told).toEqual([]);
  }
  await know(roomName, watching);
  expect(faultsOf(roomName, watching)).toEqual([]);
}, 120_000);
