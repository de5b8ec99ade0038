import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Missing, ROOT, run } from '../matrix/programs.mjs';
import { PROJECTS, prepare } from './projects.mjs';
import { tableOf } from './table.mjs';

/*
 * Runs the package as it was built beside what applications have beside it: each spec with the real packages, in a process of
 * its own. `test/neighbours/run`, or `test/neighbours/run throttler cqrs` for specs whose names begin so; with `--write` the
 * table goes into docs/beside-others.md. Ends with 1 when something has failed. What is installed is kept in
 * `~/.cache/pxl-neighbours`, or in the folder that PXL_NEIGHBOURS names.
 */

const PAGE = join(ROOT, 'docs/beside-others.md');

/**
 * @param wanted how the names of specs begin; none: all of them
 * @param tell gets what each test has told
 */
export async function runProject(name, wanted = [], tell = () => undefined) {
  const project = await prepare(name);
  try {
    const specs = project.specs.filter((spec) => wanted.length === 0 || wanted.some((word) => spec.startsWith(word)));
    const results = new Map(specs.map((spec) => [spec, []]));
    const waiting = [...specs];
    const work = async () => {
      for (let spec = waiting.shift(); spec !== undefined; spec = waiting.shift()) {
        results.set(spec, await runSpecOf(project, spec));
        for (const result of results.get(spec)) tell(spec, result);
      }
    };
    await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, work));
    return await Promise.all(
      [...results.values()].flat().map(async (result) => ({ ...result, packages: await packagesOf(project, result) })),
    );
  } finally {
    await project.remove();
  }
}

async function runSpecOf({ folder }, spec) {
  const reporter = join(import.meta.dirname, 'reporter.mjs');
  const args = ['--enable-source-maps', '--test', '--test-timeout=60000', `--test-reporter=${reporter}`];
  const { code, output, errors } = await run('node', [...args, join(folder, 'dist/specs', spec)]);
  const results = output
    .split('\n')
    .filter((line) => line.startsWith('{"path"'))
    .map((line) => JSON.parse(line));
  const hasFailed = results.some(({ error }) => error !== undefined);
  if (code !== 0 && !hasFailed) results.push({ path: [spec], error: `It ended with ${code}.\n${output}\n${errors}` });
  if (results.length === 0) results.push({ path: [spec], error: 'It has no test.' });
  return results;
}

/** The first name is that of the packages which the tests are about: `nestjs-pino, pino-http`. */
function packagesOf({ described }, { path: [names] }) {
  return Promise.all(
    names
      .split(', ')
      .filter((name) => !name.endsWith('.spec.js'))
      .map(described),
  );
}

if (process.argv[1] === import.meta.filename) {
  const wanted = process.argv.slice(2);
  const isWritten = wanted[0] === '--write';
  if (isWritten) wanted.shift();
  const all = [];
  for (const name of PROJECTS) {
    const tell = (spec, { path, error }) => {
      console.error(
        `${error === undefined ? 'ok    ' : 'FAILED'} ${name} ${path.join(' > ')}${error ? `\n${error}` : ''}`,
      );
    };
    try {
      all.push(...(await runProject(name, wanted, tell)));
    } catch (error) {
      console.log(`${error instanceof Missing ? 'missing' : 'FAILED'} ${name}: ${error.message}`);
      if (!(error instanceof Missing)) process.exitCode = 1;
    }
  }
  if (all.some(({ error }) => error !== undefined)) process.exitCode = 1;
  const table = tableOf(all);
  console.log(table);
  if (isWritten && !process.exitCode) {
    const text = await readFile(PAGE, 'utf8');
    const place = /(<!-- made by: test\/neighbours\/run -->\n).*(\n<!-- end -->)/s;
    await writeFile(
      PAGE,
      text.replace(place, (_, before, after) => `${before}\n${table}${after}`),
    );
  }
}
