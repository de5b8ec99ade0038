import { ROUTES_METADATA, type RouteMetadata } from '../route-metadata.js';

/**
 * Handles the messages of one type and action. On a method of any provider, normally of a class with Nest's
 * `@WebSocketGateway()`: one with a path or port of its own answers there only, every other provider on every endpoint.
 * May be repeated for several routes.
 *
 * What the method returns (a value, a promise, an Observable, an async iterable) is sent back to the client.
 *
 * @param type 1 to 64 characters without a colon; not `system`, `auth`, `error` or `room`
 * @param action 1 to 64 characters
 * @example
 * \@WsRoute('chat', 'send')
 * send(\@ConnectedSocket() client: WsClient, \@MessageBody() message: ChatMessage) { ... }
 */
export function WsRoute(type: string, action: string): MethodDecorator {
  return (_target, _name, descriptor) => {
    const method = descriptor.value as object;
    const routes = (Reflect.getOwnMetadata(ROUTES_METADATA, method) ?? []) as RouteMetadata[];
    Reflect.defineMetadata(ROUTES_METADATA, [{ type, action }, ...routes], method);
  };
}
