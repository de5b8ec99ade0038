import { ImportEdits } from './import-edits.js';
import { SourceEdits } from './source-edits.js';
import type { MigrationContext, Transform } from './transform.js';
import { Node, type SourceFile } from './ts-morph.js';

const PAGE = 'docs/coming-from-socket-io.md';

/** What became of one source file. */
export interface FileResult {
  readonly text: string;
  readonly notes: readonly string[];
}

/** One file while the transforms read it. */
export class FileMigration implements MigrationContext {
  readonly edits: SourceEdits;
  readonly imports: ImportEdits;
  readonly #notes = new Set<string>();
  readonly #todos = new Set<string>();

  /** @param source the file's text, without a byte order mark */
  constructor(
    private readonly file: SourceFile,
    source: string,
    readonly files: readonly SourceFile[],
  ) {
    this.edits = new SourceEdits(source);
    this.imports = new ImportEdits(file, this.edits);
  }

  todo(node: Node, text: string, anchor: string): void {
    const at = this.#lineOf(node);
    const comment = `// TODO(pxl): ${text}, see ${PAGE}#${anchor}`;
    const key = `${at} ${comment}`;
    if (this.#todos.has(key)) return;
    this.#todos.add(key);
    this.edits.insert(at, `${comment}\n${this.edits.indentAt(at)}`);
  }

  note(text: string): void {
    this.#notes.add(text);
  }

  /**
   * Has the transforms read the file, and puts together what they have recorded.
   *
   * @param namesIn the identifiers that a text has outside of its imports
   */
  run(transforms: readonly Transform[], namesIn: (text: string) => ReadonlySet<string>): FileResult {
    for (const transform of transforms) transform.apply(this.file, this);
    const used = namesIn(this.edits.text());
    this.imports.write((name) => used.has(name));
    return { text: this.edits.text(), notes: [...this.#notes] };
  }

  /** Where the statement, the member or the property of a node begins that has a line of its own; else the file's first line. */
  #lineOf(node: Node): number {
    for (const candidate of [node, ...node.getAncestors()]) {
      const at = candidate.getStart();
      if (hasLine(candidate) && at === this.edits.lineStart(at) + this.edits.indentAt(at).length) return at;
    }
    return 0;
  }
}

/** Whether a comment above a node reads well. */
function hasLine(node: Node): boolean {
  return (
    Node.isStatement(node) ||
    Node.isMethodDeclaration(node) ||
    Node.isPropertyDeclaration(node) ||
    Node.isConstructorDeclaration(node) ||
    Node.isGetAccessorDeclaration(node) ||
    Node.isSetAccessorDeclaration(node) ||
    Node.isPropertySignature(node) ||
    Node.isPropertyAssignment(node) ||
    Node.isParameterDeclaration(node)
  );
}
