import { strict as assert } from 'node:assert';
import type { WsBroadcaster } from '../../cluster/bus/broadcaster.interface.js';
import type { WsReceivedEnvelope } from '../../cluster/bus/envelope.js';
import type { WsAppend, WsHistoryEntry, WsRoomStore } from '../../history/room-store.interface.js';
import type { WsRetention } from '../../options/rooms/history.options.js';
import { eventually } from '../eventually.js';
import { timeOf } from '../stall-watch.js';
import type { BusListener } from './bus-listener.js';
import type { BusTest, TestedWorkers } from './describe-broadcaster.js';
import type { TestedBus } from './tested-bus.js';

const RETENTION: WsRetention = { size: 100, ttl: 60_000, metaTtl: 3_600_000 };
/** How long an append may take at most, in ms; asserted at twice its value. */
const SETTLED = 1_200;

type Stores = [WsRoomStore, WsRoomStore, WsRoomStore];

type HistoryTest = (stores: Stores, workers: TestedWorkers, bus: TestedBus) => Promise<void>;

/** The history of rooms, for a bus that has it: its workers have the methods of `WsRoomStore`. */
export function describeHistory(test: BusTest): void {
  const testHistory = (title: string, count: number, body: HistoryTest): void =>
    test(title, count, async (workers, bus) => {
      const stores: WsRoomStore[] = workers.flatMap(({ broadcaster }) =>
        isRoomStore(broadcaster) ? [broadcaster] : [],
      );
      if (stores.length === workers.length) await body(stores as Stores, workers, bus);
    });

  testHistory('numbers the messages of each room, for all workers', 3, async ([one, two], workers) => {
    const [, , hearing] = workers;
    await hearing.broadcaster.acquireRoom('chess');
    const sent = { ...message('chess', '{"text":"a\\nb\n\r\u0000\u2028é🎲"}\n'), exclude: ['x', 'y'], copy: 'copy1' };
    const first = await one.append(sent);
    assert.deepEqual(first, { epoch: first.epoch, offset: 1, isRepeated: false });
    assert.deepEqual(await two.append(message('chess', '"b"')), { ...first, offset: 2 });
    assert.equal((await one.append(message('go', '"a"'))).offset, 1);
    assert.deepEqual(await two.top('chess', RETENTION), { epoch: first.epoch, offset: 2 });
    const all: WsHistoryEntry[] = [
      { offset: 1, text: sent.text, exclude: ['x', 'y'], copy: 'copy1' },
      { offset: 2, text: '"b"', exclude: [], copy: undefined },
    ];
    assert.deepEqual((await two.read('chess', { limit: 10 }, RETENTION)).entries.map(plain), all);
    // They come to the workers that hear the room.
    await heardAll(hearing, 2);
    const heard = hearing.heard.filter(({ target }) => target.kind === 'rooms' && target.roomNames[0] === 'chess');
    assert.deepEqual(numbered(heard), all);
    for (const { target, number, isVolatile, origin } of heard) {
      assert.deepEqual(target, { kind: 'rooms', roomNames: ['chess'] });
      assert.equal(number?.epoch, first.epoch);
      assert.equal(isVolatile, false);
      assert.equal(origin, workers[number.offset - 1]?.workerId);
    }
  });

  testHistory('keeps which users and rooms a message leaves out', 2, async ([one, two], [, hearing]) => {
    await hearing.broadcaster.acquireRoom('chess');
    const exclusion = { exclude: [], excludeUsers: ['7'], excludeRooms: ['go'] };
    await one.append({ ...message('chess', '{}'), ...exclusion });
    const [entry] = (await two.read('chess', { limit: 1 }, RETENTION)).entries;
    await heardAll(hearing, 1);
    for (const kept of [entry, hearing.heard.at(0)]) {
      assert.deepEqual(kept?.exclude, []);
      assert.deepEqual(kept.excludeUsers, ['7']);
      assert.deepEqual(kept.excludeRooms, ['go']);
    }
  });

  testHistory('has one order for all workers, and keeps that of each sender', 3, async (stores, workers) => {
    for (const { broadcaster } of workers) await broadcaster.acquireRoom('chess');
    const texts = (sender: number): string[] => Array.from({ length: 60 }, (_, at) => `"${sender} ${at}"`);
    const retention = { ...RETENTION, size: 1_000 };
    const appended = await Promise.all(
      stores.flatMap((store, sender) =>
        texts(sender).map((text) => store.append({ ...message('chess', text), retention })),
      ),
    );
    assert.deepEqual(
      appended.map(({ offset }) => offset).sort((a, b) => a - b),
      Array.from({ length: 180 }, (_, at) => at + 1),
    );
    const { entries } = await stores[0].read('chess', { limit: 1_000 }, retention);
    for (const sender of stores.keys()) {
      const own = entries.map(({ text }) => text).filter((text) => text.startsWith(`"${sender} `));
      assert.deepEqual(own, texts(sender));
    }
    const [, , last] = workers;
    await heardAll(last, 120); // its own may not come to it
    const heard = new Map(numbered(last.heard).map(({ offset, text }) => [offset, text]));
    for (const [offset, text] of heard) assert.equal(text, entries.at(offset - 1)?.text);
  });

  testHistory('keeps so many messages, and reads any part of them', 2, async ([one, two]) => {
    const retention = { ...RETENTION, size: 5 };
    for (let at = 1; at <= 8; at++) await one.append({ ...message('chess', String(at)), retention });
    const offsets = async (range: object): Promise<number[]> => {
      const page = await two.read('chess', { limit: 100, ...range }, retention);
      assert.equal(page.oldest, 4);
      assert.equal(page.top.offset, 8);
      for (const { offset, text } of page.entries) assert.equal(text, String(offset));
      return page.entries.map(({ offset }) => offset);
    };
    assert.deepEqual(await offsets({}), [4, 5, 6, 7, 8]);
    assert.deepEqual(await offsets({ since: 6 }), [7, 8]);
    assert.deepEqual(await offsets({ since: 1, until: 5 }), [4, 5]);
    assert.deepEqual(await offsets({ limit: 2 }), [4, 5]);
    assert.deepEqual(await offsets({ limit: 2, reverse: true }), [8, 7]);
    assert.deepEqual(await offsets({ until: 6, limit: 2, reverse: true }), [6, 5]);
    assert.deepEqual(await offsets({ since: 8 }), []);
    assert.deepEqual(await offsets({ since: 99, until: 3, reverse: true }), []);
    assert.deepEqual(await offsets({ limit: 0 }), []);
  });

  testHistory('forgets the messages in time, and not their numbers', 2, async ([one, two]) => {
    const retention = { ...RETENTION, ttl: 300 };
    const { epoch } = await one.append({ ...message('chess', 'a'), retention });
    await eventually('nothing is kept', async () => {
      const { top, oldest, entries } = await two.read('chess', { limit: 10 }, retention);
      assert.deepEqual(top, { epoch, offset: 1 });
      assert.equal(oldest, entries.length > 0 ? 1 : 2);
      return entries.length === 0;
    });
    const { offset } = await two.append({ ...message('chess', 'b'), retention });
    assert.equal(offset, 2);
    const { oldest, entries } = await one.read('chess', { limit: 10 }, RETENTION);
    assert.deepEqual([oldest, entries.map(({ text }) => text)], [2, ['b']]);
  });

  testHistory('begins a new epoch for a cleared room, if it is not too young', 2, async ([one, two]) => {
    const before = await one.append(message('chess', 'a'));
    const kept = await two.clear('chess', RETENTION, 60_000);
    assert.deepEqual(kept, { epoch: before.epoch, offset: 1 });
    const cleared = await two.clear('chess', RETENTION);
    assert.notEqual(cleared.epoch, before.epoch);
    assert.equal(cleared.offset, 0);
    assert.deepEqual(await one.read('chess', { limit: 10 }, RETENTION), { top: cleared, oldest: 1, entries: [] });
    assert.deepEqual(await one.append(message('chess', 'b')), { ...cleared, offset: 1, isRepeated: false });
  });

  testHistory('adds a message with the same key once', 2, async ([one, two], [, hearing]) => {
    await hearing.broadcaster.acquireRoom('chess');
    const keyed = { ...message('chess', 'a'), idempotencyKey: 'k' };
    const first = await one.append(keyed);
    assert.deepEqual(await two.append(keyed), { ...first, isRepeated: true });
    const both = await Promise.all([1, 2].map(() => one.append({ ...message('chess', 'b'), idempotencyKey: 'l' })));
    assert.deepEqual(
      both.map(({ offset, isRepeated }) => [offset, isRepeated]),
      [
        [2, false],
        [2, true],
      ],
    );
    assert.deepEqual((await two.append({ ...keyed, roomName: 'go' })).isRepeated, false);
    await one.append(message('chess', 'c'));
    await heardAll(hearing, 3);
    assert.deepEqual(
      numbered(hearing.heard).map(({ text }) => text),
      ['a', 'b', 'c'],
    );
    await two.clear('chess', RETENTION);
    assert.equal((await one.append(keyed)).isRepeated, false);
  });

  testHistory('refuses in time what it cannot add, and does not add it later', 2, async ([one, two], [cut], bus) => {
    await one.append(message('chess', 'a'));
    const heal = await bus.cutOff?.(cut.worker);
    if (!heal) return;
    const unavailable = { code: 'UNAVAILABLE', retryable: true };
    const appending = await timeOf(() => assert.rejects(one.append(message('chess', 'b')), unavailable));
    assert.ok(appending < 2 * SETTLED, `An append took ${appending} ms.`);
    await assert.rejects(one.top('chess', RETENTION), { code: 'UNAVAILABLE' });
    await heal();
    await eventually('it is ready', () => cut.broadcaster.isReady);
    await one.append(message('chess', 'c'));
    const { entries } = await two.read('chess', { limit: 10 }, RETENTION);
    assert.deepEqual(
      entries.map(({ text }) => text),
      ['a', 'c'],
    );
  });
}

function message(roomName: string, text: string): WsAppend {
  return { roomName, text, exclude: [], retention: RETENTION };
}

/** Until so many numbers have come. Some messages may come twice. */
async function heardAll(hearing: BusListener, count: number): Promise<void> {
  await eventually(`${count} numbers have come`, () => numbered(hearing.heard).length >= count);
}

/** What has come with a number, each once, in the order of the numbers. */
function numbered(heard: readonly WsReceivedEnvelope[]): WsHistoryEntry[] {
  const byOffset = new Map<number, WsHistoryEntry>();
  for (const { number, content, exclude } of heard) {
    if (!number) continue;
    byOffset.set(number.offset, { offset: number.offset, text: content.text, exclude, copy: number.copy });
  }
  return [...byOffset.values()].sort((a, b) => a.offset - b.offset);
}

function plain({ offset, text, exclude, copy }: WsHistoryEntry): WsHistoryEntry {
  return { offset, text, exclude, copy };
}

function isRoomStore(bus: WsBroadcaster): bus is WsBroadcaster & WsRoomStore {
  return Boolean(bus.append && bus.read && bus.top && bus.clear);
}
