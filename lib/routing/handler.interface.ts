import type { WsClient } from '../clients/ws-client.js';
import type { InboundMessage } from '../protocol/messages.js';

/**
 * A compiled handler. It returns, or promises, what the application answered: a value, an Observable, an async
 * iterable; undefined is no answer. It throws, or rejects with, what no filter of the application has handled.
 */
export type RouteHandler = (client: WsClient, message: InboundMessage) => unknown;

/** A handler and where it comes from. */
export interface Route {
  /** `Class.method`, for people. */
  readonly source: string;
  readonly handle: RouteHandler;
  /** True: runs beside the client's other messages, it does not wait for its turn. */
  readonly immediate: boolean;
}
