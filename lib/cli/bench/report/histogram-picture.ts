import { count, ms, number, percent } from './figures.js';
import type { BenchReport } from './report.js';

const [WIDTH, HEIGHT] = [760, 400];
/** Where the bars stand. */
const AREA = { left: 64, right: WIDTH - 24, top: 118, bottom: HEIGHT - 56 };
/** So many bars at most: each is a share of the range of times, which grows by factors. */
const BARS = 60;
/** No bar is narrower than a bucket of the histogram: a factor of 1/128. */
const NARROWEST = 1.01;
const STYLE = `
    .ground { fill: #fff } text { fill: #1c2330; font: 13px system-ui, sans-serif }
    .title { font-size: 17px; font-weight: 600 } .quiet { fill: #5b6472 }
    .bar { fill: #2f6fde } .grid { stroke: #e3e6eb } .axis { stroke: #8a93a1 } .mark { stroke: #c2410c; stroke-dasharray: 4 3 }
    .marked { fill: #c2410c; font-weight: 600 }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #14181f } text { fill: #e8ebf0 } .quiet { fill: #9aa4b2 } .bar { fill: #6ea0ff }
      .grid { stroke: #2a313c } .axis { stroke: #667080 } .mark { stroke: #fb923c } .marked { fill: #fb923c }
    }`;

interface Bar {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** The latencies of a run as a picture: a file of SVG that needs nothing else, for light and dark pages. */
export function histogramPicture(report: BenchReport): string {
  const { latency, load, measures, messages, loss, url, program, startedAt, tool } = report;
  const { delivery } = latency;
  const title = `${measures === 'deliveries' ? 'Delivery' : 'Answer'} latency: p50 ${ms(delivery.p50)}, p99 ${ms(delivery.p99)}, max ${ms(delivery.max)}`;
  const rooms = load.rooms > 0 ? ` in ${count(load.rooms, 'room')}` : '';
  const lines = [
    `${count(load.clients, 'client')}${rooms}, ${number(messages.sent)} messages sent, ${number(delivery.count)} measured, ${percent(loss)} lost`,
    `${url} · ${program} · ${startedAt.slice(0, 16).replace('T', ' ')} UTC${tool.wasBottleneck ? ' · the tool was a bottleneck itself' : ''}`,
  ];
  const bars = barsOf(report);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-labelledby="title description">`,
    `  <title id="title">${escaped(title)}</title>`,
    `  <desc id="description">${escaped(lines.join('. '))}</desc>`,
    `  <style>${STYLE}\n  </style>`,
    `  <rect class="ground" width="${WIDTH}" height="${HEIGHT}" rx="8"/>`,
    text(24, 34, title, 'title'),
    ...lines.map((line, at) => text(24, 56 + at * 19, line, 'quiet')),
    ...(bars.length > 0 ? chart(bars, report) : [text(24, 200, 'Nothing was measured.')]),
    '</svg>',
    '',
  ].join('\n');
}

function chart(bars: readonly Bar[], { latency, measures }: BenchReport): string[] {
  const [first, last] = [bars[0], bars.at(-1)];
  const [low, high] = [first?.from ?? 1, last?.to ?? 2];
  const across = (time: number): number => {
    const part = Math.log(Math.min(high, Math.max(low, time)) / low) / Math.log(high / low);
    return Math.round((AREA.left + part * (AREA.right - AREA.left)) * 10) / 10;
  };
  const most = roundAbove(Math.max(...bars.map((bar) => bar.count)));
  const up = (value: number): number => Math.round((AREA.bottom - (value / most) * (AREA.bottom - AREA.top)) * 10) / 10;
  const levels = [0, most / 4, most / 2, (most / 4) * 3, most];
  const { p50, p99, max } = latency.delivery;
  return [
    ...levels.flatMap((level) => [
      `  <path class="${level === 0 ? 'axis' : 'grid'}" d="M${AREA.left} ${up(level)}H${AREA.right}"/>`,
      text(AREA.left - 8, up(level) + 4, short(level), 'quiet', 'end'),
    ]),
    ...bars
      .filter((bar) => bar.count > 0)
      .map((bar) => {
        const [x, end] = [across(bar.from), across(bar.to)];
        // What happened once in a million is to be seen too.
        const top = Math.min(up(bar.count), AREA.bottom - 1.5);
        const label = `${ms(bar.from)} to ${ms(bar.to)}: ${number(bar.count)}`;
        const width = Math.max(1, end - x - 1).toFixed(1);
        return `  <rect class="bar" x="${x}" y="${top}" width="${width}" height="${(AREA.bottom - top).toFixed(1)}"><title>${label}</title></rect>`;
      }),
    ...ticksOf(low, high).flatMap((tick) => [
      `  <path class="axis" d="M${across(tick)} ${AREA.bottom}v5"/>`,
      text(across(tick), AREA.bottom + 20, tickText(tick), 'quiet', 'middle'),
    ]),
    text(
      (AREA.left + AREA.right) / 2,
      HEIGHT - 12,
      `time until ${measures === 'deliveries' ? 'the receipt' : 'the answer'}, on a logarithmic scale`,
      'quiet',
      'middle',
    ),
    ...marks(
      [
        ['p50', p50],
        ['p99', p99],
        ['max', max],
      ],
      across,
    ),
  ];
}

/** Lines with their names above the bars. A name stands left of its line, and the lines right of it begin higher: none meet. */
function marks(times: readonly (readonly [string, number])[], across: (time: number) => number): string[] {
  return times.flatMap(([name, time], at) => {
    const x = across(time);
    const y = AREA.top - 24 + (times.length - 1 - at) * 15;
    const isNearStart = x < AREA.left + 40;
    return [
      `  <path class="mark" d="M${x} ${y - 8}V${AREA.bottom}"/>`,
      text(isNearStart ? x + 5 : x - 5, y + 3, name, 'marked', isNearStart ? 'start' : 'end'),
    ];
  });
}

/** The buckets of the histogram, joined to bars that are equally wide where each step is a factor. */
function barsOf({ histogram, latency }: BenchReport): Bar[] {
  if (histogram.length === 0) return [];
  // A microsecond is what the clock tells apart.
  const low = Math.max(0.001, latency.delivery.min);
  const high = Math.max(latency.delivery.max, low * NARROWEST) * NARROWEST;
  const bars = Math.max(1, Math.min(BARS, Math.floor(Math.log(high / low) / Math.log(NARROWEST))));
  const step = (high / low) ** (1 / bars);
  const counts = Array.from({ length: bars }, () => 0);
  for (const bucket of histogram) {
    const at = Math.floor(Math.log(Math.max(low, bucket.upTo) / low) / Math.log(step));
    const bar = Math.min(bars - 1, at);
    counts[bar] = (counts[bar] ?? 0) + bucket.count;
  }
  return counts.map((times, at) => ({ from: low * step ** at, to: low * step ** (at + 1), count: times }));
}

/** 1, 2 and 5 of each power of ten; where these are few, more. */
function ticksOf(low: number, high: number): number[] {
  const powers = Array.from({ length: 12 }, (_, at) => 10 ** (at - 4));
  const within = (digits: readonly number[]): number[] =>
    powers.flatMap((power) => digits.map((digit) => digit * power)).filter((tick) => tick >= low && tick <= high);
  const [few, some] = [within([1]), within([1, 2, 5])];
  if (few.length > 4) return few;
  return some.length > 2 ? some : within([1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9]);
}

function tickText(time: number): string {
  const [value, unit] = time >= 1_000 ? [time / 1_000, 's'] : time >= 1 ? [time, 'ms'] : [time * 1_000, 'µs'];
  return `${Number(value.toPrecision(3))} ${unit}`;
}

/** The next number above that four equal steps reach in round numbers. */
function roundAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const digit = [1, 2, 4, 6, 8, 10].find((candidate) => candidate * power >= value) ?? 10;
  return Math.max(4, digit * power);
}

/** `400`, `12k`, `1.5M`. */
function short(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  return value >= 10_000 ? `${Number((value / 1_000).toPrecision(3))}k` : number(value);
}

function text(x: number, y: number, words: string, kind = '', anchor = 'start'): string {
  return `  <text x="${x}" y="${y}"${kind && ` class="${kind}"`}${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}>${escaped(words)}</text>`;
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
