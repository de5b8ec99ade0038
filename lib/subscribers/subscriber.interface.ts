import type { ModuleRef } from '@nestjs/core';
import type { WebSocketContract } from '../protocol/contract.js';
import type { WsRedisClient } from '../options/redis.options.js';
import type { ServerVerbs } from '../server/facade/server-verbs.js';
import type { WsStandardSchema } from '../runtime/standard-schema.js';
import type { HANDLER_HOST, HandlerHost } from './handler-host.js';

/**
 * What a message is where nobody says it: no type argument, no schema, no channel of the library. Its fields are read
 * without a check, as subscribers of the PXL framework do. With a type argument the compiler checks them; with `unknown`
 * the handler has to look first what it got.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- `message?.data` and `value > 5` compile with no other type; this is the only place
export type WsUntypedMessage = any;

/**
 * What a subscriber gets for an event.
 *
 * @typeParam C the contract with the clients, for `webSocketServer`
 */
export interface WebSocketSubscriberHandlerContext<
  Message = WsUntypedMessage,
  C extends WebSocketContract = WebSocketContract,
> {
  /** The event's name: one of `WebSocketRedisSubscriberEvent` or a channel of the application's own. */
  readonly channel: string;
  /** As JSON carries it; all subscribers of this worker share one, which they read and do not change. */
  readonly message: Message;
  /**
   * Sees all clients, those of other workers with `ws` null. What it does, sends included, concerns those that this subscriber
   * is responsible for: with `run: 'everyWorker'` the clients of this worker (its `sendMessage` and `sendCustomMessage` tell
   * the subscribers of this worker), with `'oneWorker'` all of the cluster.
   */
  readonly webSocketServer: ServerVerbs<C>;
  /** For ordinary commands; null in an application without Redis. */
  readonly redis: WsRedisClient | null;
  /** The same under the name that PXL gave it. */
  readonly redisInstance: WsRedisClient | null;
  /** Finds the application's providers: `moduleRef.get(Jobs, { strict: false })`. */
  readonly moduleRef: ModuleRef;
  /** @internal */
  readonly [HANDLER_HOST]?: HandlerHost;
}

/**
 * Handles an event. What it returns goes to `onAfter` of its middleware and nowhere else.
 *
 * Taken as a method, so that a list may hold handlers of different messages: which one a channel carries is for the
 * application to know.
 */
export type WebSocketSubscriberHandler<Message = WsUntypedMessage> = {
  handle(context: WebSocketSubscriberHandlerContext<Message>): unknown;
}['handle'];

/**
 * Picks events: true at once, and nothing else, is yes. A predicate that throws, or answers a promise, does not pick; the
 * first time is logged.
 */
export type WebSocketSubscriberPredicate<Message = WsUntypedMessage> = {
  matches(context: WebSocketSubscriberHandlerContext<Message>): boolean;
}['matches'];

/** All of several matchers: made by `matchAll(...)`. */
export interface WebSocketMatchAll<Message = WsUntypedMessage> {
  readonly all: readonly WebSocketSubscriberMatcher<Message>[];
}

/**
 * What a subscriber hears: a text is the name of a channel (`'*'`: every one), a RegExp tests the name, a predicate gets
 * the context.
 */
export type WebSocketSubscriberMatcher<Message = WsUntypedMessage> =
  string | RegExp | WebSocketSubscriberPredicate<Message> | WebSocketMatchAll<Message>;

/**
 * Stands around a handler. `onBefore` runs in order; `onAfter` and `onError` run in reverse order, all of them. A hook
 * that throws is logged; an `onBefore` that throws counts as false.
 */
export interface WebSocketSubscriberMiddleware<Message = WsUntypedMessage> {
  /** What it is called in the log. */
  readonly name: string;
  /** False, and nothing else: the handler does not run, nor does what would come after it. */
  onBefore?(context: WebSocketSubscriberHandlerContext<Message>): unknown;
  /** The handler has finished with this result. */
  onAfter?(context: WebSocketSubscriberHandlerContext<Message>, result: unknown): unknown;
  /**
   * The handler has thrown. True, and nothing else: it is not logged. Its time limit (`timeouts.subscriber`) calls no hook;
   * what it throws after that comes here as well.
   */
  onError?(context: WebSocketSubscriberHandlerContext<Message>, error: Error): unknown;
}

/** What a subscriber is beside its channels and its handler. */
export interface WebSocketSubscriberOptions<Message = WsUntypedMessage> {
  /** What it is called in the log and in the printed table. Default: its method, or its place in `subscribers`. */
  name?: string | undefined;
  /** What it is for; beside the name. */
  description?: string | undefined;
  /**
   * Higher ones get an event first; among equals those of the option `subscribers` come first, in their order. One that
   * hangs holds up the lower ones for `timeouts.subscriber` at each event. Default: 0.
   */
  priority?: number | undefined;
  /**
   * `'oneWorker'`: one worker of the cluster runs it for an event, the one where it arose; for an emitter's event the live
   * worker with the lowest id, and at most once: nobody does for up to `cluster.lease` after that worker has crashed, and
   * for a moment while it starts or ends. Default: `'everyWorker'`, each runs it.
   */
  run?: 'everyWorker' | 'oneWorker' | undefined;
  /** Default: none. */
  middleware?: readonly WebSocketSubscriberMiddleware<Message>[] | undefined;
}

/**
 * A subscriber. It says what it hears by exactly one of `channel`, `channels` and `match`, or, as PXL's definitions do, by
 * `channels` and `matchers`, of which any one suffices.
 */
export interface WebSocketSubscriberDefinition<Message = WsUntypedMessage> extends WebSocketSubscriberOptions<Message> {
  channel?: string | undefined;
  channels?: readonly string[] | undefined;
  /** In a list any one suffices. */
  match?: WebSocketSubscriberMatcher<Message> | readonly WebSocketSubscriberMatcher<Message>[] | undefined;
  matchers?: readonly WebSocketSubscriberMatcher<Message>[] | undefined;
  /** The handler gets what the schema makes of the message; one that is not valid is logged, and nothing runs. */
  schema?: WsStandardSchema | undefined;
  handle(context: WebSocketSubscriberHandlerContext<Message>): unknown;
}
