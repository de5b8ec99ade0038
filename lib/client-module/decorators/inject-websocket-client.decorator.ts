import { Inject } from '@nestjs/common';
import { getWebSocketClientToken } from '../client-name.js';

/**
 * Injects a client of `PxlWebSocketClientModule`, by its name. The one without a name is also injected by its class.
 *
 * @example constructor(@InjectWebSocketClient('prices') private readonly prices: WebSocketClient<Prices>) {}
 */
export function InjectWebSocketClient(name?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getWebSocketClientToken(name));
}
