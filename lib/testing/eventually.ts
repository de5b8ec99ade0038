const PAUSE = 10;

/**
 * Repeats a check, with short pauses, until it holds. Fails when it does not hold in time.
 *
 * @param patience how long to repeat, in ms
 * @returns the time that it took, in ms
 */
export async function eventually(
  what: string,
  ask: () => boolean | Promise<boolean>,
  patience = 15_000,
): Promise<number> {
  const begin = performance.now();
  while (!(await ask())) {
    if (performance.now() - begin > patience) throw new Error(`It did not come to pass within ${patience} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  return performance.now() - begin;
}
