import type { Provider, Type } from '@nestjs/common';
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
import { UserAdmission } from './auth/user-admission.js';
import { ClientMirror } from './clients/client-mirror.js';
import { ClientRegistry } from './clients/client-registry.js';
import { REMOTE_CONTROL } from './clients/remote-control.interface.js';
import { UnsharedClaims } from './clients/unshared-claims.js';
import { USER_INTEREST } from './clients/user-interest.interface.js';
import { LiveTraces } from './clients/traces/live-traces.js';
import { UserSessions } from './clients/user-sessions.js';
import { PXL_WS_BROADCASTER, type WsBroadcaster } from './cluster/bus/broadcaster.interface.js';
import { BusSender } from './cluster/bus/bus-sender.js';
import { ClusterCalls } from './cluster/calls/cluster-calls.js';
import { PeerCheck } from './cluster/calls/peer-check.js';
import { CLUSTER_PROVIDERS } from './cluster/cluster.providers.js';
import { ClusterEvents } from './cluster/events/cluster-events.js';
import { MirrorWriter } from './cluster/mirror/mirror-writer.js';
import { OwnClients } from './cluster/registry/own-clients.js';
import { PresenceBridge } from './cluster/presence/presence-bridge.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from './pxl-websocket.options.js';
import { RegistryBridge } from './cluster/registry/registry-bridge.js';
import { ReplacedClients } from './cluster/presence/replaced-clients.js';
import { RevocationSync } from './cluster/revocations/revocation-sync.js';
import { Encryption } from './encryption/encryption.js';
import { FrameCallbacks } from './encryption/frame-callbacks.js';
import { KeyExchange } from './encryption/key-exchange.js';
import { OutboundTransforms } from './encryption/outbound-transforms.js';
import { ErrorReporter } from './errors/error-reporter.js';
import { AcceptRate } from './limits/accept-rate.js';
import { ConnectionCounts } from './limits/connection-counts.js';
import { MemoryRateStore } from './limits/memory.rate-store.js';
import { MessageRates } from './limits/message-rates.js';
import { PushLimit } from './limits/push-limit.js';
import { RefusalCounters } from './limits/refusal-counters.js';
import { RouteRates } from './limits/route-rates.js';
import { QueueSurroundings } from './queue/queue-surroundings.js';
import { HistoryInterest } from './history/history-interest.js';
import { PresenceAudience } from './presence/presence-audience.js';
import { Presences } from './presence/presences.js';
import { ROOM_PRESENCE } from './presence/room-presence.interface.js';
import { RoomHistories } from './history/room-histories.js';
import { ROOM_HISTORY } from './history/room-history.interface.js';
import { ClientList } from './rooms/client-list.js';
import { AskedRooms } from './rooms/asked-rooms.js';
import { ClientRooms } from './rooms/client-rooms.js';
import { Memberships } from './rooms/memberships.js';
import { Namespaces } from './rooms/namespaces.js';
import { Reauthorizations } from './rooms/reauthorizations.js';
import { ROOM_INTEREST, type WsRoomInterest } from './rooms/room-interest.interface.js';
import { RoomRegistry } from './rooms/room-registry.js';
import { RoomWindows } from './clients/room-windows.js';
import { RoomRules } from './rooms/room-rules.js';
import { ROOM_WHISPERS } from './rooms/room-whispers.interface.js';
import { HandlerScanner } from './routing/discovery/handler.scanner.js';
import { ProviderScanner } from './routing/discovery/provider.scanner.js';
import { WsExplorer } from './routing/discovery/ws-explorer.js';
import { WsMetadataAccessor } from './routing/discovery/ws-metadata.accessor.js';
import { EventRoutes } from './routing/event-routes.js';
import { MessageDispatcher } from './routing/message.dispatcher.js';
import { MessageIntake } from './routing/message.intake.js';
import { ConnectionPipeline } from './routing/pipeline/connection-pipeline.js';
import { WsPipeline } from './routing/pipeline/ws-pipeline.js';
import { HistoryRoutes } from './routing/rooms/history-routes.js';
import { PresenceRoutes } from './routing/rooms/presence-routes.js';
import { RoomRoutes } from './routing/rooms/room-routes.js';
import { RequestedJoins } from './routing/rooms/requested-joins.js';
import { RoomLists } from './routing/rooms/room-lists.js';
import { WhisperRoute } from './routing/rooms/whisper-route.js';
import { SystemRoutes } from './routing/system-routes.js';
import { Metrics } from './runtime/metrics/metrics.js';
import { Timings } from './runtime/metrics/timings.js';
import { Runtime } from './runtime/runtime.js';
import { Traffic } from './runtime/traffic.js';
import { WorkerIdentity } from './runtime/worker-identity.js';
import { CallAnswers } from './server/coordination/call-answers.js';
import { ClientQueries } from './server/coordination/client-queries.js';
import { ClientCommands } from './server/coordination/client-commands.js';
import { ClusterCommands } from './server/coordination/cluster-commands.js';
import { ClusterInbox } from './server/coordination/cluster-inbox.js';
import { Directory } from './server/coordination/directory.js';
import { RoomMembers } from './server/coordination/room-members.js';
import { UserQueries } from './server/coordination/user-queries.js';
import { KeptMessages } from './server/coordination/kept-messages.js';
import { IgnisInbox } from './server/coordination/ignis-inbox.js';
import { RemoteClients } from './server/coordination/remote-clients.js';
import { RoomMoves } from './server/coordination/room-moves.js';
import { PrometheusExporter } from './server/monitoring/prometheus-exporter.js';
import { WorkerMetrics } from './server/monitoring/worker-metrics.js';
import { ClientListPushes } from './server/delivery/client-list-pushes.js';
import { Delivery } from './server/delivery/delivery.js';
import { RoomMessages } from './server/delivery/room-messages.js';
import { MemberAnnouncements } from './server/delivery/member-announcements.js';
import { Recipients } from './server/delivery/recipients.js';
import { RoomFilters } from './server/delivery/room-filters.js';
import { Whispers } from './server/delivery/whispers.js';
import { ClientManager } from './server/facade/client-manager.js';
import { EveryWorkerClients } from './server/facade/client-verbs.js';
import { EveryWorkerServer } from './server/facade/every-worker-server.js';
import { PxlWebSocketServer } from './server/facade/pxl-websocket-server.js';
import { RoomManager } from './server/facade/room-manager.js';
import { EveryWorkerRooms } from './server/facade/room-verbs.js';
import { SendScopes } from './server/facade/send-scopes.js';
import { VerbEvents } from './server/facade/verb-events.js';
import { WebSocketService } from './server/facade/websocket.service.js';
import { ApplicationHooks } from './lifecycle/application-hooks.js';
import { ClusterMembership } from './server/availability/cluster-membership.js';
import { ClusterStatus } from './server/availability/cluster-status.js';
import { Drain } from './server/availability/drain.js';
import { BACKGROUND_TASKS, Intake, type BackgroundTask } from './server/availability/intake.js';
import { Lifecycle } from './lifecycle/lifecycle.js';
import { Shutdown } from './lifecycle/shutdown.js';
import { StartLog } from './lifecycle/start-log.js';
import { Inspector } from './server/inspection/inspector.js';
import { WorkerLists } from './server/inspection/worker-lists.js';
import { WorkerSampler } from './server/inspection/worker-sampler.js';
import { Health } from './server/monitoring/health.js';
import { PxlWebSocketHealthIndicator } from './server/monitoring/websocket.health-indicator.js';
import { Monitor } from './server/monitoring/monitor.js';
import { HandlerContexts } from './subscribers/handler-contexts.js';
import { SubscriberDispatcher } from './subscribers/subscriber.dispatcher.js';
import { SubscriberExplorer } from './subscribers/subscriber.explorer.js';
import { SubscriberRegistry } from './subscribers/subscriber.registry.js';
import { SubscriberRunner } from './subscribers/subscriber.runner.js';
import { Tracing } from './tracing/tracing.js';
import { ConnectionEnds } from './transport/connection/connection-ends.js';
import { ConnectionHooks } from './transport/connection/connection-hooks.js';
import { ConnectionLifetime } from './transport/connection/connection-lifetime.js';
import { ConnectionHandler } from './transport/connection/connection.handler.js';
import { Heartbeat } from './transport/connection/heartbeat.js';
import { InactiveClients } from './transport/connection/inactive-clients.js';
import { SocketAdoption } from './transport/connection/socket-adoption.js';
import { EndpointRegistry } from './transport/endpoint/endpoint.registry.js';
import { GatewayBinding } from './transport/endpoint/gateway-binding.js';
import { OutboxScheduler } from './transport/outbox/outbox.scheduler.js';
import { OutboxServices } from './transport/outbox/outbox.services.js';
import { SlowConsumers } from './transport/outbox/slow-consumers.js';
import { ClientAdmitter } from './transport/upgrade/client-admitter.js';
import { HttpServers } from './transport/upgrade/http-servers.js';
import { ClientReturns } from './transport/upgrade/client-returns.js';
import { OwnServers } from './transport/upgrade/own-servers.js';
import { PendingUpgrades } from './transport/upgrade/pending-upgrades.js';
import { UpgradeChecks } from './transport/upgrade/upgrade-checks.js';
import { UpgradeRefusals } from './transport/upgrade/upgrade-refusals.js';
import { UpgradeHandler } from './transport/upgrade/upgrade.handler.js';
import { Webhooks } from './webhooks/webhooks.js';

const GROUND: Provider[] = [
  ...[Runtime, WorkerIdentity, ErrorReporter, Metrics, Traffic],
  {
    provide: Timings,
    useFactory: ({ metrics }: ResolvedOptions, runtime: Runtime): Timings =>
      new Timings(metrics.registry !== undefined, runtime),
    inject: [PXL_WS_OPTIONS, Runtime],
  },
  {
    provide: Tracing,
    useFactory: async (options: ResolvedOptions): Promise<Tracing> => {
      const tracing = new Tracing(options.tracing);
      await tracing.load();
      return tracing;
    },
    inject: [PXL_WS_OPTIONS],
  },
];

const LIMITS: Provider[] = [
  ...[RefusalCounters, AcceptRate, ConnectionCounts, MessageRates, MemoryRateStore, RouteRates],
  {
    provide: PushLimit,
    useFactory: ({ limits }: ResolvedOptions, counters: RefusalCounters): PushLimit =>
      new PushLimit(limits.maxPushBytes, counters),
    inject: [PXL_WS_OPTIONS, RefusalCounters],
  },
];

const CLIENTS: Provider[] = [
  ...[ClientRegistry, ClientMirror, UnsharedClaims, UserSessions, LiveTraces],
  { provide: USER_INTEREST, useExisting: PXL_WS_BROADCASTER },
  { provide: REMOTE_CONTROL, useExisting: RemoteClients },
];

const ENCRYPTION = [KeyExchange, Encryption, OutboundTransforms, FrameCallbacks];

const AUTH = [
  ...[
    ClientAddress,
    OriginPolicy,
    Admission,
    UserAdmission,
    Authentication,
    ConnectionGuards,
    InBandAuthentication,
    RuleFactory,
  ],
  ...[AuthRefusals, TokenLife, TokenRevocation],
];

const ROOMS: Provider[] = [
  ...[
    RoomRegistry,
    RoomWindows,
    Memberships,
    AskedRooms,
    RoomRules,
    Namespaces,
    ClientRooms,
    Reauthorizations,
    ClientList,
  ],
  {
    provide: ROOM_INTEREST,
    useFactory: (bus: WsBroadcaster, histories: RoomHistories, runtime: Runtime): WsRoomInterest =>
      histories.isOn ? new HistoryInterest(bus, histories, runtime) : bus,
    inject: [PXL_WS_BROADCASTER, RoomHistories, Runtime],
  },
];

const PRESENCE: Provider[] = [Presences, PresenceAudience, { provide: ROOM_PRESENCE, useExisting: Presences }];

const HISTORY: Provider[] = [RoomHistories, { provide: ROOM_HISTORY, useExisting: RoomHistories }];

const ROUTING = [
  ...[WsExplorer, ProviderScanner, HandlerScanner, WsMetadataAccessor],
  ...[MessageIntake, MessageDispatcher, SystemRoutes, EventRoutes, WsPipeline, ConnectionPipeline],
  ...[RequestedJoins, RoomRoutes, RoomLists, HistoryRoutes, PresenceRoutes, WhisperRoute],
];

const TRANSPORT = [
  ...[EndpointRegistry, GatewayBinding, HttpServers, OwnServers],
  ...[UpgradeHandler, UpgradeChecks, PendingUpgrades, UpgradeRefusals, ClientAdmitter, ClientReturns],
  ...[
    ConnectionHandler,
    ConnectionEnds,
    ConnectionHooks,
    ConnectionLifetime,
    Heartbeat,
    InactiveClients,
    SocketAdoption,
  ],
  ...[OutboxServices, OutboxScheduler, SlowConsumers],
];

const CLUSTER: Provider[] = [
  ...CLUSTER_PROVIDERS,
  ...[BusSender, ClusterCalls, PeerCheck, ClusterEvents, RegistryBridge, OwnClients, MirrorWriter, RevocationSync],
  ...[PresenceBridge, ReplacedClients],
];

const SUBSCRIBERS = [HandlerContexts, SubscriberRegistry, SubscriberExplorer, SubscriberDispatcher, SubscriberRunner];

const SERVER: Provider[] = [
  // The verbs that applications call.
  ...[WebSocketService, PxlWebSocketServer, ClientManager, RoomManager],
  ...[EveryWorkerServer, EveryWorkerClients, EveryWorkerRooms, SendScopes, VerbEvents],
  // What carries them out, on this worker and on the others.
  ...[Delivery, RoomFilters, RoomMessages, Recipients, MemberAnnouncements, ClientListPushes],
  ...[Whispers, { provide: ROOM_WHISPERS, useExisting: Whispers }],
  ...[
    ClusterCommands,
    ClientCommands,
    ClusterInbox,
    CallAnswers,
    ClientQueries,
    Directory,
    RoomMembers,
    UserQueries,
    IgnisInbox,
    KeptMessages,
    RemoteClients,
    RoomMoves,
  ],
  // The life of this worker.
  ...[
    Lifecycle,
    ApplicationHooks,
    ClusterMembership,
    ClusterStatus,
    Intake,
    Shutdown,
    Drain,
    StartLog,
    Health,
    PxlWebSocketHealthIndicator,
    Monitor,
    WorkerMetrics,
    PrometheusExporter,
  ],
  // What consoles ask.
  ...[Inspector, WorkerLists, WorkerSampler],
  tasks([Heartbeat, InactiveClients, ConnectionLifetime]),
];

const QUEUE = [QueueSurroundings];

const WEBHOOKS = [Webhooks];

/** The parts of the module, layer by layer from the ground up; `lib/README.md` is the map of them. */
export const PROVIDERS: Provider[] = [
  ...[
    ...GROUND,
    ...LIMITS,
    ...CLIENTS,
    ...ENCRYPTION,
    ...AUTH,
    ...ROOMS,
    ...PRESENCE,
    ...HISTORY,
    ...ROUTING,
    ...TRANSPORT,
    ...CLUSTER,
  ],
  ...[...SUBSCRIBERS, ...SERVER, ...QUEUE, ...WEBHOOKS],
];

/** What runs from the start of the application until its shutdown. */
function tasks(inject: Type<BackgroundTask>[]): Provider {
  return { provide: BACKGROUND_TASKS, useFactory: (...all: BackgroundTask[]) => all, inject };
}
