const PAUSE = 10;

/**
 * Asks until the answer is yes, with a short pause after each no; fails when it never is.
 *
 * @param patience ms
 * @returns the milliseconds that it took
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
