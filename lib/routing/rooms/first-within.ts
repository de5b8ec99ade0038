/** The first of the items that have so many bytes together at most: one at least, so that a page always goes on. */
export function firstWithin<Item>(
  bytes: number,
  items: readonly Item[],
  bytesOf: (item: Item) => number,
): readonly Item[] {
  let left = bytes;
  const end = items.findIndex((item) => (left -= bytesOf(item)) < 0);
  return end < 0 ? items : items.slice(0, Math.max(1, end));
}
