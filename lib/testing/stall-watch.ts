/** Milliseconds between two looks at the clock. */
const LOOK = 5;

/** Tells when this process stood still: what is late then was not made late by what it waits for. */
export class StallWatch {
  readonly #stalls: { from: number; until: number }[] = [];
  #last = performance.now();
  readonly #timer = setInterval(() => this.#look(), LOOK);

  /** Milliseconds within a span of time in which nothing could happen in time. */
  readonly stalled = (from: number, until: number): number => {
    let sum = 0;
    for (const stall of this.#stalls) sum += Math.max(0, Math.min(until, stall.until) - Math.max(from, stall.from));
    return sum;
  };

  /** How long it stood still at once, in ms. */
  get longest(): number {
    return this.#stalls.reduce((longest, { from, until }) => Math.max(longest, until - from), 0);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#look();
  }

  #look(): void {
    const now = performance.now();
    if (now - this.#last > 2 * LOOK) this.#stalls.push({ from: this.#last, until: now });
    this.#last = now;
  }
}

/** How long something takes, in ms, but for the time in which this process stood still: for a promise that it keeps itself. */
export async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const watch = new StallWatch();
  const begin = performance.now();
  try {
    await work();
  } finally {
    watch.stop();
  }
  const end = performance.now();
  return end - begin - watch.stalled(begin, end);
}
