import type { ErrorReporter } from '../../errors/error-reporter.js';
import type { PushLimit } from '../../limits/push-limit.js';
import type { InboundMessage, ProtocolError } from '../../protocol/messages.js';
import type { WsRoomLeftReason } from '../../protocol/presence.js';
import type { ResolvedOptions } from '../../pxl-websocket.options.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { Awaitable } from '../../runtime/thenable.js';
import type { Tracing } from '../../tracing/tracing.js';
import type { ClientSession } from './client-session.js';
import type { RouteTable } from './route.interface.js';

/** What a session reaches of the endpoint that accepted its connection. */
export interface SessionEndpoint {
  readonly path: string;
  readonly workerId: string;
  /** The options that hold on this endpoint. */
  readonly options: ResolvedOptions;
  /** What the welcome tells every client of the endpoint: fields of a JSON object. */
  readonly welcomeTerms: string;
  /** The routes that its clients' messages can have. */
  readonly router: RouteTable;
  readonly intake: SessionIntake;
  readonly dispatcher: SessionDispatcher;
  readonly memberships: SessionMemberships;
  readonly pushLimit: PushLimit;
  readonly errors: Pick<ErrorReporter, 'watch'>;
  readonly runtime: Runtime;
}

/** Takes what clients send. */
export interface SessionIntake {
  /** A message is queued, runs at once or is refused; anything else is answered with the problem. */
  take(session: ClientSession, message: InboundMessage | ProtocolError): void;
}

/** Runs messages. */
export interface SessionDispatcher {
  readonly tracing: Tracing;
  /**
   * Undefined when the message has left the client's queue; else a promise that settles, never rejecting, once it has.
   *
   * @param arrivedAt when the message came, where that is just now (monotonic, ms): it saves a look at the clock
   */
  dispatch(session: ClientSession, message: InboundMessage, arrivedAt?: number): Promise<void> | undefined;
}

/** Puts sessions into rooms, for `WsClient.join` and `WsClient.leave`. */
export interface SessionMemberships {
  /** The key of a room, see `WsNamespaced`. @throws WsError BAD_MESSAGE */
  keyOf(roomName: string, namespace: unknown): string;
  /** Joins a room; it may throw, too. */
  begin(session: ClientSession, key: string): Awaitable<boolean>;
  remove(session: ClientSession, key: string, reason: WsRoomLeftReason): void;
}
