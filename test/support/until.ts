const PATIENCE = 5_000;

/**
 * Resolves once something is true, asking again at every turn of the event loop; fails when it never is.
 *
 * @param what what is waited for, where the condition does not say it itself
 */
export async function until(what: string, isMet: () => boolean): Promise<void>;
export async function until(isMet: () => boolean): Promise<void>;
export async function until(first: string | (() => boolean), second?: () => boolean): Promise<void> {
  const isMet = typeof first === 'function' ? first : second!;
  const deadline = performance.now() + PATIENCE;
  while (!isMet()) {
    if (performance.now() > deadline) throw new Error(`It did not come to pass: ${String(first)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
