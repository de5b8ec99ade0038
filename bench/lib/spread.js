/** Median, smallest and largest of some numbers. */
export function spreadOf(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, min: sorted[0], max: sorted.at(-1) };
}

/** The spread of the quotients of two series that were measured in the same rounds, round by round. */
export function ratioOf(numerators, denominators) {
  return spreadOf(numerators.map((numerator, round) => numerator / denominators[round]));
}

/** `4.61 (4.50–4.80)`, with thousands separated where there are any. */
export function formatSpread({ median, min, max }, digits) {
  const format = (number) =>
    number.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${format(median)} (${format(min)}–${format(max)})`;
}
