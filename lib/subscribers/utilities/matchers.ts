import { ownProperty } from '../../clients/client-fields.js';
import type {
  WsUntypedMessage,
  WebSocketMatchAll,
  WebSocketSubscriberMatcher,
  WebSocketSubscriberPredicate,
} from '../subscriber.interface.js';

/** Picks the events that all of the matchers pick. In a list of `match`, one matcher that picks an event is enough. */
export function matchAll<Message = WsUntypedMessage>(
  ...matchers: readonly WebSocketSubscriberMatcher<Message>[]
): WebSocketMatchAll<Message> {
  return { all: matchers };
}

/** Picks messages whose property is identical (`===`) to the value. `key` is a dot path, as in {@link getNestedProperty}. */
export function matchByProperty(key: string, value: unknown): WebSocketSubscriberPredicate {
  return ({ message }) => getNestedProperty(message, key) === value;
}

/**
 * Picks messages whose property `fits`. `fits` is called with undefined where the message has no such property; the type
 * of the value is what the application says, and is not checked.
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the application knows what a channel carries
export function matchByPropertyPredicate<Value = WsUntypedMessage>(
  key: string,
  fits: (value: Value) => boolean,
): WebSocketSubscriberPredicate {
  return ({ message }) => fits(getNestedProperty(message, key) as Value);
}

/**
 * Reads a dot path of an object or list: `user.id`, `items.0.name`. Returns undefined when there is nothing at the path;
 * inherited properties do not count.
 */
export function getNestedProperty(object: unknown, path: string): unknown {
  return path.split('.').reduce(ownProperty, object);
}
