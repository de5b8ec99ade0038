export type {
  WsAnyAction,
  CallAction,
  CallData,
  CallReply,
  CallType,
  DataArgument,
  DataArguments,
  PushAction,
  PushData,
  PushMessage,
  PushType,
  RouteAction,
  RouteData,
  RouteReply,
  RouteType,
  StreamAction,
  StreamValue,
  WebSocketContract,
  WhisperAction,
  WhisperData,
} from '../protocol/contract.js';
export type { WsErrorCode } from '../protocol/error-codes.js';
export type { WsMember, WsRoomLeftReason } from '../protocol/presence.js';
export type { WsLossReason, WsPosition } from '../protocol/room-position.js';
export type { WelcomeHeartbeat, WelcomeLimits, WelcomeRooms } from '../protocol/welcome-terms.js';
export type { ClientEncryption, EncryptedSocket, EncryptionSession } from './client-encryption.interface.js';
export type {
  ClientEventMap,
  ClientEvents,
  ClientHeartbeatOptions,
  DroppedMessage,
  QueueOptions,
  ReconnectOptions,
  RequestOptions,
  WebSocketClientOptions,
} from './options/client-options.interface.js';
export type { StateListener } from './client-reports.js';
export type { ClientState, ConnectionStatus, StateChange } from './connection/client-state.js';
export type { Unsubscribe } from './listeners.js';
export type { CallHandler, PushedMessage, PushHandler, Whisperer } from './messages/handlers.interface.js';
export type { RoomHandle, RoomOptions } from './room-handle.interface.js';
export type { JoinedRoom, JoinOptions, LeaveOptions } from './room-joins.interface.js';
export type { PresenceChange, PresentMembers, RoomMember, RoomPresence } from './room-presence.interface.js';
export type { HistoryPage, HistoryRange, RoomPosition, RoomRecovery } from './room-recovery.interface.js';
export type { WebSocketConstructor, WebSocketLike } from './connection/socket.interface.js';
export { WebSocketClientError, type WebSocketClientErrorOptions } from './websocket-client.error.js';
export { WebSocketClient } from './websocket-client.js';
export type { Welcome } from './welcome.js';
