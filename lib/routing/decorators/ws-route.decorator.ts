import { decoratedMethod } from '../../errors/decorated-method.js';
import type { WebSocketContract } from '../../protocol/contract.js';
import type { WebSocketType } from '../../protocol/messages.js';
import { ROUTES_METADATA, type RouteMetadata } from '../discovery/route-metadata.js';
import type { WsContractRoute } from './contract-route.js';

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
export function WsRoute(type: string, action: string): MethodDecorator;
/**
 * The same decorator for the routes of a contract: a name that it has not, a parameter that its data does not fit and
 * another reply do not compile.
 *
 * Of the parameters, one has to take the data or one of its fields, beside those that the library gives (`WsClient`,
 * `@WsUser()`, `@WsClientId()`, `@WsRequest()`, a callback). Where a pipe makes something else of the data, use
 * `@WsRoute(type, action)`.
 *
 * @typeParam C the contract
 * @typeParam Side `'client'` for a `@WebSocketClientController()`, whose methods handle the contract's pushes and calls
 * @example
 * const ChatRoute = WsRoute<Chat>();
 *
 * \@ChatRoute('chat', 'send')
 * send(\@MessageBody() { text }: { text: string }): { sent: boolean } { ... }
 */
export function WsRoute<C extends WebSocketContract, Side extends WebSocketType = 'server'>(): WsContractRoute<C, Side>;
export function WsRoute(...names: [] | [type: string, action: string]): unknown {
  return names.length === 0 ? contractRoute : routeOf(...names);
}

function contractRoute(type: unknown, action: string): MethodDecorator {
  if (typeof type === 'string') return routeOf(type, action);
  throw new TypeError('WsRoute() makes the decorator of a contract, which takes a type and an action.');
}

function routeOf(type: string, action: string): MethodDecorator {
  return (_target, _name, descriptor) => {
    const method = decoratedMethod(descriptor, 'WsRoute');
    const routes = (Reflect.getOwnMetadata(ROUTES_METADATA, method) ?? []) as RouteMetadata[];
    Reflect.defineMetadata(ROUTES_METADATA, [{ type, action }, ...routes], method);
  };
}
