import { assign, fill, h, type Child } from './element.js';

/** One column of a table of `Row`s. */
export interface Column<Row> {
  readonly title: string;
  /** `number`: stands at the right. `wide`: has a line of its own on a phone. */
  readonly kind?: 'number' | 'wide';
  readonly cell: (row: Row) => Child;
  /** What rows are sorted by; without it the column cannot be sorted. */
  readonly order?: (row: Row) => number | string;
}

/** What a table is made of. */
export interface TableParts<Row> {
  /** The table's name, for screen readers. */
  readonly caption: string;
  /** The first one names the row. */
  readonly columns: readonly Column<Row>[];
  readonly key: (row: Row) => string;
  /** What stands there when there are no rows. */
  readonly empty: string;
  /** Whether a row stays as it came: it is drawn once then. */
  readonly isFixed?: boolean;
  /** The column that rows are sorted by at first, largest first. */
  readonly sortedBy?: string;
}

/**
 * A table whose rows stay the same elements while they change, so that focus and selection are kept. On a phone each row is a
 * card; the roles say that it still is a table, which some browsers forget then.
 */
export class DataTable<Row> {
  readonly element: HTMLElement;
  readonly #parts: TableParts<Row>;
  readonly #body = h('tbody', { role: 'rowgroup' });
  readonly #heads: HTMLTableCellElement[];
  readonly #table: HTMLTableElement;
  readonly #empty: HTMLElement;
  readonly #lines = new Map<string, HTMLTableRowElement>();
  #rows: readonly Row[] = [];
  #sorted: { readonly title: string; readonly isDescending: boolean } | undefined;

  constructor(parts: TableParts<Row>) {
    this.#parts = parts;
    if (parts.sortedBy !== undefined) this.#sorted = { title: parts.sortedBy, isDescending: true };
    this.#heads = parts.columns.map((column) =>
      h('th', { scope: 'col', role: 'columnheader', class: column.kind }, this.#headOf(column)),
    );
    this.#table = h(
      'table',
      { role: 'table' },
      h('caption', { class: 'unseen' }, parts.caption),
      h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, ...this.#heads)),
      this.#body,
    );
    // Until the first answer nobody knows that there are none.
    this.#empty = h('p', { class: 'empty' }, 'Asking the workers …');
    this.element = h('div', { class: 'table' }, this.#table, this.#empty);
    this.#table.hidden = true;
    this.#draw();
  }

  update(rows: readonly Row[]): void {
    this.#rows = rows;
    this.#table.hidden = rows.length === 0;
    this.#empty.hidden = rows.length > 0;
    this.#empty.textContent = this.#parts.empty;
    this.#draw();
  }

  #headOf({ title, order, kind }: Column<Row>): Child {
    if (!order) return title;
    return h('button', { type: 'button', class: 'sort', onclick: () => this.#sortBy(title, kind === 'number') }, title);
  }

  #sortBy(title: string, isDescending: boolean): void {
    const { title: before, isDescending: wasDescending } = this.#sorted ?? {};
    this.#sorted = { title, isDescending: title === before ? !wasDescending : isDescending };
    this.#draw();
  }

  #draw(): void {
    const { columns, key, isFixed } = this.#parts;
    columns.forEach(({ title, order }, at) => {
      const direction = this.#sorted?.isDescending ? 'descending' : 'ascending';
      const head = this.#heads[at];
      if (head && order) assign(head, { 'aria-sort': title === this.#sorted?.title ? direction : 'none' });
    });
    const wanted = new Set<string>();
    this.#inOrder().forEach((row, at) => {
      const id = key(row);
      wanted.add(id);
      const known = this.#lines.get(id);
      const line = known ?? this.#begin(id);
      if (!known || !isFixed) {
        columns.forEach(({ cell }, column) => {
          const place = line.cells[column]?.firstElementChild;
          if (place) fill(place, cell(row));
        });
      }
      if (this.#body.children[at] !== line) this.#body.insertBefore(line, this.#body.children[at] ?? null);
    });
    for (const [id, line] of this.#lines) {
      if (wanted.has(id)) continue;
      line.remove();
      this.#lines.delete(id);
    }
  }

  #begin(id: string): HTMLTableRowElement {
    const cells = this.#parts.columns.map(({ title, kind }, at) => {
      // What a card shows before the value; the header says it to screen readers.
      const attributes = { class: kind, 'data-title': title };
      const place = h('div', { class: 'cell' });
      return at === 0
        ? h('th', { ...attributes, scope: 'row', role: 'rowheader' }, place)
        : h('td', { ...attributes, role: 'cell' }, place);
    });
    const line = h('tr', { role: 'row' }, ...cells);
    this.#lines.set(id, line);
    return line;
  }

  #inOrder(): readonly Row[] {
    const order = this.#parts.columns.find(({ title }) => title === this.#sorted?.title)?.order;
    if (!order) return this.#rows;
    const sign = this.#sorted?.isDescending ? -1 : 1;
    return [...this.#rows].sort((a, b) => sign * compare(order(a), order(b)));
  }
}

function compare(a: number | string, b: number | string): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b));
}
