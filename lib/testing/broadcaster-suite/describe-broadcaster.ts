import { BusListener } from './bus-listener.js';
import { describeCutOffWorkers } from './cut-off-workers.js';
import { describeDelivery } from './delivery.js';
import { describeInterest } from './interest.js';
import type { TestedBus } from './tested-bus.js';

/** The parts of a test runner that the suite needs: those of Jest, Vitest and node:test fit. */
export interface SuiteRunner {
  describe(name: string, body: () => void): unknown;
  it(name: string, test: () => Promise<void>): unknown;
}

/** Those of a test: as many as it asked for. */
export type TestedWorkers = [BusListener, BusListener, BusListener];

/** Adds a test with so many workers that have started. */
export type BusTest = (
  title: string,
  workers: number,
  test: (workers: TestedWorkers, bus: TestedBus) => Promise<void>,
) => void;

/**
 * What every `Broadcaster` has to do, as tests. Each of them makes a bus of its own by `factory`, and ends it.
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
      const bus = await factory();
      const workers: BusListener[] = [];
      try {
        await Promise.all(Array.from({ length: count }, () => BusListener.join(bus, workers)));
        await body([...workers] as TestedWorkers, bus);
      } finally {
        await Promise.all(workers.map(({ broadcaster }) => broadcaster.stop()));
        await bus.stop?.();
      }
    });
  runner.describe(`${name}: what is published`, () => describeDelivery(test));
  runner.describe(`${name}: interest`, () => describeInterest(test));
  runner.describe(`${name}: a worker that is cut off`, () => describeCutOffWorkers(test));
}

function globalRunner(): SuiteRunner {
  const globals: object = globalThis;
  if (!isRunner(globals)) throw new Error('There is no global describe and it: pass those of the test runner.');
  return globals;
}

function isRunner(value: object): value is SuiteRunner {
  return 'describe' in value && 'it' in value;
}
