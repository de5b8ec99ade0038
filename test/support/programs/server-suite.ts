import { CLUSTER_CHECKS } from '../server-suite/cluster-checks.js';
import { END_CHECKS } from '../server-suite/end-checks.js';
import { MESSAGE_CHECKS } from '../server-suite/message-checks.js';
import { SLOW_CHECKS } from '../server-suite/slow-checks.js';
import { SuitePlace } from '../server-suite/suite-place.js';
import type { SuiteRuntime } from '../server-suite/suite-process.js';

/*
 * What the server promises, on whatever runs it: Node, Bun, Deno. Its clients are in this process, which is Node. Writes a line of
 * JSON for each check, and ends with 1 when one has failed.
 *
 *   node server-suite.mjs <how to start suite-server, as JSON> [<a part of the name of the only checks>]
 */

/** How long each check has, ms. */
const PATIENCE = 120_000;

// Of a check that has failed before.
process.on('unhandledRejection', () => undefined);

const place = new SuitePlace(JSON.parse(process.argv[2]!) as SuiteRuntime);
const only = process.argv[3] ?? '';
const checks = { ...MESSAGE_CHECKS, ...SLOW_CHECKS, ...END_CHECKS, ...CLUSTER_CHECKS };

for (const [check, work] of Object.entries(checks)) {
  if (!check.includes(only)) continue;
  tell(
    check,
    await inTime(() => work(place)).then(
      () => undefined,
      (reason: unknown) => String((reason as Error).stack ?? reason),
    ),
  );
  await place.clear();
}
const errors = await place.close();
tell('nothing has failed unseen', errors.length === 0 ? undefined : errors.join('\n'));
process.exit();

function tell(check: string, error: string | undefined): void {
  if (error !== undefined) process.exitCode = 1;
  process.stdout.write(`${JSON.stringify({ check, error })}\n`);
}

function inTime(work: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It took more than ${PATIENCE} ms.`)), PATIENCE);
  });
  return Promise.race([work(), late]).finally(() => clearTimeout(timer));
}
