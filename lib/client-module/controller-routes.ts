import { lastValueFrom, Subject, takeUntil } from 'rxjs';
import { WebSocketClientError } from '../client/websocket-client.error.js';
import type { WebSocketClient } from '../client/websocket-client.js';
import { textsOf } from '../errors/as-error.js';
import { logCodeOf } from '../errors/code-of.js';
import { isUnexpected, toErrorPayload } from '../errors/exception-mapper.js';
import { ModuleLogger } from '../errors/module-logger.js';
import { DuplicateWsRouteError } from '../errors/start-up.errors.js';
import { routeKey } from '../protocol/route-key.js';
import { AnswerStream, streamOf } from '../routing/exchange/answer-stream.js';
import type { Peer } from '../routing/pipeline/ws-pipeline.js';
import { unfiltered } from '../routing/pipeline/filtered-exception.js';
import type { AckSource, RouteHandler } from '../clients/session/route.interface.js';
import { inOwnScope } from '../runtime/neutral-scope.js';
import { clientErrorOf } from './client-error.js';

/** A method of a client controller, compiled. */
export interface ControllerRoute {
  readonly type: string;
  readonly action: string;
  /** `Class.method`, for messages. */
  readonly source: string;
  readonly handle: RouteHandler<Peer>;
}

/** Methods of client controllers get no ack function: the answer to a call is what they return. */
const NO_ACKS: AckSource = {
  expectAck: () => () => undefined,
  whenGivenUp: () => undefined,
  whenAnswered: () => undefined,
};

/** Handles what the server of one client sends: its pushes, and its calls with their answers. */
export class ControllerRoutes {
  readonly #logger = new ModuleLogger('PxlWebSocketClient');
  readonly #sources = new Map<string, string>();
  readonly #running = new Set<Promise<unknown>>();
  readonly #stopping = new Subject<void>();
  #isStopped = false;

  /** @param name the client's name, for messages */
  constructor(
    private readonly name: string,
    readonly client: WebSocketClient,
  ) {}

  /** @throws DuplicateWsRouteError when the route has a handler already */
  add(route: ControllerRoute): void {
    const { type, action, source } = route;
    const key = routeKey(type, action);
    const present = this.#sources.get(key);
    if (present !== undefined) {
      throw new DuplicateWsRouteError(`The route "${key}"`, `the WebSocket client "${this.name}"`, present, source);
    }
    this.#sources.set(key, source);
    this.client.on(type, action, (data: unknown) => this.#hear(route, data));
    this.client.handle(type, action, (data: unknown) => this.#answer(route, data));
  }

  /** Handles no further messages, and ends streams. Resolves when all running handlers have finished. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#stopping.next();
    await Promise.allSettled(this.#running);
  }

  /**
   * Handles a push. Nobody is told its result, so a refusal is only logged; the client's `positions` wait for the promise. A
   * message that comes while the application stops is not handled: the promise stays open, so that its position does not count.
   */
  async #hear(route: ControllerRoute, data: unknown): Promise<void> {
    if (this.#isStopped) return new Promise(() => undefined);
    try {
      await this.#run(route, data);
    } catch (exception) {
      if (isDefect(exception)) return;
      const { code, message } = refusalOf(exception);
      this.#logger.warn(`${route.source} has refused a message of the server. ${code}: ${message}`);
    }
  }

  async #answer(route: ControllerRoute, data: unknown): Promise<unknown> {
    if (this.#isStopped) throw new WebSocketClientError('UNAVAILABLE', 'The client is shutting down.');
    try {
      return await this.#run(route, data);
    } catch (exception) {
      throw refusalOf(exception);
    }
  }

  /** @throws what no filter of the application has handled; an unexpected error is logged too */
  async #run(route: ControllerRoute, data: unknown): Promise<unknown> {
    // Each message has an async scope of its own, so that no other message sees what a handler sets with `enterWith`.
    const running = inOwnScope('WsMessage', () => this.#handle(route, data));
    this.#running.add(running);
    try {
      return await running;
    } catch (thrown) {
      const { exception, failure } = unfiltered(thrown);
      if (failure) this.#tell(route, `An exception filter of ${route.source} failed.`, failure.thrown);
      if (isDefect(exception)) this.#tell(route, `${route.source} failed.`, exception);
      throw exception;
    } finally {
      this.#running.delete(running);
    }
  }

  #tell({ type, action }: ControllerRoute, what: string, failure: unknown): void {
    const { message, stack } = textsOf(failure);
    this.#logger.error(`${what} ${message}`, { route: `${type}:${action}`, code: logCodeOf(failure) }, stack);
  }

  async #handle({ type, action, handle }: ControllerRoute, data: unknown): Promise<unknown> {
    const message = { type, action, data, id: undefined, whole: { type, action, data } };
    const result = await handle(this, message, NO_ACKS);
    const values = result instanceof AnswerStream ? result.values : streamOf(result);
    // A call has one answer: the last value of a stream.
    return values ? lastValueFrom(values.pipe(takeUntil(this.#stopping)), { defaultValue: undefined }) : result;
  }
}

/** The error that the server gets. The text of an unexpected error is not sent. */
function refusalOf(exception: unknown): WebSocketClientError {
  const ofClient = clientErrorOf(exception);
  if (ofClient) return ofClient;
  const { code, error, ...options } = toErrorPayload(exception);
  return new WebSocketClientError(code, error, { ...options, cause: exception });
}

function isDefect(exception: unknown): boolean {
  return !clientErrorOf(exception) && isUnexpected(exception);
}
