import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { firstLine, Missing, ROOT, run } from '../programs.mjs';

/** The packages of npm that bring the runtimes, and how each of them runs a program. */
const RUNTIMES = [
  { name: 'Node', version: '20.20.2' },
  { name: 'Node', version: '22.23.3' },
  { name: 'Node', version: '24.21.0' },
  { name: 'Node', version: '26.10.0' },
  { name: 'Bun', version: '1.4.5' },
  { name: 'Deno', version: '2.9.6', args: ['run', '--allow-all', '--no-lock'] },
];

/** The client's own suite on everything that the client is for. */
export const entries = RUNTIMES.map((runtime) => ({
  name: `${runtime.name} ${runtime.version}`,
  run: async (place) => runSuite(await install(place.folder, runtime), runtime.args ?? [], await serverOf(place)),
}));

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

async function runSuite(program, args, server) {
  const entry = (path) => pathToFileURL(join(ROOT, 'dist', path)).href;
  const suite = join(import.meta.dirname, '../client-suite.mjs');
  const urls = [server, entry('client/index.js'), entry('client/encryption/index.js')];
  const { code, output, errors } = await run(program, [...args, suite, ...urls]);
  const results = output.split('\n').filter((line) => line.startsWith('{'));
  const failed = results.map((line) => JSON.parse(line)).filter(({ error }) => error !== undefined);
  if (failed.length > 0) throw new Error(failed.map(({ check, error }) => `${check}\n${error}`).join('\n'));
  if (code !== 0) throw new Error(`It ended with ${code} after ${results.length} checks.\n${errors}`);
  return `${results.length} checks`;
}

let serving;

/** @returns the url of the server that all entries of this file share */
function serverOf(place) {
  return (serving ??= startServer(place));
}

async function startServer(place) {
  const bundles = execFileSync(process.execPath, [join(ROOT, 'test/support/bundle-programs.mjs')], {
    encoding: 'utf8',
  });
  const program = join(bundles, 'test/support/programs/suite-server.mjs');
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  place.atEnd(() => child.kill());
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error('The server of the suite has ended.'))),
  ]);
  return `ws://127.0.0.1:${JSON.parse(line).port}`;
}
