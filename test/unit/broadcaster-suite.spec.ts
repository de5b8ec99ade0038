import { expect, it } from '@jest/globals';
import { describeBroadcaster, type TestedBus } from 'nestjs-pxl-websocket/testing';
import { Hub, type HubBroadcaster } from '../support/hub-broadcaster.js';

/** What becomes of the suite's first test on such buses, and how many of those it has taken. */
async function firstTestOn(busOf: (number: number) => TestedBus): Promise<{ buses: number; failure: unknown }> {
  const tests: (() => Promise<void>)[] = [];
  let buses = 0;
  describeBroadcaster('A hub', () => busOf(++buses), {
    describe: (_name, body) => body(),
    it: (_title, test) => tests.push(test),
  });
  const failure: unknown = await tests[0]!().then(
    () => undefined,
    (error: unknown) => error,
  );
  return { buses, failure };
}

/** @param spoil is called with each worker when it publishes for the first time */
function hubBus(spoil?: (worker: HubBroadcaster) => void): TestedBus {
  const hub = new Hub();
  let workers = 0;
  return {
    join() {
      const broadcaster = hub.join(`worker0${++workers}`);
      const publish = broadcaster.publish.bind(broadcaster);
      broadcaster.publish = (envelope) => {
        spoil?.(broadcaster);
        return publish(envelope);
      };
      return { broadcaster, workerId: broadcaster.workerId };
    },
  };
}

const losesBus = (): TestedBus => hubBus((worker) => void worker.cutOff());
const saysNo = (): TestedBus =>
  hubBus(() => {
    throw new Error('no');
  });

it('a test of a broadcaster begins anew on another bus when a worker has told that it has lost its own', async () => {
  await expect(firstTestOn((number) => (number < 3 ? losesBus() : hubBus()))).resolves.toEqual({ buses: 3 });
});

it('but not for ever', async () => {
  await expect(firstTestOn(losesBus)).resolves.toMatchObject({ buses: 3, failure: { code: 'UNAVAILABLE' } });
});

it('and not when no worker has told of a loss', async () => {
  await expect(firstTestOn(saysNo)).resolves.toMatchObject({ buses: 1, failure: { message: 'no' } });
});
