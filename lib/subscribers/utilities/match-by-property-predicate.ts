import type { UntypedMessage, WebSocketSubscriberPredicate } from '../../interfaces/subscriber.interface.js';
import { getNestedProperty } from './nested-property.js';

/** Picks messages whose property fits, or its absence (undefined). The type is for the application to know. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- what a channel carries, the application says
export function matchByPropertyPredicate<Value = UntypedMessage>(
  key: string,
  fits: (value: Value) => boolean,
): WebSocketSubscriberPredicate {
  return ({ message }) => fits(getNestedProperty(message, key) as Value);
}
