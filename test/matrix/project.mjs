import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { typescript } from '../support/typescript-plugin.mjs';
import { firstLine, Missing, ROOT } from './programs.mjs';

const execute = promisify(execFile);

/** What a project installs beside the package, in the versions that are installed here. */
const PACKAGES = [
  '@nestjs/common',
  '@nestjs/core',
  '@nestjs/jwt',
  '@nestjs/platform-express',
  '@nestjs/platform-fastify',
  '@nestjs/platform-ws',
  '@nestjs/testing',
  '@nestjs/websockets',
  'reflect-metadata',
  'rxjs',
];
const PAGE = 'docs/runtimes.md';
const SERVER = 'test/support/programs/suite-server.ts';

const projects = new WeakMap();

/**
 * A project of its own with the package as it is packed, the files of docs/runtimes.md, and the server of the suites:
 * `src/suite-server.ts`, compiled `dist/suite-server.js`.
 *
 * @returns {Promise<string>} its folder
 */
export function projectOf(place) {
  if (!projects.has(place)) projects.set(place, makeProject(join(place.folder, 'project')));
  return projects.get(place);
}

async function makeProject(folder) {
  await mkdir(folder);
  const { stdout } = await execute('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: ROOT,
  });
  const [{ filename }] = JSON.parse(stdout);
  const versions = await Promise.all(PACKAGES.map(async (name) => [name, await installedVersion(name)]));
  const dependencies = { 'nestjs-pxl-websocket': `file:${filename}`, ...Object.fromEntries(versions) };
  await write(folder, 'package.json', JSON.stringify({ private: true, type: 'module', dependencies }));
  try {
    await execute('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder });
  } catch (error) {
    throw new Missing(`the packages of a project: ${firstLine(error.stderr || error.message)}`);
  }
  const page = await readFile(join(ROOT, PAGE), 'utf8');
  for (const [, path, text] of page.matchAll(/^```\w+\n\/\/ (\S+)\n(.*?)^```$/gms)) await write(folder, path, text);
  await cp(join(ROOT, SERVER), join(folder, 'src/suite-server.ts'));
  const sources = ['src/suite-server.ts', 'src/main.ts', 'src/app.module.ts', 'test/chat.test.ts'];
  await build({
    entryPoints: sources.map((path) => join(folder, path)),
    outbase: folder,
    outdir: join(folder, 'dist'),
    format: 'esm',
    platform: 'node',
    plugins: [typescript()],
  });
  return folder;
}

async function write(folder, path, text) {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}

async function installedVersion(name) {
  return JSON.parse(await readFile(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')).version;
}
