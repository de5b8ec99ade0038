import { Injectable } from '@nestjs/common';
import type { WebSocketServer } from 'ws';
import { WsExplorer, type DiscoveredGateway, type PathParam } from '../../routing/discovery/ws-explorer.js';
import { WsPipeline } from '../../routing/pipeline/ws-pipeline.js';
import { SystemRoutes } from '../../routing/system-routes.js';
import { PxlWebSocketSetupError } from '../../errors/start-up.errors.js';
import { AfterInitHooks } from './after-init-hooks.js';
import type { Endpoint } from './endpoint.js';
import { EndpointRegistry } from './endpoint.registry.js';
import { GatewayHooks } from './gateway-hooks.js';
import { PxlWsAdapter } from './pxl-ws.adapter.js';

/** Binds the application's gateways to endpoints: their `afterInit`, addresses, routes, connection hooks, guards and pipes. */
@Injectable()
export class GatewayBinding {
  readonly #afterInit = new AfterInitHooks();

  constructor(
    private readonly adapter: PxlWsAdapter,
    private readonly explorer: WsExplorer,
    private readonly pipeline: WsPipeline,
    private readonly systemRoutes: SystemRoutes,
    private readonly endpoints: EndpointRegistry,
  ) {}

  /** Nest is about to call the gateways' `afterInit`. */
  watchInitHooks(): void {
    this.explorer.checkInitHooks();
    this.#afterInit.watch(this.explorer.hosts().map(({ instance }) => instance));
  }

  /**
   * Resolves once every `afterInit` has.
   *
   * @throws PxlWebSocketSetupError when the application uses another WebSocket adapter; what an `afterInit` throws
   */
  async initHooksDone(): Promise<void> {
    this.adapter.checkInPlace();
    await this.#afterInit.settle();
  }

  /**
   * The ws server of an address, for `@WebSocketServer()`.
   *
   * @throws PxlWebSocketSetupError for a path that no request can have
   */
  openEndpoint(port: number, path: string | undefined): WebSocketServer {
    return this.endpoints.open(port, path).webSocketServer;
  }

  /** @throws PxlWebSocketSetupError when the option `endpoints` names a path that no gateway has */
  openEndpoints(): void {
    this.endpoints.open(0, undefined);
    // Nest has not bound those that a factory or a value provides.
    for (const { port, path } of this.explorer.addresses()) this.endpoints.open(port, path);
    this.endpoints.checkOptions();
  }

  /** @throws PxlWebSocketSetupError for a route that cannot be served */
  async addRoutes(): Promise<void> {
    for (const { router } of this.endpoints.all) this.systemRoutes.addTo(router);
    for (const gateway of this.explorer.explore()) await this.#addRoutesOf(gateway);
  }

  /** A gateway with a path or port of its own answers there only; every other provider answers everywhere. */
  async #addRoutesOf(gateway: DiscoveredGateway): Promise<void> {
    const { address, routes, fallbacks, pathParams } = gateway;
    const hasOwnPlace = address && (address.port !== 0 || address.path !== undefined);
    const endpoints = hasOwnPlace ? [this.endpoints.open(address.port, address.path)] : this.endpoints.all;
    checkPathParams(pathParams, endpoints);
    const hooks = new GatewayHooks(gateway, this.pipeline, await this.explorer.connectionStageOf(gateway));
    const guards = await this.explorer.connectionGuardsOf(gateway);
    for (const endpoint of endpoints) {
      if (address && !hooks.isEmpty) endpoint.hooks.push(hooks);
      endpoint.guards.push(...guards);
      if (hooks.hasPipes) endpoint.preparations.push(hooks);
      for (const { type, action, route } of routes) endpoint.router.add(type, action, route);
      for (const fallback of fallbacks) endpoint.router.addFallback(fallback);
    }
  }
}

/** Refuses a misspelt parameter, which would be undefined for every client. */
function checkPathParams(params: readonly PathParam[], endpoints: readonly Endpoint[]): void {
  for (const { name, source } of params) {
    if (endpoints.some(({ pattern }) => pattern?.names.includes(name))) continue;
    const paths = endpoints.map(({ path }) => path).join(', ');
    throw new PxlWebSocketSetupError(`@WsParam('${name}') of ${source} has no value: it answers on ${paths}.`);
  }
}
