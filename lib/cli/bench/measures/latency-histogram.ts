/** Values up to `2 ** EXACT` µs have a bucket each; above, each doubling has half as many buckets. */
const EXACT = 8;
const HALF = 2 ** (EXACT - 1);
/** The longest time that it tells apart from longer ones: 2^31 µs, 35 minutes. */
const LONGEST = 2 ** 31 - 1;
const BUCKETS = (31 - EXACT + 2) * HALF;

/** A histogram as text of JSON: only the buckets that have something. */
export interface HistogramData {
  /** The number of a bucket, how many values it has, the next bucket's number, and so on. */
  readonly buckets: readonly number[];
  /** The sum of all values, ms. */
  readonly sum: number;
  /** The smallest and the largest value, ms; null without values. */
  readonly least: number | null;
  readonly most: number | null;
}

/**
 * Counts times in buckets that grow with the times, so that a quantile is at most 1/128 (0.8 %) too large, however many values there
 * are. The smallest and the largest value are exact.
 */
export class LatencyHistogram {
  readonly #counts = new Float64Array(BUCKETS);
  #count = 0;
  #sum = 0;
  #least = Infinity;
  #most = -Infinity;

  static from(data: HistogramData): LatencyHistogram {
    const histogram = new LatencyHistogram();
    histogram.add(data);
    return histogram;
  }

  get count(): number {
    return this.#count;
  }

  /** The arithmetic mean, ms. */
  get mean(): number {
    return this.#count > 0 ? this.#sum / this.#count : 0;
  }

  /** The smallest value, ms; 0 without values. */
  get least(): number {
    return this.#count > 0 ? this.#least : 0;
  }

  /** The largest value, ms; 0 without values. */
  get most(): number {
    return this.#count > 0 ? this.#most : 0;
  }

  /** @param ms a time; one below 0 counts as 0 */
  record(ms: number): void {
    const time = ms > 0 ? ms : 0;
    const bucket = bucketOf(Math.min(LONGEST, Math.round(time * 1_000)));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count++;
    this.#sum += time;
    if (time < this.#least) this.#least = time;
    if (time > this.#most) this.#most = time;
  }

  /** The time, in ms, that the given part of all values does not exceed; 0 without values. */
  quantile(part: number): number {
    const rank = Math.max(1, Math.ceil(part * this.#count));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket] ?? 0;
      if (seen >= rank) return Math.min(this.#most, Math.max(this.#least, boundOf(bucket)));
    }
    return 0;
  }

  /** The buckets that have values: up to how many ms, and how many. */
  *filled(): Generator<{ readonly upTo: number; readonly count: number }> {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = this.#counts[bucket] ?? 0;
      if (count > 0) yield { upTo: boundOf(bucket), count };
    }
  }

  /** Adds the values of another one. */
  add({ buckets, sum, least, most }: HistogramData): void {
    for (let at = 0; at < buckets.length; at += 2) {
      const [bucket = 0, count = 0] = [buckets[at], buckets[at + 1]];
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
      this.#count += count;
    }
    this.#sum += sum;
    this.#least = Math.min(this.#least, least ?? Infinity);
    this.#most = Math.max(this.#most, most ?? -Infinity);
  }

  toJSON(): HistogramData {
    const buckets: number[] = [];
    this.#counts.forEach((count, bucket) => count > 0 && buckets.push(bucket, count));
    const isEmpty = this.#count === 0;
    return { buckets, sum: this.#sum, least: isEmpty ? null : this.#least, most: isEmpty ? null : this.#most };
  }
}

/** @param time whole µs */
function bucketOf(time: number): number {
  // By so many places the time is shifted until its most significant bits name a bucket.
  const places = Math.max(0, 32 - Math.clz32(time) - EXACT);
  return places * HALF + (time >>> places);
}

/** The longest time of a bucket, ms. */
function boundOf(bucket: number): number {
  const places = Math.max(0, Math.floor(bucket / HALF) - 1);
  return ((bucket - places * HALF + 1) * 2 ** places - 1) / 1_000;
}
