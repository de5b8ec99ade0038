import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

/*
 * Runs the client's own suite on everything that the client is for, over the package as it was built, and what else needs a
 * program that the tests of every day do without. `npm run test:matrix`, or `npm run test:matrix -- Deno Firefox`.
 * Writes a line for each entry: ok, FAILED, or missing with the reason. Ends with 1 when one has failed.
 */

const ROOT = join(import.meta.dirname, '../..');
/** Milliseconds for one entry. */
const PATIENCE = 600_000;

/** The packages of npm that bring the runtimes, and how each of them runs a program. */
const RUNTIMES = [
  { name: 'Node', version: '20.20.2' },
  { name: 'Node', version: '22.23.3' },
  { name: 'Node', version: '24.21.0' },
  { name: 'Node', version: '26.10.0' },
  { name: 'Bun', version: '1.4.5' },
  { name: 'Deno', version: '2.9.6', args: ['run', '--allow-all', '--no-lock'] },
];

/** Why something cannot be had here: no failure of ours. */
class Missing extends Error {}

/** Each tells what was checked, or throws: `Missing`, or what has failed. */
const entries = [
  ...RUNTIMES.map((runtime) => ({
    name: `${runtime.name} ${runtime.version}`,
    run: async (place) => runSuite(await install(place.folder, runtime), runtime.args ?? [], place.server),
  })),
  { name: 'Failover', run: () => runSpec('test/e2e/history-chaos.spec.ts') },
  { name: 'Firefox', run: () => runSpec('test/e2e/client-firefox.spec.ts') },
];

/** @returns the program of a runtime, installed into the folder */
async function install(folder, { name, version }) {
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
  const suite = join(import.meta.dirname, 'client-suite.mjs');
  const urls = [server, entry('client/index.js'), entry('client/encryption/index.js')];
  const { code, output, errors } = await run(program, [...args, suite, ...urls]);
  const results = output.split('\n').filter((line) => line.startsWith('{'));
  const failed = results.map((line) => JSON.parse(line)).filter(({ error }) => error !== undefined);
  if (failed.length > 0) throw new Error(failed.map(({ check, error }) => `${check}\n${error}`).join('\n'));
  if (code !== 0) throw new Error(`It ended with ${code} after ${results.length} checks.\n${errors}`);
  return `${results.length} checks`;
}

async function runSpec(spec) {
  const { code, errors } = await run('npm', ['test', '--', spec], { PXL_MATRIX: '1' });
  if (code === 0) return spec;
  const reason = errors.split('\n').find((line) => /is missing: run|could not be installed/.test(line));
  throw reason === undefined ? new Error(errors) : new Missing(reason.trim());
}

async function run(program, args, env = {}) {
  const child = spawn(program, args, { cwd: ROOT, env: { ...process.env, ...env }, timeout: PATIENCE });
  const [output, errors] = [child.stdout, child.stderr].map(async (stream) => {
    let text = '';
    for await (const chunk of stream.setEncoding('utf8')) text += chunk;
    return text;
  });
  const [code, signal] = await once(child, 'close');
  return { code: code ?? signal, output: await output, errors: await errors };
}

/** @returns the process, and the url under which it serves */
async function startServer() {
  const bundles = execFileSync(process.execPath, [join(ROOT, 'test/support/bundle-programs.mjs')], {
    encoding: 'utf8',
  });
  const program = join(bundles, 'test/support/programs/client-suite-server.mjs');
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error('The server of the suite has ended.'))),
  ]);
  return { child, url: `ws://127.0.0.1:${JSON.parse(line).port}` };
}

function firstLine(text) {
  return text.trim().split('\n')[0];
}

const wanted = process.argv.slice(2);
const chosen = entries.filter(
  ({ name }) => wanted.length === 0 || wanted.some((word) => name.toLowerCase().startsWith(word.toLowerCase())),
);
const server = await startServer();
const folder = await mkdtemp(join(tmpdir(), 'pxl-matrix-'));
try {
  for (const { name, run } of chosen) {
    const begun = performance.now();
    const tell = (verdict, text) => console.log(`${verdict.padEnd(8)} ${name.padEnd(14)} ${text}`);
    try {
      const what = await run({ folder, server: server.url });
      tell('ok', `${what} in ${((performance.now() - begun) / 1_000).toFixed(1)} s`);
    } catch (error) {
      tell(error instanceof Missing ? 'missing' : 'FAILED', error.message);
      if (!(error instanceof Missing)) process.exitCode = 1;
    }
  }
} finally {
  server.child.kill();
  await rm(folder, { recursive: true, force: true });
}
