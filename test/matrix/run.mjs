import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Missing } from './programs.mjs';

/*
 * Runs what needs a program that the tests of every day do without, over the package as it was built: each file of the folder
 * `entries` tells a kind of it. `npm run test:matrix`, or `npm run test:matrix -- Deno Firefox`.
 * Writes a line for each entry: ok, FAILED, or missing with the reason. Ends with 1 when one has failed.
 *
 * With `--docs` entries write the tables of the documentation that are made of them.
 *
 * A file of entries exports `entries`, a list of `{ name, run(place) }`. `run` tells what was checked, or throws: `Missing`, or
 * what has failed. A place has a `folder`, which is removed at the end, `writesDocs` and `atEnd(undo)`.
 */

const folderOfEntries = join(import.meta.dirname, 'entries');
const files = (await readdir(folderOfEntries)).filter((file) => file.endsWith('.mjs')).sort();
const kinds = await Promise.all(files.map((file) => import(pathToFileURL(join(folderOfEntries, file)).href)));
const entries = kinds.flatMap((kind) => kind.entries);

const given = process.argv.slice(2);
const wanted = given.filter((word) => !word.startsWith('--'));
const chosen = entries.filter(
  ({ name }) => wanted.length === 0 || wanted.some((word) => name.toLowerCase().startsWith(word.toLowerCase())),
);
const undoings = [];
const folder = await mkdtemp(join(tmpdir(), 'pxl-matrix-'));
const place = { folder, writesDocs: given.includes('--docs'), atEnd: (undo) => undoings.push(undo) };
try {
  for (const { name, run } of chosen) {
    const begun = performance.now();
    const tell = (verdict, text) => console.log(`${verdict.padEnd(8)} ${name.padEnd(14)} ${text}`);
    try {
      const what = await run(place);
      tell('ok', `${what} in ${((performance.now() - begun) / 1_000).toFixed(1)} s`);
    } catch (error) {
      tell(error instanceof Missing ? 'missing' : 'FAILED', error.message);
      if (!(error instanceof Missing)) process.exitCode = 1;
    }
  }
} finally {
  for (const undo of undoings) await undo();
  await rm(folder, { recursive: true, force: true });
}
