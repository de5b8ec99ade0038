import { Injectable } from '@nestjs/common';
import { CLIENT_CONTROLLER_METADATA } from '../routing/discovery/route-metadata.js';
import { DEFAULT_CLIENT } from './client-token.js';

/**
 * Marks a provider whose `@WsRoute` methods handle what the server of a client sends: pushes, and calls, which are answered
 * with what the method returns. Guards, pipes, interceptors and filters apply; `@ConnectedSocket()` is the
 * `WebSocketClient`. Clients of this application's own gateways do not reach these methods.
 *
 * @param name the name of the client; default: the client without a name
 * @example
 * \@WebSocketClientController('prices')
 * export class PricesController {
 *   \@WsRoute('price', 'changed')
 *   changed(\@MessageBody() price: Price) { ... }
 * }
 */
export function WebSocketClientController(name: string = DEFAULT_CLIENT): ClassDecorator {
  return (target) => {
    Injectable()(target);
    Reflect.defineMetadata(CLIENT_CONTROLLER_METADATA, name, target);
  };
}
