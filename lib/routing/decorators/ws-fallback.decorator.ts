import { decoratedMethod } from '../../errors/decorated-method.js';
import { FALLBACK_METADATA } from '../discovery/route-metadata.js';

/**
 * Handles the messages that have no route, instead of UNKNOWN_ROUTE; not those of the library's own types. One method of
 * an endpoint at most. `@MessageBody()` is the whole message as the client wrote it.
 *
 * @example
 * \@WsFallback()
 * unknown(\@MessageBody() message: WsTypedMessage) { ... }
 */
export function WsFallback(): MethodDecorator {
  return (_target, _name, descriptor) => {
    Reflect.defineMetadata(FALLBACK_METADATA, true, decoratedMethod(descriptor, 'WsFallback'));
  };
}
