import type { ImportEdits } from './import-edits.js';
import type { SourceEdits } from './source-edits.js';
import type { Node, SourceFile } from './ts-morph.js';

/**
 * Turns one kind of code into this library's. It reads files that nobody changes while the transforms run, and records in the
 * context what will be other; so no transform sees what another one has done, and no node goes stale.
 */
export interface Transform {
  /** For the sentence that names it when it fails. */
  readonly name: string;
  /** Called once for each file. */
  apply(file: SourceFile, context: MigrationContext): void;
}

/** What a transform may do to a file. */
export interface MigrationContext {
  /** All sources of the project, untouched. */
  readonly files: readonly SourceFile[];
  readonly edits: SourceEdits;
  readonly imports: ImportEdits;
  /**
   * Leaves something to a person: a comment above the statement of a node, and a line in the report.
   *
   * @param text what to do, a sentence without its full stop
   * @param anchor of docs/coming-from-socket-io.md, without `#`
   */
  todo(node: Node, text: string, anchor: string): void;
  /** Tells something about the file that needs no change in it: a sentence of the report. */
  note(text: string): void;
}
