import { setImmediate, setTimeout } from 'node:timers/promises';

const PATIENCE = 15_000;
/** Milliseconds for which each turn of the event loop is asked: most of what is waited for is a matter of a few turns. */
const EAGER = 20;
/** Milliseconds between two later questions. Without a pause the wait would take a processor from who is waited for. */
const PAUSE = 2;

/**
 * Resolves once something is true, asking again and again; fails when it never is.
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
  const begin = performance.now();
  while (!isMet()) {
    const waited = performance.now() - begin;
    if (waited > patience) throw new Error(`It did not come to pass: ${String(first)}`);
    await (waited < EAGER ? setImmediate() : setTimeout(PAUSE));
  }
}
