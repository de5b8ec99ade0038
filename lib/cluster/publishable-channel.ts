import { WsError } from '../errors/ws.error.js';
import { isPublishable, MAX_CHANNEL_LENGTH } from '../protocol/cluster-events.js';

/** @throws WsError BAD_MESSAGE for a channel that an application cannot publish on */
export function checkPublishable(channel: unknown): void {
  if (isPublishable(channel)) return;
  const names = `a text of 1 to ${MAX_CHANNEL_LENGTH} characters, not '*', that tells of no client or user`;
  throw new WsError('BAD_MESSAGE', `A channel is ${names}.`);
}
