import { describe, expect, it } from '@jest/globals';
import { SourceEdits } from '../../lib/cli/migrate/source-edits.js';
import { unifiedDiff } from '../../lib/cli/migrate/unified-diff.js';

/** The place of a part of a text. */
function part(text: string, of: string): { getStart(): number; getEnd(): number } {
  const start = text.indexOf(of);
  expect(start).toBeGreaterThanOrEqual(0);
  return { getStart: () => start, getEnd: () => start + of.length };
}

describe('Edits of a source', () => {
  it('change what they name, and not a byte beside it', () => {
    const source = 'a  \r\n\tb;\r\n\r\nc \n';
    const edits = new SourceEdits(source);
    edits.replace(part(source, 'b;'), 'x;\ny;');
    expect(edits.text()).toBe('a  \r\n\tx;\r\ny;\r\n\r\nc \n');
  });

  it('go along with what is made of the text around them', () => {
    const source = 'outer(inner(1), 2)';
    const edits = new SourceEdits(source);
    edits.replace(part(source, 'inner(1)'), 'one');
    edits.insertBefore(part(source, 'outer'), '/* kept */ ');
    const whole = part(source, source);
    edits.replace(whole, `await ${edits.textOf(whole)}`);
    edits.replace(part(source, '2'), 'nothing of this: the outer one was first');
    expect(edits.text()).toBe('/* kept */ await outer(one, 2)');
  });

  it('take a line away with what stood alone on it', () => {
    const source = 'a;\n  b;\nc; d;\n';
    const edits = new SourceEdits(source);
    edits.remove(part(source, 'b;'));
    edits.remove(part(source, ' d;'));
    expect(edits.text()).toBe('a;\nc;\n');
  });

  it.each([
    ['{ a, b, c }', 'a', '{ b, c }'],
    ['{ a, b, c }', 'b', '{ a, c }'],
    ['{ a, b, c }', 'c', '{ a, b }'],
    ['{\n  a,\n  b,\n}', 'b', '{\n  a,\n}'],
    ['{\n  a,\n  b\n}', 'b', '{\n  a\n}'],
  ])('take an element out of the list %j', (source, element, left) => {
    const edits = new SourceEdits(source);
    edits.removeElement(part(source, element));
    expect(edits.text()).toBe(left);
  });
});

describe('A unified diff', () => {
  it('shows what differs with three lines around it', () => {
    const before = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12', '13', ''];
    const after = ['1', '2', '3', '4', 'five', '6', '7', '8', '9', '10', '11', '12', '12b', '13', ''];
    expect(unifiedDiff('a.ts', before.join('\n'), after.join('\n')).split('\n')).toEqual([
      ...['--- a/a.ts', '+++ b/a.ts', '@@ -2,7 +2,7 @@', ' 2', ' 3', ' 4', '-5', '+five', ' 6', ' 7', ' 8'],
      ...['@@ -10,5 +10,6 @@', ' 10', ' 11', ' 12', '+12b', ' 13', ' '],
    ]);
  });

  it('is empty but for its head where nothing differs, and ends where all does', () => {
    expect(unifiedDiff('a.ts', 'x\ny\n', 'x\ny\n')).toBe('--- a/a.ts\n+++ b/a.ts');
    const all = unifiedDiff('a.ts', 'a\nb', 'c\nd\ne');
    expect(all.split('\n').slice(2).sort()).toEqual(['+c', '+d', '+e', '-a', '-b', '@@ -1,2 +1,3 @@']);
  });
});
