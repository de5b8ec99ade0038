import type { WorkerSample } from '../cluster/calls/inspection.js';
import type { RateReport, RateSample } from '../protocol/inspection.js';

type Codes = Readonly<Record<string, number>>;

/** What a worker did per second between two samples. */
export interface WorkerRates {
  /** Percent of one core. */
  readonly cpu: number;
  readonly rates: RateReport;
  readonly closesByCode: Codes;
  readonly errorsByCode: Codes;
}

/** Undefined for the first sample of a worker, and for one that comes again. */
export function ratesBetween(before: WorkerSample | undefined, now: WorkerSample): WorkerRates | undefined {
  const seconds = before && (now.at - before.at) / 1_000;
  if (!before || seconds === undefined || seconds <= 0) return undefined;
  const per = (count: number, former: number): number => rounded(Math.max(0, count - former) / seconds);
  const errorsByCode = codesBetween(before.errorsByCode, now.errorsByCode, per);
  return {
    cpu: rounded(((now.cpuMs - before.cpuMs) / seconds / 1_000) * 100),
    rates: {
      received: per(now.received, before.received),
      sent: per(now.sent, before.sent),
      connects: per(now.connects, before.connects),
      disconnects: per(now.disconnects, before.disconnects),
      errors: totalOf(errorsByCode),
    },
    closesByCode: codesBetween(before.closesByCode, now.closesByCode, per),
    errorsByCode,
  };
}

/** What all workers together did. */
export function sumOf(all: readonly WorkerRates[]): Omit<RateSample, 'at' | 'connections'> {
  const of = (name: keyof RateReport): number => rounded(all.reduce((sum, { rates }) => sum + rates[name], 0));
  return {
    received: of('received'),
    sent: of('sent'),
    connects: of('connects'),
    disconnects: of('disconnects'),
    errors: of('errors'),
    closesByCode: codesOf(all.map(({ closesByCode }) => closesByCode)),
    errorsByCode: codesOf(all.map(({ errorsByCode }) => errorsByCode)),
  };
}

function codesBetween(before: Codes, now: Codes, per: (count: number, former: number) => number): Codes {
  const rates = Object.entries(now).map(([code, count]) => [code, per(count, before[code] ?? 0)] as const);
  return Object.fromEntries(rates.filter(([, rate]) => rate > 0));
}

function codesOf(all: readonly Codes[]): Codes {
  const sums: Record<string, number> = {};
  for (const codes of all) {
    for (const [code, rate] of Object.entries(codes)) sums[code] = rounded((sums[code] ?? 0) + rate);
  }
  return sums;
}

function totalOf(codes: Codes): number {
  return rounded(Object.values(codes).reduce((sum, rate) => sum + rate, 0));
}

/** To a tenth. */
function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
