import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** The commits of earlier states of the library: version 0.1.0, and the last one that knows nothing of presence. */
const COMMITS = { '0.1.0': 'd21605e', 'without presence': '46fa341' } as const;

/** The worker program with an earlier state of the library; undefined where the repository does not have its commit. */
export function formerWorker(state: keyof typeof COMMITS = '0.1.0'): { bundle: string } | undefined {
  const bundler = join(import.meta.dirname, 'bundle-former.mjs');
  const args = [bundler, COMMITS[state], 'test/support/former/former-worker.ts'];
  const bundle = execFileSync(process.execPath, args, { encoding: 'utf8' });
  return bundle === '' ? undefined : { bundle };
}
