import { assign, fill, h, svg } from '../dom/element.js';
import { clock, NONE } from '../format.js';
import { WINDOW, type Sample, type Series } from './series.js';

const WIDTH = 300;
const HEIGHT = 56;
/** Two measurements further apart than this have no line between them, ms: the page was hidden or had no connection. */
const GAP = 10_000;

/** A number over the last minutes: its name, its present value, a line, and how low and how high it was. */
export class LineChart {
  readonly element: HTMLElement;
  readonly #value = h('strong', { class: 'chart-value' });
  readonly #range = h('span', { class: 'chart-range' });
  readonly #line = svg('path', { class: 'chart-line' });
  readonly #area = svg('path', { class: 'chart-area' });
  readonly #cursor = svg('line', { class: 'chart-cursor', y1: 0, y2: HEIGHT, visibility: 'hidden' });
  readonly #picture: SVGSVGElement;
  readonly #title: string;
  readonly #format: (value: number) => string;
  #series: Series | undefined;
  /** Where the pointer is, from 0 to 1. */
  #pointer: number | undefined;

  /** @param format makes text of a value, with its unit */
  constructor(title: string, format: (value: number) => string) {
    this.#title = title;
    this.#format = format;
    this.#picture = svg(
      'svg',
      { class: 'chart-picture', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img' },
      this.#area,
      this.#line,
      this.#cursor,
    );
    this.#picture.addEventListener('pointermove', ({ offsetX }) => {
      this.#pointer = offsetX / (this.#picture.clientWidth || WIDTH);
      this.#tell();
    });
    this.#picture.addEventListener('pointerleave', () => {
      this.#pointer = undefined;
      this.#tell();
    });
    const name = h('figcaption', { class: 'chart-title' }, title);
    this.element = h('figure', { class: 'chart' }, name, this.#value, this.#picture, this.#range);
  }

  update(series: Series): void {
    this.#series = series;
    const { samples, range } = series;
    // The line of a number that stands still is not at the very top.
    const high = Math.max(range?.[1] ?? 0, Number.EPSILON) * 1.1;
    const end = series.last?.at ?? 0;
    const x = ({ at }: Sample): number => round(WIDTH * (1 - (end - at) / WINDOW));
    const y = (value: number): number => round(HEIGHT - 1 - (HEIGHT - 3) * (value / high));
    let line = '';
    let area = '';
    for (const part of unbroken(samples)) {
      const points = part.map((sample) => `${x(sample)} ${y(sample.value)}`);
      const [first, last] = [part[0], part.at(-1)];
      if (!first || !last) continue;
      line += `M${points.join('L')}`;
      area += `M${x(first)} ${HEIGHT}L${points.join('L')}L${x(last)} ${HEIGHT}Z`;
    }
    assign(this.#line, { d: line });
    assign(this.#area, { d: area });
    this.#tell();
  }

  /** Says the value now, or at the pointer. */
  #tell(): void {
    const { samples = [], range, last } = this.#series ?? {};
    const text = (value: number | null | undefined): string => (typeof value === 'number' ? this.#format(value) : NONE);
    const now = text(last?.value);
    const span = range ? `${text(range[0])} to ${text(range[1])}` : 'no data yet';
    assign(this.#picture, { 'aria-label': `${this.#title}: now ${now}; in the last five minutes ${span}` });
    const looked = this.#pointer === undefined ? undefined : sampleAt(samples, this.#pointer);
    fill(this.#value, looked ? text(looked.value) : now);
    fill(this.#range, looked ? `at ${clock(looked.at)}` : span);
    const at = round(WIDTH * (this.#pointer ?? 0));
    assign(this.#cursor, { x1: at, x2: at, visibility: looked ? 'visible' : 'hidden' });
  }
}

/** The runs of measurements without a gap. */
function unbroken(samples: readonly Sample[]): { at: number; value: number }[][] {
  const parts: { at: number; value: number }[][] = [];
  let before: Sample | undefined;
  for (const sample of samples) {
    const { at, value } = sample;
    const isGap = before?.value == null || at - before.at > GAP;
    if (value !== null) {
      if (isGap) parts.push([]);
      parts.at(-1)?.push({ at, value });
    }
    before = sample;
  }
  return parts;
}

function sampleAt(samples: readonly Sample[], pointer: number): Sample | undefined {
  const at = (samples.at(-1)?.at ?? 0) - WINDOW * (1 - pointer);
  const near = samples.filter((sample) => Math.abs(sample.at - at) < GAP);
  return near.sort((a, b) => Math.abs(a.at - at) - Math.abs(b.at - at))[0];
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
