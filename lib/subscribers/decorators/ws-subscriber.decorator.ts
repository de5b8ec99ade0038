import type { OutputOf, StandardSchema } from '../../interfaces/standard-schema.interface.js';
import type { WebSocketSubscriberHandler } from '../../interfaces/subscriber.interface.js';
import type { ClusterEventMessages } from '../../protocol/cluster-events.js';
import { addSubscriber, type WsSubscriberOptions } from '../subscriber-metadata.js';

/** What the method gets as its message, as far as the options tell. */
type MessageOf<Options> = Options extends { schema: infer Schema extends StandardSchema }
  ? OutputOf<Schema>
  : Options extends { channel: infer Name extends keyof ClusterEventMessages }
    ? ClusterEventMessages[Name]
    : Options extends { channels: readonly (infer Name extends keyof ClusterEventMessages)[] }
      ? ClusterEventMessages[Name]
      : unknown;

/** On a method that takes such a message. */
type SubscriberMethod<Message> = <Method extends WebSocketSubscriberHandler<Message>>(
  target: object,
  name: string | symbol,
  descriptor: TypedPropertyDescriptor<Method>,
) => void;

/**
 * Handles cluster events. On a method of any provider or controller that is not request-scoped; it gets a
 * `WebSocketSubscriberHandlerContext`. May be repeated.
 *
 * @param options what it hears (exactly one of `channel`, `channels`, `match`), and how
 * @example
 * \@WsSubscriber({ channel: 'clientDisconnected', run: 'oneWorker' })
 * async left({ message }: WebSocketSubscriberHandlerContext<ClusterEventMessages['clientDisconnected']>) { ... }
 */
export function WsSubscriber<const Options extends WsSubscriberOptions>(
  options: Options,
): SubscriberMethod<MessageOf<Options>> {
  return (_target, _name, { value }) => {
    if (value === undefined) throw new TypeError('@WsSubscriber(...) stands on a method.');
    addSubscriber(value, options);
  };
}
