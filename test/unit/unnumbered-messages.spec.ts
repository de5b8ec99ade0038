import { beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { LocalRoomStore } from '../../lib/cluster/bus/local.room-store.js';
import { ErrorReporter } from '../../lib/errors/error-reporter.js';
import { UnnumberedMessages } from '../../lib/history/unnumbered-messages.js';
import { resolveOptions } from '../../lib/pxl-websocket.module-options.js';
import { ManualRuntime } from '../support/manual-runtime.js';

const RETENTION = { size: 10, ttl: 60_000_000, metaTtl: 60_000_000 };
const MINUTE = 60_000;

describe('messages without a number for a room with history', () => {
  let runtime: ManualRuntime;
  let store: LocalRoomStore;
  let cleared: string[];
  let messages: UnnumberedMessages;

  const epoch = async (): Promise<string> => (await store.top('tea', RETENTION)).epoch;

  beforeEach(async () => {
    Logger.overrideLogger(false);
    runtime = new ManualRuntime();
    store = new LocalRoomStore(runtime);
    cleared = [];
    const errors = new ErrorReporter(runtime, resolveOptions({}));
    messages = new UnnumberedMessages(
      store,
      () => '',
      (roomName) => cleared.push(roomName),
      errors,
      runtime,
    );
    await epoch();
    await runtime.advance(MINUTE);
  });

  it('clear it at once, and at most once a minute', async () => {
    const first = await epoch();
    messages.take('tea', RETENTION);
    await runtime.advance(0);
    const second = await epoch();
    expect(second).not.toBe(first);
    for (let n = 0; n < 10; n++) messages.take('tea', RETENTION);
    await runtime.advance(MINUTE - 1);
    expect(await epoch()).toBe(second);
    expect(cleared).toEqual(['tea']);
  });

  it('clear it once more at the end of the minute where there were more', async () => {
    messages.take('tea', RETENTION);
    await runtime.advance(1_000);
    messages.take('tea', RETENTION);
    await runtime.advance(MINUTE);
    expect(cleared).toEqual(['tea', 'tea']);
    await runtime.advance(10 * MINUTE);
    expect(cleared).toEqual(['tea', 'tea']);
  });

  it('leave it alone, and leave no timer behind, once the bus has ended', async () => {
    const timers = runtime.size;
    messages.take('tea', RETENTION);
    await runtime.advance(0);
    messages.take('tea', RETENTION);
    messages.end();
    expect(runtime.size).toBe(timers);
    messages.take('go', RETENTION);
    await runtime.advance(10 * MINUTE);
    expect(cleared).toEqual(['tea']);
  });

  it('clear it once, however many workers hear them', async () => {
    const errors = new ErrorReporter(runtime, resolveOptions({}));
    const workers = [0, 1, 2].map(() => {
      const worker = { epoch: '', take: (): void => all.take('tea', RETENTION) };
      const learn = (): void => void epoch().then((now) => (worker.epoch = now));
      const all = new UnnumberedMessages(store, () => worker.epoch, learn, errors, runtime);
      learn();
      return worker;
    });
    await runtime.advance(0);
    const epochs = new Set([await epoch()]);
    // The network brings it to the second one at once, to the third a little later.
    workers[0]!.take();
    workers[1]!.take();
    await runtime.advance(1);
    workers[2]!.take();
    for (let minute = 0; minute < 5; minute++) {
      await runtime.advance(MINUTE);
      epochs.add(await epoch());
    }
    expect(epochs.size).toBe(2);
    for (const worker of workers) worker.take();
    for (const worker of workers) worker.take();
    await runtime.advance(1);
    epochs.add(await epoch());
    for (let minute = 0; minute < 5; minute++) {
      await runtime.advance(MINUTE);
      epochs.add(await epoch());
    }
    expect(epochs.size).toBe(4);
  });

  it('clear a room that was too young for it later', async () => {
    await store.clear('tea', RETENTION);
    const young = await epoch();
    messages.take('tea', RETENTION);
    await runtime.advance(1_000);
    expect(await epoch()).toBe(young);
    await runtime.advance(MINUTE);
    expect(await epoch()).not.toBe(young);
    expect(cleared).toEqual(['tea']);
  });
});
