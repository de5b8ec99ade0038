import { isDeepStrictEqual, inspect } from 'node:util';

/** @throws Error when it is another value */
export function isEqual(what: string, value: unknown, wanted: unknown): void {
  if (!isDeepStrictEqual(value, wanted)) throw new Error(`${what}: ${inspect(value)}, not ${inspect(wanted)}`);
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Seconds with one digit. */
export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

/** What is in a list, each once, with how often it is there. */
export function tally(list: readonly (string | number)[]): string {
  const counts = new Map<string | number, number>();
  for (const one of list) counts.set(one, (counts.get(one) ?? 0) + 1);
  return [...counts].map(([one, count]) => `${count} × ${one}`).join(', ');
}
