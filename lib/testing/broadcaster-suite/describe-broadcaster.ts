import { BusListener } from './bus-listener.js';
import { describeCutOffWorkers } from './cut-off-workers.js';
import { describeDelivery } from './delivery.js';
import { describeHistory } from './history.js';
import { describeInterest } from './interest.js';
import type { TestedBus } from './tested-bus.js';
import { WatchedBus } from './watched-bus.js';

/** How often a test is repeated when the machine was too busy during it. */
const REPEATS = 2;

/** The functions of a test runner that the suite uses; those of Jest, Vitest and node:test fit. */
export interface SuiteRunner {
  describe(name: string, body: () => void): unknown;
  it(name: string, test: () => Promise<void>): unknown;
}

/** The workers of a test: as many as it asked for. */
export type TestedWorkers = [BusListener, BusListener, BusListener];

type TestBody = (workers: TestedWorkers, bus: TestedBus) => Promise<void>;

/** Adds a test with so many started workers. */
export type BusTest = (title: string, workers: number, test: TestBody) => void;

/**
 * What every `WsBroadcaster` has to do, as tests. Each of them makes a bus of its own by `factory`, and ends it. A test that
 * fails begins anew, at most twice, where the machine was too busy meanwhile: a worker has told (`isReady`, `onChange`) that
 * it has lost the bus, though nobody has cut it off, or the process stood still for 300 ms. What is lost or late then is no
 * fault of the broadcaster.
 *
 * @param runner where `describe` and `it` are no globals, those of the test runner
 */
export function describeBroadcaster(
  name: string,
  factory: () => TestedBus | Promise<TestedBus>,
  runner: SuiteRunner = globalRunner(),
): void {
  const test: BusTest = (title, count, body) =>
    void runner.it(title, async () => {
      for (let repeats = 0; ; repeats++) {
        const bus = new WatchedBus(await factory());
        try {
          await runTest(bus, count, body);
          return;
        } catch (error) {
          if (!bus.wasBusy || repeats === REPEATS) throw error;
        }
      }
    });
  runner.describe(`${name}: what is published`, () => describeDelivery(test));
  runner.describe(`${name}: interest`, () => describeInterest(test));
  runner.describe(`${name}: the history of rooms`, () => describeHistory(test));
  runner.describe(`${name}: a worker that is cut off`, () => describeCutOffWorkers(test));
}

async function runTest(bus: TestedBus, count: number, body: TestBody): Promise<void> {
  const workers: BusListener[] = [];
  try {
    await Promise.all(Array.from({ length: count }, () => BusListener.join(bus, workers)));
    await body([...workers] as TestedWorkers, bus);
  } finally {
    await Promise.all(workers.map(({ broadcaster }) => broadcaster.stop()));
    await bus.stop?.();
  }
}

function globalRunner(): SuiteRunner {
  const globals: object = globalThis;
  if (!isRunner(globals)) throw new Error('There is no global describe and it: pass those of the test runner.');
  return globals;
}

function isRunner(value: object): value is SuiteRunner {
  return 'describe' in value && 'it' in value;
}
