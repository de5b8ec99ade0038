import { pause } from './checks.js';

const PAUSE = 20;

/**
 * Asks again and again until the answer is one: neither false nor null nor undefined.
 *
 * @param what it waits for, as it stands in the error
 */
export async function within<T>(
  patience: number,
  what: string,
  ask: () => T | Promise<T>,
): Promise<Exclude<T, false | null | undefined>> {
  const deadline = performance.now() + patience;
  for (;;) {
    const answer = await ask();
    if (answer !== false && answer !== null && answer !== undefined) {
      return answer as Exclude<T, false | null | undefined>;
    }
    if (performance.now() > deadline) throw new Error(`It did not come to pass within ${patience} ms: ${what}.`);
    await pause(PAUSE);
  }
}
