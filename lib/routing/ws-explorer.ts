import { Injectable, type Type } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { ConnectionGuards, type BoundGuard } from '../auth/connection-guards.js';
import { PxlWebSocketSetupError } from '../errors/start-up.errors.js';
import type { Rate } from '../limits/rate-store.interface.js';
import { RouteRates } from '../limits/route-rates.js';
import { MAX_NAME_LENGTH, RESERVED_TYPES, eventOfRoute, routeOfEvent } from '../protocol/route-key.js';
import type { Route, RouteHandler } from './handler.interface.js';
import type { RouteMetadata } from './route-metadata.js';
import { WsMetadataAccessor, type GatewayAddress } from './ws-metadata.accessor.js';
import { WsPipeline, type HandlerSource } from './ws-pipeline.js';

type Wrapper = HandlerSource['wrapper'];

/** A provider with routes or connection hooks. */
export interface DiscoveredGateway {
  readonly name: string;
  readonly wrapper: Wrapper;
  /** Undefined for a provider without `@WebSocketGateway()`. */
  readonly address: GatewayAddress | undefined;
  readonly routes: readonly (RouteMetadata & { readonly route: Route })[];
  /** Its methods that want what no route takes. */
  readonly fallbacks: readonly Route[];
}

/** A method that handles messages, and which. */
interface HandlerMethod {
  readonly methodName: string;
  readonly source: string;
  readonly routes: readonly (RouteMetadata & { readonly namesAnswers: boolean })[];
  readonly isFallback: boolean;
  readonly rate: Rate | undefined;
}

/** Walks the application's providers and controllers once, at start-up, and compiles their handlers. */
@Injectable()
export class WsExplorer {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly accessor: WsMetadataAccessor,
    private readonly pipeline: WsPipeline,
    private readonly guards: ConnectionGuards,
    private readonly rates: RouteRates,
  ) {}

  /** @throws PxlWebSocketSetupError for a route that cannot be served, naming its method */
  explore(): DiscoveredGateway[] {
    return this.hosts().map((wrapper) => {
      const name = nameOf(wrapper);
      if (wrapper.isTransient) {
        throw new PxlWebSocketSetupError(
          `${name} cannot have routes or be a gateway: it is transient, so no instance is it.`,
        );
      }
      const methods = this.#methodsOf(wrapper);
      return {
        name,
        wrapper,
        address: this.accessor.gatewayOf(classOf(wrapper)),
        routes: methods.flatMap((method) => this.#compileRoutes(wrapper, method)),
        fallbacks: methods
          .filter(({ isFallback }) => isFallback)
          .map((method) => this.#compileFallback(wrapper, method)),
      };
    });
  }

  /**
   * The guards that a gateway asks for its connections.
   *
   * @throws PxlWebSocketSetupError when one of them cannot be made, and for guards on what is no gateway
   */
  async connectionGuardsOf({ name, wrapper, address }: DiscoveredGateway): Promise<BoundGuard[]> {
    const type = classOf(wrapper) as Type;
    const guards = this.accessor.connectionGuardsOf(type);
    if (!address && guards.length > 0) {
      throw new PxlWebSocketSetupError(`@UseConnectionGuards(...) on ${name} guards nothing: it is no gateway.`);
    }
    return this.guards.bind(guards, type, this.pipeline.moduleRefOf(wrapper));
  }

  /** Where gateways want to be reached. */
  addresses(): GatewayAddress[] {
    return this.hosts().flatMap((wrapper) => this.accessor.gatewayOf(classOf(wrapper)) ?? []);
  }

  /** Every class with routes or `@WebSocketGateway()`, once, however many modules provide it. */
  hosts(): Wrapper[] {
    const wrappers = [...this.discovery.getProviders(), ...this.discovery.getControllers()] as Wrapper[];
    const byClass = new Map<object, Wrapper>();
    for (const wrapper of wrappers) {
      if (wrapper.isAlias || !isObject(wrapper.instance) || byClass.has(classOf(wrapper))) continue;
      const isGateway = this.accessor.gatewayOf(classOf(wrapper)) !== undefined;
      if (isGateway || this.#handlesMessages(wrapper)) byClass.set(classOf(wrapper), wrapper);
    }
    return [...byClass.values()];
  }

  #compileRoutes(wrapper: Wrapper, method: HandlerMethod): DiscoveredGateway['routes'] {
    const { methodName, source, routes } = method;
    return routes.map(({ type, action, namesAnswers }) => {
      const compiled = this.pipeline.compile({ wrapper, methodName, pattern: eventOfRoute(type, action) });
      const handle = this.#limit(compiled, method);
      return { type, action, route: { source, handle, namesAnswers, immediate: false } };
    });
  }

  #compileFallback(wrapper: Wrapper, method: HandlerMethod): Route {
    const { methodName, source } = method;
    const compiled = this.pipeline.compile({ wrapper, methodName, pattern: '*', takesWhole: true });
    return { source, handle: this.#limit(compiled, method), immediate: false };
  }

  /** Before everything else that the handler has, its guards too. */
  #limit(handle: RouteHandler, { rate, source }: HandlerMethod): RouteHandler {
    if (!rate) return handle;
    return (client, message, acks) => {
      const allowed = this.rates.use(client, source, rate);
      return allowed ? allowed.then(() => handle(client, message, acks)) : handle(client, message, acks);
    };
  }

  #methodsOf(wrapper: Wrapper): HandlerMethod[] {
    const { accessor } = this;
    return this.#functionsOf(wrapper).flatMap(([methodName, method]) => {
      const source = `${nameOf(wrapper)}.${methodName}`;
      const message = accessor.messageOf(method);
      const routes = [
        ...accessor.routesOf(method).map((route) => ({ ...route, namesAnswers: false })),
        ...(message ? [{ ...routeOfMessage(message.name, source), namesAnswers: true }] : []),
      ];
      for (const { type, action } of routes) checkRoute(type, action, source);
      const isFallback = accessor.isFallback(method);
      const rate = accessor.rateOf(method);
      return routes.length > 0 || isFallback ? [{ methodName, source, routes, isFallback, rate }] : [];
    });
  }

  #handlesMessages(wrapper: Wrapper): boolean {
    const { accessor } = this;
    return this.#functionsOf(wrapper).some(
      ([, method]) =>
        accessor.routesOf(method).length > 0 || accessor.messageOf(method) !== undefined || accessor.isFallback(method),
    );
  }

  /** The methods of a class, inherited ones too; an overriding method stands for itself, decorated or not. */
  #functionsOf(wrapper: Wrapper): [name: string, method: unknown][] {
    const prototype = Object.getPrototypeOf(wrapper.instance) as Record<string, unknown> | null;
    if (!prototype || prototype === Object.prototype) return [];
    return this.scanner.getAllMethodNames(prototype).map((name) => [name, prototype[name]]);
  }
}

function routeOfMessage(name: unknown, source: string): RouteMetadata {
  if (typeof name === 'string') return routeOfEvent(name);
  throw new PxlWebSocketSetupError(`@SubscribeMessage(...) on ${source}: the name of a message is a text here.`);
}

function checkRoute(type: unknown, action: unknown, source: string): void {
  const problem = problemOf(type, action);
  if (problem) throw new PxlWebSocketSetupError(`The route of ${source} cannot be: ${problem}.`);
}

function problemOf(type: unknown, action: unknown): string | undefined {
  for (const [what, name] of Object.entries({ type, action })) {
    if (typeof name !== 'string' || name.length === 0 || name.length > MAX_NAME_LENGTH) {
      return `the ${what} is a text of 1 to ${MAX_NAME_LENGTH} characters`;
    }
  }
  if (String(type).includes(':')) return 'a type holds no colon';
  return RESERVED_TYPES.includes(String(type)) ? `the type "${String(type)}" belongs to the library` : undefined;
}

/** The class of a provider: of its instance where a factory or value provides it. */
function classOf(wrapper: Wrapper): object {
  const { constructor } = wrapper.instance as { constructor: unknown };
  const ofInstance = typeof constructor === 'function' ? constructor : Object;
  return wrapper.isNotMetatype ? ofInstance : (wrapper.metatype ?? ofInstance);
}

function nameOf(wrapper: Wrapper): string {
  const { name } = classOf(wrapper) as { name?: string };
  return name ?? String(wrapper.name);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
