import type { OptionChecks } from './checks/option-checks.js';

export interface WsRoutingOptions {
  /**
   * False: app-wide guards (`APP_GUARD`, `useGlobalGuards`) are left out, for example because they are written for HTTP
   * only. Default: true.
   */
  globalGuards?: boolean | undefined;
  /**
   * False: app-wide filters (`APP_FILTER`, `useGlobalFilters`) are left out; the exceptions that they would catch are
   * answered as if there were none. Default: true.
   */
  globalFilters?: boolean | undefined;
}

export interface WsDebugOptions {
  /** Logs every endpoint with its routes, and the subscribers, at start-up. Default: false. */
  printRoutes?: boolean | undefined;
}

export interface ResolvedRouting {
  readonly globalGuards: boolean;
  readonly globalFilters: boolean;
}

export interface ResolvedDebug {
  readonly printRoutes: boolean;
}

export function resolveRouting(routing: OptionChecks): ResolvedRouting {
  return {
    globalGuards: routing.boolean('globalGuards', true),
    globalFilters: routing.boolean('globalFilters', true),
  };
}

export function resolveDebug(debug: OptionChecks): ResolvedDebug {
  return { printRoutes: debug.boolean('printRoutes', false) };
}
