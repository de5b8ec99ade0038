import { AsyncLocalStorage } from 'node:async_hooks';

/** What is being handled: a message, a connection, or an event of the cluster. */
export interface WsRequestContext {
  /**
   * Of a connection (its upgrade, log-in, hooks): the client's id, or what `requestContext.header` of its upgrade says. Of a
   * message: that and a number, `<connection>.<number>`. Of a subscriber's run: `<worker>.<number>`.
   */
  readonly requestId: string;
  /** Whose connection it is. A subscriber serves nobody in particular. */
  readonly clientId?: string | undefined;
  /** Who the client is; undefined for an anonymous one, and until its credentials are verified. */
  readonly userId?: string | undefined;
  /** `type:action` of the message as its handler declares it, `*` for a fallback; undefined outside of messages. */
  readonly route?: string | undefined;
  /** The path of the endpoint, `/ws/:tenant` where it has parameters. */
  readonly path?: string | undefined;
  /** Of the event that a subscriber runs for. */
  readonly channel?: string | undefined;
}

const STORAGE = new AsyncLocalStorage<WsRequestContext>();

let count = 0;

/**
 * The message, connection or event that is being handled here, also after an `await`: in handlers, guards, interceptors, pipes,
 * filters, authenticators, connection hooks, `events` and subscribers, and in what they call. Undefined everywhere else, and without the option
 * `requestContext`.
 */
export function wsContext(): WsRequestContext | undefined {
  return STORAGE.getStore();
}

/** Runs work in a context; without one, where it is called. */
export function inContext<T>(context: WsRequestContext | undefined, work: () => T): T {
  return context === undefined ? work() : STORAGE.run(context, work);
}

/** Work that runs in the context of here, in whatever async scope it is called. */
export function inContextOfHere<T>(work: () => T): () => T {
  const context = wsContext();
  return context === undefined ? work : () => STORAGE.run(context, work);
}

/** The id of one of the many things that belong to something with an id. */
export function nextRequestId(of: string): string {
  return `${of}.${++count}`;
}
