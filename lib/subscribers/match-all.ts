import type {
  UntypedMessage,
  WebSocketMatchAll,
  WebSocketSubscriberMatcher,
} from '../interfaces/subscriber.interface.js';

/** Picks the events that every one of the matchers picks; in a list of `match` any one suffices. */
export function matchAll<Message = UntypedMessage>(
  ...matchers: readonly WebSocketSubscriberMatcher<Message>[]
): WebSocketMatchAll<Message> {
  return { all: matchers };
}
