import type { Page, PageRequest } from '../../console-contract.js';
import { things } from '../format.js';
import { DataTable, type TableParts } from './data-table.js';
import { sentenceOf } from './dialog.js';
import { fill, h } from './element.js';
import { button, notice } from './parts.js';

/** How many rows a page has. */
const LENGTH = 50;
/** The time after the last key until it is searched, ms. */
const TYPING = 200;

/** What a list asks, and how its address follows. */
export interface ListParts<Row> {
  readonly table: TableParts<Row>;
  readonly ask: (request: PageRequest) => Promise<Page<Row>>;
  /** What the rows are, in singular and plural. */
  readonly noun: readonly [one: string, many: string];
  /** What may be searched for; without it there is no search. */
  readonly search?: string;
  /** The address of a page of it. */
  readonly address: (query: { readonly search?: string; readonly cursor?: string }) => string;
  /** Tells how many rows there are, once somebody has searched or turned the page. */
  readonly tell: (sentence: string) => void;
}

/** A table that is searched and turned page by page: the workers never tell all rows at once. */
export class PagedList<Row> {
  readonly element: HTMLElement;
  readonly #parts: ListParts<Row>;
  readonly #table: DataTable<Row>;
  readonly #search = h('input', { type: 'search', dir: 'auto', autocomplete: 'off', spellcheck: 'false' });
  readonly #note = h('div', { class: 'slot' });
  readonly #sum = h('p', { class: 'hint' });
  readonly #first = button('First page', () => this.#turn());
  readonly #back = button('Previous', () => this.#turn(this.#before.at(-1)));
  readonly #on = button('Next', () => this.#turn(this.#next ?? undefined));
  /** The cursors of the pages before this one, as far as they were turned here. */
  readonly #before: (string | undefined)[] = [];
  #cursor: string | undefined;
  #next: string | null = null;
  /** The latest question: of several that are on their way, only its answer counts. */
  #latest = 0;
  #isAwaited = false;
  #isShown = false;
  /** What is searched for; what somebody is typing is so only once they pause. */
  #term = '';
  #typing: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: ListParts<Row>) {
    this.#parts = parts;
    this.#table = new DataTable(parts.table);
    this.#search.addEventListener('input', () => {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => this.#find(), TYPING);
    });
    const search = h('label', { class: 'field search' }, h('span', {}, parts.search ?? ''), this.#search);
    search.hidden = parts.search === undefined;
    const turns = h('div', { class: 'acts' }, this.#first, this.#back, this.#on);
    const pager = h('nav', { class: 'pager', 'aria-label': `Pages of ${parts.noun[1]}` }, this.#sum, turns);
    this.element = h('div', { class: 'part' }, search, this.#note, this.#table.element, pager);
    this.#drawPager(0);
  }

  /** Takes search and page from the address. */
  show(query: URLSearchParams): void {
    const search = query.get('search') ?? '';
    const cursor = query.get('cursor') ?? undefined;
    if (search !== this.#searched) this.#search.value = search;
    this.#term = search;
    const at = this.#before.indexOf(cursor);
    // By the browser's ways back and forth pages are turned too.
    if (at >= 0 || cursor === undefined) this.#before.length = Math.max(at, 0);
    else if (this.#isShown && cursor !== this.#cursor) this.#before.push(this.#cursor);
    this.#cursor = cursor;
    this.#isShown = true;
  }

  async refresh(): Promise<void> {
    const turn = ++this.#latest;
    try {
      const search = this.#term || undefined;
      const page = await this.#parts.ask({ search, cursor: this.#cursor, limit: LENGTH });
      if (turn !== this.#latest) return;
      const { items, next, missing } = page;
      this.#next = next;
      this.#table.update(items);
      fill(
        this.#note,
        missing.length > 0 &&
          notice('warn', `${things(missing.length, 'worker')} did not answer: what they alone hold is missing here.`),
      );
      this.#drawPager(items.length);
    } catch (error) {
      if (turn === this.#latest) fill(this.#note, notice('bad', sentenceOf(error)));
    }
  }

  get #searched(): string {
    return this.#search.value.trim();
  }

  /** Searches as somebody types: each key is no step of the way back. */
  #find(): void {
    this.#cursor = undefined;
    this.#before.length = 0;
    this.#term = this.#searched;
    history.replaceState(null, '', this.#parts.address({ search: this.#searched }));
    this.#isAwaited = true;
    void this.refresh();
  }

  #turn(cursor = ''): void {
    this.#isAwaited = true;
    // The change of the address has it shown.
    location.hash = this.#parts.address({ search: this.#searched, cursor });
  }

  #drawPager(rows: number): void {
    const [one, many] = this.#parts.noun;
    const isWhole = this.#cursor === undefined && this.#next === null;
    const sum = things(rows, one, many) + (isWhole ? '' : ' on this page');
    this.#sum.textContent = rows > 0 ? sum : '';
    this.#first.hidden = this.#back.hidden = this.#on.hidden = isWhole;
    this.#first.disabled = this.#cursor === undefined;
    this.#back.disabled = this.#before.length === 0;
    this.#on.disabled = this.#next === null;
    const turns = [this.#on, this.#back, this.#first];
    // Who turns pages by keyboard stands on a button.
    if (turns.some((turn) => turn.disabled && turn === document.activeElement)) {
      turns.find((turn) => !turn.disabled)?.focus();
    }
    if (this.#isAwaited) this.#parts.tell(sum);
    this.#isAwaited = false;
  }
}
