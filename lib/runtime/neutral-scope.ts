import { AsyncResource } from 'node:async_hooks';

/**
 * An async scope outside of all handlers, hooks and requests: work that begins in it sees nothing of their
 * `AsyncLocalStorage`. What lives long begins in it, such as connections and the timers of background tasks: otherwise it
 * would keep the scope (and the trace) of whatever happened to start it, for good.
 */
export const NEUTRAL_SCOPE = new AsyncResource('PxlWebSocket', { requireManualDestroy: true });

/**
 * Runs the application's work in an async scope of its own, made outside of all others: what that work sets with
 * `AsyncLocalStorage.enterWith` does not stay with the socket whose event has caused it, and nothing of its cause is seen.
 */
export function inOwnScope<T>(name: string, run: () => T): T {
  return NEUTRAL_SCOPE.runInAsyncScope(newScope, undefined, name).runInAsyncScope(run);
}

function newScope(name: string): AsyncResource {
  return new AsyncResource(name, { requireManualDestroy: true });
}
