import { Inject, Injectable } from '@nestjs/common';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { SubscriberDispatcher } from '../subscribers/subscriber.dispatcher.js';
import { SubscriberRegistry } from '../subscribers/subscriber.registry.js';
import { EndpointRegistry } from '../transport/endpoint/endpoint.registry.js';
import { PxlWebSocketServer } from '../server/facade/pxl-websocket-server.js';

/** Runs the application's own code of the start: its subscribers and `events.onServerStarted`. */
@Injectable()
export class ApplicationHooks {
  constructor(
    private readonly subscriberRegistry: SubscriberRegistry,
    private readonly subscribers: SubscriberDispatcher,
    private readonly endpoints: EndpointRegistry,
    private readonly server: PxlWebSocketServer,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** @throws PxlWebSocketOptionsError and PxlWebSocketSetupError for a method that cannot be a subscriber */
  async startSubscribers(): Promise<void> {
    this.subscriberRegistry.load();
    await this.subscribers.start();
  }

  /** Rejects with what `events.onServerStarted` throws: the application does not start then. */
  async serverStarted(): Promise<void> {
    const { webSocketServer } = this.endpoints.open(0, undefined);
    await this.options.events.onServerStarted?.({ webSocketServer, server: this.server });
  }
}
