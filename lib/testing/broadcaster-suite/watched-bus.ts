import { StallWatch } from '../stall-watch.js';
import type { BusWorker, TestedBus } from './tested-bus.js';

/** A process that stood still for longer, in ms, may wait longer itself: it cannot hold its workers to their deadlines. */
const STALL = 300;

/** A bus that records whether the machine was too busy: a worker has lost it without having been cut off, or the process stood still. */
export class WatchedBus implements TestedBus {
  readonly cutOff: TestedBus['cutOff'];
  readonly #cutOff = new Set<BusWorker>();
  readonly #stalls = new StallWatch();
  #isLost = false;

  constructor(private readonly bus: TestedBus) {
    const cutOff = bus.cutOff?.bind(bus);
    if (!cutOff) return;
    this.cutOff = (worker) => {
      this.#cutOff.add(worker);
      return cutOff(worker);
    };
  }

  /** Whether what was late or lost may be so because of the machine. */
  get wasBusy(): boolean {
    return this.#isLost || this.#stalls.longest > STALL;
  }

  get mayHearMore(): boolean {
    return this.bus.mayHearMore ?? false;
  }

  async join(): Promise<BusWorker> {
    const worker = await this.bus.join();
    worker.broadcaster.onChange((isReady) => {
      if (!isReady && !this.#cutOff.has(worker)) this.#isLost = true;
    });
    return worker;
  }

  stop(): unknown {
    this.#stalls.stop();
    return this.bus.stop?.();
  }
}
