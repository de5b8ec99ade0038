/** How figures are written for people. */
const ENGLISH = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** `5,000`. */
export function number(value: number): string {
  return ENGLISH.format(value);
}

/** `1 client`, `5,000 clients`. */
export function count(value: number, one: string, more = `${one}s`): string {
  return `${number(value)} ${value === 1 ? one : more}`;
}

/** `0.42 ms`, `12.3 ms`, `1.25 s`: three digits that count. */
export function ms(value: number): string {
  return value >= 1_000 ? `${digits(value / 1_000)} s` : `${digits(value)} ms`;
}

/** Of a time in ms what can be believed: µs. */
export function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}

/** `0.02 %`. */
export function percent(part: number): string {
  const value = part * 100;
  if (value === 0 || value >= 10) return `${Math.round(value * 10) / 10} %`;
  return `${Number(value.toPrecision(2))} %`;
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
