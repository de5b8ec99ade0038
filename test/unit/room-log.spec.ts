import { beforeEach, describe, expect, it } from '@jest/globals';
import { HistoryCounts } from '../../lib/history/history-counts.js';
import type { NumberedMessage } from '../../lib/history/numbered-message.js';
import { RingBudget } from '../../lib/history/ring-budget.js';
import { RoomLog, type LogListener } from '../../lib/history/room-log.js';
import type {
  WsAppended,
  WsHistoryEntry,
  WsHistoryPage,
  WsHistoryRange,
  WsPosition,
  WsRoomStore,
} from '../../lib/history/room-store.interface.js';
import { WsError } from '../../lib/errors/ws.error.js';
import { pxlCodec } from '../../lib/protocol/pxl.codec.js';
import { Timings } from '../../lib/runtime/metrics/timings.js';
import { RoomNames } from '../../lib/rooms/room-names.js';
import { RoomWindows } from '../../lib/clients/room-windows.js';
import { ErrorReporter } from '../../lib/errors/error-reporter.js';
import { resolveOptions } from '../../lib/pxl-websocket.module-options.js';
import { ConcurrencyLimit } from '../../lib/runtime/concurrency-limit.js';
import { ManualRuntime } from '../support/manual-runtime.js';

const OPTIONS = resolveOptions({});
const RETENTION = { size: 1_000, ttl: 60_000, metaTtl: 3_600_000 };

/** A store whose answers a test decides; its messages are numbers. */
class ScriptedStore implements WsRoomStore {
  epoch = 'one';
  top_ = 0;
  oldest = 1;
  isDown = false;
  readonly asked: string[] = [];
  /** While set, answers wait for it. */
  gate: Promise<void> | null = null;

  append(): Promise<WsAppended> {
    return Promise.reject(new Error('Nobody appends here.'));
  }

  async top(): Promise<WsPosition> {
    return this.#answer('top', () => ({ epoch: this.epoch, offset: this.top_ }));
  }

  async read(_room: string, { since = 0, until = this.top_, limit, reverse }: WsHistoryRange): Promise<WsHistoryPage> {
    return this.#answer(`read ${since}..${until}`, () => {
      const all: WsHistoryEntry[] = [];
      for (let at = Math.max(since + 1, this.oldest); at <= Math.min(until, this.top_); at++) all.push(entry(at));
      if (reverse) all.reverse();
      return { top: { epoch: this.epoch, offset: this.top_ }, oldest: this.oldest, entries: all.slice(0, limit) };
    });
  }

  clear(): Promise<WsPosition> {
    return this.top();
  }

  async #answer<T>(what: string, make: () => T): Promise<T> {
    this.asked.push(what);
    if (this.isDown) throw new WsError('UNAVAILABLE', 'Away.');
    const answer = make();
    if (this.gate) await this.gate;
    return answer;
  }
}

function entry(offset: number): WsHistoryEntry {
  return { offset, text: `{"type":"n","action":"${offset}"}`, exclude: [] };
}

/** What a log has told, as one list. */
class Diary implements LogListener {
  readonly lines: (number | string)[] = [];

  delivered({ offset }: NumberedMessage): void {
    this.lines.push(offset);
  }

  lost({ epoch, offset }: WsPosition, reason: string): void {
    this.lines.push(`${reason}: ${epoch} ${offset}`);
  }
}

describe('the log of a room', () => {
  let runtime: ManualRuntime;
  let store: ScriptedStore;
  let counts: HistoryCounts;
  let log: RoomLog;
  let told: Diary;

  const newLog = (): RoomLog =>
    new RoomLog('tea', RETENTION, {
      store,
      codec: pxlCodec,
      budget: new RingBudget(),
      pageBytes: 65_536,
      reads: new ConcurrencyLimit(8),
      looks: new ConcurrencyLimit(8),
      counts,
      timings: new Timings(false, runtime),
      traces: { isOn: false, pushed: () => undefined },
      names: new RoomNames(false),
      windows: new RoomWindows(new ErrorReporter(runtime, OPTIONS), OPTIONS),
      runtime,
    });
  const take = (...offsets: number[]): void => {
    for (const offset of offsets) log.take({ epoch: store.epoch, offset }, entry(offset));
  };

  beforeEach(async () => {
    runtime = new ManualRuntime();
    store = new ScriptedStore();
    counts = new HistoryCounts();
    told = new Diary();
    log = newLog();
    log.listen(told);
    store.top_ = 10;
    await log.verify();
    store.asked.length = 0;
  });

  it('begins at the top', () => {
    expect(log.position).toEqual({ epoch: 'one', offset: 10 });
  });

  it('delivers each number once, in order', async () => {
    take(11, 12, 12, 11, 13, 10);
    take(15, 14, 15);
    await runtime.advance(1_000);
    expect(told.lines).toEqual([11, 12, 13, 14, 15]);
    expect(store.asked).toEqual([]);
  });

  it('does not take a lag for a loss', async () => {
    take(12, 13);
    await runtime.advance(90);
    take(11);
    await runtime.advance(1_000);
    expect(told.lines).toEqual([11, 12, 13]);
    expect(store.asked).toEqual([]);
  });

  it('reads what is missing, once, and delivers nothing before it', async () => {
    store.top_ = 14;
    take(12, 14);
    await runtime.advance(99);
    expect(told.lines).toEqual([]);
    await runtime.advance(1);
    expect(told.lines).toEqual([11, 12, 13, 14]);
    expect(store.asked).toEqual(['read 10..14']);
    expect(counts.holes).toBe(1);
  });

  it('tries again when the read fails', async () => {
    store.top_ = 12;
    store.isDown = true;
    take(12);
    await runtime.advance(500);
    store.isDown = false;
    await runtime.advance(1_000);
    expect(told.lines).toEqual([11, 12]);
  });

  it('finds what was lost at the end of a quiet room', async () => {
    store.top_ = 13;
    await log.verify();
    await runtime.advance(0);
    expect(told.lines).toEqual([11, 12, 13]);
  });

  it('bounds what waits, and reads the rest', async () => {
    store.top_ = 5_000;
    for (let offset = 12; offset <= 5_000; offset++) take(offset);
    await runtime.advance(100);
    expect(told.lines).toEqual(Array.from({ length: 4_990 }, (_, at) => at + 11));
  });

  it('tells that messages are trimmed, after a second look', async () => {
    store.top_ = 20;
    store.oldest = 15;
    take(20);
    await runtime.advance(100);
    expect(told.lines).toEqual([]);
    await runtime.advance(1_000);
    expect(told.lines).toEqual(['trimmed: one 14', 15, 16, 17, 18, 19, 20]);
  });

  it('does not deliver a message of another epoch before the store has confirmed it twice', async () => {
    take(11);
    store.epoch = 'two';
    store.top_ = 2;
    take(1, 2);
    await runtime.advance(0);
    await runtime.advance(999);
    expect(told.lines).toEqual([11]);
    await runtime.advance(1);
    expect(told.lines).toEqual([11, 'epoch: two 0', 1, 2]);
    expect(log.position).toEqual({ epoch: 'two', offset: 2 });
  });

  it('believes at once that the room was cleared', async () => {
    take(11);
    store.epoch = 'two';
    store.top_ = 1;
    log.cleared();
    await runtime.advance(0);
    expect(told.lines).toEqual([11, 'epoch: two 0', 1]);
  });

  it('stays where it is when the second look is good again', async () => {
    store.epoch = 'two';
    log.check();
    await runtime.advance(0);
    await runtime.advance(500);
    store.epoch = 'one';
    store.top_ = 11;
    take(11);
    await runtime.advance(500);
    expect(told.lines).toEqual([11]);
    expect(log.position).toEqual({ epoch: 'one', offset: 11 });
  });

  it('goes on from the top of a new epoch that is long already', async () => {
    store.epoch = 'two';
    store.top_ = 300;
    log.check();
    await runtime.advance(0);
    await runtime.advance(1_000);
    expect(told.lines).toEqual(['epoch: two 300']);
  });

  it('misses no message of a new epoch that comes while it looks', async () => {
    store.epoch = 'two';
    store.top_ = 300;
    log.check();
    await runtime.advance(0);
    await runtime.advance(900);
    let open: () => void = () => undefined;
    store.gate = new Promise((resolve) => (open = resolve));
    await runtime.advance(100);
    store.top_ = 301;
    take(301);
    store.gate = null;
    open();
    await runtime.advance(0);
    expect(told.lines).toEqual(['epoch: two 300', 301]);
  });

  it('misses no message that comes while it opens', async () => {
    log = newLog();
    log.listen(told);
    let open: () => void = () => undefined;
    store.gate = new Promise((resolve) => (open = resolve));
    const opened = log.verify();
    store.top_ = 11;
    take(11);
    store.gate = null;
    open();
    await opened;
    await runtime.advance(0);
    expect(told.lines).toEqual([11]);
  });

  it('tells a new epoch where the numbers of the same one have gone back', async () => {
    store.top_ = 8;
    log.check();
    await runtime.advance(0);
    await runtime.advance(1_000);
    expect(told.lines).toEqual(['epoch: one 8']);
    expect(log.position).toEqual({ epoch: 'one', offset: 8 });
  });

  it('is settled once the top was read after the last doubt', async () => {
    let open: () => void = () => undefined;
    store.gate = new Promise((resolve) => (open = resolve));
    log.doubt();
    const verified = log.verify();
    log.doubt();
    open();
    await verified;
    expect(log.isSettled).toBe(false);
    await log.settle();
    expect(log.isSettled).toBe(true);
  });

  describe('for members that return', () => {
    const reach = (from: number, most = 1_000_000): Promise<string> =>
      log.frames.reach(from, most, (lack) => lack ?? `from ${log.frames.oldest}`);

    it('has the newest messages at hand', async () => {
      take(11, 12, 13);
      expect(await reach(11)).toBe('from 11');
      expect(store.asked).toEqual([]);
      expect(log.frames.countFrom(12, () => false)).toBe(2);
    });

    it('reads older ones once for all who wait', async () => {
      store.top_ = 900;
      await log.verify();
      await runtime.advance(0);
      store.asked.length = 0;
      const all = [7, 3, 10, 1, 5].map((from) => reach(from));
      expect(new Set(await Promise.all(all))).toEqual(new Set(['from 1']));
      expect(store.asked).toEqual(['read 0..10']);
    });

    it('tells what is trimmed, and what is too much', async () => {
      store.oldest = 6;
      expect(await reach(5)).toBe('trimmed');
      expect(await reach(6)).toBe('from 6');
      expect(await reach(5)).toBe('trimmed');
      store.top_ = 2_000;
      await log.verify();
      await runtime.advance(0);
      expect(await reach(1, 1_000)).toBe('limit');
    });

    it('tells that another epoch holds', async () => {
      store.epoch = 'two';
      expect(await reach(1)).toBe('epoch');
    });

    it('reads pages of about the bytes that were asked for', async () => {
      store.top_ = 2_000;
      await log.verify();
      await runtime.advance(0);
      log.frames.clear(2_001);
      store.asked.length = 0;
      const pages = await Promise.all([log.frames.page(1, 1_000), log.frames.page(1, 1_000)]);
      expect(pages[0]).toBe(pages[1]);
      expect(store.asked).toEqual(['read 0..2000']);
      for (let from = 1; from <= 2_000;) {
        const { frames } = await log.frames.page(from, 1_000);
        const bytes = frames.reduce((sum, [, frame]) => sum + frame.bytes.length, 0);
        expect(bytes).toBeGreaterThan(0);
        expect(bytes).toBeLessThan(1_100);
        expect(frames.map(([offset]) => offset)).toEqual(frames.map((_, at) => from + at));
        from += frames.length;
      }
    });

    it('has no more frames after the time for which messages are kept', async () => {
      take(11, 12);
      await runtime.advance(RETENTION.ttl);
      log.frames.expire();
      expect(log.frames.oldest).toBe(13);
    });
  });
});
