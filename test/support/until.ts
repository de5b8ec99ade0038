const PATIENCE = 15_000;
/** Milliseconds between two questions. A loop without a pause would take a processor from those who are waited for. */
const PAUSE = 2;

/**
 * Resolves once something is true, asking again every few milliseconds; fails when it never is.
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
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}
