import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { WebSocket } from 'ws';
import { firstLine, Missing, ROOT } from '../programs.mjs';
import { install } from './runtimes.mjs';

const execute = promisify(execFile);
const QUIET = ['--no-audit', '--no-fund', '--loglevel=error'];
/** Milliseconds for a start, with the compiler before it. */
const PATIENCE = 120_000;

/** What each command-line tool of Nest makes, and what else a user may make of it: the other kind of modules. */
const PROJECTS = [
  { cli: '11.0.13', type: 'commonjs' },
  { cli: '11.0.13', type: 'module' },
  { cli: '12.0.8', type: 'commonjs' },
  { cli: '12.0.8', type: 'module' },
];
/** Jest requires ES modules since Node 24.9: before it, one line in the configuration has it compile this package. */
const NODES_OF_JEST = ['20.20.2', '22.23.3', '24.21.0'];

export const entries = [
  ...PROJECTS.map(({ cli, type }) => ({
    name: `Nest CLI ${cli.split('.')[0]}, ${type === 'module' ? 'ESM' : 'CommonJS'}`,
    run: async (place) => runNewProject(await newProject(place, cli, type), type),
  })),
  { name: 'Sample 07 as a project', run: (place) => runSample(place) },
];

let packing;

/** @returns the path of the packed package */
function packed({ folder }) {
  packing ??= execute('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], { cwd: ROOT }).then(
    ({ stdout }) => join(folder, JSON.parse(stdout)[0].filename),
  );
  return packing;
}

/** A project of `nest new`, with this package and the example of its README. @returns its folder */
async function newProject(place, cli, type) {
  const parent = join(place.folder, `cli-${cli}-${type}`);
  const folder = join(parent, 'app');
  await mkdir(parent);
  const major = cli.split('.')[0];
  try {
    const made = ['new', 'app', '--skip-git', '--skip-install', '--package-manager', 'npm'];
    const options = { cwd: parent, stdio: ['ignore', 'pipe', 'pipe'] };
    await execute('npx', ['--yes', `@nestjs/cli@${cli}`, ...made], options);
    await rewrite(join(folder, 'package.json'), (text) => JSON.stringify({ ...JSON.parse(text), type }, null, 2));
    const peers = [`@nestjs/websockets@${major}`, `@nestjs/platform-ws@${major}`];
    await execute('npm', ['install', ...QUIET, await packed(place), ...peers], { cwd: folder });
  } catch (error) {
    throw new Missing(firstLine(error.stderr || error.message));
  }
  return folder;
}

async function runNewProject(folder, type) {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  const [, example] = /```ts\n\/\/ src\/app\.module\.ts\n([\s\S]*?)```/.exec(readme);
  await writeFile(join(folder, 'src/app.module.ts'), example);
  // The controller that the tool has made is not in that module.
  await rewrite(join(folder, 'src/main.ts'), (text) => mainFor(type, text));
  for (const file of ['src/app.controller.spec.ts', 'src/app.controller.ts', 'test']) {
    await rm(join(folder, file), { recursive: true, force: true });
  }
  await nest(folder, 'build');
  const built = await start(process.execPath, ['dist/main.js'], folder);
  try {
    const answer = await request(built.port, { type: 'chat', action: 'send', data: { text: 'Hello' } });
    if (answer.response?.sent !== true) throw new Error(`The answer was ${JSON.stringify(answer)}.`);
  } finally {
    await built.stop();
  }
  await watch(folder);
  return 'npm install, nest build, node dist/main, nest start --watch';
}

/** ES modules name files with their endings, and CommonJS has no await outside of functions. */
function mainFor(type, text) {
  const called = text.replace(/^(?:await|void) bootstrap\(\);|^bootstrap\(\);/m, 'void bootstrap();');
  return type === 'module' ? called.replace("'./app.module'", "'./app.module.js'") : called;
}

/** A change of a source restarts the application, and the old process lets go of the port. */
async function watch(folder) {
  const cli = join(folder, 'node_modules/@nestjs/cli/bin/nest.js');
  const application = await start(process.execPath, [cli, 'start', '--watch'], folder);
  try {
    await rewrite(join(folder, 'src/app.module.ts'), (text) => text.replace('sent: true', "sent: 'again'"));
    const until = Date.now() + PATIENCE;
    for (;;) {
      const answer = await request(application.port, { type: 'chat', action: 'send', data: { text: 'x' } }).catch(
        () => null,
      );
      if (answer?.response?.sent === 'again') return;
      if (Date.now() > until) throw new Error(`No restart was seen.\n${application.output()}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  } finally {
    await application.stop();
  }
}

/** The sample in a folder of its own, with all that its package.json names, and its tests on each Node. */
async function runSample(place) {
  const folder = join(place.folder, '07-nest-11');
  await cp(join(ROOT, 'sample/07-nest-11'), folder, { recursive: true });
  await rewrite(join(folder, 'package.json'), (text) => text.replace('"file:../.."', JSON.stringify('*')));
  try {
    await execute('npm', ['install', ...QUIET, await packed(place)], { cwd: folder });
  } catch (error) {
    throw new Missing(firstLine(error.stderr || error.message));
  }
  await nest(folder, 'build');
  for (const version of NODES_OF_JEST) {
    const node = await install(place.folder, { name: 'Node', version });
    await check(
      execute(node, ['node_modules/jest/bin/jest.js', '--no-cache'], { cwd: folder }),
      `jest on Node ${version}`,
    );
  }
  return `nest build, jest on Node ${NODES_OF_JEST.join(', ')}`;
}

function nest(folder, ...args) {
  const cli = join(folder, 'node_modules/@nestjs/cli/bin/nest.js');
  return check(execute(process.execPath, [cli, ...args], { cwd: folder }), `nest ${args.join(' ')}`);
}

async function check(running, what) {
  try {
    await running;
  } catch ({ message, stdout, stderr }) {
    throw new Error(`${what}: ${message}\n${stdout}${stderr}`);
  }
}

/** Starts an application on a free port, and waits until it takes clients. */
async function start(program, args, cwd) {
  const port = await freePort();
  // A group of its own: the watching tool starts the application as another process.
  const child = spawn(program, args, { cwd, env: { ...process.env, PORT: String(port) }, detached: true });
  const closed = once(child, 'close');
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const stop = async () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended already.
    }
    await closed;
  };
  const until = Date.now() + PATIENCE;
  // Nest says that the application has started before its port is open.
  while (!(await listens(port))) {
    if (child.exitCode !== null || Date.now() > until) {
      await stop();
      throw new Error(`${args.join(' ')} did not start.\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { port, stop, output: () => output };
}

function listens(port) {
  return fetch(`http://127.0.0.1:${port}`).then(
    () => true,
    () => false,
  );
}

/** @returns what answers a message */
async function request(port, message) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
  try {
    await once(socket, 'open');
    socket.send(JSON.stringify({ ...message, id: 1 }));
    for (;;) {
      const [data] = await once(socket, 'message');
      const answer = JSON.parse(data);
      if (answer.id === 1) return answer;
    }
  } finally {
    socket.terminate();
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function rewrite(file, change) {
  await writeFile(file, change(await readFile(file, 'utf8')));
}
