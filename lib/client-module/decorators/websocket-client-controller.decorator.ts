import { Injectable } from '@nestjs/common';
import { CLIENT_CONTROLLER_METADATA } from '../../routing/discovery/route-metadata.js';
import { DEFAULT_CLIENT } from '../client-name.js';

/**
 * A provider whose `@WsRoute` methods handle what the server of a client sends: its pushes, and its calls, which what the
 * method returns is the answer to. Guards, pipes, interceptors and filters apply; `@ConnectedSocket()` is the
 * `WebSocketClient`. The methods answer no client of this application's own gateways.
 *
 * @param name the name of the client; default: the one without a name
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
