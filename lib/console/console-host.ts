import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { HttpAdapterHost, ModuleRef, type AbstractHttpAdapter } from '@nestjs/core';
import type { Abstract, Type } from '@nestjs/common';
import { ClientAddress } from '../auth/client-address.js';
import { RuleFactory } from '../auth/rule-factory.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import { ModuleLogger } from '../errors/module-logger.js';
import { PxlWebSocketSetupError } from '../errors/start-up.errors.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { Runtime } from '../runtime/runtime.js';
import { ClusterCommands } from '../server/coordination/cluster-commands.js';
import { Delivery } from '../server/delivery/delivery.js';
import { Inspector } from '../server/inspection/inspector.js';
import { EndpointRegistry } from '../transport/endpoint/endpoint.registry.js';
import { HttpServers } from '../transport/upgrade/http-servers.js';
import type { UpgradeTaker } from '../transport/upgrade/upgrade.listener.js';
import { ConsoleActions } from './console-actions.js';
import { CONSOLE_SOCKET } from './console-contract.js';
import { ConsoleGuard } from './console-guard.js';
import { ConsoleRoutes } from './console-routes.js';
import { ConsoleSockets } from './console-sockets.js';
import type { ResolvedConsole } from './console.options.js';
import { readPageFiles } from './page-files.js';
import { PageServer } from './page-server.js';

/** The token of the {@link ResolvedConsole}. */
export const CONSOLE_OPTIONS = Symbol('PXL_WS_CONSOLE_OPTIONS');

/** Opens the console with the application and closes it once the clients of this worker are gone. */
@Injectable()
export class ConsoleHost implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy {
  #sockets: ConsoleSockets | null = null;

  constructor(
    @Inject(CONSOLE_OPTIONS) private readonly options: ResolvedConsole,
    private readonly moduleRef: ModuleRef,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  /** @throws PxlWebSocketSetupError without PxlWebSocketModule or a page, for a second console, and when the guard cannot be made */
  async onModuleInit(): Promise<void> {
    const { enabled } = this.#part<ResolvedOptions>(PXL_WS_OPTIONS);
    const adapter = this.adapterHost.httpAdapter as AbstractHttpAdapter | undefined;
    const servers = this.#part(HttpServers);
    if (!enabled || !adapter || !servers.isThereOne) return;
    const { path, page } = this.options;
    const guard = await this.#guard();
    const sockets = this.#makeSockets(guard);
    this.#sockets = sockets;
    const take: UpgradeTaker = (request, stream, head) => sockets.take(request, stream, head);
    if (!servers.reserve(`${path}/${CONSOLE_SOCKET}`, take)) {
      throw new PxlWebSocketSetupError(`There are two consoles at ${path}: import PxlWebSocketConsoleModule once.`);
    }
    new PageServer(path, readPageFiles(page), guard).addTo(adapter);
  }

  /** @throws PxlWebSocketSetupError when the path is that of an endpoint */
  onApplicationBootstrap(): void {
    const { path } = this.options;
    const own = [path, `${path}/${CONSOLE_SOCKET}`];
    const taken = this.#part(EndpointRegistry).all.find(
      (endpoint) => endpoint.port === 0 && own.includes(endpoint.path),
    );
    if (!taken) return;
    throw new PxlWebSocketSetupError(
      `The path of the console, ${taken.path}, is that of an endpoint: give one of them another.`,
    );
  }

  onModuleDestroy(): void {
    this.#sockets?.close();
  }

  async #guard(): Promise<ConsoleGuard> {
    const { guard } = this.options;
    const source =
      typeof guard === 'function' ? await this.#part(RuleFactory).sourceOf(guard, this.moduleRef) : () => guard;
    return new ConsoleGuard(source, this.#part(ErrorReporter), this.#part(Runtime));
  }

  #makeSockets(guard: ConsoleGuard): ConsoleSockets {
    const [errors, runtime, inspector] = [this.#part(ErrorReporter), this.#part(Runtime), this.#part(Inspector)];
    const logger = new ModuleLogger();
    const [commands, delivery] = [this.#part(ClusterCommands), this.#part(Delivery)];
    const actions = new ConsoleActions(this.options.allow, guard, commands, delivery, logger);
    const routes = new ConsoleRoutes(this.options, inspector, actions, errors, runtime);
    return new ConsoleSockets(guard, routes, this.#part(ClientAddress), logger, runtime);
  }

  /** A part of PxlWebSocketModule, which exports none of them. */
  #part<Part>(token: Type<Part> | Abstract<Part> | symbol): Part {
    try {
      return this.moduleRef.get<Part>(token, { strict: false });
    } catch (cause) {
      throw new PxlWebSocketSetupError(
        'PxlWebSocketConsoleModule shows what PxlWebSocketModule does: import PxlWebSocketModule.forRoot(...), too.',
        { cause },
      );
    }
  }
}
