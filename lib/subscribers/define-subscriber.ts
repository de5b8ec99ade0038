import type { OutputOf, StandardSchema } from '../interfaces/standard-schema.interface.js';
import type {
  UntypedMessage,
  WebSocketSubscriberDefinition,
  WebSocketSubscriberHandlerContext,
  WebSocketSubscriberMatcher,
  WebSocketSubscriberOptions,
} from '../interfaces/subscriber.interface.js';
import type { ClusterEventMessages } from '../protocol/cluster-events.js';

/** Some channels by name. */
type Channels<Name extends string> =
  | { channel: Name; channels?: undefined; match?: undefined }
  | { channels: readonly Name[]; channel?: undefined; match?: undefined };

/** Channels by name, or anything else that picks events; exactly one of the three. */
type Selection<Message> =
  | Channels<string>
  | {
      match: WebSocketSubscriberMatcher<Message> | readonly WebSocketSubscriberMatcher<Message>[];
      channel?: undefined;
      channels?: undefined;
    };

/** What the library tells on a channel. On some it is what the application has told. */
type MessageOf<Name extends keyof ClusterEventMessages> = unknown extends ClusterEventMessages[Name]
  ? UntypedMessage
  : ClusterEventMessages[Name];

interface Handled<Message> extends WebSocketSubscriberOptions<Message> {
  handle(context: WebSocketSubscriberHandlerContext<Message>): unknown;
}

/**
 * A subscriber for the option `subscribers`, with its types: the message is what the schema makes of it, what the library
 * tells on the channel, or the type argument. Where none of them says it, and for a predicate, which gets the message before
 * the schema does, it is untyped: what is read of it is not checked.
 *
 * @example
 * defineWebSocketSubscriber({
 *   channel: 'orders',
 *   schema: z.object({ id: z.string() }),
 *   handle: ({ message, webSocketServer }) => webSocketServer.sendMessageToAll({ data: { event: message.id } }),
 * });
 */
export function defineWebSocketSubscriber<Schema extends StandardSchema>(
  definition: { schema: Schema } & Handled<OutputOf<Schema>> & Selection<UntypedMessage>,
): WebSocketSubscriberDefinition<OutputOf<Schema>>;
export function defineWebSocketSubscriber<Name extends keyof ClusterEventMessages>(
  definition: Handled<MessageOf<Name>> & Channels<Name> & { schema?: undefined },
): WebSocketSubscriberDefinition<MessageOf<Name>>;
export function defineWebSocketSubscriber<Message = UntypedMessage>(
  definition: Handled<Message> & Selection<Message> & { schema?: undefined },
): WebSocketSubscriberDefinition<Message>;
export function defineWebSocketSubscriber<Message>(
  definition: WebSocketSubscriberDefinition<Message>,
): WebSocketSubscriberDefinition<Message> {
  return definition;
}
