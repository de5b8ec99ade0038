/** Node's timers turn a longer time into 1 ms. */
export const MOST = 2 ** 31 - 1;

/**
 * Checks an argument of a utility where it is written, which is when the application starts.
 *
 * @param what the utility and its argument, as they stand in the message
 * @throws RangeError
 */
export function checkWhole(what: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least && value <= MOST) return;
  throw new RangeError(`${what} is a whole number from ${least} to ${MOST}.`);
}
