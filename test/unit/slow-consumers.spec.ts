import { describe, expect, it } from '@jest/globals';
import { resolveOptions } from '../../lib/pxl-websocket.module-options.js';
import { HeldFrames } from '../../lib/transport/outbox/held-frames.js';
import { SlowConsumers, type BudgetedOutbox } from '../../lib/transport/outbox/slow-consumers.js';
import { TextFrame } from '../../lib/clients/session/text-frame.js';
import { ManualRuntime } from '../support/manual-runtime.js';

/** A socket that only keeps account. */
class Account implements BudgetedOutbox {
  readonly ws = this;
  readyState = 1;
  bufferedAmount = 2_000;
  sentBytes = 0;
  isOver = false;
  closedWith: number | null = null;
  terminated = false;

  get unsentBytes(): number {
    return this.bufferedAmount - this.sentBytes;
  }

  close(code: number): void {
    this.closedWith = code;
    this.readyState = 2;
  }
  terminate(): void {
    this.terminated = true;
  }
  once(): void {}
  setOverBudget(isOver: boolean): void {
    this.isOver = isOver;
  }
  startDropping(): void {}
}

function judge(): { runtime: ManualRuntime; judge: SlowConsumers } {
  const runtime = new ManualRuntime();
  const options = resolveOptions({ limits: { maxBufferedBytes: 1_000, slowConsumerGrace: 5_000 } });
  return { runtime, judge: new SlowConsumers(runtime, options) };
}

describe('the byte budget', () => {
  it('gives a socket its grace, then closes it, and cuts it a second later', async () => {
    const { runtime, judge: consumers } = judge();
    const socket = new Account();
    consumers.check(socket);
    expect(socket.isOver).toBe(true);
    await runtime.advance(4_900);
    expect(socket.closedWith).toBeNull();
    await runtime.advance(600);
    expect(socket.closedWith).toBe(4008);
    await runtime.advance(1_000);
    expect(socket.terminated).toBe(true);
    expect(runtime.size).toBe(0);
  });

  it('forgives a socket that has drained meanwhile', async () => {
    const { runtime, judge: consumers } = judge();
    const socket = new Account();
    consumers.check(socket);
    socket.bufferedAmount = 500;
    await runtime.advance(10_000);
    expect(socket).toMatchObject({ isOver: false, closedWith: null });
    expect(runtime.size).toBe(0);
  });

  it('begins the grace anew whenever something has left', async () => {
    const { runtime, judge: consumers } = judge();
    const socket = new Account();
    consumers.check(socket);
    for (let times = 0; times < 5; times++) {
      await runtime.advance(4_000);
      socket.sentBytes++;
    }
    await runtime.advance(4_900);
    expect(socket.closedWith).toBeNull();
    await runtime.advance(1_100);
    expect(socket.closedWith).toBe(4008);
  });

  it('sees a queue shrink that has grown before, where nothing else is shown', async () => {
    const { runtime, judge: consumers } = judge();
    const socket = new Account();
    socket.sentBytes = -2_000;
    consumers.check(socket);
    await runtime.advance(1_000);
    socket.sentBytes = -5_000;
    await runtime.advance(3_000);
    socket.sentBytes = -4_000;
    await runtime.advance(4_900);
    expect(socket.closedWith).toBeNull();
  });

  it('counts nothing that has left, though a write that is not over is buffered whole', () => {
    const { judge: consumers } = judge();
    const socket = new Account();
    socket.bufferedAmount = 20_000;
    socket.sentBytes = 19_000;
    consumers.check(socket);
    expect(socket).toMatchObject({ isOver: false, closedWith: null });
    socket.sentBytes = 12_000;
    consumers.check(socket);
    expect(socket).toMatchObject({ isOver: true, closedWith: null });
  });

  it('closes at once over eight budgets', () => {
    const { judge: consumers } = judge();
    const socket = new Account();
    socket.bufferedAmount = 8_001;
    consumers.check(socket);
    expect(socket.closedWith).toBe(4008);
  });

  it('begins the grace anew when this process stood still', async () => {
    const { runtime, judge: consumers } = judge();
    const socket = new Account();
    consumers.check(socket);
    await runtime.stall(30_000);
    expect(socket.closedWith).toBeNull();
    await runtime.advance(5_500);
    expect(socket.closedWith).toBe(4008);
  });
});

describe('held frames', () => {
  it('keep the order, all that is not volatile, and the newest of what is', () => {
    const held = new HeldFrames(30);
    const dropped = ['v1', 'k1', 'v2', 'v3', 'k2'].map((name) =>
      held.push(new TextFrame(name.padEnd(10, '.')), name.startsWith('v')),
    );
    expect(dropped).toEqual([0, 0, 0, 1, 0]);
    expect(held.bytes).toBe(4 * 12);
    expect(held.take().map(({ text }) => text.slice(0, 2))).toEqual(['k1', 'v2', 'v3', 'k2']);
    expect([held.bytes, held.isEmpty]).toEqual([0, true]);
  });
});
