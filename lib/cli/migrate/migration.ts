import { readFileSync } from 'node:fs';
import { dirname, sep } from 'node:path';
import { FileMigration } from './file-migration.js';
import { migrateManifest } from './manifest.js';
import { migratePage } from './page-migration.js';
import { scriptsOf, type PageScript } from './page-scripts.js';
import { encode, type ProjectFile, type ProjectFiles } from './project-files.js';
import { TRANSFORMS } from './transforms.js';
import { Node, Project, type SourceFile } from './ts-morph.js';

/** A file that will be other. */
export interface FileChange {
  readonly file: ProjectFile;
  readonly text: string;
  /** What is written to the disk; null: nothing is left in the file, and it is deleted. */
  readonly bytes: string | null;
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

/** In a template, or an attribute of HTML. */
const USE_OF_SOCKET =
  /\b\w*socket\w*(?:\.value)?\??\.(?:emit|emitWithAck|on|once|off|send|id|connected|disconnected|close)\b/i;
const TODO = /(?:\/\/|<!--) TODO\(pxl\): (.*?)(?: -->)?\r?$/gm;

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
  // The scripts of pages are sources like others, whose new texts go into their pages afterwards.
  const pages = found.pages.map((page) => ({
    page,
    scripts: scriptsOf(page.text).map((script, index) => readScript(page, script, index)),
  }));
  for (const { page, scripts } of pages) {
    for (const file of scripts) {
      const source = project.parse(file.path, file.text);
      const problem = problemOf(source);
      if (problem === undefined) parsed.push({ file, source });
      else failures.push(`${page.name}: its script does not parse: ${problem}`);
    }
  }
  const files = parsed.map(({ source }) => source);
  const changes: FileChange[] = [];
  const leftovers: Leftover[] = [];
  const texts = new Map([...found.sources, ...found.pages].map((file) => [file.path, file.text]));
  const scripts = new Map<string, string>();
  const notes: string[] = [];
  for (const { file, source } of parsed) {
    const migration = new FileMigration(source, file.text, files);
    const result = migration.run(TRANSFORMS, (text) => project.namesIn(file.path, text));
    const problem = result.text === file.text ? undefined : project.problemIn(file.path, result.text);
    if (problem !== undefined) {
      failures.push(`${file.name} would not parse any more, which is a fault of this command: ${problem}`);
      continue;
    }
    notes.push(...result.notes.map((note) => `${file.name}: ${note}`));
    if (!texts.has(file.path)) {
      if (result.text !== file.text) scripts.set(file.path, result.text);
      continue;
    }
    texts.set(file.path, result.text);
    leftovers.push(...leftoversOf(file.name, result.text));
    if (result.text === file.text) continue;
    const isEmpty = result.text.trim() === '';
    changes.push({ file, text: isEmpty ? '' : result.text, bytes: isEmpty ? null : encode(file, result.text) });
  }
  const changed = new Set(changes.map(({ file }) => file.path));
  for (const { page, scripts: own } of pages) {
    const codeOf = (_: PageScript, index: number): string | undefined => scripts.get(own[index]?.path ?? '');
    const text = migratePage(page.path, page.text, codeOf, (path) => changed.has(path));
    const isLeft = text === page.text && text.includes('socket.io');
    const outside = text.replace(/<script\b[^]*?<\/script>/g, '');
    if (text !== page.text && USE_OF_SOCKET.test(outside))
      notes.push(`${page.name} has code with a socket outside of its scripts, which was not read: look at it.`);
    if (isLeft) notes.push(`${page.name} speaks of socket.io, and nothing in it was changed: look at it.`);
    if (text !== page.text) changes.push({ file: page, text, bytes: encode(page, text) });
    texts.set(page.path, text);
    leftovers.push(...leftoversOf(page.name, text));
  }
  for (const file of found.manifests) {
    const result = migrateManifest(file.text, {
      texts: sourcesOf(file, found, texts),
      changed: sourcesOf(file, found, new Map(changes.map((one) => [one.file.path, one.text]))),
      version: ownVersion(),
    });
    if (!result) failures.push(`${file.name} holds no object.`);
    else if (result.text !== file.text) {
      changes.push({ file, text: result.text, bytes: encode(file, result.text) });
      notes.push(...result.notes.map((note) => `${file.name}: ${note}`));
    }
  }
  return { changes, leftovers, notes, failures };
}

/** A script as a file beside its page. */
function readScript({ path, name }: ProjectFile, { code, extension }: PageScript, index: number): ProjectFile {
  return { path: `${path}.${index}${extension}`, name, text: code, hasBom: false };
}

/** The texts of the sources and pages that stand below a package.json, and below no other one that is nearer. */
function sourcesOf(manifest: ProjectFile, { manifests }: ProjectFiles, texts: ReadonlyMap<string, string>): string[] {
  const folder = dirname(manifest.path) + sep;
  const nearer = manifests
    .map(({ path }) => dirname(path) + sep)
    .filter((one) => one !== folder && one.startsWith(folder));
  const own = [...texts].filter(([path]) => path.startsWith(folder) && !nearer.some((one) => path.startsWith(one)));
  return own.map(([, text]) => text);
}

function ownVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
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
  const node: typeof source.compilerNode & { readonly parseDiagnostics?: readonly ParseProblem[] } =
    source.compilerNode;
  const { parseDiagnostics } = node;
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
