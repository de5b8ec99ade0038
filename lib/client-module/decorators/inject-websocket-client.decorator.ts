import { Inject } from '@nestjs/common';
import { getWebSocketClientToken } from '../client-name.js';

/**
 * Injects a client of `PxlWebSocketClientModule` by its name. The client without a name can also be injected by its class.
 *
 * @example constructor(@InjectWebSocketClient('prices') private readonly prices: WebSocketClient<Prices>) {}
 */
export function InjectWebSocketClient(name?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getWebSocketClientToken(name));
}
