import { realpathSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import ts from 'typescript';
import ts5 from 'typescript-5';

const ROOT = join(import.meta.dirname, '../..');

export type Compiler = typeof ts;

/** The compilers that applications have; what is used of them here is the same in both. */
export const COMPILERS = { 'TypeScript 5': ts5 as unknown as typeof ts, 'TypeScript 6': ts } as const;

/** What programs share: libraries, which all of them read alike. By compiler, path and how a file is read. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** An error in a source text. */
export interface TypeError {
  readonly line: number;
  /** The text that the compiler points at. */
  readonly at: string;
  readonly message: string;
}

/**
 * What the compiler says of source texts, in the order of these: for each one its errors, as `line: message`. They see the
 * library as an application does, and each other not at all.
 */
export function typeErrorsOf(texts: readonly string[], options: ts.CompilerOptions = {}): string[][] {
  return errorsOf(texts, ts, options).map((found) => found.map(({ line, message }) => `${line}: ${message}`));
}

/** The same with what each error points at, by a compiler of one's own choice. */
export function errorsOf(
  texts: readonly string[],
  compiler: Compiler,
  options: ts.CompilerOptions = {},
): TypeError[][] {
  const extension = options.jsx === undefined ? 'ts' : 'tsx';
  const files = new Map(texts.map((text, index) => [`snippet-${index}.${extension}`, text]));
  return [...fileErrors(files, compiler, options).values()];
}

/** The same for files that may import each other, by their names. They lie in a folder that need not exist. */
export function fileErrors(
  texts: ReadonlyMap<string, string>,
  compiler: Compiler = ts,
  options: ts.CompilerOptions = {},
): Map<string, TypeError[]> {
  const config = configOf(ROOT, options);
  const files = new Map([...texts].map(([name, text]) => [join(ROOT, 'test', name), text]));
  const folders = new Set([...files.keys()].flatMap(foldersOf));
  const host = hostOf(config.options, (path) => !files.has(path), compiler);
  const { fileExists, readFile, directoryExists } = host;
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.readFile = (path) => files.get(path) ?? readFile(path);
  host.directoryExists = (path) => folders.has(path) || (directoryExists?.(path) ?? true);
  const program = compiler.createProgram([...files.keys()], config.options, host);
  const errors = new Map<string, TypeError[]>();
  for (const [name, text] of texts) {
    const source = program.getSourceFile(join(ROOT, 'test', name));
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    const shown = found.map(({ start = 0, length = 0, messageText }) => ({
      line: (source?.getLineAndCharacterOfPosition(start).line ?? 0) + 1,
      at: text.slice(start, start + length),
      message: compiler.flattenDiagnosticMessageText(messageText, ' '),
    }));
    errors.set(name, shown);
  }
  return errors;
}

/** The folders below the root of the project that a file lies in. */
function foldersOf(path: string): string[] {
  const folder = dirname(path);
  return folder.length <= ROOT.length ? [] : [folder, ...foldersOf(folder)];
}

/**
 * What the compiler says of a project of its own: of its files and of those that are installed in its folder, not of what
 * is linked there.
 */
export function projectErrors(project: string, compiler: Compiler = ts, options: ts.CompilerOptions = {}): string {
  const folder = realpathSync(project);
  const config = configOf(folder, options);
  const isOwn = (path: string): boolean => path.startsWith(folder + sep);
  const host = hostOf(config.options, (path) => !isOwn(path), compiler);
  host.getCurrentDirectory = () => folder;
  const program = compiler.createProgram(config.fileNames, config.options, host);
  const own = program.getSourceFiles().filter(({ fileName }) => isOwn(fileName));
  const found = [
    ...config.errors,
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...program.getSyntacticDiagnostics(),
    ...own.flatMap((source) => program.getSemanticDiagnostics(source)),
  ];
  return compiler.formatDiagnostics(found, host);
}

function configOf(folder: string, options: ts.CompilerOptions = {}): ts.ParsedCommandLine {
  const config = ts.getParsedCommandLineOfConfigFile(join(folder, 'tsconfig.json'), options, {
    ...ts.sys,
    getCurrentDirectory: () => folder,
    onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
      throw new Error(ts.flattenDiagnosticMessageText(messageText, ' '));
    },
  });
  if (!config) throw new Error(`There is no tsconfig.json in ${folder}.`);
  return config;
}

/** Reads files as the compiler does, those that programs may share once. */
function hostOf(
  options: ts.CompilerOptions,
  isShared: (path: string) => boolean,
  compiler: Compiler = ts,
): ts.CompilerHost {
  const host = compiler.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (path, language, ...rest) => {
    const read = (): ts.SourceFile | undefined => getSourceFile.call(host, path, language, ...rest);
    if (!isShared(path)) return read();
    const { languageVersion, impliedNodeFormat } =
      typeof language === 'object' ? language : { languageVersion: language, impliedNodeFormat: undefined };
    const key = [compiler.version, path, languageVersion, impliedNodeFormat].join(' ');
    if (!parsed.has(key)) parsed.set(key, read());
    return parsed.get(key);
  };
  return host;
}
