import { realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import ts from 'typescript';

const ROOT = join(import.meta.dirname, '../..');

/** What programs share: libraries, which all of them read alike. By path and by how a file is read. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/**
 * What the compiler says of source texts, in the order of these: for each one its errors, as `line: message`. They see the
 * library as an application does, and each other not at all.
 */
export function typeErrorsOf(texts: readonly string[], options: ts.CompilerOptions = {}): string[][] {
  const config = configOf(ROOT, options);
  const files = new Map(texts.map((text, index) => [join(ROOT, `test/snippet-${index}.ts`), text]));
  const host = hostOf(config.options, (path) => !files.has(path));
  const { fileExists, readFile } = host;
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.readFile = (path) => files.get(path) ?? readFile(path);
  const program = ts.createProgram([...files.keys()], config.options, host);
  return [...files.keys()].map((path) => {
    const source = program.getSourceFile(path);
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return found.map(({ start = 0, messageText }) => {
      const line = (source?.getLineAndCharacterOfPosition(start).line ?? 0) + 1;
      return `${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
  });
}

/**
 * What the compiler says of a project of its own: of its files and of those that are installed in its folder, not of what
 * is linked there.
 */
export function projectErrors(project: string): string {
  const folder = realpathSync(project);
  const config = configOf(folder);
  const isOwn = (path: string): boolean => path.startsWith(folder + sep);
  const host = hostOf(config.options, (path) => !isOwn(path));
  host.getCurrentDirectory = () => folder;
  const program = ts.createProgram(config.fileNames, config.options, host);
  const own = program.getSourceFiles().filter(({ fileName }) => isOwn(fileName));
  const found = [
    ...config.errors,
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...program.getSyntacticDiagnostics(),
    ...own.flatMap((source) => program.getSemanticDiagnostics(source)),
  ];
  return ts.formatDiagnostics(found, host);
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
function hostOf(options: ts.CompilerOptions, isShared: (path: string) => boolean): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (path, language, ...rest) => {
    const read = (): ts.SourceFile | undefined => getSourceFile.call(host, path, language, ...rest);
    if (!isShared(path)) return read();
    const { languageVersion, impliedNodeFormat } =
      typeof language === 'object' ? language : { languageVersion: language, impliedNodeFormat: undefined };
    const key = [path, languageVersion, impliedNodeFormat].join(' ');
    if (!parsed.has(key)) parsed.set(key, read());
    return parsed.get(key);
  };
  return host;
}
