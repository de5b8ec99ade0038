import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = new URL('../profiles/', import.meta.url);
const TOP = 10;

/** Measures once under V8's profiler and gives the functions with the most time of their own. */
export async function profiled(session, label, measure) {
  const file = fileURLToPath(new URL(`${label.replaceAll(/[^a-z0-9]+/gi, '-')}.cpuprofile`, FOLDER));
  await session.server.ask('startProfile');
  await measure();
  await session.server.ask('stopProfile', { file });
  const lines = topFunctions(JSON.parse(readFileSync(file, 'utf8'))).map(
    ({ name, share }, index) => `| ${index + 1} | ${name} | ${(share * 100).toFixed(1)} % |`,
  );
  return [
    `### ${label}`,
    '',
    `Profile: ${relative(process.cwd(), file)}`,
    '',
    '| | function | own time |',
    '|---|---|---:|',
    ...lines,
  ].join('\n');
}

/** By own time, as a share of the time in which the process was not idle. */
function topFunctions({ nodes, samples, timeDeltas }) {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map();
  let busy = 0;
  samples.forEach((id, index) => {
    const name = names.get(id);
    if (name === '(idle)') return;
    busy += timeDeltas[index];
    times.set(name, (times.get(name) ?? 0) + timeDeltas[index]);
  });
  return [...times]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, TOP)
    .map(([name, time]) => ({ name, share: time / busy }));
}

function nameOf({ functionName, url, lineNumber }) {
  const name = functionName || '(anonymous)';
  if (url === '') return name;
  const place = url.replace(/^.*\/(node_modules|[^/]*dist|bench)\//, '');
  return `${name} \`${place}:${lineNumber + 1}\``;
}
