import { Injectable } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import type { WebSocketServer } from 'ws';
import { PxlWebSocketSetupError } from '../../errors/start-up.errors.js';

/** What the adapter calls of the module. */
export interface AdapterHost {
  /** The one call before Nest binds its gateways. */
  beforeGatewaysAreBound(): void;
  openEndpoint(port: number, path: string | undefined): WebSocketServer;
  /** Nest is done with its gateways: the last call. */
  dispose(): Promise<void>;
}

/** What to use in place of options of `@WebSocketGateway()` that would have no effect here. */
const INSTEAD: Readonly<Record<string, string>> = {
  namespace: 'use a path',
  verifyClient: 'use auth.authenticate of PxlWebSocketModule',
  handleProtocols: 'the subprotocol names the codec',
  maxPayload: 'use limits.maxPayload of PxlWebSocketModule',
  perMessageDeflate: 'use compression of PxlWebSocketModule',
};

/**
 * The adapter by which Nest hands its gateways to the library. Nest subscribes to nothing per connection: the library
 * calls the hooks, which it awaits, and the handlers, which it compiles once. The adapter registers itself in its
 * constructor, since Nest binds gateways before any lifecycle hook.
 */
@Injectable()
export class PxlWsAdapter extends WsAdapter {
  #host: AdapterHost | null = null;

  constructor(private readonly config: ApplicationConfig) {
    super();
    config.setIoAdapter(this);
  }

  /** @throws PxlWebSocketSetupError when another module is attached already */
  attach(host: AdapterHost): void {
    if (this.#host) {
      throw new PxlWebSocketSetupError('PxlWebSocketModule.forRoot() was imported twice: an application has one.');
    }
    this.#host = host;
  }

  /** @throws PxlWebSocketSetupError when another adapter has replaced this one */
  checkInPlace(): void {
    const adapter: object = this.config.getIoAdapter();
    if (adapter === this) return;
    throw new PxlWebSocketSetupError(
      `PxlWebSocketModule registers its own adapter: remove app.useWebSocketAdapter(new ${adapter.constructor.name}(...)).`,
    );
  }

  override set forceCloseConnections(value: boolean) {
    super.forceCloseConnections = value;
    this.#host?.beforeGatewaysAreBound();
  }

  override get forceCloseConnections(): boolean {
    return super.forceCloseConnections;
  }

  override create(port: number, options: Record<string, unknown> & { path?: string } = {}): WebSocketServer {
    for (const option of Object.keys(options)) {
      if (option === 'path' || options[option] === undefined) continue;
      const instead = INSTEAD[option] ?? 'remove it';
      throw new PxlWebSocketSetupError(`The option ${option} of @WebSocketGateway() has no effect here: ${instead}.`);
    }
    if (!this.#host) throw new PxlWebSocketSetupError('PxlWebSocketModule was not imported with forRoot().');
    return this.#host.openEndpoint(port, options.path);
  }

  override bindClientConnect(): void {}

  override bindMessageHandlers(): void {}

  override async close(): Promise<void> {}

  override async dispose(): Promise<void> {
    await this.#host?.dispose();
  }
}
