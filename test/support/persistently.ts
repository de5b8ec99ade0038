import { eventually } from '../../lib/testing/eventually.js';

/** Codes that say: later it may be done. */
const LATER: readonly unknown[] = ['TIMEOUT', 'UNAVAILABLE'];

/**
 * Does what may be done twice, as joins, until it is done. For preparations: where nothing else is slow, much at once may take a
 * busy machine longer than the second that calls of other workers have.
 */
export async function persistently(what: string, work: () => Promise<unknown>): Promise<void> {
  await eventually(what, () =>
    work().then(
      () => true,
      (error: unknown) => {
        if (LATER.includes((error as { code?: unknown }).code)) return false;
        throw error;
      },
    ),
  );
}
