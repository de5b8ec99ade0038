import type { Provider } from '@nestjs/common';
import { MemoryRevocations } from '../auth/tokens/memory.revocations.js';
import { PXL_WS_REVOCATIONS, type Revocations } from '../auth/tokens/revocations.interface.js';
import { RuleFactory } from '../auth/rule-factory.js';
import { ClientRegistry } from '../clients/client-registry.js';
import { ROOM_STORE, type WsRoomStore } from '../history/room-store.interface.js';
import { MemoryUserConnections } from '../limits/memory.user-connections.js';
import { MemoryRateStore } from '../limits/memory.rate-store.js';
import { PXL_WS_RATE_STORE, type RateStore } from '../limits/rate-store.interface.js';
import { RedisRateStore } from '../limits/redis.rate-store.js';
import { RedisUserConnections } from './users/redis.user-connections.js';
import { PXL_WS_USER_CONNECTIONS, type UserConnections } from '../limits/user-connections.interface.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { RoomNames } from '../rooms/room-names.js';
import { Timings } from '../runtime/metrics/timings.js';
import { Runtime } from '../runtime/runtime.js';
import { CLUSTER_CLOCK, type ClusterClock } from '../runtime/cluster-clock.js';
import { Tracing } from '../tracing/tracing.js';
import { WorkerIdentity } from '../runtime/worker-identity.js';
import { PXL_WS_REDIS } from '../redis/link/redis-client.js';
import { ApplicationRedis } from './application-redis.js';
import { PXL_WS_BROADCASTER, type WsBroadcaster } from './bus/broadcaster.interface.js';
import { checkBroadcaster, checkRoomStore } from './bus/check-broadcaster.js';
import { ROOM_PRESENCE, type RoomPresence } from '../presence/room-presence.interface.js';
import { ClusterEvents } from './events/cluster-events.js';
import { CLUSTER_REDIS, ClusterRedis } from './bus/cluster-redis.js';
import { WsLocalBroadcaster } from './bus/local.broadcaster.js';
import { RedisRevocations } from './revocations/redis.revocations.js';
import { WsRedisBroadcaster } from './bus/redis.broadcaster.js';
import { PXL_WS_REGISTRY, type ClusterRegistry } from './registry/cluster-registry.interface.js';
import { RedisRegistry } from './registry/redis.registry.js';
import { LocalRegistry } from './registry/local.registry.js';
import { ROOM_ATTENDANCE, ROOM_SUBJECTS, RoomAttendance, type RoomSubjects } from './rooms/room-attendance.js';
import { MemorySubjects } from './subjects/memory.subjects.js';
import { RedisSubjects } from './subjects/redis.subjects.js';
import { LAST_SEEN, type LastSeen } from './users/last-seen.interface.js';
import { MemoryLastSeen } from './users/memory.last-seen.js';
import { RedisLastSeen } from './users/redis.last-seen.js';
import { LocalUserPresence } from './users/local.user-presence.js';
import { RedisUserPresence, type UserNews } from './users/redis.user-presence.js';
import { PXL_WS_USER_PRESENCE, type UserPresence } from './users/user-presence.interface.js';

/** How long the start of an application waits for Redis, in ms. */
const PATIENCE = 3_000;

/**
 * The parts that have two forms: one for an application of one process, one for workers that share a Redis. Others ask for
 * them by their token, and do not know which form they have.
 */
export const CLUSTER_PROVIDERS: Provider[] = [
  ApplicationRedis,
  { provide: PXL_WS_REDIS, useFactory: ({ client }: ApplicationRedis) => client, inject: [ApplicationRedis] },
  {
    provide: CLUSTER_REDIS,
    useFactory: (options: ResolvedOptions, identity: WorkerIdentity, runtime: Runtime): ClusterRedis | null =>
      options.enabled && options.redis ? new ClusterRedis(options.redis, options, identity, runtime) : null,
    inject: [PXL_WS_OPTIONS, WorkerIdentity, Runtime],
  },
  {
    provide: CLUSTER_CLOCK,
    useFactory: (redis: ClusterRedis | null, runtime: Runtime): ClusterClock => ({
      now: () => Math.round(redis ? redis.link.redisNow() : runtime.now()),
    }),
    inject: [CLUSTER_REDIS, Runtime],
  },
  {
    provide: PXL_WS_BROADCASTER,
    useFactory: async (
      redis: ClusterRedis | null,
      options: ResolvedOptions,
      { workerId }: WorkerIdentity,
      runtime: Runtime,
      timings: Timings,
      tracing: Tracing,
      factory: RuleFactory,
    ): Promise<WsBroadcaster> => {
      const { broadcaster, cluster, enabled } = options;
      if (broadcaster && enabled) {
        return checkBroadcaster(broadcaster.name, await (await factory.sourceOf(broadcaster))(options));
      }
      if (!redis) return new WsLocalBroadcaster(runtime);
      const { joinWhenDegraded } = cluster;
      const { history } = options.rooms;
      const settings = { workerId, patience: PATIENCE, joinWhenDegraded, history };
      return new WsRedisBroadcaster(redis, settings, timings, runtime, tracing);
    },
    inject: [CLUSTER_REDIS, PXL_WS_OPTIONS, WorkerIdentity, Runtime, Timings, Tracing, RuleFactory],
  },
  {
    provide: ROOM_STORE,
    useFactory: (bus: WsBroadcaster, { enabled, rooms }: ResolvedOptions): WsRoomStore | null =>
      enabled && rooms.history ? checkRoomStore(bus.constructor.name, bus) : null,
    inject: [PXL_WS_BROADCASTER, PXL_WS_OPTIONS],
  },
  {
    provide: PXL_WS_REGISTRY,
    useFactory: (
      redis: ClusterRedis | null,
      { prefix, cluster: { lease, mirror } }: ResolvedOptions,
      { workerId }: WorkerIdentity,
      runtime: Runtime,
    ): ClusterRegistry =>
      redis ? new RedisRegistry(redis.link, { prefix, workerId, lease, mirror }, runtime) : new LocalRegistry(),
    inject: [CLUSTER_REDIS, PXL_WS_OPTIONS, WorkerIdentity, Runtime],
  },
  {
    provide: PXL_WS_USER_PRESENCE,
    useFactory: (
      redis: ClusterRedis | null,
      clients: ClientRegistry,
      events: ClusterEvents,
      { prefix, cluster: { lease } }: ResolvedOptions,
      { workerId }: WorkerIdentity,
      runtime: Runtime,
      seen: LastSeen | null,
    ): UserPresence => {
      if (!redis) return new LocalUserPresence(clients, events);
      const tell = ({ event: channel, userId, workerId: teller }: UserNews): void =>
        events.tell({ channel, message: { userId }, isResponsible: teller === workerId });
      const lost = seen instanceof RedisLastSeen ? seen.lost.bind(seen) : undefined;
      return new RedisUserPresence(redis.link, tell, { prefix, workerId, lease }, runtime, lost);
    },
    inject: [CLUSTER_REDIS, ClientRegistry, ClusterEvents, PXL_WS_OPTIONS, WorkerIdentity, Runtime, LAST_SEEN],
  },
  {
    provide: LAST_SEEN,
    useFactory: (
      redis: ClusterRedis | null,
      clients: ClientRegistry,
      { prefix, cluster }: ResolvedOptions,
      clock: ClusterClock,
      runtime: Runtime,
    ): LastSeen | null => {
      const { lastSeen: lifetime } = cluster;
      if (lifetime === false) return null;
      if (!redis) return new MemoryLastSeen(lifetime, clock);
      const afterIo = (work: () => void): void => runtime.afterIo(work);
      return new RedisLastSeen(redis.link, () => clients.userIds(), { prefix, lifetime }, afterIo);
    },
    inject: [CLUSTER_REDIS, ClientRegistry, PXL_WS_OPTIONS, CLUSTER_CLOCK, Runtime],
  },
  {
    provide: ROOM_ATTENDANCE,
    useFactory: (
      presence: RoomPresence,
      events: ClusterEvents,
      clock: ClusterClock,
      module: ResolvedOptions,
      { workerId }: WorkerIdentity,
    ): RoomAttendance | null => {
      const { prefix, shutdown } = module;
      const options = { prefix, workerId, spread: shutdown.reconnectSpread, names: RoomNames.of(module) };
      return presence.isOn ? new RoomAttendance(presence, events, clock, options) : null;
    },
    inject: [ROOM_PRESENCE, ClusterEvents, CLUSTER_CLOCK, PXL_WS_OPTIONS, WorkerIdentity],
  },
  {
    provide: ROOM_SUBJECTS,
    useFactory: (
      attendance: RoomAttendance | null,
      redis: ClusterRedis | null,
      { prefix, cluster: { lease } }: ResolvedOptions,
      { workerId }: WorkerIdentity,
      runtime: Runtime,
    ): RoomSubjects | null => {
      if (!attendance) return null;
      if (!redis) return new MemorySubjects(attendance, (news) => attendance.receive(news), runtime);
      const settings = {
        prefix,
        workerId,
        lease,
        bucket: ['rooms', 'present'],
        use: 'to keep the members of rooms',
      } as const;
      return new RedisSubjects(redis.link, attendance, settings, runtime);
    },
    inject: [ROOM_ATTENDANCE, CLUSTER_REDIS, PXL_WS_OPTIONS, WorkerIdentity, Runtime],
  },
  {
    provide: PXL_WS_REVOCATIONS,
    useFactory: (redis: ClusterRedis | null, { prefix }: ResolvedOptions, runtime: Runtime): Revocations =>
      redis ? new RedisRevocations(redis.link, prefix, runtime) : new MemoryRevocations(runtime),
    inject: [CLUSTER_REDIS, PXL_WS_OPTIONS, Runtime],
  },
  {
    provide: PXL_WS_USER_CONNECTIONS,
    useFactory: (
      redis: ClusterRedis | null,
      options: ResolvedOptions,
      { workerId }: WorkerIdentity,
      runtime: Runtime,
    ): UserConnections => {
      const { prefix } = options;
      const limit = options.limits.connectionsPerUser;
      if (!redis || limit === false) return new MemoryUserConnections(options);
      return new RedisUserConnections(redis.link, { prefix, workerId, limit }, runtime);
    },
    inject: [CLUSTER_REDIS, PXL_WS_OPTIONS, WorkerIdentity, Runtime],
  },
  {
    provide: PXL_WS_RATE_STORE,
    useFactory: (redis: ClusterRedis | null, { prefix }: ResolvedOptions, memory: MemoryRateStore): RateStore =>
      redis ? new RedisRateStore(redis.link, prefix, memory) : memory,
    inject: [CLUSTER_REDIS, PXL_WS_OPTIONS, MemoryRateStore],
  },
];
