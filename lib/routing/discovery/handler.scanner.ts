import { Injectable } from '@nestjs/common';
import { PxlWebSocketSetupError } from '../../errors/start-up.errors.js';
import type { WsRate } from '../../limits/rate-store.interface.js';
import { MAX_NAME_LENGTH, routeOfEvent } from '../../protocol/route-key.js';
import { classOf, nameOf, ProviderScanner, type ProviderWrapper } from './provider.scanner.js';
import type { RouteMetadata } from './route-metadata.js';
import { WsMetadataAccessor } from './ws-metadata.accessor.js';

/** A method that handles messages, with its routes. */
export interface HandlerMethod {
  readonly methodName: string;
  /** `Class.method`, for people. */
  readonly source: string;
  readonly routes: readonly (RouteMetadata & { readonly namesAnswers: boolean })[];
  readonly isFallback: boolean;
  readonly rate: WsRate | undefined;
}

/** Finds the application's classes that handle messages, and their methods that do. */
@Injectable()
export class HandlerScanner {
  constructor(
    private readonly scanner: ProviderScanner,
    private readonly accessor: WsMetadataAccessor,
  ) {}

  /**
   * The classes that serve clients: with routes, limits of routes or `@WebSocketGateway()`, except client controllers.
   */
  serverHosts(): ProviderWrapper[] {
    return this.scanner.find((wrapper) => {
      if (this.#isClientController(wrapper)) return false;
      return this.accessor.gatewayOf(classOf(wrapper)) !== undefined || this.#handlesMessages(wrapper);
    });
  }

  /** The classes with `@WebSocketClientController()`. */
  clientControllers(): ProviderWrapper[] {
    return this.scanner.find((wrapper) => this.#isClientController(wrapper));
  }

  /**
   * The methods of a class that handle messages.
   *
   * @throws PxlWebSocketSetupError for a route without a name that can be sent, a limit of a method without a route,
   * and a transient class
   */
  methodsOf(wrapper: ProviderWrapper): HandlerMethod[] {
    const { accessor } = this;
    if (wrapper.isTransient) {
      throw new PxlWebSocketSetupError(
        `${nameOf(wrapper)} cannot have routes or be a gateway: it is transient, so no instance is it.`,
      );
    }
    return this.scanner.methodsOf(wrapper).flatMap(([methodName, method]) => {
      const source = `${nameOf(wrapper)}.${methodName}`;
      const message = accessor.messageOf(method);
      const routes = [
        ...accessor.routesOf(method).map((route) => ({ ...route, namesAnswers: false })),
        ...(message ? [{ ...routeOfMessage(message.name, source), namesAnswers: true }] : []),
      ];
      for (const { type, action } of routes) checkRoute(type, action, source);
      const isFallback = accessor.isFallback(method);
      const rate = accessor.rateOf(method);
      if (routes.length === 0 && !isFallback && rate) {
        throw new PxlWebSocketSetupError(`@WsRateLimit(...) has no effect on ${source}: the method has no route.`);
      }
      return routes.length > 0 || isFallback ? [{ methodName, source, routes, isFallback, rate }] : [];
    });
  }

  #isClientController(wrapper: ProviderWrapper): boolean {
    const { accessor } = this;
    if (accessor.clientOf(classOf(wrapper)) === undefined) return false;
    if (!accessor.gatewayOf(classOf(wrapper))) return true;
    throw new PxlWebSocketSetupError(
      `${nameOf(wrapper)} is both a gateway, which serves clients, and a client controller, which hears a server: ` +
        'make two classes of it.',
    );
  }

  #handlesMessages(wrapper: ProviderWrapper): boolean {
    const { accessor } = this;
    return this.scanner
      .methodsOf(wrapper)
      .some(
        ([, method]) =>
          accessor.routesOf(method).length > 0 ||
          accessor.messageOf(method) !== undefined ||
          accessor.isFallback(method) ||
          accessor.rateOf(method) !== undefined,
      );
  }
}

/** @throws PxlWebSocketSetupError naming the method whose route cannot be, and why */
export function refuseRoute(source: string, why: string): never {
  throw new PxlWebSocketSetupError(`The route of ${source} cannot be: ${why}.`);
}

function routeOfMessage(name: unknown, source: string): RouteMetadata {
  if (typeof name === 'string') return routeOfEvent(name);
  throw new PxlWebSocketSetupError(`@SubscribeMessage(...) on ${source}: the name of a message is a text here.`);
}

function checkRoute(type: unknown, action: unknown, source: string): void {
  for (const [what, name] of Object.entries({ type, action })) {
    if (typeof name !== 'string' || name.length === 0 || name.length > MAX_NAME_LENGTH) {
      refuseRoute(source, `the ${what} is a text of 1 to ${MAX_NAME_LENGTH} characters`);
    }
  }
  if (String(type).includes(':')) refuseRoute(source, 'a type holds no colon');
}
