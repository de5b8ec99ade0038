import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isSoak } from '../support/cluster-periods.js';
import { HistoryFleet } from '../support/history/history-fleet.js';
import { HistoryStory } from '../support/history/history-story.js';
import { faultsOf } from '../support/history/record-check.js';
import { RoomTruth } from '../support/history/room-witness.js';
import { StoryClient } from '../support/history/story-client.js';

/** `PXL_SEED=17,18 npm test -- test/e2e/history-model.spec.ts` tells these stories alone. */
const SEEDS = process.env.PXL_SEED?.split(',').map(Number);
const COUNT = Number(process.env.PXL_STORIES ?? (isSoak ? 5_000 : 40));
const seeds = SEEDS ?? Array.from({ length: COUNT }, (_, at) => at + 1);
/** Stories that are told side by side, each lane with workers and a Redis of its own: they wait more than they work. */
const LANES = Math.min(8, seeds.length);
/** Milliseconds for one lane's share. */
const TIMEOUT = 120_000 + seeds.length * 1_000;

describe('Whatever happens to clients, workers and Redis', () => {
  const fleets: HistoryFleet[] = [];

  beforeAll(async () => {
    fleets.push(...(await Promise.all(Array.from({ length: LANES }, () => HistoryFleet.start()))));
  }, 120_000);

  afterAll(() => Promise.all(fleets.map((fleet) => fleet.close())), 60_000);

  it(
    `each member of a room has all of its messages, or was told (${seeds.length} stories)`,
    async () => {
      const queue = [...seeds];
      const failures: string[] = [];
      const tell = async (fleet: HistoryFleet): Promise<void> => {
        for (let seed = queue.shift(); seed !== undefined && failures.length < 5; seed = queue.shift()) {
          const story = new HistoryStory(fleet, seed);
          const faults = await story.tell();
          if (isSoak && seed % 500 === 0) process.stdout.write(`${seed} stories\n`);
          if (faults.length === 0) continue;
          failures.push(`PXL_SEED=${seed} (${story.calamity ?? 'no calamity'})\n${faults.slice(0, 20).join('\n')}`);
          if (SEEDS) process.stdout.write(`${story.diary}\n${story.records}\n`);
        }
      };
      await Promise.all(fleets.map(tell));
      expect(failures).toEqual([]);
    },
    TIMEOUT,
  );
});

describe('What a client knows of a room is held against the room', () => {
  const at = (offset: number, epoch = 'one'): { epoch: string; offset: number } => ({ epoch, offset });
  const none = { since: undefined, recovered: undefined, reason: undefined, replayed: 0 };

  /** The faults of a client that entered an empty room, in which a, b, c and d were said, c not to it. */
  function faultsAfter(act: (client: StoryClient) => void): string[] {
    const truth = new RoomTruth();
    for (const [index, said] of ['a', 'b', 'c', 'd'].entries()) truth.learn('one', index + 1, said);
    const client = new StoryClient('ada');
    client.recordOf('tea').stands({ position: at(0), ...none }, 'id');
    act(client);
    const excluded = new Map([['c', 'id']]);
    client.ids.add('id');
    return faultsOf(client.recordOf('tea'), client, { truth, size: 100, mayExpire: false, excluded });
  }

  function get(client: StoryClient, ...messages: [offset: number, said: string][]): void {
    for (const message of messages) client.recordOf('tea').got(...message);
  }

  it.each<[what: string, act: (client: StoryClient) => void, fault: string | null]>([
    ['all that is for it', (client) => get(client, [1, 'a'], [2, 'b'], [4, 'd']), null],
    ['a hole', (client) => get(client, [1, 'a'], [4, 'd']), 'a silent hole at 2 of one (b)'],
    ['no end', (client) => get(client, [1, 'a'], [2, 'b']), 'a silent hole at 4 of one (d)'],
    [
      'twice the same',
      (client) => get(client, [1, 'a'], [1, 'a'], [2, 'b'], [4, 'd']),
      'message 1 after 1: again, or back',
    ],
    ['a wrong order', (client) => get(client, [2, 'b'], [1, 'a'], [4, 'd']), 'message 1 after 2: again, or back'],
    [
      'what excludes it',
      (client) => get(client, [1, 'a'], [2, 'b'], [3, 'c'], [4, 'd']),
      'message 3 excludes this client',
    ],
    ['something else', (client) => get(client, [1, 'x'], [2, 'b'], [4, 'd']), 'message 1 is x here and a in the room'],
    [
      'a loss of what was there',
      (client) => client.recordOf('tea').lost(at(4), 'trimmed'),
      'room.lost says trimmed at 0 of one, but all of it is kept (4 of one)',
    ],
    [
      'a new epoch that is none',
      (client) => client.recordOf('tea').lost(at(4), 'epoch'),
      'room.lost says epoch, but it still is one',
    ],
    [
      'a recovery that leaves something out',
      (client) => {
        get(client, [1, 'a']);
        client.recordOf('tea').stands({ ...none, since: at(1), recovered: true, position: at(3) }, 'id');
        get(client, [4, 'd']);
      },
      'recovered from 1 of one, but it stands at 3 of one',
    ],
  ])('%s', (_what, act, fault) => {
    const faults = faultsAfter(act);
    if (fault === null) expect(faults).toEqual([]);
    else expect(faults).toContain(`ada in tea: ${fault}`);
  });
});
