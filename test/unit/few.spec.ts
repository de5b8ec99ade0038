import { describe, expect, it } from '@jest/globals';
import { RecordPool } from '../../lib/cluster/mirror/record-pool.js';
import type { ClientSession } from '../../lib/clients/session/client-session.js';
import { Room } from '../../lib/rooms/room.js';
import { Groups, has, lastOf, NONE, sizeOf, withItem, withoutItem, type Few } from '../../lib/runtime/few.js';
import { SeededRandom } from '../support/seeded-random.js';

/** More than an array holds, so that both forms come and go. */
const ITEMS = Array.from({ length: 14 }, (_, index) => `item-${index}`);

describe('a set of few', () => {
  it('is a set, whatever comes and goes', () => {
    const random = new SeededRandom(20);
    for (let sequence = 0; sequence < 40; sequence++) {
      let few: Few<string> = NONE;
      const set = new Set<string>();
      for (let step = 0; step < 60; step++) {
        const item = random.pick(ITEMS);
        // Up and down again, past the length of an array.
        if (random.chance(step < 30 ? 0.8 : 0.2)) {
          few = withItem(few, item);
          set.add(item);
        } else {
          few = withoutItem(few, item);
          set.delete(item);
        }
        expect([...few]).toEqual([...set]);
        expect([sizeOf(few), lastOf(few), has(few, item)]).toEqual([set.size, [...set].at(-1), set.has(item)]);
      }
    }
  });

  it('is there by its key while it has items', () => {
    const groups = new Groups<string, string>();
    for (const item of ITEMS) groups.add('ada', item);
    groups.add('bob', 'x');
    groups.add('bob', 'x');
    expect([...groups.keys()].sort()).toEqual(['ada', 'bob']);
    expect([...(groups.of('ada') ?? [])]).toEqual(ITEMS);
    for (const item of ITEMS) groups.delete('ada', item);
    groups.delete('bob', 'y');
    expect([...(groups.of('bob') ?? [])]).toEqual(['x']);
    groups.delete('bob', 'x');
    expect([groups.of('ada'), groups.of('bob'), [...groups.keys()]]).toEqual([undefined, undefined, []]);
  });
});

describe('a room', () => {
  const session = (clientId: string): ClientSession => ({ clientId }) as ClientSession;
  const sessions = ITEMS.map(session);

  it.each([1, 14])(
    'tells the ids of %i of its own clients and those of others in the order in which they came',
    (count) => {
      const room = new Room('chess');
      const own = sessions.slice(0, count);
      for (const client of own) room.enter(client);
      const ids = own.map(({ clientId }) => clientId);
      expect([[...room.ids], room.size, room.has('item-0'), room.has('far')]).toEqual([ids, count, true, false]);
      room.add('far');
      room.enter(session('late'));
      expect([[...room.ids], room.size]).toEqual([[...ids, 'far', 'late'], count + 2]);
      room.delete('far');
      expect([[...room.ids], [...room.clients].length]).toEqual([[...ids, 'late'], count + 1]);
    },
  );

  it('gives a set that goes with it', () => {
    const room = new Room('chess');
    const ids = room.idSet;
    for (const client of sessions) room.enter(client);
    room.add('far');
    room.exit(sessions[0]!);
    expect([...ids]).toEqual([...ITEMS.slice(1), 'far']);
    expect(room.idSet).toBe(ids);
  });
});

describe('the pool of records', () => {
  it('gives members of a room one membership, unless one has something of its own', () => {
    const pool = new RecordPool();
    const chess = pool.share({ roomName: 'chess' });
    expect(pool.share({ roomName: 'chess' })).toBe(chess);
    expect(pool.share({ roomName: 'chess', isAnnounced: true })).toEqual({ roomName: 'chess', isAnnounced: true });
    expect(pool.share({ roomName: 'chess', username: 'ada' })).toEqual({ roomName: 'chess', username: 'ada' });
    for (let room = 0; room < 5_000; room++) pool.share({ roomName: `${room}` });
    expect(pool.share({ roomName: 'chess' })).toEqual(chess);
  });
});
