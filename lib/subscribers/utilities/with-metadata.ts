import type { UntypedMessage, WebSocketSubscriberHandlerContext } from '../../interfaces/subscriber.interface.js';

/** The handler finds `metadata` in its context. */
export function withMetadata<Message = UntypedMessage, Metadata = unknown, Result = unknown>(
  metadata: Metadata,
  handler: (context: WebSocketSubscriberHandlerContext<Message> & { readonly metadata: Metadata }) => Result,
): (context: WebSocketSubscriberHandlerContext<Message>) => Result {
  return (context) => handler({ ...context, metadata });
}
