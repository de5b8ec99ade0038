import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { firstLine, Missing, ROOT, run } from '../programs.mjs';
import { projectOf } from '../project.mjs';

/**
 * The packages of npm that bring the runtimes, how each of them runs a program and the tests of a project, and whether it runs
 * TypeScript with decorators as it is.
 */
const RUNTIMES = [
  ...['20.20.2', '22.23.3', '24.21.0', '26.10.0'].map((version) => ({
    name: 'Node',
    version,
    run: [],
    test: ['--test', 'dist/test/chat.test.js'],
  })),
  { name: 'Bun', version: '1.4.5', run: ['run'], test: ['test', './test/'], takesTypeScript: true },
  {
    name: 'Deno',
    version: '2.9.6',
    run: ['run', '--allow-all', '--no-lock'],
    test: ['test', '--allow-all', '--no-lock'],
    takesTypeScript: true,
    signals: ['SIGTERM', 'SIGINT'],
  },
];

const PAGE = join(ROOT, 'docs/runtimes.md');
const BEGIN = '<!-- made by: npm run test:matrix -- --docs Node Bun Deno -->';
const END = '<!-- end -->';

/** The rows of the table, of the runtimes that could be had. */
const rows = [];

/** The `ws` of this Bun makes sockets of its own class. */
const OLD_BUN = { name: 'Bun', version: '1.3.14', run: ['run'] };

/** The suites of the client and of the server on everything that they are for, and a project as docs/runtimes.md has it. */
const wholeEntries = RUNTIMES.map((runtime) => ({
  name: `${runtime.name} ${runtime.version}`,
  async run(place) {
    const program = await install(place.folder, runtime);
    const results = [
      await clientSuite(program, runtime, await serverOf(place)),
      await serverSuite(program, runtime, await projectOf(place)),
      runtime.takesTypeScript ? await fromSource(program, runtime, await projectOf(place)) : 'compiled',
      await tests(program, runtime, await projectOf(place)),
    ];
    if (rows.length === 0) place.atEnd(() => tellTable(place));
    rows.push([`${runtime.name} ${runtime.version}`, ...results]);
    return `client ${results[0]}, server ${results[1]}, TypeScript ${results[2]}, tests ${results[3]}`;
  },
}));

export const entries = [
  ...wholeEntries,
  {
    name: `Bun ${OLD_BUN.version}`,
    async run(place) {
      const [program, folder] = [await install(place.folder, OLD_BUN), await projectOf(place)];
      await serverSuite(program, OLD_BUN, folder, undefined, 'closes with 1001');
      return `without slow readers: server ${await serverSuite(program, OLD_BUN, folder, undefined, 'both envelopes')}`;
    },
  },
];

/** @returns the program of a runtime, installed into the folder */
export async function install(folder, { name, version }) {
  const command = name.toLowerCase();
  const prefix = join(folder, `${command}-${version}`);
  try {
    const options = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error', '--prefix', prefix];
    await promisify(execFile)('npm', ['install', ...options, `${command}@${version}`], { cwd: folder });
    const program = join(prefix, 'node_modules/.bin', command);
    await promisify(execFile)(program, ['--version']);
    return program;
  } catch (error) {
    throw new Missing(`${command}@${version} of npm: ${firstLine(error.stderr || error.message)}`);
  }
}

/** The client on the runtime, against a server on Node. */
async function clientSuite(program, runtime, server) {
  const entry = (path) => pathToFileURL(join(ROOT, 'dist', path)).href;
  const suite = join(import.meta.dirname, '../client-suite.mjs');
  const urls = [server, entry('client/index.js'), entry('client/encryption/index.js')];
  return resultOf(await run(program, [...runtime.run, suite, ...urls]));
}

/** A server on the runtime, and its clients on Node. */
async function serverSuite(program, runtime, folder, file = 'dist/src/suite-server.js', only = '') {
  const how = { command: program, args: [...runtime.run, join(folder, file)], signals: runtime.signals };
  return resultOf(await run(process.execPath, [programOf('server-suite'), JSON.stringify(how), only]));
}

/** The same server, its TypeScript run as it stands, with the decorators' metadata: what is injected by type is there. */
async function fromSource(program, runtime, folder) {
  await serverSuite(program, runtime, folder, 'src/suite-server.ts', 'both envelopes');
  return 'as it is';
}

async function tests(program, runtime, folder) {
  const { code, output, errors } = await run(program, runtime.test, {}, folder);
  if (code !== 0) throw new Error(`${runtime.test.join(' ')} ended with ${code}.\n${output}\n${errors}`);
  return 'pass';
}

/** What a suite has found. @throws Error with all that has failed */
function resultOf({ code, output, errors }) {
  const results = output.split('\n').filter((line) => line.startsWith('{'));
  const failed = results.map((line) => JSON.parse(line)).filter(({ error }) => error !== undefined);
  const missing = failed.map(({ error }) => /.* is missing: run ".*"\./.exec(error)?.[0]).find(Boolean);
  if (missing) throw new Missing(missing);
  if (failed.length > 0) throw new Error(failed.map(({ check, error }) => `${check}\n${error}`).join('\n'));
  if (code !== 0) throw new Error(`It ended with ${code} after ${results.length} checks.\n${errors}`);
  return `${results.length} checks`;
}

let bundles;

/** What the tests of every day run in processes of their own. */
function programOf(name) {
  bundles ??= execFileSync(process.execPath, [join(ROOT, 'test/support/bundle-programs.mjs')], { encoding: 'utf8' });
  return join(bundles, `test/support/programs/${name}.mjs`);
}

let serving;

/** @returns the url of the server that the client's suite meets on all runtimes */
function serverOf(place) {
  return (serving ??= startServer(place));
}

async function startServer(place) {
  const child = spawn(process.execPath, [programOf('suite-server')], { stdio: ['ignore', 'pipe', 'inherit'] });
  place.atEnd(() => child.kill());
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error('The server of the suite has ended.'))),
  ]);
  return `ws://127.0.0.1:${JSON.parse(line).port}`;
}

/** Prints the table of the runtimes; with `--docs` it is that of the documentation, if all could be had. */
async function tellTable(place) {
  const head = ['runtime', 'the client', 'the server', 'TypeScript', '`test/chat.test.ts`'];
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  const date = new Date().toISOString().slice(0, 10);
  const table = [`Run on ${date}, on ${process.platform} ${process.arch}:`, '', ...lines].join('\n');
  console.log(`\n${table}`);
  if (!place.writesDocs || rows.length < RUNTIMES.length) return;
  const page = await readFile(PAGE, 'utf8');
  const [before, after] = [page.indexOf(BEGIN) + BEGIN.length, page.indexOf(END)];
  await writeFile(PAGE, `${page.slice(0, before)}\n\n${table}\n\n${page.slice(after)}`);
}
