import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import type { WebSocketServer } from 'ws';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { GatewayBinding } from '../transport/endpoint/gateway-binding.js';
import type { AdapterHost } from '../transport/endpoint/pxl-ws.adapter.js';
import { HttpServers } from '../transport/upgrade/http-servers.js';
import { ApplicationHooks } from './application-hooks.js';
import { ClusterMembership } from '../server/availability/cluster-membership.js';
import { Intake } from '../server/availability/intake.js';
import { Shutdown } from './shutdown.js';
import { StartLog } from './start-log.js';

/**
 * The order of start and stop: Nest calls these methods from top to bottom. A part that has to start or stop at a certain
 * moment has its line here; one that only runs while clients may be connected is a `BackgroundTask`.
 */
@Injectable()
export class Lifecycle
  implements AdapterHost, OnModuleInit, OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown
{
  /** False in an application context and a bare testing module: services send there, but nobody connects. */
  #hasSockets = false;

  constructor(
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
    private readonly gateways: GatewayBinding,
    private readonly servers: HttpServers,
    private readonly application: ApplicationHooks,
    private readonly membership: ClusterMembership,
    private readonly intake: Intake,
    private readonly shutdown: Shutdown,
    private readonly log: StartLog,
  ) {}

  beforeGatewaysAreBound(): void {
    this.#hasSockets = this.options.enabled;
    this.gateways.watchInitHooks();
  }

  openEndpoint(port: number, path: string | undefined): WebSocketServer {
    return this.gateways.openEndpoint(port, path);
  }

  async onModuleInit(): Promise<void> {
    await this.gateways.initHooksDone();
    if (!this.options.enabled) return;
    this.#hasSockets ||= this.servers.isThereOne;
    if (!this.#hasSockets) return;
    this.gateways.openEndpoints();
    // Upgrades get 503 from now on, until the intake opens. The server's close waits for the shutdown.
    this.servers.attach(this.shutdown);
  }

  async onApplicationBootstrap(): Promise<void> {
    if (!this.options.enabled) return;
    this.log.warnOfSiblings();
    if (this.#hasSockets) await this.gateways.addRoutes();
    // The subscribers before the bus, so that they miss no event.
    await this.application.startSubscribers();
    await this.membership.join();
    this.log.printSubscribers();
    if (!this.#hasSockets) return;
    await this.application.serverStarted();
    this.membership.whenAdmitted(() => this.intake.open());
    await this.servers.listenOnOwnPorts();
    this.intake.startTasks();
    this.log.noteRuntime();
    this.log.printEndpoints();
  }

  /** With an HTTP server this has happened before, while every provider of the application still worked. */
  onModuleDestroy(): Promise<void> {
    return this.shutdown.run();
  }

  /** Nest closes the HTTP server next. */
  async dispose(): Promise<void> {
    await this.shutdown.run();
    await this.servers.close(this.shutdown.timeForRequests);
  }

  onApplicationShutdown(): Promise<void> {
    return this.membership.end();
  }
}
