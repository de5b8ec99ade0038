import { decoratedMethod } from '../../errors/decorated-method.js';
import type { OutputOf, WsStandardSchema } from '../../runtime/standard-schema.js';
import type { WebSocketSubscriberHandler } from '../subscriber.interface.js';
import type { ClusterEventMessages } from '../../protocol/cluster-events.js';
import { addSubscriber, type WsSubscriberOptions } from '../subscriber-metadata.js';

/** The type of the message that the method gets, where the options tell it. */
type MessageOf<Options> = Options extends { schema: infer Schema extends WsStandardSchema }
  ? OutputOf<Schema>
  : Options extends { channel: infer Name extends keyof ClusterEventMessages }
    ? ClusterEventMessages[Name]
    : Options extends { channels: readonly (infer Name extends keyof ClusterEventMessages)[] }
      ? ClusterEventMessages[Name]
      : unknown;

/** A decorator for methods that take such a message. */
type SubscriberMethod<Message> = <Method extends WebSocketSubscriberHandler<Message>>(
  target: object,
  name: string | symbol,
  descriptor: TypedPropertyDescriptor<Method>,
) => void;

/**
 * Makes a method a handler of cluster events. The method belongs to any provider or controller that is not request-scoped,
 * and gets a `WebSocketSubscriberHandlerContext`. The decorator may be repeated.
 *
 * @param options which events it handles (exactly one of `channel`, `channels`, `match`), and how
 * @example
 * \@WsSubscriber({ channel: 'clientDisconnected', run: 'oneWorker' })
 * async left({ message }: WebSocketSubscriberHandlerContext<ClusterEventMessages['clientDisconnected']>) { ... }
 */
export function WsSubscriber<const Options extends WsSubscriberOptions>(
  options: Options,
): SubscriberMethod<MessageOf<Options>> {
  return (_target, _name, descriptor) => {
    decoratedMethod(descriptor, 'WsSubscriber');
    const { value } = descriptor;
    if (value === undefined) throw new TypeError('@WsSubscriber(...) stands on a method.');
    addSubscriber(value, options);
  };
}
