import { formatSpread, ratioOf, spreadOf } from './spread.js';

/**
 * A table in Markdown: a row per entry, and per column the median of its samples with the smallest and the largest.
 *
 * @param rows `{ name, title, samples }`, one sample per round
 * @param columns `{ title, digits, of(sample) }`
 * @param ratios `{ title, of(sample), dividend }` or `{ ..., divisor }`: the name of the row that is divided by each
 * row, or by which each row is divided, round by round; left out where there is no such row
 */
export function table({ title, rows, columns, ratios, notes }) {
  const possible = ratios.filter(({ dividend, divisor }) => rows.some(({ name }) => name === (dividend ?? divisor)));
  const head = ['', ...columns.map((column) => column.title), ...possible.map((ratio) => ratio.title)];
  const rule = head.map((_, index) => (index === 0 ? '---' : '---:'));
  const body = rows.map((row) => [
    row.title,
    ...columns.map(({ of, digits }) => formatSpread(spreadOf(row.samples.map(of)), digits)),
    ...possible.map((ratio) => ratioCell(ratio, row, rows)),
  ]);
  const lines = [head, rule, ...body].map((cells) => `| ${cells.join(' | ')} |`);
  return [`### ${title}`, lines.join('\n'), ...notes].join('\n\n');
}

function ratioCell({ of, dividend, divisor }, row, rows) {
  const reference = rows.find(({ name }) => name === (dividend ?? divisor));
  if (row === reference) return '';
  const [above, below] = dividend ? [reference, row] : [row, reference];
  return formatSpread(ratioOf(above.samples.map(of), below.samples.map(of)), 2);
}
