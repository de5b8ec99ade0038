import { rm, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { UsageError, type Command, type Terminal } from '../command.js';
import { treeState } from './git-tree.js';
import type { FileChange, Migration } from './migration.js';
import { readProject } from './project-files.js';
import { loadTsMorph } from './ts-morph.js';
import { unifiedDiff } from './unified-diff.js';

const HELP = `Usage: nestjs-pxl-websocket migrate [PATH...] [--write] [--force]

Rewrites gateways and clients of Socket.IO for this library, in the files under the paths (by default here), and their
package.json. Shows what it would do, and changes nothing; what it does not know is left with a comment, TODO(pxl).

  --write   changes the files
  --force   changes them also where git has something that is not committed, or where there is no git
  --help    prints this

It needs ts-morph: npm install --save-dev ts-morph`;

const REFUSALS = {
  clean: undefined,
  dirty:
    'Not everything here is committed. Commit it first, so that git can show and undo the changes; or add --force.',
  none: 'This is no git repository, so nothing could undo the changes. Make one and commit, or add --force.',
};

export const migrate: Command = {
  help: HELP,
  async run(args, terminal) {
    const { paths, write, force } = readArguments(args);
    if (!loadTsMorph(terminal.cwd)) {
      terminal.err('This command needs ts-morph: npm install --save-dev ts-morph');
      return 1;
    }
    const files = await readProject(terminal.cwd, paths);
    const refusal = write && !force ? REFUSALS[await treeState(files.folders)] : undefined;
    if (refusal !== undefined) {
      terminal.err(refusal);
      return 1;
    }
    // The transforms read names of ts-morph when they are loaded.
    const { migrateProject } = await import('./migration.js');
    const migration = migrateProject(files);
    const done = write ? await writeChanges(migration) : migration;
    report(done, write, terminal);
    return done.failures.length > 0 ? 1 : 0;
  },
};

function readArguments(args: readonly string[]): { paths: string[]; write: boolean; force: boolean } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { write: { type: 'boolean', default: false }, force: { type: 'boolean', default: false } },
    });
    return { paths: positionals.length > 0 ? positionals : ['.'], ...values };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Writes what can be written; the files that cannot are left, and named. */
export async function writeChanges(migration: Migration): Promise<Migration> {
  const changes: FileChange[] = [];
  const failures = [...migration.failures];
  for (const change of migration.changes) {
    try {
      await apply(change);
      changes.push(change);
    } catch (error) {
      failures.push(`${change.file.name} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { ...migration, changes, failures };
}

async function apply({ file, bytes }: FileChange): Promise<void> {
  await (bytes === null ? rm(file.path) : writeFile(file.path, bytes));
}

function report({ changes, leftovers, notes, failures }: Migration, isWritten: boolean, { out, err }: Terminal): void {
  for (const { file, text, bytes } of changes) {
    const did = bytes === null ? 'deleted' : 'changed';
    out(isWritten ? `${did} ${file.name}` : unifiedDiff(file.name, file.text, text));
  }
  if (!isWritten && changes.length > 0) out('');
  const count = `${changes.length} ${changes.length === 1 ? 'file' : 'files'}`;
  if (changes.length === 0) out('There is nothing to change.');
  else out(isWritten ? `Changed ${count}.` : `Would change ${count}; add --write to do it.`);
  section(
    'Left to you (docs are in node_modules/nestjs-pxl-websocket):',
    leftovers.map(({ place, text }) => `${place} ${text}`),
    out,
  );
  section('Note:', notes, out);
  section('Left untouched:', failures, err);
}

function section(title: string, lines: readonly string[], say: (line: string) => void): void {
  if (lines.length > 0) say(['', title, ...lines.map((line) => `  ${line}`)].join('\n'));
}
