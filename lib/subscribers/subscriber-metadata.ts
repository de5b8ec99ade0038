import type { WebSocketSubscriberDefinition } from './subscriber.interface.js';

/** The metadata key of `@WsSubscriber`, on the method. */
const SUBSCRIBERS_METADATA = 'pxl-websocket:subscribers';

/** The options of `@WsSubscriber`: a definition without the handler, which is the method. */
export type WsSubscriberOptions = Omit<WebSocketSubscriberDefinition, 'handle' | 'matchers'>;

/** The options of every `@WsSubscriber` on a method. */
export function subscribersOf(method: unknown): readonly WsSubscriberOptions[] {
  if (typeof method !== 'function') return [];
  return (Reflect.getOwnMetadata(SUBSCRIBERS_METADATA, method) as WsSubscriberOptions[] | undefined) ?? [];
}

export function addSubscriber(method: object, options: WsSubscriberOptions): void {
  Reflect.defineMetadata(SUBSCRIBERS_METADATA, [options, ...subscribersOf(method)], method);
}
