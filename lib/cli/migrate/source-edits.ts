/** A part of a text: what a node has as `getStart()` and `getEnd()`. */
export interface Span {
  getStart(): number;
  getEnd(): number;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * What will be other in one text. All places are those of the untouched text, which the nodes of its tree know; what no edit
 * names stays as it is, byte for byte.
 */
export class SourceEdits {
  #edits: Edit[] = [];
  readonly #lineEnd: string;

  /** @param source the untouched text; texts that are put in get its line ends */
  constructor(private readonly source: string) {
    const windows = source.match(/\r\n/g)?.length ?? 0;
    const all = source.match(/\n/g)?.length ?? 0;
    this.#lineEnd = windows * 2 > all ? '\r\n' : '\n';
  }

  /** Puts a text in the place of a node; edits inside of it are forgotten (take them along by {@link textOf}). */
  replace(node: Span, text: string): void {
    this.replaceRange(node.getStart(), node.getEnd(), text);
  }

  /** Puts a text before a place. Of several at one place the first one stands first. */
  insert(at: number, text: string): void {
    this.#put({ start: at, end: at, text });
  }

  insertBefore(node: Span, text: string): void {
    this.insert(node.getStart(), text);
  }

  insertAfter(node: Span, text: string): void {
    this.insert(node.getEnd(), text);
  }

  /** Takes a node out, and with it the line or lines on which nothing else stands. */
  remove(node: Span): void {
    const { start, end } = this.#withLines(node.getStart(), node.getEnd());
    this.replaceRange(start, end, '');
  }

  /** Takes an element out of a list, with its comma. */
  removeElement(node: Span): void {
    const { source } = this;
    let [start, end] = [node.getStart(), node.getEnd()];
    const after = /^\s*,/.exec(source.slice(end));
    if (after) {
      end += after[0].length;
      ({ start, end } = this.#withLines(start, end));
      if (end === node.getEnd() + after[0].length) end += /^[ \t]*/.exec(source.slice(end))?.[0].length ?? 0;
    } else {
      const before = /,\s*$/.exec(source.slice(0, start));
      if (before) start = before.index;
      else ({ start, end } = this.#withLines(start, end));
    }
    this.replaceRange(start, end, '');
  }

  replaceRange(start: number, end: number, text: string): void {
    this.#edits = this.#edits.filter((edit) => edit.start < start || edit.end > end || isAtEdge(edit, start, end));
    this.#put({ start, end, text });
  }

  /** The text of a node, with the edits inside of it. */
  textOf(node: Span): string {
    const [start, end] = [node.getStart(), node.getEnd()];
    return this.#apply(start, end, (edit) => !isAtEdge(edit, start, end));
  }

  /** The whole text, with all edits. */
  text(): string {
    return this.#apply(0, this.source.length);
  }

  /** The white space at the beginning of the line of a place. */
  indentAt(at: number): string {
    return /^[ \t]*/.exec(this.source.slice(this.lineStart(at)))?.[0] ?? '';
  }

  /** Where the line behind a place begins. */
  lineAfter(at: number): number {
    const end = this.source.indexOf('\n', at);
    return end < 0 ? this.source.length : end + 1;
  }

  lineStart(at: number): number {
    return this.source.lastIndexOf('\n', at - 1) + 1;
  }

  #put(edit: Edit): void {
    const isTaken = this.#edits.some(
      ({ start, end }) => start < end && start <= edit.start && edit.end <= end && !isAtEdge(edit, start, end),
    );
    // Who has replaced more than this has the say.
    if (isTaken) return;
    this.#edits.push({ ...edit, text: edit.text.replace(/\r?\n/g, this.#lineEnd) });
  }

  #apply(from: number, to: number, isMeant: (edit: Edit) => boolean = () => true): string {
    // A stable sort: insertions at one place keep their order, and stand before what replaces the text behind it.
    const inside = this.#edits
      .filter((edit) => edit.start >= from && edit.end <= to && isMeant(edit))
      .sort((a, b) => a.start - b.start || a.end - b.end);
    let text = '';
    let at = from;
    for (const edit of inside) {
      if (edit.start < at) continue;
      text += this.source.slice(at, edit.start) + edit.text;
      at = edit.end;
    }
    return text + this.source.slice(at, to);
  }

  #withLines(start: number, end: number): { start: number; end: number } {
    const lineStart = this.lineStart(start);
    const rest = /^[ \t]*(?:\r?\n|$)/.exec(this.source.slice(end));
    if (!rest || this.source.slice(lineStart, start).trim() !== '') return { start, end };
    return { start: lineStart, end: end + rest[0].length };
  }
}

/** Whether an insertion stands at the edge of a range, and so outside of it. */
function isAtEdge({ start, end }: Edit, from: number, to: number): boolean {
  return start === end && (start === from || start === to);
}
