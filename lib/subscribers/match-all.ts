import type { WebSocketMatchAll, WebSocketSubscriberMatcher } from '../interfaces/subscriber.interface.js';

/** Picks the events that every one of the matchers picks; in a list of `match` any one suffices. */
export function matchAll<Message = unknown>(
  ...matchers: readonly WebSocketSubscriberMatcher<Message>[]
): WebSocketMatchAll<Message> {
  return { all: matchers };
}
