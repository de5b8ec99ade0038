import type { SourceEdits } from './source-edits.js';
import { Node, type SourceFile } from './ts-morph.js';

interface AddedNames {
  /** By name: whether only its type is needed. */
  readonly names: Map<string, boolean>;
}

type ImportDeclaration = ReturnType<SourceFile['getImportDeclarations']>[number];

/** What a file will import, and what it will import no more. Written into its edits once, at the end. */
export class ImportEdits {
  readonly #added = new Map<string, AddedNames>();
  readonly #dropped = new Set<string>();
  readonly #quote: string;
  readonly #semicolon: string;

  constructor(
    private readonly file: SourceFile,
    private readonly edits: SourceEdits,
  ) {
    const declarations = file.getImportDeclarations();
    const [first] = declarations;
    this.#quote = first?.getModuleSpecifier().getText()[0] ?? "'";
    this.#semicolon = first && !first.getText().endsWith(';') ? '' : ';';
  }

  /** Imports a name, if the new text has it; one that is imported as a type and as a value is a value. */
  add(module: string, name: string, { type = false } = {}): void {
    const added = this.#added.get(module) ?? { names: new Map<string, boolean>() };
    added.names.set(name, type && (added.names.get(name) ?? true));
    this.#added.set(module, added);
  }

  /** Imports nothing of this module any more that the new text does not use. */
  dropUnused(module: string): void {
    this.#dropped.add(module);
  }

  /** What a name of a module is called in this file; undefined when it is not imported. */
  localName(module: string, name: string): string | undefined {
    for (const declaration of this.#declarationsOf(module)) {
      const specifier = declaration.getNamedImports().find((one) => one.getName() === name);
      if (specifier) return specifier.getAliasNode()?.getText() ?? name;
      if (name === 'default') return declaration.getDefaultImport()?.getText();
    }
    return undefined;
  }

  /** @param isUsed whether the new text has a use of a local name, imports aside */
  write(isUsed: (name: string) => boolean): void {
    const gaps: ImportDeclaration[] = [];
    for (const module of this.#dropped) {
      for (const declaration of this.#declarationsOf(module))
        if (this.#drop(declaration, isUsed)) gaps.push(declaration);
    }
    for (const [module, { names }] of this.#added) {
      this.#write(module, new Map([...names].filter(([name]) => isUsed(name))), gaps);
    }
    for (const gap of gaps) this.edits.remove(gap);
  }

  #declarationsOf(module: string): ImportDeclaration[] {
    return this.file.getImportDeclarations().filter((one) => one.getModuleSpecifierValue() === module);
  }

  /** Whether nothing is left of it, so that it has to go. */
  #drop(declaration: ImportDeclaration, isUsed: (name: string) => boolean): boolean {
    const named = declaration.getNamedImports();
    const namespace = declaration.getNamespaceImport();
    const fallback = declaration.getDefaultImport();
    const kept = named.filter((one) => isUsed(one.getAliasNode()?.getText() ?? one.getName()));
    const keepsOthers = [namespace, fallback].some((one) => one !== undefined && isUsed(one.getText()));
    if (kept.length === 0 && !keepsOthers) return named.length > 0 || namespace !== undefined || fallback !== undefined;
    for (const one of named) if (!kept.includes(one)) this.edits.removeElement(one);
    return false;
  }

  #write(module: string, names: ReadonlyMap<string, boolean>, gaps: ImportDeclaration[]): void {
    const present = this.#declarationsOf(module).filter((one) => !gaps.includes(one) && !one.getNamespaceImport());
    const known = new Set(present.flatMap((one) => one.getNamedImports().map((specifier) => specifier.getName())));
    const missing = [...names].filter(([name]) => !known.has(name));
    if (missing.length === 0) return;
    const target = present.find((one) => one.getNamedImports().length > 0 && !one.isTypeOnly());
    const last = target?.getNamedImports().at(-1);
    if (last) {
      const at = last.getStart();
      const indent = this.edits.indentAt(at);
      const between = at === this.edits.lineStart(at) + indent.length ? `,\n${indent}` : ', ';
      this.edits.insertAfter(last, missing.map(([name, type]) => `${between}${type ? 'type ' : ''}${name}`).join(''));
      return;
    }
    const isTypeOnly = missing.every(([, type]) => type);
    const list = missing.map(([name, type]) => (type && !isTypeOnly ? `type ${name}` : name)).join(', ');
    const from = `${this.#quote}${module}${this.#quote}${this.#semicolon}`;
    this.#place(`import ${isTypeOnly ? 'type ' : ''}{ ${list} } from ${from}`, gaps);
  }

  /** In the place of an import that goes, else behind the last one. */
  #place(text: string, gaps: ImportDeclaration[]): void {
    const gap = gaps.shift();
    const last = this.file.getImportDeclarations().at(-1);
    if (gap) this.edits.replace(gap, text);
    else if (last) this.edits.insertAfter(last, `\n${text}`);
    else {
      const [first] = this.file
        .getStatements()
        .filter((one) => !Node.isExpressionStatement(one) || !Node.isStringLiteral(one.getExpression()));
      const at = first?.getStart() ?? this.file.getEnd();
      this.edits.insert(at, `${text}\n${this.edits.indentAt(at)}`);
    }
  }
}
