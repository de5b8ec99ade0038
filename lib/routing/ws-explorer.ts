import { Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { PxlWebSocketSetupError } from '../errors/start-up.errors.js';
import { MAX_NAME_LENGTH, RESERVED_TYPES, eventOfRoute } from '../protocol/route-key.js';
import type { Route } from './handler.interface.js';
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
}

/** Walks the application's providers and controllers once, at start-up, and compiles their handlers. */
@Injectable()
export class WsExplorer {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly accessor: WsMetadataAccessor,
    private readonly pipeline: WsPipeline,
  ) {}

  /** @throws PxlWebSocketSetupError for a route that cannot be served, naming its method */
  explore(): DiscoveredGateway[] {
    return this.hosts().map((wrapper) => ({
      name: nameOf(wrapper),
      wrapper,
      address: this.accessor.gatewayOf(classOf(wrapper)),
      routes: this.#routesOf(wrapper),
    }));
  }

  /** Every class with routes or `@WebSocketGateway()`, once, however many modules provide it. */
  hosts(): Wrapper[] {
    const wrappers = [...this.discovery.getProviders(), ...this.discovery.getControllers()] as Wrapper[];
    const byClass = new Map<object, Wrapper>();
    for (const wrapper of wrappers) {
      if (wrapper.isAlias || !isObject(wrapper.instance) || byClass.has(classOf(wrapper))) continue;
      const isGateway = this.accessor.gatewayOf(classOf(wrapper)) !== undefined;
      if (isGateway || this.#methodsOf(wrapper).length > 0) byClass.set(classOf(wrapper), wrapper);
    }
    return [...byClass.values()];
  }

  #routesOf(wrapper: Wrapper): DiscoveredGateway['routes'] {
    return this.#methodsOf(wrapper).flatMap(({ methodName, routes }) => {
      const source = `${nameOf(wrapper)}.${methodName}`;
      if (wrapper.isTransient) {
        throw new PxlWebSocketSetupError(`${source} cannot have routes: its class is transient, so no instance is it.`);
      }
      return routes.map(({ type, action }) => {
        checkRoute(type, action, source);
        const pattern = eventOfRoute(type, action);
        const handle = this.pipeline.compile({ wrapper, methodName, pattern });
        return { type, action, route: { source, handle, immediate: false } };
      });
    });
  }

  #methodsOf(wrapper: Wrapper): { methodName: string; routes: readonly RouteMetadata[] }[] {
    const prototype = Object.getPrototypeOf(wrapper.instance) as Record<string, unknown> | null;
    if (!prototype || prototype === Object.prototype) return [];
    return this.scanner
      .getAllMethodNames(prototype)
      .map((methodName) => ({ methodName, routes: this.accessor.routesOf(prototype[methodName]) }))
      .filter(({ routes }) => routes.length > 0);
  }
}

function checkRoute(type: unknown, action: unknown, source: string): void {
  const problem = problemOf(type, action);
  if (problem) throw new PxlWebSocketSetupError(`@WsRoute(...) on ${source}: ${problem}.`);
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
  return wrapper.isNotMetatype ? wrapper.instance.constructor : (wrapper.metatype ?? wrapper.instance.constructor);
}

function nameOf(wrapper: Wrapper): string {
  const { name } = classOf(wrapper) as { name?: string };
  return name ?? String(wrapper.name);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
