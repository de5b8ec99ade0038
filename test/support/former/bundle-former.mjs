import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { typescript } from '../typescript-plugin.mjs';

/*
 * Bundles a program with the library of an earlier commit, and prints the path of the bundle; nothing where the commit is
 * not there, as in a shallow clone. `node bundle-former.mjs <commit> <program>`.
 */

const ROOT = join(import.meta.dirname, '../../..');
/** Beside the other bundles, where the package's dependencies are found. */
const FOLDER = join(ROOT, '.test-programs');

const [commit, program] = process.argv.slice(2);
const folder = join(FOLDER, `former-${commit}`);
const bundle = join(folder, 'bundle.mjs');
if (!existsSync(bundle)) {
  let archive;
  try {
    archive = execFileSync('git', ['archive', commit, 'lib'], { cwd: ROOT, maxBuffer: 2 ** 28, stdio: 'pipe' });
  } catch {
    process.exit();
  }
  const part = `${folder}.${process.pid}`;
  mkdirSync(part, { recursive: true });
  execFileSync('tar', ['x', '-C', part], { input: archive });
  await build({
    entryPoints: [join(ROOT, program)],
    outfile: join(part, 'bundle.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    packages: 'external',
    keepNames: true,
    plugins: [typescript(join(part, 'lib'))],
  });
  renameSync(part, folder);
}
utimesSync(folder, new Date(), new Date());
process.stdout.write(bundle);
