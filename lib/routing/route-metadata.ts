/** The metadata key of `@WsRoute`, on the method. */
export const ROUTES_METADATA = 'pxl-websocket:routes';

/** The metadata key of `@WsFallback`, on the method. */
export const FALLBACK_METADATA = 'pxl-websocket:fallback';

/** One `@WsRoute` of a method; a method may have several. */
export interface RouteMetadata {
  readonly type: string;
  readonly action: string;
}
