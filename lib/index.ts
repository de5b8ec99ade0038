export type { WsAuthenticate, WsCredentials, WsIdentity } from './auth/authenticator.interface.js';
export { ClientManager } from './clients/client-manager.js';
export { WsClient, type WsClientState } from './clients/ws-client.js';
export type { WsRequest as WsRequestInfo } from './clients/ws-request.js';
export { DuplicateWsRouteError, PxlWebSocketOptionsError, PxlWebSocketSetupError } from './errors/start-up.errors.js';
export { WsError, type WsErrorOptions } from './errors/ws.error.js';
export type { ClientEntry, ClientMetadata, WsUser as WsUserInfo } from './interfaces/client-entry.interface.js';
export type {
  AuthOptions,
  DebugOptions,
  EventOptions,
  HeartbeatOptions,
  InboundOptions,
  LimitOptions,
  PxlWebSocketModuleOptions,
  PxlWebSocketOptionsFactory,
  RoomOptions,
  RoutingOptions,
  ShutdownOptions,
  TimeoutOptions,
  UpgradeOptions,
} from './interfaces/module-options.interface.js';
export { ERROR_CODES, type ErrorCode } from './protocol/error-codes.js';
export type { EventMessage, TypedMessage, WebSocketMessage } from './protocol/messages.js';
export { PxlWebSocketModule } from './pxl-websocket.module.js';
export { RoomManager } from './rooms/room-manager.js';
export { ClientId, WsRequest, WsUser } from './routing/decorators/params.decorator.js';
export { WsRoute } from './routing/decorators/ws-route.decorator.js';
export { PxlWebSocketServer, type JoinRoomOptions } from './server/pxl-websocket-server.js';
export { type ClientPredicate, type ClientReference, ServerVerbs } from './server/server-verbs.js';
export { WebSocketService, type SendOptions } from './server/websocket.service.js';
