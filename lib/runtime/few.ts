/**
 * A set of items in the order in which they came, for sets of which there are many and most are small: up to four items are an
 * array of just that length (with one item 56 bytes), while a `Set` of one has 150. It is a value: {@link withItem} and
 * {@link withoutItem} give the one to keep.
 */
export type Few<T> = readonly T[] | Set<T>;

/** Without any item. */
export const NONE: readonly never[] = [];

export function sizeOf(few: Few<unknown>): number {
  return few instanceof Set ? few.size : few.length;
}

export function has<T>(few: Few<T>, item: T): boolean {
  return few instanceof Set ? few.has(item) : few.includes(item);
}

/** With one more item, at the end; the same when it is there already. A `Set` is changed in place. */
export function withItem<T>(few: Few<T>, item: T): Few<T> {
  if (few instanceof Set) return few.add(item);
  if (few.includes(item)) return few;
  const [a, b, c, d] = few;
  // A list that grows, spread or pushed to, would have room for sixteen more; `concat` takes several times as long.
  if (a === undefined) return [item];
  if (b === undefined) return [a, item];
  if (c === undefined) return [a, b, item];
  return d === undefined ? [a, b, c, item] : new Set(few).add(item);
}

/** Without one item; the same when it is not there. A `Set` is changed in place, and stays one. */
export function withoutItem<T>(few: Few<T>, item: T): Few<T> {
  if (few instanceof Set) {
    few.delete(item);
    return few;
  }
  const at = few.indexOf(item);
  if (at < 0) return few;
  return few.length === 1 ? NONE : few.toSpliced(at, 1);
}

/** The item that came last. */
export function lastOf<T>(few: Few<T>): T | undefined {
  return few instanceof Set ? [...few].at(-1) : few.at(-1);
}

/** Small sets by a key. A key is there while its set has items. */
export class Groups<Key, Item> {
  /** Items that are alone in their set: most are, and need none. */
  readonly #single = new Map<Key, Item>();
  readonly #several = new Map<Key, Few<Item>>();

  /** How many sets there are. */
  get size(): number {
    return this.#single.size + this.#several.size;
  }

  of(key: Key): Few<Item> | undefined {
    const single = this.#single.get(key);
    return single === undefined ? this.#several.get(key) : [single];
  }

  *keys(): Generator<Key> {
    yield* this.#single.keys();
    yield* this.#several.keys();
  }

  add(key: Key, item: Item): void {
    const before = this.of(key);
    if (!before) {
      this.#single.set(key, item);
      return;
    }
    const after = withItem(before, item);
    if (after === before) return;
    this.#single.delete(key);
    this.#several.set(key, after);
  }

  delete(key: Key, item: Item): void {
    if (this.#single.get(key) === item) this.#single.delete(key);
    const before = this.#several.get(key);
    if (!before) return;
    const after = withoutItem(before, item);
    if (sizeOf(after) === 0) this.#several.delete(key);
    else if (after !== before) this.#several.set(key, after);
  }
}
