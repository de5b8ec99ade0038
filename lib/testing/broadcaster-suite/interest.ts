import { strict as assert } from 'node:assert';
import type { WsTarget } from '../../cluster/bus/envelope.js';
import { eventually } from '../eventually.js';
import { BusListener } from './bus-listener.js';
import type { BusTest } from './describe-broadcaster.js';

const ROOM: WsTarget = { kind: 'rooms', roomNames: ['chess'] };
const USER: WsTarget = { kind: 'users', userIds: ['7'] };

/** What a pattern, a hash tag, a line of a protocol or a property of an object would be written with. */
const NAMES = ['*', 'a?[b]', 'aXb', '{x}', 'x', '%7Bx%7D', 'a\r\nb', '\u0000', '__proto__', 'é', '🎲', ' ', 'a:b'];

/** When a worker hears a room, a user or a channel. */
export function describeInterest(test: BusTest): void {
  test(
    'is in a name and nothing else, whatever it is made of',
    2,
    async ([sender, receiver], { mayHearMore = false }) => {
      const { broadcaster } = receiver;
      const kinds: [acquire: (name: string) => Promise<void> | undefined, targetOf: (name: string) => WsTarget][] = [
        [(room) => broadcaster.acquireRoom(room), (room) => ({ kind: 'rooms', roomNames: [room] })],
        [(user) => broadcaster.acquireUser(user), (user) => ({ kind: 'users', userIds: [user] })],
        [(channel) => broadcaster.acquireEvents(channel), (channel) => ({ kind: 'subscribers', channel })],
      ];
      for (const [acquire, targetOf] of kinds) {
        for (const name of NAMES) {
          if (!mayHearMore) assert.equal(await sender.isHeardBy(receiver, targetOf(name)), false, name);
          await acquire(name);
          await sender.publish(targetOf(name));
          await sender.expectHeardBy(receiver);
        }
      }
    },
  );

  test('lasts until it has been released as often as it was acquired', 2, async ([sender, receiver]) => {
    const { broadcaster } = receiver;
    for (let times = 0; times < 3; times++) {
      await broadcaster.acquireRoom('chess');
      await broadcaster.acquireUser('7');
    }
    for (let times = 0; times < 2; times++) {
      broadcaster.releaseRoom('chess');
      broadcaster.releaseUser('7');
    }
    for (const target of [ROOM, USER]) {
      await sender.publish(target);
      await sender.expectHeardBy(receiver);
    }
    broadcaster.releaseRoom('chess');
    broadcaster.releaseUser('7');
    await eventually('both have ended', async () => {
      // A bus may send both by another way for a while, once it finds that nobody hears them.
      const isRoomHeard = await sender.isHeardBy(receiver, ROOM);
      return !(await sender.isHeardBy(receiver, USER)) && !isRoomHeard;
    });
  });

  test('is there once the promise has resolved, however often it came and went', 2, async ([sender, receiver]) => {
    for (let round = 0; round < 100; round++) {
      await receiver.broadcaster.acquireRoom('chess');
      if (round % 10 === 0) {
        await sender.publish(ROOM);
        await sender.expectHeardBy(receiver);
      }
      receiver.broadcaster.releaseRoom('chess');
    }
  });

  test('may be in thousands of rooms', 2, async ([sender, receiver]) => {
    const rooms = Array.from({ length: 2_000 }, (_, at) => `room ${at}`);
    await Promise.all(rooms.map(async (room) => receiver.broadcaster.acquireRoom(room)));
    await Promise.all(rooms.map((room) => sender.publish({ kind: 'rooms', roomNames: [room] })));
    await receiver.hears(rooms.length);
  });

  test('of a late worker begins when it has started', 1, async ([sender], bus) => {
    assert.equal(sender.broadcaster.isReady, true);
    await sender.publish({ kind: 'everybody' });
    const late = await BusListener.join(bus, sender.all);
    assert.equal(late.broadcaster.isReady, true);
    await sender.publish({ kind: 'everybody' });
    await sender.expectHeardBy(late);
  });

  test('ends when a worker has stopped, and nobody misses it', 3, async ([sender, stopped, other]) => {
    await stopped.broadcaster.acquireRoom('chess');
    await stopped.leave();
    await sender.publish({ kind: 'workers', workerIds: [stopped.workerId] });
    await sender.publish(ROOM);
    await sender.expectHeardBy();
    await sender.publish({ kind: 'everybody' });
    await sender.expectHeardBy(other);
    assert.deepEqual(stopped.heard, []);
  });
}
