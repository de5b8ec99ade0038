import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build } from 'esbuild';
import { typescript } from './typescript-plugin.mjs';

/*
 * Bundles what the tests run in child processes, and prints the folder of the bundles. Tests start hundreds of processes: one
 * that loads the library file by file takes twice the processor time to start, and again twice when it loads packages so.
 * What npm has installed stays outside with another Nest, and for other runtimes, which bring some packages themselves:
 * `--packages` takes it in.
 */

const ROOT = join(import.meta.dirname, '../..');
/** Outside of node_modules, so that the package finds itself by its name. With another Nest where its packages are found. */
const { PXL_NEST } = process.env;
const PLACE = join(ROOT, PXL_NEST ? `test/nest/${PXL_NEST}/node_modules` : '');
const BUNDLES = join(PLACE, '.test-programs');
/** What stays outside also then: native parts, optional packages that are not here, and what has to run before all others. */
const OUTSIDE = ['bullmq', '@fastify/*', '@nestjs/microservices', '@nestjs/platform-socket.io', 'reflect-metadata'];
/** Packages of CommonJS ask for Node's modules by it. */
const REQUIRE =
  "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);";
/** After that nobody runs a bundle any more, ms. */
const DAY = 86_400_000;

const itself = join(PLACE, 'nestjs-pxl-websocket');
if (PXL_NEST && !existsSync(itself)) symlinkSync(ROOT, itself);

const programs = readdirSync(join(ROOT, 'test/support/programs')).map((file) => `test/support/programs/${file}`);
const samples = readdirSync(join(ROOT, 'sample')).flatMap((name) =>
  readdirSync(join(ROOT, 'sample', name, 'src'), { recursive: true })
    .filter((file) => /(?:main|worker)\.ts$/.test(file))
    .map((file) => `sample/${name}/src/${file}`),
);

/** The program `npx nestjs-pxl-websocket`. */
const CLI = 'lib/cli/main.ts';

const takesPackages = process.argv.includes('--packages') && !PXL_NEST;
const { outputFiles } = await build({
  entryPoints: [...programs, ...samples, CLI].map((file) => join(ROOT, file)),
  outbase: ROOT,
  outdir: ROOT,
  write: false,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'es2022',
  ...(takesPackages ? { external: OUTSIDE, banner: { js: REQUIRE } } : { packages: 'external' }),
  keepNames: true,
  plugins: [typescript(join(ROOT, 'lib'))],
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
