import type { Abstract, FactoryProvider, Type } from '@nestjs/common';
import { AuthRefusals } from './auth/auth-refusals.js';
import { ClientMirror } from './clients/client-mirror.js';
import { ClientRegistry } from './clients/client-registry.js';
import { LiveTraces } from './clients/traces/live-traces.js';
import { UserSessions } from './clients/user-sessions.js';
import { PXL_WS_BROADCASTER, type WsBroadcaster } from './cluster/bus/broadcaster.interface.js';
import { CLUSTER_REDIS, type ClusterRedis } from './cluster/bus/cluster-redis.js';
import { WsRedisBroadcaster } from './cluster/bus/redis.broadcaster.js';
import { PeerCheck } from './cluster/calls/peer-check.js';
import { PXL_WS_REGISTRY, type ClusterRegistry } from './cluster/registry/cluster-registry.interface.js';
import { PresenceBridge } from './cluster/presence/presence-bridge.js';
import { RedisRegistry } from './cluster/registry/redis.registry.js';
import { ClusterEvents } from './cluster/events/cluster-events.js';
import { RegistryBridge } from './cluster/registry/registry-bridge.js';
import { ReplacedClients } from './cluster/presence/replaced-clients.js';
import {
  ROOM_ATTENDANCE,
  ROOM_SUBJECTS,
  type RoomAttendance,
  type RoomSubjects,
} from './cluster/rooms/room-attendance.js';
import { RedisSubjects } from './cluster/subjects/redis.subjects.js';
import { RevocationSync } from './cluster/revocations/revocation-sync.js';
import { LAST_SEEN, type LastSeen } from './cluster/users/last-seen.interface.js';
import { RedisLastSeen } from './cluster/users/redis.last-seen.js';
import { RedisUserConnections } from './cluster/users/redis.user-connections.js';
import { RedisUserPresence } from './cluster/users/redis.user-presence.js';
import { PXL_WS_USER_PRESENCE, type UserPresence } from './cluster/users/user-presence.interface.js';
import { PXL_WS_RATE_STORE, type RateStore } from './limits/rate-store.interface.js';
import { RedisRateStore } from './limits/redis.rate-store.js';
import { PXL_WS_USER_CONNECTIONS, type UserConnections } from './limits/user-connections.interface.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from './pxl-websocket.options.js';
import { RoomHistories } from './history/room-histories.js';
import { PresenceAudience } from './presence/presence-audience.js';
import { Presences } from './presence/presences.js';
import { Memberships } from './rooms/memberships.js';
import { Reauthorizations } from './rooms/reauthorizations.js';
import { RoomRegistry } from './rooms/room-registry.js';
import { HistoryRoutes } from './routing/rooms/history-routes.js';
import { Metrics } from './runtime/metrics/metrics.js';
import { Timings } from './runtime/metrics/timings.js';
import { Traffic } from './runtime/traffic.js';
import { IgnisInbox } from './server/coordination/ignis-inbox.js';
import { Lifecycle } from './lifecycle/lifecycle.js';
import { RemoteClients } from './server/coordination/remote-clients.js';
import { PrometheusExporter } from './server/monitoring/prometheus-exporter.js';
import { WorkerMetrics } from './server/monitoring/worker-metrics.js';
import { ClientListPushes } from './server/delivery/client-list-pushes.js';
import { MemberAnnouncements } from './server/delivery/member-announcements.js';
import { RoomFilters } from './server/delivery/room-filters.js';
import { SubscriberDispatcher } from './subscribers/subscriber.dispatcher.js';
import { ConnectionEnds } from './transport/connection/connection-ends.js';
import { ConnectionLifetime } from './transport/connection/connection-lifetime.js';
import { OutboxScheduler } from './transport/outbox/outbox.scheduler.js';
import { PxlWsAdapter } from './transport/endpoint/pxl-ws.adapter.js';
import { ClientReturns } from './transport/upgrade/client-returns.js';
import { Webhooks } from './webhooks/webhooks.js';

/** A class that is provided, or the token of an interface. */
type Token<Part> = Type<Part> | Abstract<Part> | symbol;

/**
 * Who listens to whom. A constructor takes its parts and calls nothing; each of these runs once, when its parts exist and
 * nothing has happened yet.
 */
export const WIRING: FactoryProvider[] = [
  wire([PxlWsAdapter, Lifecycle], (adapter, lifecycle) => adapter.attach(lifecycle)),

  // The clients of this worker.
  wire(
    [ClientRegistry, Memberships, UserSessions, Presences, RegistryBridge, Reauthorizations, Traffic],
    (clients, memberships, sessions, presences, bridge, reauthorizations, traffic) => {
      // First of all: whoever else hears that a client is gone, finds it in no room.
      clients.listen({ unregistered: (client, end) => memberships.drop(client, end) });
      clients.listen(sessions);
      // Before the others are told: what they are told comes from there.
      if (presences.isOn) {
        clients.listen({
          identified: ({ clientId, user }) => user && presences.identified(clientId, user.userId),
          unregistered: ({ clientId }) => presences.disconnected(clientId),
        });
      }
      clients.listen(bridge);
      clients.listen(reauthorizations);
      clients.listen({
        registered: () => traffic.connects.mark(),
        unregistered: () => traffic.disconnects.mark(),
      });
    },
  ),

  // Their rooms, and those of clients that are lost with their worker.
  wire(
    [RoomRegistry, Presences, PresenceAudience, RegistryBridge, MemberAnnouncements, RemoteClients],
    (rooms, presences, audience, bridge, announcements, remote) => {
      if (presences.isOn) {
        rooms.listen(audience);
        rooms.listen(presences);
        presences.listen(audience);
      }
      // The others know of a member before its room is told.
      rooms.listen(bridge);
      rooms.listen(announcements);
      rooms.listen(remote);
      bridge.listenToLosses(announcements);
    },
  ),

  // Rooms with presence: what other workers have to know, and connections that are of no use any more.
  wire(
    [Presences, PresenceBridge, ReplacedClients, ClientReturns, Metrics],
    (presences, bridge, replaced, returns, metrics) => {
      if (!presences.isOn) return;
      presences.listen(bridge);
      presences.listen(replaced);
      metrics.add(returns);
    },
  ),

  // All clients and rooms, those of other workers too: the client list.
  wire(
    [PXL_WS_OPTIONS, ClientRegistry, RoomRegistry, ClientMirror, ClientListPushes],
    ({ clientList }: ResolvedOptions, clients, rooms, mirror, pushes) => {
      if (!clientList.enabled) return;
      clients.listen(pushes);
      rooms.listen(pushes);
      mirror.listen((event) => pushes.request(event));
    },
  ),

  // What consoles follow.
  wire([ClientRegistry, RoomRegistry, LiveTraces], (clients, rooms, traces) => {
    clients.listen(traces);
    rooms.listen(traces);
  }),

  wire([PXL_WS_BROADCASTER, PeerCheck], (bus: WsBroadcaster, peers) =>
    bus.onChange((isReady) => peers.busChanged(isReady)),
  ),

  // Rooms with history: who is in them, and when nothing is certain about them.
  wire(
    [RoomHistories, HistoryRoutes, RoomRegistry, PXL_WS_BROADCASTER, Metrics],
    (histories, routes, rooms, bus: WsBroadcaster, metrics) => {
      if (!histories.isOn) return;
      rooms.listen(histories);
      rooms.listen(routes);
      bus.onChange((isReady) => histories.busChanged(isReady));
      metrics.add(histories);
    },
  ),

  // When users were seen last.
  wire([LAST_SEEN, ClientRegistry, PXL_WS_REGISTRY], (seen: LastSeen | null, clients, registry: ClusterRegistry) => {
    if (!seen) return;
    clients.listen({
      unregistered: ({ user }) => {
        if (user && !clients.ofUser(user.userId)) seen.ended(user.userId);
      },
    });
    if (seen instanceof RedisLastSeen && registry instanceof RedisRegistry) registry.keep(seen);
  }),

  // Rooms with presence, for subscribers: who comes and goes in the whole cluster.
  wire(
    [ROOM_ATTENDANCE, ROOM_SUBJECTS, Presences, CLUSTER_REDIS, PXL_WS_REGISTRY, Metrics],
    (
      attendance: RoomAttendance | null,
      subjects: RoomSubjects | null,
      presences,
      redis: ClusterRedis | null,
      registry: ClusterRegistry,
      metrics,
    ) => {
      if (!attendance || !subjects) return;
      attendance.keepIn(subjects);
      presences.listen(attendance);
      if (!redis || !(registry instanceof RedisRegistry) || !(subjects instanceof RedisSubjects)) return;
      redis.listen(attendance.channel, (payload) => attendance.receive(payload.toString()));
      registry.keep(subjects);
      metrics.add(attendance);
    },
  ),

  // Other systems: webhooks.
  wire([Webhooks, ClusterEvents, Metrics], (webhooks, events, metrics) => {
    if (!webhooks.isOn) return;
    events.listen(webhooks.hear, webhooks.hears);
    metrics.add(webhooks);
  }),

  // What comes by Redis beside the bus, and what lives there as long as this worker's lease.
  wire(
    [CLUSTER_REDIS, PXL_WS_REGISTRY, PXL_WS_USER_PRESENCE, PXL_WS_USER_CONNECTIONS, RevocationSync, IgnisInbox],
    (
      redis: ClusterRedis | null,
      registry: ClusterRegistry,
      users: UserPresence,
      connections: UserConnections,
      revocations,
      ignis,
    ) => {
      if (!redis || !(registry instanceof RedisRegistry)) return;
      redis.listen(registry.channel, (payload) => registry.receive(payload));
      if (users instanceof RedisUserPresence) {
        redis.listen(users.channel, (payload) => users.receive(payload));
        registry.keep(users.data);
      }
      if (connections instanceof RedisUserConnections) registry.keep(connections);
      redis.link.onReady(() => void revocations.exchange());
      registry.watch({
        lost: () => void revocations.exchange(),
        met: (workerId) => void revocations.meet(workerId),
      });
      redis.ignis?.listen((message) => ignis.receive(message));
    },
  ),

  // What is counted, in the order in which it is listed.
  wire(
    [
      Metrics,
      PXL_WS_BROADCASTER,
      PXL_WS_REGISTRY,
      PXL_WS_USER_PRESENCE,
      PXL_WS_RATE_STORE,
      AuthRefusals,
      RoomFilters,
      WorkerMetrics,
      ConnectionEnds,
      OutboxScheduler,
      ConnectionLifetime,
      SubscriberDispatcher,
      Timings,
      PrometheusExporter,
    ],
    (
      metrics,
      bus: WsBroadcaster,
      registry: ClusterRegistry,
      users: UserPresence,
      rates: RateStore,
      refusals,
      filters,
      worker,
      ends,
      outboxes,
      lifetime,
      subscribers,
      timings,
      exporter,
    ) => {
      if (bus instanceof WsRedisBroadcaster) metrics.add(bus);
      if (registry instanceof RedisRegistry) metrics.add(registry);
      if (users instanceof RedisUserPresence) metrics.add(users);
      if (rates instanceof RedisRateStore) metrics.add(rates);
      metrics.add(refusals);
      metrics.add(filters);
      metrics.add(worker);
      metrics.add(ends);
      metrics.add(outboxes);
      metrics.add(lifetime);
      metrics.add(subscribers);
      metrics.add(timings);
      metrics.add(exporter);
    },
  ),
];

function wire<Parts extends readonly unknown[]>(
  tokens: readonly [...{ [At in keyof Parts]: Token<Parts[At]> }],
  connect: (...parts: Parts) => void,
): FactoryProvider {
  return { provide: Symbol('PXL_WS_WIRING'), useFactory: connect, inject: [...tokens] };
}
