/** Upper bounds of the buckets in seconds: half a millisecond to ten seconds, in steps of 2 to 2.5. */
export const SECONDS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** How many values were at most `le`. */
export interface HistogramBucket {
  readonly le: number;
  readonly count: number;
}

/** What a histogram has counted so far, as Prometheus tells it. */
export interface HistogramCounts {
  /** One for each bound; values above the last one are in `count` only. */
  readonly buckets: readonly HistogramBucket[];
  readonly count: number;
  readonly sum: number;
}

/** Counts how long something took, in fixed buckets. Observing allocates nothing: it is done for each message. */
export class Histogram {
  /** Values of each bucket alone, and behind them those above the last bound. */
  readonly #counts = new Float64Array(SECONDS.length + 1);
  #sum = 0;

  /** @param seconds NaN for what began before anybody measured: it is not counted */
  observe(seconds: number): void {
    if (Number.isNaN(seconds)) return;
    let at = 0;
    while (seconds > (SECONDS[at] ?? Infinity)) at++;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sum += seconds;
  }

  read(): HistogramCounts {
    let count = 0;
    const upTo = Array.from(this.#counts, (own) => (count += own));
    return { buckets: SECONDS.map((le, at) => ({ le, count: upTo[at] ?? 0 })), count, sum: this.#sum };
  }
}
