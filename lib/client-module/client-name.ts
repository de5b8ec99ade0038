import type { InjectionToken } from '@nestjs/common';
import { WebSocketClient } from '../client/websocket-client.js';

/** The name of the client that was given none. */
export const DEFAULT_CLIENT = 'default';

/**
 * The token of a client: what `@InjectWebSocketClient(name)` injects, for factories and tests.
 *
 * @param name as given to `PxlWebSocketClientModule.forRoot({ name })`; none is the client without a name, whose token is
 * the class `WebSocketClient`
 */
export function getWebSocketClientToken(name: string = DEFAULT_CLIENT): InjectionToken<WebSocketClient> {
  return name === DEFAULT_CLIENT ? WebSocketClient : `WebSocketClient(${name})`;
}
