const WHOLE = new Intl.NumberFormat('en');
const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const EXACT = new Intl.NumberFormat('en', { maximumSignificantDigits: 2 });
const BYTES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What stands for a number that nobody knows. */
export const NONE = '–';

/** 12,345; and from a hundred thousand on 123.5K, so that columns stay narrow. */
export function count(value: number | null | undefined): string {
  if (!isNumber(value)) return NONE;
  return value < 100_000 ? WHOLE.format(Math.round(value)) : COMPACT.format(value);
}

/** A number of things: `1 client`, `2 clients`. */
export function things(value: number, one: string, many = `${one}s`): string {
  return `${WHOLE.format(value)} ${value === 1 ? one : many}`;
}

/** A rate: 0, 0.25, 3.5, 120, 12.3K. */
export function rate(value: number | null | undefined): string {
  if (!isNumber(value)) return NONE;
  if (value > 0 && value < 0.01) return '<0.01';
  return value < 1_000 ? brief(value) : COMPACT.format(value);
}

/** Seconds in the unit that suits them: 240 µs, 3.2 ms, 1.2 s. */
export function seconds(value: number | null | undefined): string {
  if (!isNumber(value)) return NONE;
  if (value === 0) return '0 ms';
  if (value < 0.001) return `${brief(value * 1_000_000)} µs`;
  return value < 1 ? `${brief(value * 1_000)} ms` : `${brief(value)} s`;
}

export function bytes(value: number | null | undefined): string {
  if (!isNumber(value)) return NONE;
  const unit = value < 1 ? 0 : Math.min(Math.floor(Math.log2(value) / 10), BYTES.length - 1);
  return `${brief(value / 1_024 ** unit)} ${BYTES[unit] ?? ''}`;
}

/** A share from 0 to 1. */
export function percent(value: number | null | undefined): string {
  if (!isNumber(value)) return NONE;
  if (value > 0 && value < 0.001) return '<0.1 %';
  return `${value < 0.1 ? Math.round(value * 1_000) / 10 : Math.round(value * 100)} %`;
}

/** A time span in its two largest units: 3 d 4 h, 5 min 2 s. */
export function span(ms: number): string {
  const total = Math.max(0, Math.round(ms / 1_000));
  const [large, inLarge, small, inSmall] =
    total < HOUR
      ? (['min', MINUTE, 's', 1] as const)
      : total < DAY
        ? (['h', HOUR, 'min', MINUTE] as const)
        : (['d', DAY, 'h', HOUR] as const);
  const [whole, rest] = [Math.floor(total / inLarge), Math.floor((total % inLarge) / inSmall)];
  return [whole > 0 && `${whole} ${large}`, (rest > 0 || whole === 0) && `${rest} ${small}`].filter(Boolean).join(' ');
}

/** A time span in its largest unit: 3 d, 5 min. */
export function roughly(ms: number): string {
  return span(ms).split(' ').slice(0, 2).join(' ');
}

/** The time of the day with seconds, as the reader's clock has it. */
export function clock(at: number): string {
  return new Date(at).toLocaleTimeString('en-GB');
}

/** The time of the day with milliseconds: messages come close together. */
export function exactClock(at: number): string {
  return `${clock(at)}.${String(Math.floor(at) % 1_000).padStart(3, '0')}`;
}

/** Day and time of the day. */
export function moment(at: number): string {
  const date = new Date(at);
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, '0'));
  return `${day.join('-')} ${clock(at)}`;
}

/** Enough of an id to tell it from others. */
export function shortId(id: string): string {
  return id.length > 10 ? id.slice(0, 8) : id;
}

/** Two digits tell enough of what is small: 0.25, 3.5, 42, 187. */
function brief(value: number): string {
  return (value < 10 ? EXACT : WHOLE).format(value < 10 ? value : Math.round(value));
}

function isNumber(value: number | null | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
