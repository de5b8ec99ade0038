export { PxlWebSocketOptionsError } from '../errors/start-up.errors.js';
export { WsError, type WsErrorOptions } from '../errors/ws.error.js';
export type { RedisClusterOption, RedisOption } from '../options/redis.options.js';
export type { SecretOption } from '../options/cluster.options.js';
export type { PushMessage, SentMessage, WebSocketContract } from '../protocol/contract.js';
export { ERROR_CODES, type ErrorCode } from '../protocol/error-codes.js';
export type { EventMessage, TypedMessage, WebSocketMessage } from '../protocol/messages.js';
export { WebSocketEmitter, type WebSocketEmitterOptions } from './websocket-emitter.js';
