import { describe, expect, it } from '@jest/globals';
import { Runtime } from '../../lib/runtime/runtime.js';
import { pageOf, type Listed } from '../../lib/server/inspection/name-page.js';

const FIRST = { search: '', isPrefix: false, after: null, limit: 3 };

describe('A page of names', () => {
  it('has once, as it is now, what goes and comes again while the names are looked at', async () => {
    const members = new Map(Array.from({ length: 6_000 }, (_, at) => [`room-${String(at).padStart(4, '0')}`, 1]));
    function* rooms(): Generator<Listed<string>> {
      for (const [name, count] of members) yield { name, item: `${name}: ${count}` };
    }
    const page = pageOf(rooms(), FIRST, new Runtime());
    members.delete('room-0001'); // five thousand names are looked at in one turn
    members.set('room-0001', 2);
    expect(await page).toEqual(['room-0000: 1', 'room-0001: 2', 'room-0002: 1']);
  });
});
