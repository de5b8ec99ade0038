import { Inject, Injectable, Optional, type Type } from '@nestjs/common';
import { ConnectionGuards, type BoundGuard } from '../../auth/connection-guards.js';
import { PxlWebSocketSetupError } from '../../errors/start-up.errors.js';
import { RouteRates } from '../../limits/route-rates.js';
import { describeGuard, isGuard } from '../../options/access.options.js';
import { eventOfRoute, ownPartOf } from '../../protocol/route-key.js';
import { HandlerScanner, refuseRoute, type HandlerMethod } from './handler.scanner.js';
import type { RouteDefinition, RouteHandler } from '../../clients/session/route.interface.js';
import { classOf, nameOf, type ProviderWrapper } from './provider.scanner.js';
import { CLIENT_CONTROLLERS, type RouteMetadata } from './route-metadata.js';
import { ConnectionPipeline } from '../pipeline/connection-pipeline.js';
import type { ConnectionStage } from '../pipeline/connection-stage.js';
import { whyRequestScoped } from '../pipeline/request-scope.js';
import { WsMetadataAccessor, type GatewayAddress } from './ws-metadata.accessor.js';
import { WsPipeline } from '../pipeline/ws-pipeline.js';

/** A provider with routes or connection hooks. */
export interface DiscoveredGateway {
  readonly name: string;
  readonly wrapper: ProviderWrapper;
  /** Undefined for a provider without `@WebSocketGateway()`. */
  readonly address: GatewayAddress | undefined;
  readonly routes: readonly (RouteMetadata & { readonly route: RouteDefinition })[];
  /** Its methods with `@WsFallback()`. */
  readonly fallbacks: readonly RouteDefinition[];
  /** The parameters of a path that its methods name. */
  readonly pathParams: readonly PathParam[];
}

/** A parameter of a path, and the method that names it. */
export interface PathParam {
  readonly name: string;
  /** `Class.method` */
  readonly source: string;
}

/** Walks the application's providers and controllers once, at start-up, and compiles their handlers. */
@Injectable()
export class WsExplorer {
  constructor(
    private readonly scanner: HandlerScanner,
    private readonly accessor: WsMetadataAccessor,
    private readonly pipeline: WsPipeline,
    private readonly guards: ConnectionGuards,
    private readonly connections: ConnectionPipeline,
    private readonly rates: RouteRates,
    @Optional() @Inject(CLIENT_CONTROLLERS) private readonly clientControllers: object | undefined,
  ) {}

  /** @throws PxlWebSocketSetupError for a route that cannot be served, naming its method */
  explore(): DiscoveredGateway[] {
    this.#checkClientControllers();
    return this.hosts().map((wrapper) => {
      const methods = this.scanner.methodsOf(wrapper);
      return {
        name: nameOf(wrapper),
        wrapper,
        address: this.accessor.gatewayOf(classOf(wrapper)),
        routes: methods.flatMap((method) => this.#compileRoutes(wrapper, method)),
        fallbacks: methods
          .filter(({ isFallback }) => isFallback)
          .map((method) => this.#compileFallback(wrapper, method)),
        pathParams: [...methods.map(({ methodName }) => methodName), 'handleConnection'].flatMap((methodName) =>
          this.pipeline
            .pathParamsOf({ wrapper, methodName })
            .map((name) => ({ name, source: `${nameOf(wrapper)}.${methodName}` })),
        ),
      };
    });
  }

  /**
   * The connection guards of a gateway.
   *
   * @throws PxlWebSocketSetupError when a guard cannot be created, and for guards on a class that is not a gateway
   */
  async connectionGuardsOf({ name, wrapper, address }: DiscoveredGateway): Promise<BoundGuard[]> {
    const type = classOf(wrapper) as Type;
    const guards = this.accessor.connectionGuardsOf(type);
    if (!address && guards.length > 0) {
      throw new PxlWebSocketSetupError(`@UseConnectionGuards(...) on ${name} guards nothing: it is no gateway.`);
    }
    const wrong = guards.find((guard) => !isGuard(guard));
    if (wrong !== undefined) {
      throw new PxlWebSocketSetupError(
        `@UseConnectionGuards(...) on ${name} names ${describeGuard(wrong)}: a guard has a method canActivate.`,
      );
    }
    return this.guards.bind(guards, type, this.pipeline.moduleRefOf(wrapper));
  }

  /**
   * What stands around the `handleConnection` of a gateway; null where nothing does, and for a class that is not a gateway.
   *
   * @throws PxlWebSocketSetupError for what has no effect, and when a pipe or an interceptor cannot be created
   */
  async connectionStageOf({ name, wrapper, address }: DiscoveredGateway): Promise<ConnectionStage | null> {
    const type = classOf(wrapper) as Type;
    const pipes = this.accessor.connectionPipesOf(type);
    const interceptors = this.accessor.connectionInterceptorsOf(type);
    if (address) {
      const source = { name, type, pipes, interceptors };
      return this.connections.compile(source, this.pipeline.moduleRefOf(wrapper));
    }
    const named = pipes.length > 0 ? '@UseConnectionPipes(...)' : '@UseConnectionInterceptors(...)';
    if (pipes.length + interceptors.length === 0) return null;
    throw new PxlWebSocketSetupError(`${named} on ${name} has no effect: it is no gateway.`);
  }

  /**
   * Refuses `afterInit` on request-scoped gateways: Nest calls it once, before there is any client, on an object of the
   * class whose constructor has not run.
   *
   * @throws PxlWebSocketSetupError naming the gateway
   */
  checkInitHooks(): void {
    for (const wrapper of this.hosts()) {
      const { afterInit } = wrapper.instance as { afterInit?: unknown };
      const isGateway = this.accessor.gatewayOf(classOf(wrapper)) !== undefined;
      if (!isGateway || typeof afterInit !== 'function' || wrapper.isDependencyTreeStatic()) continue;
      throw new PxlWebSocketSetupError(
        `${nameOf(wrapper)}.afterInit cannot run: ${whyRequestScoped(wrapper)}, so that the gateway is made anew for each ` +
          'message and has no instance yet. Move the hook to a gateway or another provider (as onModuleInit) without ' +
          'request-scoped dependencies.',
      );
    }
  }

  /** The addresses that gateways ask for. */
  addresses(): GatewayAddress[] {
    return this.hosts().flatMap((wrapper) => this.accessor.gatewayOf(classOf(wrapper)) ?? []);
  }

  /** Every class with routes or `@WebSocketGateway()`, once, however many modules provide it. */
  hosts(): ProviderWrapper[] {
    return this.scanner.serverHosts();
  }

  /** Their own module checks everything else about client controllers; this checks that the module is there. */
  #checkClientControllers(): void {
    const [first] = this.scanner.clientControllers();
    if (!first || this.clientControllers) return;
    throw new PxlWebSocketSetupError(
      `${nameOf(first)} is a client controller, but there is no client: import PxlWebSocketClientModule.forRoot({ url }).`,
    );
  }

  #compileRoutes(wrapper: ProviderWrapper, method: HandlerMethod): DiscoveredGateway['routes'] {
    const { methodName, source, routes } = method;
    return routes.map(({ type, action, namesAnswers }) => {
      const own = ownPartOf(type, action);
      if (own) refuseRoute(source, `${own} belongs to the library`);
      const compiled = this.pipeline.compile({ wrapper, methodName, pattern: eventOfRoute(type, action) });
      const handle = this.#limit(compiled, method);
      return { type, action, route: { source, handle, namesAnswers, immediate: false } };
    });
  }

  #compileFallback(wrapper: ProviderWrapper, method: HandlerMethod): RouteDefinition {
    const { methodName, source } = method;
    const compiled = this.pipeline.compile({ wrapper, methodName, pattern: '*', takesWhole: true });
    return { source, handle: this.#limit(compiled, method), immediate: false };
  }

  /** The rate limit comes before everything else of the handler, its guards included. */
  #limit(handle: RouteHandler, { rate, source }: HandlerMethod): RouteHandler {
    if (!rate) return handle;
    return (session, message, acks) => {
      const allowed = this.rates.use(session, source, rate);
      return allowed ? allowed.then(() => handle(session, message, acks)) : handle(session, message, acks);
    };
  }
}
