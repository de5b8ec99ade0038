export type { WsExclude } from '../clients/exclusion.interface.js';
export type { WsWhere } from '../clients/where.js';
export { PxlWebSocketOptionsError } from '../errors/start-up.errors.js';
export { WsError, type WsErrorOptions } from '../errors/ws.error.js';
export type { WsRedisClusterOption, WsRedisOption } from '../options/redis.options.js';
export type { WsHistoryQuery, WsKeptMessage, WsKeptMessages } from '../history/kept-messages.js';
export type {
  WsHistoryCommonOptions,
  WsHistoryOfRoom,
  WsHistoryOption,
  WsReplayOptions,
  WsRoomHistoryOptions,
} from '../options/rooms/history.options.js';
export type { WsSecretOption } from '../options/cluster.options.js';
export type { HistoryMessage, PushMessage, SentMessage, WebSocketContract } from '../protocol/contract.js';
export { WS_ERROR_CODES, type WsErrorCode } from '../protocol/error-codes.js';
export type { WsEventMessage, WsTypedMessage, WebSocketMessage } from '../protocol/messages.js';
export type { WsLossReason, WsPosition } from '../protocol/room-position.js';
export { readRoomKey, roomKey, type WsNamespaced, type WsRoomName } from '../ws-client/room-key.js';
export { WebSocketEmitter, type WebSocketEmitterOptions } from './websocket-emitter.js';
