import { setTimeout as wait } from 'node:timers/promises';

/** Milliseconds. */
const PATIENCE = 10_000;

/** Resolves once something is so. */
export async function until(isSo: () => boolean): Promise<void> {
  const end = Date.now() + PATIENCE;
  while (!isSo()) {
    if (Date.now() > end) throw new Error(`It did not happen within ${PATIENCE} ms: ${String(isSo)}`);
    await wait(5);
  }
}
