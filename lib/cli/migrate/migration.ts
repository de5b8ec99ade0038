import { FileMigration } from './file-migration.js';
import { encode, type ProjectFile, type ProjectFiles } from './project-files.js';
import { TRANSFORMS } from './transforms.js';
import { Node, Project, type SourceFile } from './ts-morph.js';

/** A file that will be other. */
export interface FileChange {
  readonly file: ProjectFile;
  readonly text: string;
  /** What is written to the disk. */
  readonly bytes: string;
}

/** What a person has to look at. */
export interface Leftover {
  /** `path:line`, in the new text. */
  readonly place: string;
  readonly text: string;
}

/** What a migration would do. Nothing is written yet. */
export interface Migration {
  readonly changes: readonly FileChange[];
  readonly leftovers: readonly Leftover[];
  /** One sentence each: what is no change of a file. */
  readonly notes: readonly string[];
  /** Files that were left as they are, and why: one sentence each. */
  readonly failures: readonly string[];
}

const TODO = /\/\/ TODO\(pxl\): (.*?)\r?$/gm;

/** Finds out what the transforms make of a project. Needs ts-morph to be loaded. */
export function migrateProject(found: ProjectFiles): Migration {
  const project = new Sources();
  const failures = found.undecoded.map((name) => `${name} is no UTF-8 text.`);
  const parsed: { file: ProjectFile; source: SourceFile }[] = [];
  for (const file of found.sources) {
    const source = project.parse(file.path, file.text);
    const problem = problemOf(source);
    if (problem === undefined) parsed.push({ file, source });
    else failures.push(`${file.name} does not parse: ${problem}`);
  }
  const files = parsed.map(({ source }) => source);
  const changes: FileChange[] = [];
  const leftovers: Leftover[] = [];
  const notes = found.unread.map((name) => `${name} speaks of socket.io, and is not read: change it by hand.`);
  for (const { file, source } of parsed) {
    const migration = new FileMigration(source, file.text, files);
    const result = migration.run(TRANSFORMS, (text) => project.namesIn(file.path, text));
    const problem = result.text === file.text ? undefined : project.problemIn(file.path, result.text);
    if (problem !== undefined) {
      failures.push(`${file.name} would not parse any more, which is a fault of this command: ${problem}`);
      continue;
    }
    notes.push(...result.notes.map((note) => `${file.name}: ${note}`));
    leftovers.push(...leftoversOf(file.name, result.text));
    if (result.text !== file.text) changes.push({ file, text: result.text, bytes: encode(file, result.text) });
  }
  return { changes, leftovers, notes, failures };
}

function leftoversOf(name: string, text: string): Leftover[] {
  return [...text.matchAll(TODO)].map(({ index, 1: said = '' }) => ({
    place: `${name}:${text.slice(0, index).split('\n').length}`,
    text: said,
  }));
}

/** The sources as ts-morph sees them: in memory, without the types of any package. */
class Sources {
  readonly #project = new Project({
    useInMemoryFileSystem: true,
    skipLoadingLibFiles: true,
    skipFileDependencyResolution: true,
    compilerOptions: { allowJs: true, noLib: true, types: [], experimentalDecorators: true },
  });
  readonly #scratch = new Project({ useInMemoryFileSystem: true, skipLoadingLibFiles: true });

  parse(path: string, text: string): SourceFile {
    return this.#project.createSourceFile(path, text, { overwrite: true });
  }

  problemIn(path: string, text: string): string | undefined {
    return problemOf(this.#read(path, text));
  }

  /** The identifiers of a text outside of its imports. */
  namesIn(path: string, text: string): ReadonlySet<string> {
    const names = new Set<string>();
    this.#read(path, text).forEachDescendant((node, traversal) => {
      if (Node.isImportDeclaration(node)) traversal.skip();
      else if (Node.isIdentifier(node)) names.add(node.getText());
    });
    return names;
  }

  #read(path: string, text: string): SourceFile {
    return this.#scratch.createSourceFile(path, text, { overwrite: true });
  }
}

/** What TypeScript says of a text's first mistake, with its line; undefined when it parses. */
function problemOf(source: SourceFile): string | undefined {
  const { parseDiagnostics } = source.compilerNode as unknown as { parseDiagnostics?: readonly ParseProblem[] };
  const [first] = parseDiagnostics ?? [];
  if (!first) return undefined;
  const { line } = source.getLineAndColumnAtPos(first.start);
  const { messageText } = first;
  return `line ${line}, ${typeof messageText === 'string' ? messageText : messageText.messageText}`;
}

/** TypeScript keeps what its parser has found at the file, without a public type. */
interface ParseProblem {
  readonly start: number;
  readonly messageText: string | { readonly messageText: string };
}
