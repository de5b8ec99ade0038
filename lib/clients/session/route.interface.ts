import type { WsClient } from '../ws-client.js';
import type { InboundMessage } from '../../protocol/messages.js';

/** What a handler with `@Ack()` gets: its first call is the reply, later ones do nothing. */
export type AckFunction = (value?: unknown) => void;

/** What a compiled handler knows of its answer. */
export interface AckSource {
  /** From now on the reply is what the function is called with, and nothing that the handler returns. */
  expectAck(): AckFunction;
  /** Calls back when the client is told TIMEOUT while the handler still runs. */
  whenGivenUp(undo: () => void): void;
}

/**
 * A compiled handler. It returns, or promises, what the application answered: a value, an Observable, an async
 * iterable; undefined is no answer. It throws, or rejects with, what no filter of the application has handled. The client
 * is whoever is at the other end: what `@ConnectedSocket()` gives.
 */
export type RouteHandler<Client = WsClient> = (client: Client, message: InboundMessage, acks: AckSource) => unknown;

/** A handler and where it comes from. */
export interface Route {
  /** `Class.method`, for people. */
  readonly source: string;
  readonly handle: RouteHandler;
  /** True: runs beside the client's other messages, it does not wait for its turn. */
  readonly immediate: boolean;
  /** True: an answer `{ event, data }` goes out under that event, as Nest's `@SubscribeMessage` methods expect. */
  readonly namesAnswers?: boolean;
  /** True: what it returns is for requests with an `id`; others are answered with errors only. */
  readonly answersToIdsOnly?: boolean;
}
