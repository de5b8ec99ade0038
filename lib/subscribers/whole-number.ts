/**
 * Checks an argument of a utility where it is written, which is when the application starts.
 *
 * @param what the utility and its argument, as they stand in the message
 * @throws RangeError
 */
export function checkWhole(what: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) throw new RangeError(`${what} is a whole number from ${least}.`);
}
