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
export { readWsToken } from './auth/tokens/token-extractor.js';
export {
  UseConnectionInterceptors,
  type ConnectionInterceptor,
} from './auth/decorators/use-connection-interceptors.decorator.js';
export { UseConnectionPipes, type ConnectionPipe } from './auth/decorators/use-connection-pipes.decorator.js';
export type { WsRevokeOptions } from './auth/tokens/token-revocation.js';
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
export { RemoteClient, type AnyClient } from './clients/remote-client.js';
export type { WsUserInterest } from './clients/user-interest.interface.js';
export { WsClient, type WsCallOptions, type WsClientState } from './ws-client/ws-client.js';
export type { WsRequest as WsRequestInfo, WsRequestParams, WsRequestQuery } from './ws-client/ws-request.js';
export { readRoomKey, roomKey, type WsNamespaced, type WsRoomName } from './ws-client/room-key.js';
export { InjectWsRedis } from './cluster/application-redis.js';
export { PXL_WS_REDIS } from './redis/link/redis-client.js';
export {
  PXL_WS_BROADCASTER,
  type WsBroadcaster,
  type WsBusHealth,
  type WsReceiver,
} from './cluster/bus/broadcaster.interface.js';
export type {
  WsAppend,
  WsAppended,
  WsHistoryEntry,
  WsHistoryPage,
  WsHistoryRange,
  WsNumberedMessage,
  WsRoomStore,
} from './history/room-store.interface.js';
export type { WsLossReason, WsPosition } from './protocol/room-position.js';
export type { WsContent, WsEnvelope, WsEnvelopeNumber, WsReceivedEnvelope, WsTarget } from './cluster/bus/envelope.js';
export {
  readWsEnvelope,
  writeWsEnvelope,
  type WsReceivedText,
  type WsEnvelopeOrigin,
} from './cluster/bus/envelope-text.js';
export type { WsExclude, WsExclusion } from './clients/exclusion.interface.js';
export type { WsWhere } from './clients/where.js';
export { WsLocalBroadcaster } from './cluster/bus/local.broadcaster.js';
export type { WsRedisBroadcaster } from './cluster/bus/redis.broadcaster.js';
export { PxlWebSocketEmitterModule } from './emitter/pxl-websocket-emitter.module.js';
export { WebSocketEmitter, type WebSocketEmitterOptions } from './emitter/websocket-emitter.js';
export { DuplicateWsRouteError, PxlWebSocketOptionsError, PxlWebSocketSetupError } from './errors/start-up.errors.js';
export { WsError, type WsErrorOptions } from './errors/ws.error.js';
export { WsRoomsError } from './errors/ws-rooms.error.js';
export type {
  ClientEntry,
  ClientMetadata,
  WsGivenUser,
  WsRoomUser,
  WsUser as WsUserInfo,
} from './ws-client/client-entry.js';
export type { WsAuthenticateOption, WsAuthOptions, WsTokenPlace } from './options/auth.options.js';
export type { WsJwtAlgorithm, WsJwtKeyProvider, WsJwtOptions } from './options/jwt.options.js';
export type { WsClientListOptions } from './options/client-list.options.js';
export type { WsClusterOptions } from './options/cluster.options.js';
export type { WsDebugOptions, WsRoutingOptions } from './options/routing.options.js';
export type {
  WsEndpointLimitOptions,
  WsLimitOptions,
  WsSlowConsumerPolicy,
  WsUserConnectionsLimit,
} from './options/limits.options.js';
export type { WsDeliveryOptions, WsWindowOfRoom } from './options/delivery.options.js';
export type { WsMetricsOptions, WsMetricsRegistry } from './options/observability/metrics.options.js';
export type { WsTracingOptions } from './options/observability/tracing.options.js';
export type { WsTraceContext } from './tracing/trace-context.js';
export type { WsRequestContextOptions } from './options/observability/request-context.options.js';
export type { WsFailure } from './options/events.options.js';
export { wsContext, type WsRequestContext } from './runtime/request-context.js';
export { wsLogFields, type WsLogFields } from './errors/log-fields.js';
export type { WsEndpointOptions } from './options/endpoint.options.js';
export type { WsHeartbeatOptions, WsInactiveClientsOptions } from './options/heartbeat.options.js';
export type { WsInboundOptions } from './options/inbound.options.js';
export type { WsOrigins, WsUpgradeOptions } from './options/access.options.js';
export type {
  PxlWebSocketModuleOptions,
  PxlWebSocketOptionsFactory,
  WsEventOptions,
} from './pxl-websocket.module-options.js';
export type {
  WsHistoryCommonOptions,
  WsHistoryOfRoom,
  WsHistoryOption,
  WsReplayOptions,
  WsRetention,
  WsRoomHistoryOptions,
} from './options/rooms/history.options.js';
export type {
  WsPresenceOfRoom,
  WsPresenceOption,
  WsPresenceRules,
  WsRoomPresenceOptions,
} from './options/rooms/presence.options.js';
export type { WsMember, WsMemberList, WsPresencePush, WsRoomLeftReason } from './protocol/presence.js';
export type { WsRoomOptions } from './options/rooms/rooms.options.js';
export type { WsShutdownOptions } from './options/shutdown.options.js';
export type { WsTimeoutOptions } from './options/timeouts.options.js';
export type {
  WsEncryptionOpen,
  WsEncryptionOptions,
  WsEncryptionTransform,
  WsExchangedKeys,
  WsKeyHandshake,
  WsOutboundEvent,
  WsOutboundTransformer,
  WsTransformedEvent,
} from './options/encryption.options.js';
export type {
  WsAuthorizeRoom,
  WsFilteredMember,
  WsMayRead,
  WsMayWhisper,
  WsMemberProfiler,
  WsNamespaceOfClient,
  WsProfileOfMember,
  WsReadRequest,
  WsRoomAuthorizeOption,
  WsRoomAuthorizer,
  WsRoomEntrant,
  WsRoomFilter,
  WsRoomProfileOption,
  WsRoomRequest,
  WsRoomVerdict,
} from './options/rooms/rooms.options.js';
export type { WsRedisClusterOption, WsRedisOption } from './options/redis.options.js';
export type { WsSecretOption } from './options/cluster.options.js';
export type { WsStandardResult, WsStandardSchema } from './runtime/standard-schema.js';
export type {
  WsUntypedMessage,
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
export type { WsLimitName } from './limits/refusal-counters.js';
export type { WsProtocolName } from './protocol/codec.interface.js';
export {
  WebSocketRedisSubscriberEvent,
  type ClusterEventMessages,
  type WsQueueJobProgress,
} from './protocol/cluster-events.js';
export {
  WebSocketChannels,
  WebSocketClientStates,
  WebSocketDefaults,
  WebSocketEvents,
  WebSocketMessageTypes,
  type WsScheme,
} from './protocol/ignis-constants.js';
export type {
  HistoryMessage,
  WsAnyAction,
  CallAction,
  CallData,
  CallReply,
  CallType,
  WsMetadataOf,
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
  WhisperAction,
  WhisperData,
  WsUserPayload,
  WebSocketContract,
} from './protocol/contract.js';
export { WS_ERROR_CODES, type WsErrorCode } from './protocol/error-codes.js';
export type { WsEventMessage, WsTypedMessage, WebSocketMessage, WebSocketType } from './protocol/messages.js';
export { PxlWebSocketModule } from './pxl-websocket.module.js';
export type { WsRoomInterest } from './rooms/room-interest.interface.js';
export {
  forwardQueueEvents,
  type ForwardQueueEventsOptions,
  type WsQueueJobEnd,
  type WsQueueJobReport,
} from './queue/forward-queue-events.js';
export type { WsQueueEventsOptions, WsQueueProgressOptions } from './queue/queue-job-events.js';
export type { WsWebhook, WsWebhookData, WsWebhookEventName } from './protocol/webhook-events.js';
export type {
  WsWebhookEndpoint,
  WsWebhookOptions,
  WsWebhookQueueOptions,
} from './options/observability/webhooks.options.js';
export { verifyWebhook, type WsWebhookHeaders } from './webhooks/verify-webhook.js';
export { WsWebhookVerificationError, type WsWebhookVerificationCode } from './webhooks/webhook-verification.error.js';
export { WebSocketQueueEvents } from './queue/websocket-queue-events.js';
export type { WsRedisClient } from './options/redis.options.js';
export type { AddClientToRoomOptions } from './rooms/join-options.js';
export type { WsContractRoute } from './routing/decorators/contract-route.js';
export { WsClientId, WsRequest, WsUser } from './routing/decorators/params.decorator.js';
export {
  WsParam,
  WsQuery,
  type WsParamOptions,
  type WsParamPipe,
} from './routing/decorators/request-params.decorator.js';
export { WsFallback } from './routing/decorators/ws-fallback.decorator.js';
export { WsRoute } from './routing/decorators/ws-route.decorator.js';
export type { HistogramBucket as WebSocketHistogramBucket } from './runtime/metrics/histogram.js';
export type { WebSocketMetric } from './runtime/metrics/metrics.js';
export type { ClientQuery } from './cluster/calls/cluster-call.js';
export type { RouteMetadata as WebSocketRoute } from './routing/discovery/route-metadata.js';
export { ClientManager, type AddClientOptions, type ClientByKey } from './server/facade/client-manager.js';
export type { ClientVerbs } from './server/facade/client-verbs.js';
export type { WebSocketHealth } from './server/monitoring/health.js';
export {
  PxlWebSocketHealthIndicator,
  type WsHealthDetails,
  type WsHealthResult,
} from './server/monitoring/websocket.health-indicator.js';
export type { WsWorkerPhase } from './server/availability/intake.js';
export { PxlWebSocketServer } from './server/facade/pxl-websocket-server.js';
export { RoomManager } from './server/facade/room-manager.js';
export type { RoomVerbs } from './server/facade/room-verbs.js';
export { SendVerbs, type BroadcastToAllOptions, type ClientPredicate } from './server/facade/send-verbs.js';
export { ServerVerbs, type WsJoinRoomOptions } from './server/facade/server-verbs.js';
export type { WsHistoryQuery, WsKeptMessage, WsKeptMessages } from './history/kept-messages.js';
export type { WsPresenceChange, WsPresentMembers } from './server/coordination/room-members.js';
export type {
  MembersQuery as WsMembersQuery,
  PresentMember as WsPresentMember,
} from './presence/room-presence.interface.js';
export type { RoomMove } from './server/coordination/room-moves.js';
export type { ClientReference, WsNamedDestination, WsSendDestination } from './server/facade/destinations.js';
export {
  WebSocketService,
  type WsCloseOptions,
  type WsRoomSendOptions,
  type WsSendOptions,
  type WsSendRequest,
} from './server/facade/websocket.service.js';
export { WsSubscriber } from './subscribers/decorators/ws-subscriber.decorator.js';
export { defineWebSocketSubscriber } from './subscribers/define-subscriber.js';
export { withDebounce, withRateLimit, withThrottle } from './subscribers/utilities/channel-pacing.js';
export {
  composeHandlers,
  withErrorHandler,
  withFilter,
  withLogging,
  withMetadata,
  withRetry,
  withValidation,
} from './subscribers/utilities/handler-wrappers.js';
export {
  getNestedProperty,
  matchAll,
  matchByProperty,
  matchByPropertyPredicate,
} from './subscribers/utilities/matchers.js';
export {
  errorRecoveryMiddleware,
  loggingMiddleware,
  rateLimitMiddleware,
  timingMiddleware,
  validationMiddleware,
} from './subscribers/utilities/middleware.js';
export type { WsMessageCheck } from './subscribers/utilities/utility-checks.js';
export type { WsSubscriberOptions } from './subscribers/subscriber-metadata.js';
export type { WsSlowConsumerCounts } from './transport/outbox/slow-consumers.js';
