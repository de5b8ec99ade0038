import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { Runtime } from '../../runtime/runtime.js';
import type { Endpoint } from '../endpoint/endpoint.js';
import { EndpointRegistry } from '../endpoint/endpoint.registry.js';
import { waitBeforeClose, type WorkBeforeClose } from './close-wait.js';
import { HttpConnections } from './http-connections.js';
import { OwnServers } from './own-servers.js';
import { UpgradeHandler } from './upgrade.handler.js';
import { UpgradeListener, type UpgradeTaker } from './upgrade.listener.js';
import { upgradeRequired } from './upgrade-required.js';

type HttpAdapter = HttpAdapterHost['httpAdapter'];

/** The HTTP servers whose upgrades become connections: the application's own, and those of gateways with a port. */
@Injectable()
export class HttpServers {
  readonly #listeners: UpgradeListener[] = [];
  readonly #takers = new Map<string, UpgradeTaker>();
  #connections: HttpConnections | null = null;
  #restoreBeforeClose: (() => void) | null = null;

  constructor(
    private readonly httpAdapterHost: HttpAdapterHost,
    private readonly modules: ModulesContainer,
    private readonly endpoints: EndpointRegistry,
    private readonly upgrades: UpgradeHandler,
    private readonly ownServers: OwnServers,
    private readonly runtime: Runtime,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /**
   * Gives the upgrades of a path of the application's own server to somebody else, before every endpoint.
   *
   * @returns false: somebody has them already
   */
  reserve(path: string, take: UpgradeTaker): boolean {
    if (this.#takers.has(path)) return false;
    this.#takers.set(path, take);
    return true;
  }

  /** Whether the application has an HTTP server; an application context and a microservice have none. */
  get isThereOne(): boolean {
    return this.#application !== undefined;
  }

  /**
   * Listens to the upgrades of the application's HTTP server, where there is one.
   *
   * @param work the application waits for it before it closes anything
   */
  attach(work: WorkBeforeClose): void {
    if (!this.#application) return;
    const { adapter, server } = this.#application;
    this.#connections = new HttpConnections(server);
    this.#listen(server, 0, this.#connections.forget);
    for (const { port, path } of this.endpoints.all) if (port === 0) upgradeRequired(adapter, path);
    this.#restoreBeforeClose = waitBeforeClose(adapter, this.modules, work);
  }

  /** Listens on the ports that gateways ask for; rejects when one is not free. */
  async listenOnOwnPorts(): Promise<void> {
    for (const port of this.endpoints.ports) this.#listen(await this.ownServers.listen(port), port);
  }

  /** @param ms how long plain HTTP requests of the application may still be served */
  async close(ms: number): Promise<void> {
    this.#restoreBeforeClose?.();
    this.#restoreBeforeClose = null;
    for (const listener of this.#listeners.splice(0)) listener.close();
    await this.ownServers.close();
    this.#connections?.end(ms, this.runtime);
    for (const { webSocketServer } of this.endpoints.all) webSocketServer.close();
  }

  get #application(): { adapter: HttpAdapter; server: Server } | undefined {
    const adapter = this.httpAdapterHost.httpAdapter as HttpAdapter | undefined;
    const server = adapter?.getHttpServer() as Server | undefined;
    return adapter && server ? { adapter, server } : undefined;
  }

  #listen(server: Server, port: number, upgrading?: (stream: Duplex) => void): void {
    const { foreignTimeout } = this.options.upgrade;
    const find = (path: string): Endpoint | undefined => this.endpoints.find(port, path);
    const { upgrades: handler, runtime } = this;
    const takerOf = port === 0 ? (path: string): UpgradeTaker | undefined => this.#takers.get(path) : undefined;
    this.#listeners.push(new UpgradeListener({ server, find, takerOf, upgrading, handler, runtime, foreignTimeout }));
  }
}
