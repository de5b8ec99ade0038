import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { textsOf } from '../errors/as-error.js';
import { PxlWebSocketSetupError } from '../errors/start-up.errors.js';
import { Runtime } from '../runtime/runtime.js';
import { ClientRegistry, type RegisteredClient } from './client.registry.js';
import { ControllerExplorer } from './controller.explorer.js';

/** Connects the clients when the application has started, and ends them with it. */
@Injectable()
export class ClientLifecycle implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    private readonly registry: ClientRegistry,
    private readonly explorer: ControllerExplorer,
    private readonly runtime: Runtime,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.explorer.explore();
    try {
      await Promise.all(this.registry.all.map((registered) => this.#connect(registered)));
    } catch (error) {
      // An application that could not start is not always closed.
      for (const { client } of this.registry.all) client.disconnect();
      throw error;
    }
  }

  /** Global modules are destroyed last: what other providers send while they are destroyed is sent. */
  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.registry.all.map((registered) => this.#end(registered)));
  }

  async #connect({ name, client, options }: RegisteredClient): Promise<void> {
    const connected = client.connect();
    const { waitForConnection } = options;
    if (waitForConnection === false) {
      connected.catch(() => undefined); // the log has said why
      return;
    }
    const late = (): Error => new Error(`there was no connection within ${waitForConnection} ms.`);
    try {
      await this.runtime.waitFor(waitForConnection, connected, late);
    } catch (cause) {
      throw new PxlWebSocketSetupError(`The WebSocket client "${name}" could not connect: ${textsOf(cause).message}`, {
        cause,
      });
    }
  }

  /** What runs finishes first, and its answers leave: they need the connection. */
  async #end({ client, routes, options, encryption }: RegisteredClient): Promise<void> {
    const late = (): Error => new Error('The handlers took too long.');
    const done = routes.stop().then(() => this.#left(encryption));
    await this.runtime.waitFor(options.shutdown.timeout, done, late).catch(() => undefined);
    client.disconnect();
  }

  /** Resolves when everything that was sent is on its way: a process that is stopped by a signal ends right after. */
  async #left(encryption: RegisteredClient['encryption']): Promise<void> {
    do {
      await encryption?.settled();
      await new Promise<void>((resolve) => this.runtime.afterIo(resolve));
    } while (encryption?.isBusy);
  }
}
