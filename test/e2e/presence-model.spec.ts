import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isSoak } from '../support/cluster-periods.js';
import { PresenceFleet } from '../support/presence/presence-fleet.js';
import { PresenceStory, type Calamity } from '../support/presence/presence-story.js';

/** `PXL_SEED=17,18 npm test -- test/e2e/presence-model.spec.ts` tells these stories alone. */
const SEEDS = process.env.PXL_SEED?.split(',').map(Number);
/** More than a few stories, each with what befalls workers. */
const COUNT = Number(process.env.PXL_STORIES ?? (isSoak ? 500 : 0));
const seeds = SEEDS ?? Array.from({ length: COUNT }, (_, at) => at + 1);
const isLong = seeds.length > 0;
/** Stories that are told side by side, each lane with workers and a Redis of its own. */
const LANES = Number(process.env.PXL_LANES ?? Math.min(2, seeds.length));
/** Calm stories that are told side by side in the same cluster. */
const CALM = 8;

describe('Whatever happens to clients and workers', () => {
  const fleets: PresenceFleet[] = [];
  const failures: string[] = [];

  beforeAll(async () => {
    fleets.push(...(await Promise.all(Array.from({ length: LANES || 1 }, () => PresenceFleet.start()))));
  });

  afterAll(() => Promise.all(fleets.map((fleet) => fleet.close())), 60_000);

  async function tell(fleet: PresenceFleet, seed: number, calamity?: Calamity | null): Promise<void> {
    const story = new PresenceStory(fleet, seed, calamity);
    const faults = await story.tell();
    if (faults.length === 0) return;
    failures.push(`PXL_SEED=${seed} (${story.calamity ?? 'no calamity'})\n${faults.slice(0, 20).join('\n')}`);
    if (SEEDS ?? process.env.TELL) process.stdout.write(`${story.diary}\n${story.records}\n`);
  }

  (isLong ? it : it.skip)(
    `members know who is there (${seeds.length} stories)`,
    async () => {
      const queue = [...seeds];
      const lane = async (fleet: PresenceFleet): Promise<void> => {
        for (let seed = queue.shift(); seed !== undefined && failures.length < 5; seed = queue.shift()) {
          await tell(fleet, seed);
          if (seed % 50 === 0) process.stdout.write(`${seed} stories\n`);
        }
      };
      await Promise.all(fleets.map(lane));
      expect(failures).toEqual([]);
    },
    60_000 + seeds.length * 20_000,
  );

  (isLong ? it.skip : it)(
    'members know who is there, whose clients come, go, lose their connections, and say something of themselves',
    async () => {
      const calm = Array.from({ length: CALM }, (_, at) => at + 1);
      await Promise.all(calm.map((seed) => tell(fleets[0]!, seed, null)));
      expect(failures).toEqual([]);
    },
    60_000,
  );
});
