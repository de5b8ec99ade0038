import type { IncomingMessage } from 'node:http';
import type { CanActivate, Type } from '@nestjs/common';
import type { PerMessageDeflateOptions, WebSocket, WebSocketServer } from 'ws';
import type { WsClient } from '../clients/ws-client.js';
import type { RoomUser } from '../rooms/join-options.js';
import type { Broadcaster } from '../cluster/bus/broadcaster.interface.js';
import type { PxlWebSocketServer } from '../server/facade/pxl-websocket-server.js';
import type { ProtocolName } from '../protocol/codec.interface.js';
import type { RedisClient } from '../redis/link/redis-client.js';
import type { AuthOptions } from './auth-options.interface.js';
import type { EncryptionOptions, OutboundTransformer } from './encryption-options.interface.js';
import type { RedisOption } from './redis-option.interface.js';
import type { SecretOption } from './secret-option.interface.js';
import type { RoomAuthorizeOption, RoomProfileOption } from './room-rules.interface.js';
import type { WebSocketSubscriberDefinition } from './subscriber.interface.js';

/** The options of `PxlWebSocketModule`. A bad one fails at start-up with a sentence that names it. */
export interface PxlWebSocketModuleOptions {
  /** False: no endpoint is opened; everything stays injectable and sends do nothing. Default: true. */
  enabled?: boolean | undefined;
  /** The path of the endpoint for gateways without a path of their own, compared byte for byte. Default: `'/ws'`. */
  path?: string | undefined;
  /**
   * What a connection speaks that names no subprotocol: `'pxl'` (`{ type, action, data?, id? }`) or `'event'`
   * (`{ event, data?, id? }`, as Ignis and Nest's own gateways do). Some defaults are others where it is `'event'`; each
   * says so. Default: `'pxl'`.
   */
  protocol?: ProtocolName | undefined;
  /**
   * What differs on the path of a gateway with a path of its own: each group is laid over the module's. Default: nothing.
   */
  endpoints?: Record<string, EndpointOptions> | undefined;
  /**
   * Where Redis is, which carries messages between workers. Default: none, the application is one process.
   */
  redis?: RedisOption | undefined;
  /** What all channels and keys begin with: applications on one Redis need different ones. Default: `'pxl'`. */
  prefix?: string | undefined;
  /**
   * A bus of the application's own in place of Redis. It carries messages, commands and events; what workers share in Redis
   * is each worker's own then: the registry and its mirror (`fetchClients` and `countClients` ask nobody), the presence of
   * users, `limits.connectionsPerUser`, the uses that `@WsRateLimit` counts, revocations from before its start, and that a job
   * is told of once. Default: none.
   */
  broadcaster?: Type<Broadcaster> | undefined;
  /** How the workers of a cluster know of each other. */
  cluster?: ClusterOptions | undefined;
  /** Who a connection is. Without it everybody is anonymous (`client.user` is null). */
  auth?: AuthOptions | undefined;
  /**
   * Guards of every connection, as classes (with dependencies) or instances; they run once the identity is known. See
   * `@UseConnectionGuards`. Default: none.
   */
  connectionGuards?: (Type<CanActivate> | CanActivate)[] | undefined;
  /** Pages of which origins may connect. Default: those of the request's own host; no origin is no browser, and passes. */
  origins?: Origins | undefined;
  /**
   * Who may say in `X-Forwarded-For` for whom a request is made: `true` everybody, a number that many proxies in front of
   * this server, a list these addresses and ranges (`10.0.0.0/8`). Default: false, the peer's address is the client's.
   */
  trustProxy?: boolean | number | string[] | undefined;
  rooms?: RoomOptions | undefined;
  /** What clients may know of each other. */
  clientList?: ClientListOptions | undefined;
  /** Closes the connections of those who send nothing: with 4510, and with 4002 where they speak `event.v1`. */
  disconnectInactiveClients?: InactiveClientsOptions | undefined;
  /** Finds dead connections. `false` switches it off. */
  heartbeat?: HeartbeatOptions | false | undefined;
  limits?: LimitOptions | undefined;
  inbound?: InboundOptions | undefined;
  timeouts?: TimeoutOptions | undefined;
  /**
   * permessage-deflate (RFC 7692). Costs the fast path: each message is compressed for each client. `true`: messages from
   * 1,024 bytes on, ten at once, and no context takeover on either side, so that a connection keeps about 40 KB for it
   * instead of 260. Options of ws are laid over these: `{ serverNoContextTakeover: undefined }` compresses better, and keeps
   * more. Default: false.
   */
  compression?: boolean | PerMessageDeflateOptions | undefined;
  /**
   * Encrypts the frames of single connections, beside TLS: what stands between the client and this process, a proxy that
   * ends TLS for example, carries and logs no clear text. Per hop, not end to end. `true`: those clients that offer a key.
   * Default: false.
   */
  encryption?: boolean | EncryptionOptions | undefined;
  /**
   * Changes or holds back each frame to each client, from its welcome on: another event, or null, then it is not sent. It
   * has `timeouts.hook`; a frame that it fails for is not sent, counted and reported. Costs the fast path: each frame is
   * read again for each client. Default: none.
   */
  outboundTransformer?: OutboundTransformer | undefined;
  /** Callbacks for the life of the server and its connections; each runs before the gateways' own hook. */
  events?: EventOptions | undefined;
  /** Handlers of cluster events, beside the methods with `@WsSubscriber()`. See `defineWebSocketSubscriber`. */
  subscribers?: readonly WebSocketSubscriberDefinition[] | undefined;
  routing?: RoutingOptions | undefined;
  upgrade?: UpgradeOptions | undefined;
  shutdown?: ShutdownOptions | undefined;
  debug?: DebugOptions | undefined;
}

export interface ClusterOptions {
  /**
   * True: every worker knows every client of the cluster, which costs memory on each and a message for each change.
   * False: `getClients()`, `rooms` and the like tell of this worker only; `fetchClients()` asks the others. Default: true.
   */
  mirror?: boolean | undefined;
  /** The claims of users (`user.payload`) that other workers see. Default: none. */
  shareUser?: string[] | undefined;
  /** True: connections are taken at start before Redis can be reached, instead of refused with 503. Default: false. */
  acceptBeforeReady?: boolean | undefined;
  /**
   * True: while Redis is down clients may join rooms that this worker does not hear yet; what other workers send there
   * reaches them once it is back. Default: false, such a join is refused with UNAVAILABLE.
   */
  joinWhenDegraded?: boolean | undefined;
  /** Milliseconds after which a worker that does not show itself counts as dead. Default: 10 000. */
  lease?: number | undefined;
  /** Milliseconds between two checks of the connection to Redis. Default: 3 000. */
  probe?: number | undefined;
  /**
   * A text of at least 32 characters that all workers and emitters share: what they publish through Redis is signed with it
   * (HMAC-SHA256), with its time and a number, and what is not, is too old or was heard before is dropped and counted. Who
   * can publish to Redis then still cannot speak for a worker. It does not cover what stands in Redis' hashes. Two of them
   * while it is changed: the first one signs, both are believed; `false` stands for no signature while signing is switched
   * on. Default: none, nothing is signed.
   */
  secret?: SecretOption | undefined;
  /**
   * True, for the time of a move: workers also hear, and speak on, the channels by which the servers and emitters of Ignis
   * tell each other of messages (`ws:broadcast`, `ws:room:…`, `ws:client:…`, `ws:user:…`), so that clients of both fleets
   * are reached by sends of both. Each send costs one more PUBLISH for each room, user and client of Ignis that it names, and
   * each worker reads every message of the old fleet. Needs `redis`; goes neither with `secret` nor with the prefix `'ws'`.
   * Default: false.
   */
  ignis?: boolean | undefined;
}

/**
 * `'*'` for all; a list of exact origins (scheme, host, port) as browsers write them; or a function, which allows by
 * returning true.
 */
export type Origins = '*' | string[] | ((origin: string, request: IncomingMessage) => boolean);

/** How many connections a user may have, and whether one too many is refused or takes the oldest one's place. */
export interface UserConnectionsLimit {
  max: number;
  /** Default: `'refuse'`. */
  onExceed?: 'refuse' | 'replaceOldest' | undefined;
}

/** The options that endpoints may have of their own. */
export interface EndpointOptions {
  protocol?: ProtocolName | undefined;
  auth?: AuthOptions | undefined;
  origins?: Origins | undefined;
  limits?: EndpointLimitOptions | undefined;
  rooms?: RoomOptions | undefined;
}

/** The limits of single connections; all others count or bound what the endpoints share. */
export type EndpointLimitOptions = Pick<
  LimitOptions,
  | 'maxPayload'
  | 'fragments'
  | 'messagesPerSecond'
  | 'burst'
  | 'roomsPerClient'
  | 'roomName'
  | 'upgradeTimeout'
  | 'streamsPerClient'
>;

export interface RoomOptions {
  /** False: joining a room leaves the one before, once the new one is live. Default: true. */
  clientCanJoinMultipleRooms?: boolean | undefined;
  /**
   * True: clients may ask to join rooms by themselves (`system.joinRoom`). Default: false, only the server puts them in;
   * true where there is an `authorize`.
   */
  open?: boolean | undefined;
  /**
   * Decides whether a client may join a room that it asks for. False refuses, an object says yes and is what the other
   * members see as its `profile`. It has `timeouts.hook`. Default: every room.
   */
  authorize?: RoomAuthorizeOption | undefined;
  /**
   * What the other members of a room see of one as its `profile`, whoever put it there. Its fields come before those of
   * `authorize`. It has `timeouts.hook`. Default: none.
   */
  profile?: RoomProfileOption | undefined;
  /** True: the other members are told who joins and leaves (`room.memberJoined`, `room.memberLeft`). Default: false. */
  announce?: boolean | undefined;
  /**
   * True: what is sent to a room, announcements included, carries the room's name: `{ type, action, data, room }`,
   * `{ event, data, room }`. A client that is in several of the rooms of one send is told the first of them. The name takes
   * the place of a field `room` of the message's own; values that are no message of either shape carry none. The client
   * library's `client.room(name).on(...)` needs it. Default: false.
   */
  named?: boolean | undefined;
  /**
   * Rooms that every client is put into once it is authenticated: within `limits.roomName` and `limits.roomsPerClient`.
   * Default: none; on an event endpoint `'ws-default'` and `'ws-notification'`.
   */
  defaults?: string[] | undefined;
  /**
   * True, where `protocol` is `'event'`: every client is put into a room that is called like its id before its
   * `rooms.defaults`, as Ignis does, so that sends to that room reach it (`sendToRooms([clientId])`, the emitter's
   * `toRoom`, `getClientsByRoom`). It counts for `limits.roomName` and `limits.roomsPerClient`, and stays when one-room mode
   * leaves others; subscribers hear of it (`clientJoinedRoom`), the client list does not. No other client gets into it by
   * asking, on no endpoint and whatever `authorize` says; the server can put others in. Without `cluster.mirror` a worker
   * does not know which ids of their own applications have given to clients of other workers (`addClient`): there
   * `authorize` has to keep others out. Costs a subscription in Redis for each client; where rooms are `sharded`, workers
   * with some hundred clients hear nearly all rooms' messages. Default: false, clients and rooms are two name spaces.
   */
  own?: boolean | undefined;
}

export interface ClientListOptions {
  /**
   * True: clients may ask for the list of all clients (`system.clientList`), and it is pushed to everybody when it
   * changes, at most once a second. Default: false.
   */
  enabled?: boolean | undefined;
  /**
   * What the list tells of each client, and nothing else: `clientId`, `userId`, `userType`, `username`, `rooms`,
   * `roomName`, `connectedAt`, `lastActivity`, `workerId`, `user.payload.<claim>`, `metadata.<key>`. Default:
   * `['clientId', 'userId', 'username', 'rooms']`.
   */
  fields?: string[] | undefined;
}

export interface InactiveClientsOptions {
  /** True: clients that send no message for `inactiveTime` are disconnected. Default: false; event true. */
  enabled?: boolean | undefined;
  /** Milliseconds without a message, at least 100; pongs and the client library's own pings are none. Default: 300 000, event 90 000. */
  inactiveTime?: number | undefined;
  /** Milliseconds between two sweeps, at least 100. Default: 60 000, event 30 000. */
  intervalCheckTime?: number | undefined;
  /** True: logs how many were disconnected. Default: false. */
  log?: boolean | undefined;
}

export interface HeartbeatOptions {
  /** Milliseconds between two pings to a client, at least 100. Default: 15 000. */
  interval?: number | undefined;
  /**
   * Milliseconds that a client has for its pong once the ping has left, at most `interval`; then it is closed with 4002.
   * A ping leaves behind what was sent before; when nothing of that leaves for as long, the client is closed too. Default:
   * 10 000.
   */
  timeout?: number | undefined;
}

export interface LimitOptions {
  /** Bytes of the largest message that a client may send; more closes with 1009. Default: 65 536, event 131 072. */
  maxPayload?: number | undefined;
  /** Frames that a message may come in; more close with 1008. Default: 128; `false`: as many as ws allows (16 384). */
  fragments?: number | false | undefined;
  /** Bytes that may wait for one client that reads slowly. Default: 1 048 576; `false`: no limit. */
  maxBufferedBytes?: number | false | undefined;
  /** What happens to a client over its `maxBufferedBytes`. Default: `'disconnect'`. */
  slowConsumer?: SlowConsumerPolicy | undefined;
  /**
   * Milliseconds in which a client over its `maxBufferedBytes` may take nothing of what waits; over eight times as much it
   * has none. Default: 5 000.
   */
  slowConsumerGrace?: number | undefined;
  /**
   * Messages that a client may send per second on average; those beyond are answered RATE_LIMITED, and who goes on is
   * closed with 4009. Default: false, no limit.
   */
  messagesPerSecond?: number | false | undefined;
  /** Messages that a client may send at once, when it was silent before. Default: twice `messagesPerSecond`. */
  burst?: number | undefined;
  /** Connections to this process, upgrades under way included; then 429. Default: false, no limit. */
  connections?: number | false | undefined;
  /** The same for one address (see `trustProxy`); of IPv6 a /64 counts as one. Default: false, no limit. */
  connectionsPerIp?: number | false | undefined;
  /** Connections of one user; then 429, or the oldest one is closed with 4506. Default: false, no limit. */
  connectionsPerUser?: UserConnectionsLimit | false | undefined;
  /** Upgrades whose authentication runs; then 429. Default: 1 000; `false`: no limit. */
  pendingUpgrades?: number | false | undefined;
  /** Rooms that a client can be in at once. Default: 128; `false`: no limit. */
  roomsPerClient?: number | false | undefined;
  /** Characters of a room's name. Default: 128; `false`: no limit. */
  roomName?: number | false | undefined;
  /** Milliseconds that an upgrade may take, authentication included; then 503. Default: 10 000; `false`: no limit. */
  upgradeTimeout?: number | false | undefined;
  /** Bytes of a client's metadata as JSON, for `ClientManager.updateClient`. Default: 4 096; `false`: no limit. */
  metadataBytes?: number | false | undefined;
  /** Streams that a client may have open at once. Default: 32; `false`: no limit. */
  streamsPerClient?: number | false | undefined;
  /**
   * Events that may wait for one subscriber that is slower than they come; further ones are dropped for it, and counted.
   * Default: 65 536; `false`: no limit.
   */
  subscriberQueue?: number | false | undefined;
}

/**
 * `disconnect`: closed with 4008, and cut when it does not read that. `drop`: new messages are dropped until it has
 * caught up. `dropOldest`: of the messages sent with `volatile: true` the oldest are dropped, all others wait; it is
 * closed when eight times `maxBufferedBytes` do.
 */
export type SlowConsumerPolicy = 'disconnect' | 'drop' | 'dropOldest';

export interface InboundOptions {
  /** Messages of one client that are handled at once. Default: 1, each waits for the one before. */
  concurrency?: number | undefined;
  /** Messages of one client that may wait; then its socket is not read until half have been handled. Default: 64. */
  queue?: number | undefined;
  /**
   * True: a client may send its messages in binary frames, which are read as UTF-8 text; answers stay text frames. Default:
   * false, a binary frame is answered BAD_MESSAGE, and nothing of it is read.
   */
  binary?: boolean | undefined;
}

export interface TimeoutOptions {
  /** Milliseconds that the hooks of a connection may take together; then it is closed with 1011. Default: 10 000. */
  hook?: number | undefined;
  /** Milliseconds for one handler; then its client is answered TIMEOUT. Default: false, no limit. */
  handler?: number | false | undefined;
  /** Milliseconds that `WsClient.call` waits for the client's answer. Default: 10 000. */
  call?: number | undefined;
  /**
   * Milliseconds that a subscriber has for one event, its middleware included; then it is logged, and the next one has its
   * turn. Default: 30 000.
   */
  subscriber?: number | undefined;
}

export interface EventOptions {
  /** The endpoint's ws server and the facade are ready; connections are accepted next. */
  onServerStarted?(started: { webSocketServer: WebSocketServer; server: PxlWebSocketServer }): unknown;
  /** A connection was accepted and welcomed. It is closed with 1011 when this throws or rejects. */
  onConnected?(connected: {
    ws: WebSocket;
    client: WsClient;
    clientId: string;
    /** Puts the client into a room, as `RoomManager.addClientToRoom` does. */
    joinRoom: (room: RoomUser & { roomName: string }) => Promise<boolean>;
  }): unknown;
  /** A connection has ended. */
  onDisconnected?(disconnected: { client: WsClient; clientId: string; code: number; reason: string }): unknown;
  /** A client sent a message: the whole of it, before its route is looked up. Its handler does not wait for this. */
  onMessage?(received: {
    ws: WebSocket;
    client: WsClient;
    clientId: string;
    data: unknown;
    /** For ordinary commands; null in an application without Redis. */
    redis: RedisClient | null;
    /** The same under the name that PXL gave it. */
    redisInstance: RedisClient | null;
  }): unknown;
  /** Something failed that nobody is waiting for: a hook, an event callback, a socket, a promise that was not awaited. */
  onError?(failed: { error: Error; clientId?: string }): unknown;
}

export interface RoutingOptions {
  /** False: app-wide guards (`APP_GUARD`, `useGlobalGuards`) are left out, where they are written for HTTP only. Default: true. */
  globalGuards?: boolean | undefined;
  /** False: app-wide filters (`APP_FILTER`, `useGlobalFilters`) are left out. What they would catch is mapped as it is. Default: true. */
  globalFilters?: boolean | undefined;
}

export interface UpgradeOptions {
  /** Milliseconds after which an upgrade on a path that nobody answers gets 404. Default: 10 000; `false`: never. */
  foreignTimeout?: number | false | undefined;
}

export interface ShutdownOptions {
  /**
   * Milliseconds for running handlers, closing handshakes and plain HTTP requests when the application stops. Default:
   * 10 000.
   */
  timeout?: number | undefined;
  /**
   * Milliseconds over which the clients of a worker of a cluster come back to the others when it stops: each is told a
   * time of its own (close code 1012; 1001 where no other lives). Default: 5 000.
   */
  reconnectSpread?: number | undefined;
}

export interface DebugOptions {
  /** Logs every endpoint with its routes, and the subscribers, at start-up. Default: false. */
  printRoutes?: boolean | undefined;
}

/** Makes the options for `forRootAsync({ useClass | useExisting })`. */
export interface PxlWebSocketOptionsFactory {
  create(): PxlWebSocketModuleOptions | Promise<PxlWebSocketModuleOptions>;
}
