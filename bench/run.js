import { parseArgs } from 'node:util';
import { Bench } from './lib/bench.js';
import { CONTENDERS } from './lib/contenders.js';
import { machineLines, openFilesLimit } from './lib/machine.js';
import { sectionOf, writeResults } from './lib/results.js';
import { avalanche } from './suites/avalanche.js';
import { cluster } from './suites/cluster.js';
import { connections } from './suites/connections.js';
import { context } from './suites/context.js';
import { consoleSuite } from './suites/console.js';
import { encryption } from './suites/encryption.js';
import { fanOut } from './suites/fan-out.js';
import { growth } from './suites/growth.js';
import { history } from './suites/history.js';
import { jitter } from './suites/jitter.js';
import { memory } from './suites/memory.js';
import { metrics } from './suites/metrics.js';
import { presence } from './suites/presence.js';
import { requests } from './suites/requests.js';
import { returns } from './suites/return.js';
import { rooms } from './suites/rooms.js';
import { steady } from './suites/steady.js';
import { traces } from './suites/traces.js';
import { scale } from './suites/scale.js';

const SUITES = Object.fromEntries(
  [
    fanOut,
    rooms,
    steady,
    traces,
    cluster,
    requests,
    memory,
    connections,
    avalanche,
    growth,
    encryption,
    history,
    returns,
    presence,
    jitter,
    scale,
    metrics,
    context,
    consoleSuite,
  ].map((suite) => [suite.name, suite]),
);
/** The largest number of connections, and some for the process itself. */
const OPEN_FILES = 9_000;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    only: { type: 'string' },
    profile: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const { profile, quick } = values;
const rounds = Number(values.rounds ?? (quick ? 1 : 7));
const only = values.only?.split(',') ?? null;

check('suite', positionals, Object.keys(SUITES));
check('contender', only ?? [], Object.keys(CONTENDERS));
if (!Number.isInteger(rounds) || rounds < 1) refuse(`--rounds is a whole number from 1 on, not ${values.rounds}.`);
if (openFilesLimit() < OPEN_FILES) refuse(`A process may open ${openFilesLimit()} files only: run ulimit -n 20000.`);

const names = positionals.length > 0 ? positionals : Object.keys(SUITES);
const isWhole = positionals.length === 0 && !only && !profile && !quick;
const command = ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' ');
const bench = new Bench({ rounds, only, profile, quick });
const sections = new Map();

console.log(machineLines().join('\n'));
for (const name of names) {
  bench.log(name);
  const section = sectionOf(SUITES[name], command, rounds, await SUITES[name].run(bench));
  console.log(`\n${section}`);
  sections.set(name, section);
}
if (isWhole || (values.write && !profile)) writeResults(Object.keys(SUITES), sections);

function check(what, given, known) {
  const unknown = given.find((name) => !known.includes(name));
  if (unknown) refuse(`There is no ${what} '${unknown}': ${known.join(', ')}.`);
}

function refuse(sentence) {
  console.error(sentence);
  process.exit(2);
}
