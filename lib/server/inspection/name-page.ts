import type { PageQuery } from '../../cluster/calls/inspection.js';
import type { Runtime } from '../../runtime/runtime.js';

/** How many names are looked at in one turn of the event loop: about a millisecond. */
const SLICE = 5_000;

/** One thing that is listed: its name, and other texts by which it is found. */
export interface Listed<Item> {
  readonly name: string;
  readonly texts?: readonly (string | undefined)[];
  readonly item: Item;
}

/**
 * The first of the things that a query finds, in the order of their names. All are looked at, and no more than a page is kept;
 * between them the event loop turns.
 */
export async function pageOf<Item>(
  all: Iterable<Listed<Item>>,
  { search, isPrefix, after, limit }: PageQuery,
  runtime: Runtime,
): Promise<Item[]> {
  const fits = (text: string | undefined): boolean => {
    const found = text?.toLowerCase();
    return found !== undefined && (isPrefix ? found.startsWith(search) : found.includes(search));
  };
  const page: Listed<Item>[] = [];
  let seen = 0;
  for (const listed of all) {
    if (++seen % SLICE === 0) await new Promise<void>((resolve) => runtime.afterIo(resolve));
    const { name, texts = [] } = listed;
    const last = page.length === limit ? page.at(-1) : undefined;
    if ((after !== null && name <= after) || (last !== undefined && name >= last.name)) continue;
    if (search !== '' && !fits(name) && !texts.some(fits)) continue;
    const place = placeOf(name, page);
    // What was taken out and added again while the event loop turned comes twice.
    page.splice(place, page[place]?.name === name ? 1 : 0, listed);
    if (page.length > limit) page.pop();
  }
  return page.map(({ item }) => item);
}

/** Where a name belongs in a list that is in order. */
function placeOf(name: string, page: readonly Listed<unknown>[]): number {
  let [from, to] = [0, page.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((page[middle]?.name ?? '') < name) from = middle + 1;
    else to = middle;
  }
  return from;
}
