import { Inject, type InjectionToken } from '@nestjs/common';
import { WebSocketClient } from '../client/websocket-client.js';

/** The name of a client that is registered without one. */
export const DEFAULT_CLIENT = 'default';

/**
 * Returns the injection token of a client, which `@InjectWebSocketClient(name)` uses; for factories and tests.
 *
 * @param name the name given to `PxlWebSocketClientModule.forRoot({ name })`. Without it: the token of the client without a
 * name, which is the class `WebSocketClient`.
 */
export function getWebSocketClientToken(name: string = DEFAULT_CLIENT): InjectionToken<WebSocketClient> {
  return name === DEFAULT_CLIENT ? WebSocketClient : `WebSocketClient(${name})`;
}

/**
 * Injects a client of `PxlWebSocketClientModule` by its name. The client without a name can also be injected by its class.
 *
 * @example constructor(@InjectWebSocketClient('prices') private readonly prices: WebSocketClient<Prices>) {}
 */
export function InjectWebSocketClient(name?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getWebSocketClientToken(name));
}
