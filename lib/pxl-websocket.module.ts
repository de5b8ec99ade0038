import { Module, type DynamicModule } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { UpgradeAuthentication } from './auth/upgrade-authentication.js';
import { ClientManager } from './clients/client-manager.js';
import { PXL_WS_BROADCASTER } from './cluster/broadcaster.interface.js';
import { LocalBroadcaster } from './cluster/local.broadcaster.js';
import { ErrorReporter } from './errors/error-reporter.js';
import type { PxlWebSocketModuleOptions } from './interfaces/module-options.interface.js';
import {
  ASYNC_OPTIONS_TYPE,
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN,
} from './pxl-websocket.module-definition.js';
import { PXL_WS_OPTIONS, resolveOptions } from './pxl-websocket.options.js';
import { ROOM_INTEREST } from './rooms/room-interest.interface.js';
import { RoomManager } from './rooms/room-manager.js';
import { MessageDispatcher } from './routing/message.dispatcher.js';
import { SystemRoutes } from './routing/system-routes.js';
import { WsExplorer } from './routing/ws-explorer.js';
import { WsMetadataAccessor } from './routing/ws-metadata.accessor.js';
import { WsPipeline } from './routing/ws-pipeline.js';
import { Runtime } from './runtime/runtime.js';
import { WorkerIdentity } from './runtime/worker-identity.js';
import { Delivery } from './server/delivery.js';
import { Lifecycle } from './server/lifecycle.js';
import { MemberAnnouncements } from './server/member-announcements.js';
import { PxlWebSocketServer } from './server/pxl-websocket-server.js';
import { WebSocketService } from './server/websocket.service.js';
import { ConnectionHandler } from './transport/connection.handler.js';
import { Drain } from './transport/drain.js';
import { EndpointRegistry } from './transport/endpoint.registry.js';
import { Heartbeat } from './transport/heartbeat.js';
import { OwnServers } from './transport/own-servers.js';
import { PxlWsAdapterModule } from './transport/pxl-ws-adapter.module.js';
import { UpgradeHandler } from './transport/upgrade.handler.js';

/**
 * Real-time messaging over plain WebSockets. Import it once, with `forRoot()` or `forRootAsync()`; it registers its own
 * WebSocket adapter and is global unless `isGlobal: false` is given.
 */
@Module({
  imports: [DiscoveryModule, PxlWsAdapterModule],
  providers: [
    {
      provide: PXL_WS_OPTIONS,
      useFactory: (options: PxlWebSocketModuleOptions) => resolveOptions(options),
      inject: [MODULE_OPTIONS_TOKEN],
    },
    { provide: PXL_WS_BROADCASTER, useClass: LocalBroadcaster },
    { provide: ROOM_INTEREST, useExisting: PXL_WS_BROADCASTER },
    ClientManager,
    ConnectionHandler,
    Delivery,
    Drain,
    EndpointRegistry,
    ErrorReporter,
    Heartbeat,
    Lifecycle,
    MemberAnnouncements,
    MessageDispatcher,
    OwnServers,
    PxlWebSocketServer,
    RoomManager,
    Runtime,
    SystemRoutes,
    UpgradeAuthentication,
    UpgradeHandler,
    WebSocketService,
    WorkerIdentity,
    WsExplorer,
    WsMetadataAccessor,
    WsPipeline,
  ],
  exports: [ClientManager, PxlWebSocketServer, RoomManager, WebSocketService],
})
export class PxlWebSocketModule extends ConfigurableModuleClass {
  /** Registers the module with its options; without any it serves `/ws` from this one process. */
  static override forRoot(options: PxlWebSocketModuleOptions & { isGlobal?: boolean } = {}): DynamicModule {
    return super.forRoot(options);
  }

  /** Registers the module with options that resolve later: `useFactory`, `useClass` or `useExisting`. */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return super.forRootAsync(options);
  }
}
