/** How many lines of both texts stand around what differs. */
const CONTEXT = 3;

type Line = readonly [kind: ' ' | '-' | '+', text: string];

/** What differs between two texts, as `diff -u` shows it. */
export function unifiedDiff(name: string, before: string, after: string): string {
  const lines = diffLines(before.split('\n'), after.split('\n'));
  const shown = lines.map((_, at) =>
    lines.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(([kind]) => kind !== ' '),
  );
  const output = [`--- a/${name}`, `+++ b/${name}`];
  let [oldLine, newLine] = [1, 1];
  for (let at = 0; at < lines.length;) {
    let end = at;
    while (end < lines.length && shown[end] === shown[at]) end++;
    const hunk = lines.slice(at, end);
    const [removed, added] = [
      hunk.filter(([kind]) => kind !== '+').length,
      hunk.filter(([kind]) => kind !== '-').length,
    ];
    if (shown[at]) {
      output.push(`@@ -${oldLine},${removed} +${newLine},${added} @@`);
      output.push(...hunk.map(([kind, text]) => kind + text.replace(/\r$/, '')));
    }
    oldLine += removed;
    newLine += added;
    at = end;
  }
  return output.join('\n');
}

/** The shortest way from one list of lines to the other, after Myers. */
function diffLines(before: readonly string[], after: readonly string[]): Line[] {
  const trace = searchPath(before, after);
  const reversed: Line[] = [];
  let [x, y] = [before.length, after.length];
  for (let depth = trace.length - 1; depth >= 0; depth--) {
    const reached = trace[depth] ?? new Map<number, number>();
    const k = x - y;
    const isDown = k === -depth || (k !== depth && (reached.get(k - 1) ?? -1) < (reached.get(k + 1) ?? -1));
    const previousK = isDown ? k + 1 : k - 1;
    const previousX = depth === 0 ? 0 : (reached.get(previousK) ?? 0);
    const previousY = depth === 0 ? 0 : previousX - previousK;
    while (x > previousX && y > previousY) {
      reversed.push([' ', before[--x] ?? '']);
      y--;
    }
    if (depth === 0) break;
    if (isDown) reversed.push(['+', after[--y] ?? '']);
    else reversed.push(['-', before[--x] ?? '']);
  }
  return reversed.reverse();
}

/** For each number of edits how far they had led before it, by diagonal. */
function searchPath(before: readonly string[], after: readonly string[]): Map<number, number>[] {
  const trace: Map<number, number>[] = [];
  const reached = new Map<number, number>([[1, 0]]);
  for (let depth = 0; depth <= before.length + after.length; depth++) {
    trace.push(new Map(reached));
    for (let k = -depth; k <= depth; k += 2) {
      const isDown = k === -depth || (k !== depth && (reached.get(k - 1) ?? -1) < (reached.get(k + 1) ?? -1));
      let x = isDown ? (reached.get(k + 1) ?? 0) : (reached.get(k - 1) ?? 0) + 1;
      while (x < before.length && x - k < after.length && before[x] === after[x - k]) x++;
      reached.set(k, x);
      if (x >= before.length && x - k >= after.length) return trace;
    }
  }
  return trace;
}
