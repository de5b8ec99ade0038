import { Module, type DynamicModule } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Admission } from './auth/admission.js';
import { Authentication } from './auth/authentication.js';
import { ClientAddress } from './auth/client-address.js';
import { ConnectionGuards } from './auth/connection-guards.js';
import { InBandAuthentication } from './auth/in-band-authentication.js';
import { MemoryRevocations } from './auth/memory.revocations.js';
import { OriginPolicy } from './auth/origin-policy.js';
import { PXL_WS_REVOCATIONS } from './auth/revocations.interface.js';
import { RuleFactory } from './auth/rule-factory.js';
import { TokenLife } from './auth/token-life.js';
import { TokenRevocation } from './auth/token-revocation.js';
import { ClientManager } from './clients/client-manager.js';
import { PXL_WS_BROADCASTER } from './cluster/broadcaster.interface.js';
import { LocalBroadcaster } from './cluster/local.broadcaster.js';
import { ErrorReporter } from './errors/error-reporter.js';
import { ConnectionCounts } from './limits/connection-counts.js';
import { MemoryRateStore } from './limits/memory.rate-store.js';
import { MemoryUserConnections } from './limits/memory.user-connections.js';
import { MessageRates } from './limits/message-rates.js';
import { PXL_WS_RATE_STORE } from './limits/rate-store.interface.js';
import { RefusalCounters } from './limits/refusal-counters.js';
import { RouteRates } from './limits/route-rates.js';
import { PXL_WS_USER_CONNECTIONS } from './limits/user-connections.interface.js';
import type { PxlWebSocketModuleOptions } from './interfaces/module-options.interface.js';
import {
  ASYNC_OPTIONS_TYPE,
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN,
} from './pxl-websocket.module-definition.js';
import { PXL_WS_OPTIONS, resolveOptions } from './pxl-websocket.options.js';
import { ROOM_INTEREST } from './rooms/room-interest.interface.js';
import { ClientList } from './rooms/client-list.js';
import { RoomRules } from './rooms/room-rules.js';
import { RoomManager } from './rooms/room-manager.js';
import { MessageDispatcher } from './routing/message.dispatcher.js';
import { SystemRoutes } from './routing/system-routes.js';
import { WsExplorer } from './routing/ws-explorer.js';
import { WsMetadataAccessor } from './routing/ws-metadata.accessor.js';
import { WsPipeline } from './routing/ws-pipeline.js';
import { Runtime } from './runtime/runtime.js';
import { Traffic } from './runtime/traffic.js';
import { WorkerIdentity } from './runtime/worker-identity.js';
import { ClientListPushes } from './server/client-list-pushes.js';
import { Delivery } from './server/delivery.js';
import { Health } from './server/health.js';
import { Lifecycle } from './server/lifecycle.js';
import { MemberAnnouncements } from './server/member-announcements.js';
import { PxlWebSocketServer } from './server/pxl-websocket-server.js';
import { RoomMoves } from './server/room-moves.js';
import { WebSocketService } from './server/websocket.service.js';
import { ConnectionHooks } from './transport/connection-hooks.js';
import { ConnectionHandler } from './transport/connection.handler.js';
import { Drain } from './transport/drain.js';
import { EndpointRegistry } from './transport/endpoint.registry.js';
import { Heartbeat } from './transport/heartbeat.js';
import { InactiveClients } from './transport/inactive-clients.js';
import { OutboxScheduler } from './transport/outbox.scheduler.js';
import { OutboxServices } from './transport/outbox.services.js';
import { OwnServers } from './transport/own-servers.js';
import { PxlWsAdapterModule } from './transport/pxl-ws-adapter.module.js';
import { SocketAdoption } from './transport/socket-adoption.js';
import { SlowConsumers } from './transport/slow-consumers.js';
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
    { provide: PXL_WS_RATE_STORE, useClass: MemoryRateStore },
    { provide: PXL_WS_REVOCATIONS, useClass: MemoryRevocations },
    { provide: PXL_WS_USER_CONNECTIONS, useClass: MemoryUserConnections },
    Admission,
    Authentication,
    ClientAddress,
    ClientList,
    ClientListPushes,
    ClientManager,
    ConnectionCounts,
    ConnectionGuards,
    ConnectionHandler,
    ConnectionHooks,
    Delivery,
    Drain,
    EndpointRegistry,
    ErrorReporter,
    Health,
    Heartbeat,
    InBandAuthentication,
    InactiveClients,
    Lifecycle,
    MemberAnnouncements,
    MessageDispatcher,
    MessageRates,
    OriginPolicy,
    OutboxScheduler,
    OutboxServices,
    OwnServers,
    PxlWebSocketServer,
    RefusalCounters,
    RoomManager,
    RoomMoves,
    RoomRules,
    RouteRates,
    RuleFactory,
    Runtime,
    SocketAdoption,
    SlowConsumers,
    SystemRoutes,
    TokenLife,
    TokenRevocation,
    Traffic,
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
