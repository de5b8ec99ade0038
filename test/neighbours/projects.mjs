import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { firstLine, Missing, ROOT, run } from '../matrix/programs.mjs';

const execute = promisify(execFile);
const HERE = import.meta.dirname;
/** What is installed is kept there, by the hash of its lockfile. */
const CACHE =
  process.env.PXL_NEIGHBOURS ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'pxl-neighbours');
/** The pages whose files the specs run, and which of them; none: all. */
const RECIPES = { 'docs/beside-others.md': null, 'docs/observability.md': ['src/tracing.ts'] };

/** A folder with a package.json of its own, and specs that need its packages. */
export const PROJECTS = ['nest-12', 'nest-11'];

/**
 * A copy of a project, compiled and ready to run: its packages are installed above it, the library's package is in its own
 * `node_modules`, as it was built and packed, and the whole files of the documentation are in its `src`.
 *
 * @returns `folder`, `specs` (compiled), `described(package)` with its real name and its version, and `remove()`
 */
export async function prepare(name) {
  await checkRedis();
  const installed = await install(join(HERE, name));
  const folder = await mkdtemp(join(installed, 'run-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
    await cp(join(HERE, 'tsconfig.json'), join(folder, 'tsconfig.json'));
    await cp(join(HERE, 'support'), join(folder, 'support'), { recursive: true });
    await cp(join(HERE, name, 'specs'), join(folder, 'specs'), { recursive: true });
    if (name === 'nest-12') await writeRecipes(folder);
    await unpackLibrary(folder);
    const { code, output } = await run('node', [join(installed, 'node_modules/typescript/bin/tsc'), '-p', folder]);
    if (code !== 0) throw new Error(`It does not compile.\n${output}`);
    const specs = (await readdir(join(folder, 'dist/specs'))).filter((file) => file.endsWith('.spec.js')).sort();
    return { folder, specs, described: (name) => described(installed, name), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** @returns the folder whose `node_modules` has what the lockfile says; two runs at once do not disturb each other */
async function install(project) {
  const lock = await readFile(join(project, 'package-lock.json'));
  const folder = join(CACHE, createHash('sha256').update(lock).digest('hex').slice(0, 16));
  if (existsSync(folder)) return folder;
  await mkdir(CACHE, { recursive: true });
  const being = await mkdtemp(join(CACHE, 'being-installed-'));
  try {
    for (const file of ['package.json', 'package-lock.json']) await cp(join(project, file), join(being, file));
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    await execute('npm', ['ci', ...options], { cwd: being });
  } catch (error) {
    await rm(being, { recursive: true, force: true });
    throw new Missing(`the packages of ${project}/package.json: ${firstLine(error.stderr || error.message)}`);
  }
  // Another run may have been quicker: both have installed the same.
  await rename(being, folder).catch(() => rm(being, { recursive: true, force: true }));
  return folder;
}

async function checkRedis() {
  try {
    await execute('redis-server', ['--version']);
  } catch {
    throw new Missing('redis-server: apt-get install redis-server');
  }
}

async function unpackLibrary(folder) {
  if (!existsSync(join(ROOT, 'dist/index.js'))) throw new Missing('the package is not built: npm run build');
  const { stdout } = await execute('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: ROOT,
  });
  const library = join(folder, 'node_modules/nestjs-pxl-websocket');
  await mkdir(library, { recursive: true });
  await execute('tar', ['-xzf', join(folder, JSON.parse(stdout)[0].filename), '--strip-components=1', '-C', library]);
}

/** The examples that are whole files, `// src/…` in their first line. */
async function writeRecipes(folder) {
  for (const [name, only] of Object.entries(RECIPES)) {
    const page = await readFile(join(ROOT, name), 'utf8');
    for (const [, code, path] of page.matchAll(/^```ts\n(\/\/ (src\/[\w./-]+\.ts)\n.*?)^```/gms)) {
      if (only && !only.includes(path)) continue;
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), code, { flag: 'wx' });
    }
  }
}

async function described(installed, alias) {
  const { name, version } = JSON.parse(await readFile(join(installed, 'node_modules', alias, 'package.json'), 'utf8'));
  return { name, version };
}
