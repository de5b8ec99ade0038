import { WsError } from '../../errors/ws.error.js';
import { isPublishable, MAX_CHANNEL_LENGTH, renamedEvent } from '../../protocol/cluster-events.js';

/** @throws WsError BAD_MESSAGE for a channel on which an application may not publish */
export function checkPublishable(channel: unknown): void {
  const renamed = renamedEvent(channel);
  if (renamed !== undefined) {
    throw new WsError('BAD_MESSAGE', `The event ${String(channel)} of PXL's older edition is called ${renamed}.`);
  }
  if (isPublishable(channel)) return;
  const names = `a text of 1 to ${MAX_CHANNEL_LENGTH} characters, not '*', that is no event of the library's own`;
  throw new WsError('BAD_MESSAGE', `A channel is ${names}.`);
}
