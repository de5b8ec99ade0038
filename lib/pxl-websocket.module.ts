import { Module, type DynamicModule } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Admission } from './auth/admission.js';
import { AuthRefusals } from './auth/auth-refusals.js';
import { Authentication } from './auth/authentication.js';
import { ClientAddress } from './auth/client-address.js';
import { ConnectionGuards } from './auth/connection-guards.js';
import { InBandAuthentication } from './auth/in-band-authentication.js';
import { OriginPolicy } from './auth/origin-policy.js';
import { RuleFactory } from './auth/rule-factory.js';
import { TokenLife } from './auth/tokens/token-life.js';
import { TokenRevocation } from './auth/tokens/token-revocation.js';
import { ClientManager } from './clients/client-manager.js';
import { ClientMirror } from './clients/client-mirror.js';
import { UnsharedClaims } from './clients/unshared-claims.js';
import { USER_INTEREST } from './clients/user-interest.interface.js';
import { UserSessions } from './clients/user-sessions.js';
import { PXL_WS_BROADCASTER } from './cluster/bus/broadcaster.interface.js';
import { ClusterCalls } from './cluster/calls/cluster-calls.js';
import { PeerCheck } from './cluster/calls/peer-check.js';
import { ClusterEvents } from './cluster/events/cluster-events.js';
import { PXL_WS_REDIS } from './redis/link/redis-client.js';
import { CLUSTER_PROVIDERS } from './cluster/cluster.providers.js';
import { MirrorWriter } from './cluster/registry/mirror-writer.js';
import { RegistryBridge } from './cluster/registry/registry-bridge.js';
import { Encryption } from './encryption/encryption.js';
import { FrameCallbacks } from './encryption/frame-callbacks.js';
import { KeyExchange } from './encryption/key-exchange.js';
import { OutboundTransforms } from './encryption/outbound-transforms.js';
import { ErrorReporter } from './errors/error-reporter.js';
import { ConnectionCounts } from './limits/connection-counts.js';
import { MemoryRateStore } from './limits/memory.rate-store.js';
import { MessageRates } from './limits/message-rates.js';
import { RefusalCounters } from './limits/refusal-counters.js';
import { RouteRates } from './limits/route-rates.js';
import type { PxlWebSocketModuleOptions } from './interfaces/module-options.interface.js';
import {
  ASYNC_OPTIONS_TYPE,
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN,
} from './pxl-websocket.module-definition.js';
import { CONFIGURED, checkConfigured } from './options/configured.js';
import { PXL_WS_OPTIONS, resolveOptions } from './pxl-websocket.options.js';
import { QueueSurroundings } from './queue/queue-surroundings.js';
import { ROOM_INTEREST } from './rooms/room-interest.interface.js';
import { ClientList } from './rooms/client-list.js';
import { RoomLists } from './rooms/room-lists.js';
import { RoomOpening } from './rooms/room-opening.js';
import { RoomRules } from './rooms/room-rules.js';
import { RoomManager } from './rooms/room-manager.js';
import { EventRoutes } from './routing/event-routes.js';
import { HandlerScanner } from './routing/discovery/handler.scanner.js';
import { MessageDispatcher } from './routing/message.dispatcher.js';
import { ProviderScanner } from './routing/discovery/provider.scanner.js';
import { SystemRoutes } from './routing/system-routes.js';
import { WsExplorer } from './routing/discovery/ws-explorer.js';
import { WsMetadataAccessor } from './routing/discovery/ws-metadata.accessor.js';
import { WsPipeline } from './routing/pipeline/ws-pipeline.js';
import { Metrics } from './runtime/metrics.js';
import { Runtime } from './runtime/runtime.js';
import { Traffic } from './runtime/traffic.js';
import { WorkerIdentity } from './runtime/worker-identity.js';
import { ClientListPushes } from './server/delivery/client-list-pushes.js';
import { ClientQueries } from './server/facade/client-queries.js';
import { ClusterCommands } from './server/coordination/cluster-commands.js';
import { CallAnswers } from './server/coordination/call-answers.js';
import { ClusterInbox } from './server/coordination/cluster-inbox.js';
import { IgnisInbox } from './server/coordination/ignis-inbox.js';
import { ClusterMembership } from './server/coordination/cluster-membership.js';
import { Delivery } from './server/delivery/delivery.js';
import { Health } from './server/coordination/health.js';
import { Lifecycle } from './server/coordination/lifecycle.js';
import { MemberAnnouncements } from './server/delivery/member-announcements.js';
import { PxlWebSocketServer } from './server/facade/pxl-websocket-server.js';
import { Recipients } from './server/delivery/recipients.js';
import { RemoteClients } from './server/coordination/remote-clients.js';
import { RoomMoves } from './server/delivery/room-moves.js';
import { WorkerMetrics } from './server/coordination/worker-metrics.js';
import { VerbEvents } from './server/facade/verb-events.js';
import { WebSocketService } from './server/facade/websocket.service.js';
import { SubscriberDispatcher } from './subscribers/subscriber.dispatcher.js';
import { SubscriberExplorer } from './subscribers/subscriber.explorer.js';
import { SubscriberRegistry } from './subscribers/subscriber.registry.js';
import { SubscriberRunner } from './subscribers/subscriber.runner.js';
import { ConnectionHooks } from './transport/connection/connection-hooks.js';
import { ConnectionHandler } from './transport/connection/connection.handler.js';
import { Drain } from './server/coordination/drain.js';
import { EndpointRegistry } from './transport/endpoint/endpoint.registry.js';
import { ClientAdmitter } from './transport/upgrade/client-admitter.js';
import { Heartbeat } from './transport/connection/heartbeat.js';
import { InactiveClients } from './transport/connection/inactive-clients.js';
import { OutboxScheduler } from './transport/outbox/outbox.scheduler.js';
import { OutboxServices } from './transport/outbox/outbox.services.js';
import { OwnServers } from './transport/upgrade/own-servers.js';
import { PxlWsAdapterModule } from './transport/endpoint/pxl-ws-adapter.module.js';
import { SocketAdoption } from './transport/connection/socket-adoption.js';
import { SlowConsumers } from './transport/outbox/slow-consumers.js';
import { UpgradeHandler } from './transport/upgrade/upgrade.handler.js';

/**
 * Real-time messaging over plain WebSockets. Import it once, with `forRoot()` or `forRootAsync()`; it registers its own
 * WebSocket adapter and is global unless `isGlobal: false` is given.
 */
@Module({
  imports: [DiscoveryModule, PxlWsAdapterModule],
  providers: [
    {
      provide: PXL_WS_OPTIONS,
      useFactory: (isConfigured: boolean | undefined, options: PxlWebSocketModuleOptions) => {
        checkConfigured(isConfigured, PxlWebSocketModule.name);
        return resolveOptions(options);
      },
      inject: [
        { token: CONFIGURED, optional: true },
        { token: MODULE_OPTIONS_TOKEN, optional: true },
      ],
    },
    ...CLUSTER_PROVIDERS,
    { provide: ROOM_INTEREST, useExisting: PXL_WS_BROADCASTER },
    { provide: USER_INTEREST, useExisting: PXL_WS_BROADCASTER },
    Admission,
    AuthRefusals,
    Authentication,
    ClientAddress,
    ClientList,
    ClientListPushes,
    ClientManager,
    ClientMirror,
    ClientQueries,
    ClusterCalls,
    PeerCheck,
    ClusterCommands,
    ClusterEvents,
    CallAnswers,
    ClusterInbox,
    IgnisInbox,
    ClusterMembership,
    MirrorWriter,
    RegistryBridge,
    ConnectionCounts,
    ConnectionGuards,
    ConnectionHandler,
    ConnectionHooks,
    Delivery,
    Drain,
    Encryption,
    EndpointRegistry,
    ClientAdmitter,
    ErrorReporter,
    FrameCallbacks,
    EventRoutes,
    HandlerScanner,
    Health,
    Heartbeat,
    InBandAuthentication,
    InactiveClients,
    KeyExchange,
    Lifecycle,
    MemberAnnouncements,
    MemoryRateStore,
    MessageDispatcher,
    MessageRates,
    Metrics,
    OriginPolicy,
    OutboundTransforms,
    OutboxScheduler,
    OutboxServices,
    OwnServers,
    ProviderScanner,
    PxlWebSocketServer,
    QueueSurroundings,
    Recipients,
    RefusalCounters,
    RemoteClients,
    RoomLists,
    RoomManager,
    RoomMoves,
    RoomOpening,
    RoomRules,
    RouteRates,
    RuleFactory,
    Runtime,
    SocketAdoption,
    SlowConsumers,
    SubscriberDispatcher,
    SubscriberExplorer,
    SubscriberRegistry,
    SubscriberRunner,
    SystemRoutes,
    TokenLife,
    TokenRevocation,
    Traffic,
    UnsharedClaims,
    UpgradeHandler,
    UserSessions,
    VerbEvents,
    WebSocketService,
    WorkerIdentity,
    WorkerMetrics,
    WsExplorer,
    WsMetadataAccessor,
    WsPipeline,
  ],
  exports: [ClientManager, PXL_WS_REDIS, PxlWebSocketServer, QueueSurroundings, RoomManager, WebSocketService],
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
