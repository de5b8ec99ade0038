import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { WebSocketServer } from 'ws';
import { ModuleLogger } from '../../errors/module-logger.js';
import { codecOf } from '../../protocol/codecs.js';
import { isClustered, PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { SystemRoutes } from '../../routing/system-routes.js';
import { WsExplorer, type DiscoveredGateway } from '../../routing/discovery/ws-explorer.js';
import { WsPipeline } from '../../routing/pipeline/ws-pipeline.js';
import { Runtime } from '../../runtime/runtime.js';
import { SubscriberDispatcher } from '../../subscribers/subscriber.dispatcher.js';
import { SubscriberRegistry } from '../../subscribers/subscriber.registry.js';
import { AfterInitHooks } from '../../transport/endpoint/after-init-hooks.js';
import { Drain } from './drain.js';
import type { Endpoint } from '../../transport/endpoint/endpoint.js';
import { EndpointRegistry } from '../../transport/endpoint/endpoint.registry.js';
import { GatewayHooks } from '../../transport/endpoint/gateway-hooks.js';
import { Heartbeat } from '../../transport/connection/heartbeat.js';
import { HttpConnections } from '../../transport/upgrade/http-connections.js';
import { InactiveClients } from '../../transport/connection/inactive-clients.js';
import { OwnServers } from '../../transport/upgrade/own-servers.js';
import { PxlWsAdapter, type AdapterHost } from '../../transport/endpoint/pxl-ws.adapter.js';
import { UpgradeHandler } from '../../transport/upgrade/upgrade.handler.js';
import { UpgradeListener } from '../../transport/upgrade/upgrade.listener.js';
import { upgradeRequired } from '../../transport/upgrade/upgrade-required.js';
import { showsWriteProgress } from '../../transport/outbox/write-progress.js';
import { ClusterMembership } from './cluster-membership.js';
import { PxlWebSocketServer } from '../facade/pxl-websocket-server.js';
import { siblingsOf, workerSurroundings } from './worker-siblings.js';

type HttpAdapter = HttpAdapterHost['httpAdapter'];

/** What subscribers have for their last events, as a part of `shutdown.timeout`, when connections have used it all. */
const LEAST_FOR_SUBSCRIBERS = 0.1;
/** The same for plain HTTP requests that are still served. */
const LEAST_FOR_REQUESTS = 0.1;

const COARSE_PROGRESS =
  'This runtime does not tell how much of a write has left: slow readers are judged by the writes that were completed.';

/**
 * The order of start-up and shutdown. Gateways are bound (afterInit) → onModuleInit: the server's upgrades → bootstrap:
 * routes, the bus, subscribers, own ports, open → … → beforeClose: drain and the last events, while every provider still
 * lives → dispose → the bus ends.
 */
@Injectable()
export class Lifecycle
  implements AdapterHost, OnModuleInit, OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown
{
  readonly #logger = new ModuleLogger();
  readonly #listeners: UpgradeListener[] = [];
  readonly #afterInit = new AfterInitHooks();
  #restoreBeforeClose: (() => void) | null = null;
  #httpConnections: HttpConnections | null = null;
  /** When the drain began; undefined: it did not. */
  #finishingSince: number | undefined;
  /** False in an application context and a bare testing module: services send there, nobody connects. */
  #hasSockets = false;

  constructor(
    private readonly adapter: PxlWsAdapter,
    private readonly httpAdapterHost: HttpAdapterHost,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
    private readonly membership: ClusterMembership,
    private readonly endpoints: EndpointRegistry,
    private readonly explorer: WsExplorer,
    private readonly pipeline: WsPipeline,
    private readonly systemRoutes: SystemRoutes,
    private readonly upgrades: UpgradeHandler,
    private readonly ownServers: OwnServers,
    private readonly heartbeat: Heartbeat,
    private readonly inactive: InactiveClients,
    private readonly drain: Drain,
    private readonly registry: SubscriberRegistry,
    private readonly subscribers: SubscriberDispatcher,
    private readonly server: PxlWebSocketServer,
    private readonly runtime: Runtime,
  ) {}

  beforeGatewaysAreBound(): void {
    this.#hasSockets = this.options.enabled;
    this.explorer.checkInitHooks();
    this.#afterInit.watch(this.explorer.hosts().map(({ instance }) => instance));
  }

  openEndpoint(port: number, path: string | undefined): WebSocketServer {
    return this.endpoints.open(port, path).webSocketServer;
  }

  async onModuleInit(): Promise<void> {
    this.adapter.checkInPlace();
    await this.#afterInit.settle();
    if (!this.options.enabled) return;
    const httpAdapter = this.httpAdapterHost.httpAdapter as HttpAdapter | undefined;
    const httpServer = httpAdapter?.getHttpServer() as Server | undefined;
    this.#hasSockets ||= httpServer !== undefined;
    if (!this.#hasSockets) return;
    this.endpoints.open(0, undefined);
    // Those that Nest has not bound, since a factory or a value provides them.
    for (const { port, path } of this.explorer.addresses()) this.endpoints.open(port, path);
    this.endpoints.checkOptions();
    if (!httpAdapter || !httpServer) return;
    this.#httpConnections = new HttpConnections(httpServer);
    this.#listenToUpgrades(httpServer, 0, this.#httpConnections.forget);
    for (const { port, path } of this.endpoints.all) if (port === 0) upgradeRequired(httpAdapter, path);
    this.#drainBeforeClose(httpAdapter);
  }

  async onApplicationBootstrap(): Promise<void> {
    if (!this.options.enabled) return;
    this.#warnOfSiblings();
    if (this.#hasSockets) await this.#addRoutes();
    this.registry.load();
    // Before the bus is there, so that no event comes too early.
    await this.subscribers.start(this.server);
    await this.membership.join();
    if (this.options.debug.printRoutes) this.#printSubscribers();
    if (this.#hasSockets) await this.#start();
  }

  /** Where there is no HTTP adapter whose close could be waited for. */
  onModuleDestroy(): Promise<void> {
    return this.#finish();
  }

  async dispose(): Promise<void> {
    await this.#finish();
    this.#restoreBeforeClose?.();
    this.#restoreBeforeClose = null;
    for (const listener of this.#listeners.splice(0)) listener.close();
    await this.ownServers.close();
    this.#httpConnections?.end(this.#left(LEAST_FOR_REQUESTS), this.runtime);
    for (const { webSocketServer } of this.endpoints.all) webSocketServer.close();
  }

  onApplicationShutdown(): Promise<void> {
    return this.membership.end();
  }

  async #addRoutes(): Promise<void> {
    for (const { router } of this.endpoints.all) this.systemRoutes.addTo(router);
    for (const gateway of this.explorer.explore()) await this.#bind(gateway);
  }

  async #start(): Promise<void> {
    const { webSocketServer } = this.endpoints.open(0, undefined);
    await this.options.events.onServerStarted?.({ webSocketServer, server: this.server });
    this.membership.whenAdmitted(() => this.upgrades.open());
    for (const port of this.endpoints.ports) this.#listenToUpgrades(await this.ownServers.listen(port), port);
    if (!showsWriteProgress()) this.#logger.log(COARSE_PROGRESS);
    this.heartbeat.start();
    this.inactive.start();
    this.#printEndpoints();
    if (this.options.debug.printRoutes) this.#printRoutes();
  }

  #listenToUpgrades(server: Server, port: number, upgrading?: (stream: Duplex) => void): void {
    const { foreignTimeout } = this.options.upgrade;
    const find = (path: string): Endpoint | undefined => this.endpoints.find(port, path);
    const { upgrades: handler, runtime } = this;
    this.#listeners.push(new UpgradeListener({ server, find, upgrading, handler, runtime, foreignTimeout }));
  }

  /** Every hook of the shutdown sequence comes too late: the first ones already end the application's own providers. */
  #drainBeforeClose(httpAdapter: HttpAdapter): void {
    // Nest awaits what beforeClose returns, though its type says void.
    const original: () => unknown = httpAdapter.beforeClose.bind(httpAdapter);
    const beforeClose = async (): Promise<void> => {
      const before = original();
      await this.#finish();
      await before;
    };
    const own = Object.getOwnPropertyDescriptor(httpAdapter, 'beforeClose');
    Object.assign(httpAdapter, { beforeClose });
    this.#restoreBeforeClose = () => {
      if (httpAdapter.beforeClose !== beforeClose) return; // wrapped again by somebody else
      if (own) Object.defineProperty(httpAdapter, 'beforeClose', own);
      else Reflect.deleteProperty(httpAdapter, 'beforeClose');
    };
  }

  /** Connections first: subscribers hear of their end. */
  async #finish(): Promise<void> {
    this.#finishingSince ??= this.runtime.monotonic();
    await this.drain.run();
    await this.subscribers.stop(this.#left(LEAST_FOR_SUBSCRIBERS));
  }

  /** @param least what is left of `shutdown.timeout` at any rate, as a part of it */
  #left(least: number): number {
    const { timeout } = this.options.shutdown;
    const since = this.#finishingSince ?? this.runtime.monotonic();
    return Math.max(timeout - (this.runtime.monotonic() - since), timeout * least);
  }

  /** A gateway with a path or port of its own answers there only; every other provider answers everywhere. */
  async #bind(gateway: DiscoveredGateway): Promise<void> {
    const { address, routes, fallbacks } = gateway;
    const ownPlace = address && (address.port !== 0 || address.path !== undefined);
    const endpoints = ownPlace ? [this.endpoints.open(address.port, address.path)] : this.endpoints.all;
    const hooks = new GatewayHooks(gateway, this.pipeline);
    const guards = await this.explorer.connectionGuardsOf(gateway);
    for (const endpoint of endpoints) {
      if (address && !hooks.isEmpty) endpoint.hooks.push(hooks);
      endpoint.guards.push(...guards);
      for (const { type, action, route } of routes) endpoint.router.add(type, action, route);
      for (const fallback of fallbacks) endpoint.router.addFallback(fallback);
    }
  }

  #printSubscribers(): void {
    const lines = this.registry.all.map(({ line }) => `  ${line}`);
    if (lines.length > 0) this.#logger.log(['Subscribers', ...lines].join('\n'));
  }

  #printEndpoints(): void {
    const byPort = [...this.endpoints.all].sort((one, other) => one.port - other.port);
    const endpoints = byPort.map((endpoint) => {
      return `${addressOf(endpoint)} (${codecOf(endpoint.options.protocol).name})`;
    });
    this.#logger.log(`Clients connect to ${endpoints.join(', ')}.`);
  }

  /** Each worker would be a server of its own: clients of the others would not be reached, and nobody would tell. */
  #warnOfSiblings(): void {
    const siblings = isClustered(this.options) ? undefined : siblingsOf(workerSurroundings());
    if (siblings === undefined) return;
    this.#logger.warn(
      `${siblings}, and there is neither the option redis nor a broadcaster: clients of other workers are not reached, ` +
        'and rooms, users and limits are of this worker alone.',
    );
  }

  #printRoutes(): void {
    for (const endpoint of this.endpoints.all) {
      const lines = [...endpoint.router.list()].map(({ key, source }) => `  ${key} → ${source}`);
      this.#logger.log([`Routes of ${addressOf(endpoint)}`, ...lines].join('\n'));
    }
  }
}

function addressOf({ path, port }: Endpoint): string {
  return port === 0 ? path : `${path} on port ${port}`;
}
