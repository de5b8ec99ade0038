import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Version 0.1.0. */
const COMMIT = 'd21605e';

/** The worker program with version 0.1.0 of the library; undefined where the repository does not have its commit. */
export function formerWorker(): { bundle: string } | undefined {
  const bundler = join(import.meta.dirname, 'bundle-former.mjs');
  const args = [bundler, COMMIT, 'test/support/former/former-worker.ts'];
  const bundle = execFileSync(process.execPath, args, { encoding: 'utf8' });
  return bundle === '' ? undefined : { bundle };
}
