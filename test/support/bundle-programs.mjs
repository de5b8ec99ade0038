import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { transformSync } from '@swc/core';
import { build } from 'esbuild';

/*
 * Bundles what the tests run in child processes, and prints the folder of the bundles. Tests start hundreds of processes;
 * one that loads the library file by file takes twice the processor time to start. What npm has installed stays outside.
 */

const ROOT = join(import.meta.dirname, '../..');
/** Outside of node_modules, so that the package finds itself by its name. */
const BUNDLES = join(ROOT, '.test-programs');
/** After that nobody runs a bundle any more, ms. */
const DAY = 86_400_000;
const ENTRY = /^nestjs-pxl-websocket(?:\/(\w+))?$/;

const programs = readdirSync(join(ROOT, 'test/support/programs')).map((file) => `test/support/programs/${file}`);
const samples = readdirSync(join(ROOT, 'sample')).flatMap((name) =>
  readdirSync(join(ROOT, 'sample', name, 'src'), { recursive: true })
    .filter((file) => /(?:main|worker)\.ts$/.test(file))
    .map((file) => `sample/${name}/src/${file}`),
);

/** @type {import('esbuild').Plugin} */
const typescript = {
  name: 'typescript',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: ENTRY }, ({ path }) => {
      const [, folder = '.'] = ENTRY.exec(path);
      return { path: join(ROOT, 'lib', folder, 'index.ts') };
    });
    onLoad({ filter: /\.ts$/ }, ({ path }) => ({ contents: compile(path), loader: 'js' }));
  },
};

/** The same compiler settings as Jest's, so that decorators carry their metadata; esbuild knows none. */
function compile(filename) {
  const { code } = transformSync(readFileSync(filename, 'utf8'), {
    filename,
    jsc: {
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
      target: 'es2022',
      keepClassNames: true,
    },
    module: { type: 'es6' },
  });
  // What a program finds beside its source it finds from its bundle too.
  return code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(filename).href));
}

const { outputFiles } = await build({
  entryPoints: [...programs, ...samples].map((file) => join(ROOT, file)),
  outbase: ROOT,
  outdir: ROOT,
  write: false,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'es2022',
  packages: 'external',
  keepNames: true,
  plugins: [typescript],
});

const hash = createHash('sha256');
for (const { path, hash: content } of outputFiles) hash.update(`${path} ${content}\n`);
const folder = join(BUNDLES, hash.digest('hex').slice(0, 16));
if (!existsSync(folder)) {
  // Under its name at once as a whole, since another run of the tests may look for it at the same time.
  const part = `${folder}.${process.pid}`;
  for (const { path, contents } of outputFiles) {
    const file = join(part, relative(ROOT, path));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, contents);
  }
  try {
    renameSync(part, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  }
}
utimesSync(folder, new Date(), new Date());
for (const name of readdirSync(BUNDLES)) {
  const bundle = join(BUNDLES, name);
  if (statSync(bundle).mtimeMs < Date.now() - DAY) rmSync(bundle, { recursive: true, force: true });
}
process.stdout.write(folder);
