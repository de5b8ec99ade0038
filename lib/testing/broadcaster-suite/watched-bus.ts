import type { BusWorker, TestedBus } from './tested-bus.js';

/** A bus that records whether a worker has lost it without having been cut off. */
export class WatchedBus implements TestedBus {
  readonly cutOff: TestedBus['cutOff'];
  readonly #cutOff = new Set<BusWorker>();
  #isLost = false;

  constructor(private readonly bus: TestedBus) {
    const cutOff = bus.cutOff?.bind(bus);
    if (!cutOff) return;
    this.cutOff = (worker) => {
      this.#cutOff.add(worker);
      return cutOff(worker);
    };
  }

  /** Whether a worker has lost the bus by itself. */
  get isLost(): boolean {
    return this.#isLost;
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
    return this.bus.stop?.();
  }
}
