import { WsError } from '../../errors/ws.error.js';

/** The longest time that Node's timers take, in ms: a longer one would end after 1 ms. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * Checks a numeric argument of a utility. It runs where the utility is called, so that a mistake fails the start.
 *
 * @param what the utility and its argument, for the error's message
 * @throws RangeError when the value is not a whole number from `least` to {@link LONGEST_TIMER}
 */
export function checkWhole(what: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least && value <= LONGEST_TIMER) return;
  throw new RangeError(`${what} is a whole number from ${least} to ${LONGEST_TIMER}.`);
}

/** Checks a message: it throws, rejects or returns false when the message is not valid. */
export type WsMessageCheck<Message> = (message: Message) => unknown;

/** @throws what the check throws; WsError VALIDATION_FAILED when it returns false */
export async function checkMessage<Message>(
  check: WsMessageCheck<Message>,
  { message }: { readonly message: Message },
): Promise<void> {
  if ((await check(message)) === false) throw new WsError('VALIDATION_FAILED', 'The message is not valid.');
}
