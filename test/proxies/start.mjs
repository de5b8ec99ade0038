import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { typescript } from '../support/typescript-plugin.mjs';

/* Compiles the run and the application that stands behind the proxies, and begins. The package itself is that of dist. */

const ROOT = join(import.meta.dirname, '../..');
/** Outside of node_modules, so that the package finds itself by its name. */
const PROGRAMS = join(ROOT, '.test-programs/proxies');

/** @type {import('esbuild').Plugin} */
const built = {
  name: 'built',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^nestjs-pxl-websocket(\/|$)/ }, ({ path }) => ({ path, external: true })),
};

await build({
  entryPoints: ['main.ts', 'application.program.ts'].map((file) => join(import.meta.dirname, file)),
  outdir: PROGRAMS,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'es2022',
  packages: 'external',
  keepNames: true,
  plugins: [built, typescript(join(ROOT, 'lib'))],
});
await import(pathToFileURL(join(PROGRAMS, 'main.mjs')).href);
