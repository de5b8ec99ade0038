/** The metadata key of `@WsRoute`, on the method. */
export const ROUTES_METADATA = 'pxl-websocket:routes';

/** The metadata key of `@WsFallback`, on the method. */
export const FALLBACK_METADATA = 'pxl-websocket:fallback';

/** The metadata key of `@WebSocketClientController`, on the class: the name of the client. */
export const CLIENT_CONTROLLER_METADATA = 'pxl-websocket:client-controller';

/** The token of the client module's explorer of client controllers; it is not provided without that module. */
export const CLIENT_CONTROLLERS = Symbol('CLIENT_CONTROLLERS');

/** One `@WsRoute` of a method; a method may have several. */
export interface RouteMetadata {
  readonly type: string;
  readonly action: string;
}
