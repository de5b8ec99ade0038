import { AsyncResource } from 'node:async_hooks';

/**
 * An async scope outside of all handlers and hooks: work that begins in it sees nothing of their `AsyncLocalStorage`.
 */
export const NEUTRAL_SCOPE = new AsyncResource('PxlWebSocket', { requireManualDestroy: true });
