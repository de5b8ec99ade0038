import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { textsOf } from '../errors/as-error.js';
import { PxlWebSocketSetupError } from '../errors/start-up.errors.js';
import { Runtime } from '../runtime/runtime.js';
import { ClientRegistry, type RegisteredClient } from './client.registry.js';
import { ControllerExplorer } from './controller.explorer.js';

/** Connects the clients when the application has started, and disconnects them when it stops. */
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
      // Nobody may call `close()` on an application that could not start.
      for (const { client } of this.registry.all) client.disconnect();
      throw error;
    }
  }

  /** Global modules are destroyed last, so other providers can still send while they are destroyed. */
  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.registry.all.map((registered) => this.#end(registered)));
  }

  async #connect({ name, client, options }: RegisteredClient): Promise<void> {
    const connected = client.connect();
    const { waitForConnection } = options;
    if (waitForConnection === false) {
      connected.catch(() => undefined); // the failure is in the log
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

  /** Running handlers finish first, since their answers need the connection. */
  async #end({ client, routes, options, encryption }: RegisteredClient): Promise<void> {
    const late = (): Error => new Error('The handlers took too long.');
    const done = routes.stop().then(() => this.#left(encryption));
    await this.runtime.waitFor(options.shutdown.timeout, done, late).catch(() => undefined);
    client.disconnect();
  }

  /** Resolves when everything that was sent has left: a process that a signal has stopped ends right after. */
  async #left(encryption: RegisteredClient['encryption']): Promise<void> {
    do {
      await encryption?.settled();
      await new Promise<void>((resolve) => this.runtime.afterIo(resolve));
    } while (encryption?.isBusy);
  }
}
