import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import ts from 'typescript';

/** One `import`, `export ... from` or `import()` of a source file. */
export interface Import {
  /** As it is written. */
  readonly specifier: string;
  /** Vanishes when the file is compiled. */
  readonly isTypeOnly: boolean;
}

/** A source file, by its path from the root of the repository, with what it imports. */
export interface SourceFile {
  readonly path: string;
  readonly imports: readonly Import[];
}

/** The source files of a folder and the folders in it. */
export function readSources(root: string, folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|js|mjs)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !path.includes('node_modules/'))
    .sort()
    .map((path) => ({ path, imports: importsOf(readFileSync(join(root, path), 'utf8')) }));
}

/** The imports of a source text, static ones and `import()` of a constant. */
export function importsOf(text: string): Import[] {
  const imports: Import[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      imports.push({ specifier: node.moduleSpecifier.text, isTypeOnly: isTypeOnly(node.importClause) });
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
      imports.push({ specifier: node.moduleSpecifier.text, isTypeOnly: isTypeOnlyExport(node) });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [specifier] = node.arguments;
      if (specifier && ts.isStringLiteral(specifier)) imports.push({ specifier: specifier.text, isTypeOnly: false });
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('source.ts', text, ts.ScriptTarget.Latest));
  return imports;
}

/** The file that a relative specifier means; undefined for a package. */
export function resolveImport(path: string, { specifier }: Import): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return posix.join(dirname(path), specifier).replace(/\.js$/, '.ts');
}

/** `import {} from` and `import 'x'` run the file; so does a clause with one name that is a value. */
function isTypeOnly(clause: ts.ImportClause | undefined): boolean {
  if (!clause) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  if (clause.name || !clause.namedBindings || !ts.isNamedImports(clause.namedBindings)) return false;
  const { elements } = clause.namedBindings;
  return elements.length > 0 && elements.every((element) => element.isTypeOnly);
}

function isTypeOnlyExport({ isTypeOnly: all, exportClause }: ts.ExportDeclaration): boolean {
  if (all) return true;
  if (!exportClause || !ts.isNamedExports(exportClause)) return false;
  return exportClause.elements.length > 0 && exportClause.elements.every((element) => element.isTypeOnly);
}
