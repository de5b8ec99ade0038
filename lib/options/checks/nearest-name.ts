/** The one of `known` that a name was most likely meant to be; undefined where none is like it. */
export function nearestName(given: string, known: readonly string[]): string | undefined {
  const name = given.toLowerCase();
  let nearest: string | undefined;
  let least = Infinity;
  for (const candidate of known) {
    const edits = editsBetween(name, candidate.toLowerCase());
    if (edits >= least || !isLike(name, candidate.toLowerCase(), edits)) continue;
    nearest = candidate;
    least = edits;
  }
  return nearest;
}

/** `room`: "There is no option room; did you mean rooms? There are …". */
export function noSuchName(what: string, given: string, known: readonly string[], meant?: string): string {
  const nearest = meant ?? nearestName(given.slice(given.lastIndexOf('.') + 1), known);
  const [only] = known.length === 1 ? known : [];
  const list = only === undefined ? `there are ${known.join(', ')}` : `there is only ${only}`;
  if (nearest === undefined) return `There is no ${what} ${given}; ${list}.`;
  const all = only === undefined ? ` T${list.slice(1)}.` : '';
  return `There is no ${what} ${given}; did you mean ${nearest}?${all}`;
}

/** A third of the letters may differ; a part of a longer name is like it whatever its length. */
function isLike(name: string, candidate: string, edits: number): boolean {
  const longer = Math.max(name.length, candidate.length);
  const isPart = name.length >= 3 && (candidate.includes(name) || name.includes(candidate));
  return isPart || edits <= Math.max(1, Math.floor(longer / 3));
}

/** How many letters have to be added, left out or replaced. */
function editsBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let at = 0; at < one.length; at++) {
    let left = at + 1;
    const next = [left];
    for (let column = 0; column < other.length; column++) {
      const replaced = (row[column] ?? 0) + (one[at] === other[column] ? 0 : 1);
      left = Math.min(replaced, left + 1, (row[column + 1] ?? 0) + 1);
      next.push(left);
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
