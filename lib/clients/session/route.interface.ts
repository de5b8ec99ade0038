import type { InboundMessage } from '../../protocol/messages.js';
import type { ClientSession } from './client-session.js';

/** What a handler with `@Ack()` gets: its first call is the reply, later ones do nothing. */
export type AckFunction = (value?: unknown) => void;

/** What a handler can ask of the answer to its message. */
export interface AckSource {
  /** From now on the reply is what the function is called with, and nothing that the handler returns. */
  expectAck(): AckFunction;
  /** Calls back when the client is told TIMEOUT while the handler still runs. Each of several is called, in their order. */
  whenGivenUp(undo: () => void): void;
  /**
   * Calls back when what answers the message, a reply or an error, is on its way, and when it is known that nothing does; at once
   * when that is so already. Each of several is called, in their order.
   */
  whenAnswered(follow: () => void): void;
}

/**
 * A compiled handler. It returns, or promises, what the application answered: a value, an Observable, an async
 * iterable; undefined is no answer. It throws, or rejects with, what no filter of the application has handled.
 *
 * @typeParam Peer who has sent the message
 */
export type RouteHandler<Peer = ClientSession> = (peer: Peer, message: InboundMessage, acks: AckSource) => unknown;

/** A handler and where it comes from. */
export interface RouteDefinition {
  /** `Class.method`, for people. */
  readonly source: string;
  readonly handle: RouteHandler;
  /** True: the handler runs at once, beside the client's other messages, instead of waiting in the queue. */
  readonly immediate: boolean;
  /** True: an answer `{ event, data }` goes out under that event, as Nest's `@SubscribeMessage` methods expect. */
  readonly namesAnswers?: boolean;
  /** True: the returned value answers requests with an `id` only; other messages are answered with errors only. */
  readonly answersToIdsOnly?: boolean;
  /** True: it is not worth a span. */
  readonly isQuiet?: boolean;
}

/** A handler in its place. */
export interface Route extends RouteDefinition {
  /** `type:action`; `*`: the fallback. There are as many names as routes, whatever clients send. */
  readonly name: string;
}

/** The routes of an endpoint. */
export interface RouteTable {
  find(type: string, action: string): Route | undefined;
}
