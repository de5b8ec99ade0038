import { describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { BunWriter } from '../../lib/transport/outbox/bun-writer.js';

/** What Bun's ws tells: how much waits, no matter when it leaves. On the real Bun: npm run test:matrix -- Bun. */
function writing(): { writer: BunWriter; leave(bytes: number): void; send(bytes: number, leaving?: number): void } {
  let waiting = 0;
  let leavesWithin = 0;
  // Never connected: only its extensions, none, are looked at.
  const ws = Object.create(WebSocket.prototype, { extensions: { value: '' } }) as WebSocket;
  const writer = new BunWriter(ws, null, {
    send: (_ws, data) => void (waiting += 4 + (data as string).length - leavesWithin),
    close: () => undefined,
    bufferedAmountOf: () => waiting,
  });
  return {
    writer,
    leave: (bytes) => void (waiting -= bytes),
    send(bytes, leaving = 0) {
      leavesWithin = leaving;
      writer.send('x'.repeat(bytes), {});
    },
  };
}

describe('What has left for a client on Bun', () => {
  it('rises with what leaves between sends and within them, though more comes than leaves', () => {
    const { writer, leave, send } = writing();
    send(1_000);
    send(1_000);
    const stuck = writer.sentBytes;
    leave(500);
    expect(writer.sentBytes - stuck).toBe(500);
    send(1_000, 400);
    expect(writer.sentBytes - stuck).toBeGreaterThan(890);
    expect(writer.unsentBytes).toBe(3_012 - 900);
  });

  it('stays where nothing leaves, whatever comes', () => {
    const { writer, send } = writing();
    send(1_000);
    const stuck = writer.sentBytes;
    for (let times = 0; times < 100; times++) send(1_000);
    expect(writer.sentBytes).toBe(stuck);
  });
});
