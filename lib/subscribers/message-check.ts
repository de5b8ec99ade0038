import { WsError } from '../errors/ws.error.js';

/** Looks at a message: throws, rejects, or answers false for one that is not valid. */
export type MessageCheck<Message> = (message: Message) => unknown;

/** @throws what the check throws; WsError VALIDATION_FAILED where it answers false */
export async function checkMessage<Message>(
  check: MessageCheck<Message>,
  { message }: { readonly message: Message },
): Promise<void> {
  if ((await check(message)) === false) throw new WsError('VALIDATION_FAILED', 'The message is not valid.');
}
