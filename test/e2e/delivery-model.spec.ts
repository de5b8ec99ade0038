import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isSoak } from '../support/cluster-periods.js';
import { DeliveryStory } from '../support/delivery/delivery-story.js';
import { DeliveryWorld, type WorldKind } from '../support/delivery/delivery-world.js';
import { StallWatch } from '../../lib/testing/stall-watch.js';

/** `PXL_SEED=17,18 npm test -- test/e2e/delivery-model.spec.ts` tells these stories alone. */
const SEEDS = process.env.PXL_SEED?.split(',').map(Number);
const COUNT = Number(process.env.PXL_STORIES ?? (isSoak ? 2_000 : 10));
const seeds = SEEDS ?? Array.from({ length: COUNT }, (_, at) => at + 1);
/** Stories that are told side by side: they wait more than they work. */
const LANES = Math.min(6, seeds.length);
const TIMEOUT = 30_000 + seeds.length * 2_000;

describe.each<[how: string, kind: WorldKind]>([
  ['on one worker', 'one worker'],
  ['on two workers through Redis', 'two workers'],
  ['through a transformer', 'a transformer'],
])('Whatever is sent in whatever windows, %s', (_how, kind) => {
  let world: DeliveryWorld;
  const watch = new StallWatch();

  beforeAll(async () => {
    world = await DeliveryWorld.start(kind);
  });

  afterAll(async () => {
    watch.stop();
    await world.close();
  });

  it(
    `each client gets all of it in order, in time, and nothing behind a close (${seeds.length} stories)`,
    async () => {
      const queue = [...seeds];
      const failures: string[] = [];
      const lane = async (): Promise<void> => {
        for (let seed = queue.shift(); seed !== undefined && failures.length < 5; seed = queue.shift()) {
          const story = new DeliveryStory(world, seed);
          const faults = await story.tell(watch);
          if (faults.length === 0) continue;
          failures.push(`PXL_SEED=${seed}\n${faults.slice(0, 20).join('\n')}`);
          if (SEEDS) process.stdout.write(`${story.diary.join('\n')}\n`);
        }
      };
      await Promise.all(Array.from({ length: LANES }, lane));
      expect(failures).toEqual([]);
    },
    TIMEOUT,
  );
});
