import { Injectable } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import type { WebSocketServer } from 'ws';
import { PxlWebSocketSetupError } from '../../errors/start-up.errors.js';

/** What the adapter passes on to the module. */
export interface AdapterHost {
  /** The one call before Nest binds its gateways. */
  beforeGatewaysAreBound(): void;
  openEndpoint(port: number, path: string | undefined): WebSocketServer;
  /** Nest is done with its gateways: the last call. */
  dispose(): Promise<void>;
}

/** What takes the place of options of `@WebSocketGateway()` that would silently do nothing here. */
const INSTEAD: Readonly<Record<string, string>> = {
  namespace: 'use a path',
  verifyClient: 'use auth.authenticate of PxlWebSocketModule',
  handleProtocols: 'the subprotocol names the codec',
  maxPayload: 'use limits.maxPayload of PxlWebSocketModule',
  perMessageDeflate: 'use compression of PxlWebSocketModule',
};

/**
 * The meeting point with Nest: it hands us its gateways, and the connections stay ours. Nest subscribes to nothing per
 * connection, so hooks are awaited and handlers compiled once. Registers itself: in this constructor, since gateways are
 * bound before any lifecycle hook.
 */
@Injectable()
export class PxlWsAdapter extends WsAdapter {
  #host: AdapterHost | null = null;

  constructor(private readonly config: ApplicationConfig) {
    super();
    config.setIoAdapter(this);
  }

  /** @throws PxlWebSocketSetupError when another module has attached itself */
  attach(host: AdapterHost): void {
    if (this.#host) {
      throw new PxlWebSocketSetupError('PxlWebSocketModule.forRoot() was imported twice: an application has one.');
    }
    this.#host = host;
  }

  /** @throws PxlWebSocketSetupError when another adapter has taken this one's place */
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
