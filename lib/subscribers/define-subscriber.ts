import type { OutputOf, WsStandardSchema } from '../runtime/standard-schema.js';
import type {
  WsUntypedMessage,
  WebSocketSubscriberDefinition,
  WebSocketSubscriberHandlerContext,
  WebSocketSubscriberMatcher,
  WebSocketSubscriberOptions,
} from './subscriber.interface.js';
import type { ClusterEventMessages } from '../protocol/cluster-events.js';

/** Picks events by the names of their channels. */
type Channels<Name extends string> =
  | { channel: Name; channels?: undefined; match?: undefined }
  | { channels: readonly Name[]; channel?: undefined; match?: undefined };

/** Picks events by exactly one of `channel`, `channels` and `match`. */
type Selection<Message> =
  | Channels<string>
  | {
      match: WebSocketSubscriberMatcher<Message> | readonly WebSocketSubscriberMatcher<Message>[];
      channel?: undefined;
      channels?: undefined;
    };

/** The type of the library's events on a channel. On some channels the application itself decides it. */
type MessageOf<Name extends keyof ClusterEventMessages> = unknown extends ClusterEventMessages[Name]
  ? WsUntypedMessage
  : ClusterEventMessages[Name];

interface Handled<Message> extends WebSocketSubscriberOptions<Message> {
  handle(context: WebSocketSubscriberHandlerContext<Message>): unknown;
}

/**
 * Defines a subscriber for the option `subscribers`, with its types. The message has the output type of `schema`, else the
 * type of the library's events on the channel, else the type argument. Otherwise it is untyped, and what is read of it is
 * not checked; so is the message of a predicate, which runs before the schema.
 *
 * @example
 * defineWebSocketSubscriber({
 *   channel: 'orders',
 *   schema: z.object({ id: z.string() }),
 *   handle: ({ message, webSocketServer }) => webSocketServer.sendMessageToAll({ data: { event: message.id } }),
 * });
 */
export function defineWebSocketSubscriber<Schema extends WsStandardSchema>(
  definition: { schema: Schema } & Handled<OutputOf<Schema>> & Selection<WsUntypedMessage>,
): WebSocketSubscriberDefinition<OutputOf<Schema>>;
export function defineWebSocketSubscriber<Name extends keyof ClusterEventMessages>(
  definition: Handled<MessageOf<Name>> & Channels<Name> & { schema?: undefined },
): WebSocketSubscriberDefinition<MessageOf<Name>>;
export function defineWebSocketSubscriber<Message = WsUntypedMessage>(
  definition: Handled<Message> & Selection<Message> & { schema?: undefined },
): WebSocketSubscriberDefinition<Message>;
export function defineWebSocketSubscriber<Message>(
  definition: WebSocketSubscriberDefinition<Message>,
): WebSocketSubscriberDefinition<Message> {
  return definition;
}
