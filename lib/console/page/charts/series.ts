/** One measurement; null: nobody could measure, and the line has a gap. */
export interface Sample {
  /** ms since 1970, by the page's clock. */
  readonly at: number;
  readonly value: number | null;
}

/** How much of the past the charts show, ms. */
export const WINDOW = 300_000;

/** The measurements of the last five minutes. */
export class Series {
  readonly samples: Sample[] = [];

  add(at: number, value: number | null): void {
    this.samples.push({ at, value });
    while (this.samples[0] && this.samples[0].at < at - WINDOW) this.samples.shift();
  }

  get last(): Sample | undefined {
    return this.samples.at(-1);
  }

  /** The lowest and the highest value; undefined while there is none. */
  get range(): readonly [low: number, high: number] | undefined {
    const values = this.samples.flatMap(({ value }) => value ?? []);
    return values.length ? [Math.min(...values), Math.max(...values)] : undefined;
  }
}
