import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '../..');

/**
 * Builds the console's page as `npm run build:console` does, into a folder of its own, for the option `page`: other tests may
 * build at the same time.
 */
export async function buildConsolePage(): Promise<{ readonly page: string; remove(): Promise<void> }> {
  const page = await mkdtemp(join(tmpdir(), 'pxl-console-page-'));
  const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<'build:console', string>;
  };
  const [program = '', ...given] = scripts['build:console'].split(' ');
  const args = [...given.filter((arg) => !arg.startsWith('--outdir=')), `--outdir=${page}`];
  await promisify(execFile)(join(ROOT, 'node_modules/.bin', program), args, { cwd: ROOT });
  return { page, remove: () => rm(page, { recursive: true }) };
}
