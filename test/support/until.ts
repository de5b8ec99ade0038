const PATIENCE = 15_000;

/**
 * Resolves once something is true, asking again at every turn of the event loop; fails when it never is.
 *
 * @param what what is waited for, where the condition does not say it itself
 * @param patience ms, for what may take longer than most
 */
export async function until(what: string, isMet: () => boolean, patience?: number): Promise<void>;
export async function until(isMet: () => boolean): Promise<void>;
export async function until(
  first: string | (() => boolean),
  second?: () => boolean,
  patience = PATIENCE,
): Promise<void> {
  const isMet = typeof first === 'function' ? first : second!;
  const deadline = performance.now() + patience;
  while (!isMet()) {
    if (performance.now() > deadline) throw new Error(`It did not come to pass: ${String(first)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
