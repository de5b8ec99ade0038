import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { typescript } from '../support/typescript-plugin.mjs';

/* Compiles the worker and what takes the pictures, and begins. */

const ROOT = join(import.meta.dirname, '../..');
/** Outside of node_modules, so that the package finds itself by its name. */
const PROGRAMS = join(ROOT, '.test-programs/screenshots');

await build({
  entryPoints: ['take.ts', 'worker.ts'].map((file) => join(import.meta.dirname, file)),
  outdir: PROGRAMS,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'es2022',
  packages: 'external',
  keepNames: true,
  plugins: [typescript(join(ROOT, 'lib'))],
});
process.argv.splice(2, 0, join(PROGRAMS, 'worker.mjs'));
await import(pathToFileURL(join(PROGRAMS, 'take.mjs')).href);
