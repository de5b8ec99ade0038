import { AsyncResource } from 'node:async_hooks';

/**
 * Nobody's async scope: what begins in it sees nothing that a handler or a hook has set with `AsyncLocalStorage`.
 */
export const NEUTRAL_SCOPE = new AsyncResource('PxlWebSocket', { requireManualDestroy: true });
