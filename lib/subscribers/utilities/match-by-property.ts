import type { WebSocketSubscriberPredicate } from '../../interfaces/subscriber.interface.js';
import { getNestedProperty } from './nested-property.js';

/** Picks messages whose property holds the value, compared by identity. */
export function matchByProperty(key: string, value: unknown): WebSocketSubscriberPredicate {
  return ({ message }) => getNestedProperty(message, key) === value;
}
