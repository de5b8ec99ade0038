export type {
  WsAnonymousIdentity,
  WsAuthenticate,
  WsAuthenticator,
  WsCredentials,
  WsIdentity,
  WsTokenInfo,
  WsUserIdentity,
  WsVerdict,
} from './options/authenticator.js';
export { ConnectionCandidate } from './auth/connection-candidate.js';
export { UseConnectionGuards, type ConnectionGuard } from './auth/decorators/use-connection-guards.decorator.js';
export type { RevokeOptions } from './auth/tokens/token-revocation.js';
export type {
  ClientModuleEventMap,
  ClientModuleEvents,
  ClientRoutingOptions,
  ClientShutdownOptions,
  PxlWebSocketClientModuleOptions,
  PxlWebSocketClientOptionsFactory,
} from './client-module/client-module-options.interface.js';
export { getWebSocketClientToken, InjectWebSocketClient } from './client-module/client-token.js';
export { WebSocketClientController } from './client-module/websocket-client-controller.decorator.js';
export { PxlWebSocketClientModule } from './client-module/pxl-websocket-client.module.js';
export type { CallOptions } from './clients/session/client-calls.js';
export { RemoteClient, type AnyClient } from './clients/remote-client.js';
export type { UserInterest } from './clients/user-interest.interface.js';
export { WsClient, type WsClientState } from './clients/ws-client.js';
export type { WsRequest as WsRequestInfo } from './ws-client/ws-request.js';
export { InjectWsRedis } from './cluster/application-redis.js';
export { PXL_WS_REDIS } from './redis/link/redis-client.js';
export {
  PXL_WS_BROADCASTER,
  type Broadcaster,
  type BusHealth,
  type WsReceiver,
} from './cluster/bus/broadcaster.interface.js';
export type { WsContent, WsEnvelope, WsReceivedEnvelope, WsTarget } from './cluster/bus/envelope.js';
export {
  readEnvelope,
  writeEnvelope,
  type WsReceivedText,
  type WsEnvelopeOrigin,
} from './cluster/bus/envelope-text.js';
export { LocalBroadcaster } from './cluster/bus/local.broadcaster.js';
export type { RedisBroadcaster } from './cluster/bus/redis.broadcaster.js';
export { PxlWebSocketEmitterModule } from './emitter/pxl-websocket-emitter.module.js';
export { WebSocketEmitter, type WebSocketEmitterOptions } from './emitter/websocket-emitter.js';
export { DuplicateWsRouteError, PxlWebSocketOptionsError, PxlWebSocketSetupError } from './errors/start-up.errors.js';
export { WsError, type WsErrorOptions } from './errors/ws.error.js';
export type {
  ClientEntry,
  ClientMetadata,
  GivenUser,
  RoomUser,
  WsUser as WsUserInfo,
} from './ws-client/client-entry.js';
export type { Authenticate, AuthOptions, TokenPlace } from './options/auth.options.js';
export type { JwtAlgorithm, JwtKeyProvider, JwtOptions } from './options/jwt.options.js';
export type { ClientListOptions } from './options/client-list.options.js';
export type { ClusterOptions } from './options/cluster.options.js';
export type { DebugOptions, RoutingOptions } from './options/routing.options.js';
export type {
  EndpointLimitOptions,
  LimitOptions,
  SlowConsumerPolicy,
  UserConnectionsLimit,
} from './options/limits.options.js';
export type { EndpointOptions } from './options/endpoint.options.js';
export type { HeartbeatOptions, InactiveClientsOptions } from './options/heartbeat.options.js';
export type { InboundOptions } from './options/inbound.options.js';
export type { Origins, UpgradeOptions } from './options/access.options.js';
export type {
  PxlWebSocketModuleOptions,
  PxlWebSocketOptionsFactory,
  WsEventOptions as EventOptions,
} from './pxl-websocket.module-options.js';
export type { RoomOptions } from './options/rooms.options.js';
export type { ShutdownOptions } from './options/shutdown.options.js';
export type { TimeoutOptions } from './options/timeouts.options.js';
export type {
  EncryptionOpen,
  EncryptionOptions,
  EncryptionTransform,
  ExchangedKeys,
  KeyHandshake,
  OutboundEvent,
  OutboundTransformer,
  TransformedEvent,
} from './options/encryption.options.js';
export type {
  AuthorizeRoom,
  MemberProfiler,
  ProfileOfMember,
  RoomAuthorizeOption,
  RoomAuthorizer,
  RoomEntrant,
  RoomProfileOption,
  RoomRequest,
  RoomVerdict,
} from './options/rooms.options.js';
export type { RedisClusterOption, RedisOption } from './options/redis.options.js';
export type { SecretOption } from './options/cluster.options.js';
export type { StandardResult, StandardSchema } from './runtime/standard-schema.js';
export type {
  UntypedMessage,
  WebSocketMatchAll,
  WebSocketSubscriberDefinition,
  WebSocketSubscriberHandler,
  WebSocketSubscriberHandlerContext,
  WebSocketSubscriberMatcher,
  WebSocketSubscriberMiddleware,
  WebSocketSubscriberOptions,
  WebSocketSubscriberPredicate,
} from './subscribers/subscriber.interface.js';
export { WsRateLimit } from './limits/decorators/ws-rate-limit.decorator.js';
export type { WsRate } from './limits/rate-store.interface.js';
export type { LimitName } from './limits/refusal-counters.js';
export type { ProtocolName } from './protocol/codec.interface.js';
export { WebSocketRedisSubscriberEvent, type ClusterEventMessages } from './protocol/cluster-events.js';
export {
  WebSocketChannels,
  WebSocketClientStates,
  WebSocketDefaults,
  WebSocketEvents,
  WebSocketMessageTypes,
  type Scheme,
} from './protocol/ignis-constants.js';
export type {
  AnyAction,
  CallAction,
  CallData,
  CallReply,
  CallType,
  MetadataOf,
  PushAction,
  PushData,
  PushMessage,
  PushType,
  RouteAction,
  RouteData,
  RouteReply,
  RouteType,
  SentAction,
  SentEvent,
  SentMessage,
  SentType,
  StreamAction,
  StreamValue,
  UserPayload,
  WebSocketContract,
} from './protocol/contract.js';
export { ERROR_CODES, type ErrorCode } from './protocol/error-codes.js';
export type { EventMessage, TypedMessage, WebSocketMessage, WebSocketType } from './protocol/messages.js';
export { PxlWebSocketModule } from './pxl-websocket.module.js';
export type { RoomInterest } from './rooms/room-interest.interface.js';
export { forwardQueueEvents, type ForwardQueueEventsOptions, type QueueJobEnd } from './queue/forward-queue-events.js';
export type { QueueEventsOptions } from './queue/queue-job-events.js';
export { WebSocketQueueEvents } from './queue/websocket-queue-events.js';
export type { RedisClient } from './options/redis.options.js';
export type { AddClientToRoomOptions } from './rooms/join-options.js';
export type { ContractRoute } from './routing/decorators/contract-route.js';
export { ClientId, WsRequest, WsUser } from './routing/decorators/params.decorator.js';
export { WsFallback } from './routing/decorators/ws-fallback.decorator.js';
export { WsRoute } from './routing/decorators/ws-route.decorator.js';
export type { WebSocketMetric } from './runtime/metrics.js';
export type { ClientQuery } from './cluster/calls/cluster-call.js';
export type { RouteMetadata as WebSocketRoute } from './routing/discovery/route-metadata.js';
export { ClientManager, type AddClientOptions, type ClientByKey } from './server/facade/client-manager.js';
export type { ClientVerbs } from './server/facade/client-verbs.js';
export type { WebSocketHealth } from './server/monitoring/health.js';
export { PxlWebSocketServer } from './server/facade/pxl-websocket-server.js';
export { RoomManager } from './server/facade/room-manager.js';
export type { RoomVerbs } from './server/facade/room-verbs.js';
export { SendVerbs, type BroadcastToAllOptions, type ClientPredicate } from './server/facade/send-verbs.js';
export { ServerVerbs, type JoinRoomOptions } from './server/facade/server-verbs.js';
export type { RoomMove } from './server/coordination/room-moves.js';
export type { ClientReference, NamedDestination, SendDestination } from './server/facade/destinations.js';
export {
  WebSocketService,
  type CloseOptions,
  type SendOptions,
  type SendRequest,
} from './server/facade/websocket.service.js';
export { WsSubscriber } from './subscribers/decorators/ws-subscriber.decorator.js';
export { defineWebSocketSubscriber } from './subscribers/define-subscriber.js';
export { withDebounce, withRateLimit, withThrottle } from './subscribers/channel-pacing.js';
export {
  composeHandlers,
  withErrorHandler,
  withFilter,
  withLogging,
  withMetadata,
  withRetry,
  withValidation,
} from './subscribers/handler-wrappers.js';
export { getNestedProperty, matchAll, matchByProperty, matchByPropertyPredicate } from './subscribers/matchers.js';
export {
  errorRecoveryMiddleware,
  loggingMiddleware,
  rateLimitMiddleware,
  timingMiddleware,
  validationMiddleware,
} from './subscribers/middleware.js';
export type { MessageCheck } from './subscribers/utility-checks.js';
export type { WsSubscriberOptions } from './subscribers/subscriber-metadata.js';
export type { SlowConsumerCounts } from './transport/outbox/slow-consumers.js';
