import { isObject } from '../cluster/bus/json-text.js';

/** An event on its way to a receiver. */
export interface WebhookMessage {
  /** The same at each attempt, and for each receiver. */
  readonly id: string;
  readonly type: string;
  /** The JSON that is sent. */
  readonly body: string;
}

/** @param at when the event was told, in ms since 1970 */
export function writeWebhook(id: string, type: string, message: unknown, at: number): WebhookMessage {
  const body = JSON.stringify({ type, timestamp: new Date(at).toISOString(), data: dataOf(message) });
  return { id, type, body };
}

/** What an event tells others: of a member neither its profile nor its state, which are for those in its room. */
function dataOf(message: unknown): unknown {
  if (!isObject(message) || !isObject(message.member)) return message;
  const { userId, clientId, joinedAt } = message.member;
  return { ...message, member: { userId, clientId, joinedAt } };
}
