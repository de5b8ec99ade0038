export type {
  WsAuthenticate,
  WsAuthenticator,
  WsCredentials,
  WsIdentity,
  WsTokenInfo,
  WsVerdict,
} from './auth/authenticator.interface.js';
export { ConnectionCandidate } from './auth/connection-candidate.js';
export { UseConnectionGuards, type ConnectionGuard } from './auth/decorators/use-connection-guards.decorator.js';
export type { RevokeOptions } from './auth/token-revocation.js';
export type { CallOptions } from './clients/client-calls.js';
export { ClientManager, type AddClientOptions, type ClientByKey } from './clients/client-manager.js';
export type { GivenUser } from './clients/user-identity.js';
export { WsClient, type WsClientState } from './clients/ws-client.js';
export type { WsRequest as WsRequestInfo } from './clients/ws-request.js';
export { DuplicateWsRouteError, PxlWebSocketOptionsError, PxlWebSocketSetupError } from './errors/start-up.errors.js';
export { WsError, type WsErrorOptions } from './errors/ws.error.js';
export type { ClientEntry, ClientMetadata, WsUser as WsUserInfo } from './interfaces/client-entry.interface.js';
export type {
  Authenticate,
  AuthOptions,
  JwtAlgorithm,
  JwtKeyProvider,
  JwtOptions,
  TokenPlace,
} from './interfaces/auth-options.interface.js';
export type {
  ClientListOptions,
  DebugOptions,
  EventOptions,
  HeartbeatOptions,
  InactiveClientsOptions,
  InboundOptions,
  LimitOptions,
  Origins,
  PxlWebSocketModuleOptions,
  PxlWebSocketOptionsFactory,
  RoomOptions,
  RoutingOptions,
  ShutdownOptions,
  TimeoutOptions,
  UpgradeOptions,
  UserConnectionsLimit,
} from './interfaces/module-options.interface.js';
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
} from './interfaces/room-rules.interface.js';
export { WsRateLimit } from './limits/decorators/ws-rate-limit.decorator.js';
export type { Rate } from './limits/rate-store.interface.js';
export type { LimitName } from './limits/refusal-counters.js';
export { ERROR_CODES, type ErrorCode } from './protocol/error-codes.js';
export type { EventMessage, TypedMessage, WebSocketMessage } from './protocol/messages.js';
export { PxlWebSocketModule } from './pxl-websocket.module.js';
export { RoomManager, type AddClientToRoomOptions, type RoomUser } from './rooms/room-manager.js';
export { ClientId, WsRequest, WsUser } from './routing/decorators/params.decorator.js';
export { WsFallback } from './routing/decorators/ws-fallback.decorator.js';
export { WsRoute } from './routing/decorators/ws-route.decorator.js';
export type { ClientReference } from './server/client-reference.js';
export type { WebSocketHealth } from './server/health.js';
export { PxlWebSocketServer, type JoinRoomOptions } from './server/pxl-websocket-server.js';
export { ServerVerbs, type BroadcastToAllOptions, type ClientPredicate } from './server/server-verbs.js';
export type { RoomMove } from './server/room-moves.js';
export type { SendDestination } from './server/send-destination.js';
export {
  WebSocketService,
  type ClientQuery,
  type CloseOptions,
  type SendOptions,
  type SendRequest,
} from './server/websocket.service.js';
