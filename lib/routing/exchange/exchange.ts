import { OWN_SENDS } from '../../clients/session/own-sends.js';
import { contextOfMessage, logSubject } from '../../clients/session/session-context.js';
import { attributesOf } from '../../clients/session/session-spans.js';
import type { ClientSession, OpenAnswer } from '../../clients/session/client-session.js';
import type { ErrorReporter } from '../../errors/error-reporter.js';
import { isUnexpected, toErrorPayload } from '../../errors/exception-mapper.js';
import { WsError } from '../../errors/ws.error.js';
import type { LiveTraces } from '../../clients/traces/live-traces.js';
import type { RefusalCounters } from '../../limits/refusal-counters.js';
import type { ErrorPayload, InboundMessage } from '../../protocol/messages.js';
import { routeOfEvent } from '../../protocol/route-key.js';
import type { ResolvedOptions } from '../../pxl-websocket.options.js';
import type { Timings } from '../../runtime/metrics/timings.js';
import type { Runtime } from '../../runtime/runtime.js';
import { inContext } from '../../runtime/request-context.js';
import type { Traffic } from '../../runtime/traffic.js';
import type { TraceSpan } from '../../tracing/trace-span.js';
import type { Tracing } from '../../tracing/tracing.js';
import { AnswerStream, streamOf } from './answer-stream.js';
import type { AckFunction, AckSource, Route } from '../../clients/session/route.interface.js';
import { unfiltered } from '../pipeline/filtered-exception.js';
import { StreamReply } from './stream-reply.js';
import { isThenable } from '../../runtime/thenable.js';

/** An answer that is sent under other names than those of the request. */
export class NamedAnswer {
  constructor(
    readonly type: string,
    readonly action: string,
    readonly response: unknown,
  ) {}
}

/** The services that every exchange uses. */
export interface ExchangeServices {
  readonly counters: RefusalCounters;
  readonly runtime: Runtime;
  readonly errors: ErrorReporter;
  readonly options: ResolvedOptions;
  readonly timings: Timings;
  readonly traffic: Traffic;
  readonly tracing: Tracing;
  readonly traces: LiveTraces;
}

/** Runs the handler of one message and answers it: whatever the handler does, the answer ends exactly once. */
export class Exchange implements AckSource {
  #ended = false;
  #expectsAck = false;
  #onEnd: (() => void) | null = null;
  /** What is undone when the client is told TIMEOUT; null: nothing. */
  #undos: (() => void)[] | null = null;
  /** What follows the answer; null: nothing. */
  #followers: (() => void)[] | null = null;
  /** When the handler was called; NaN: that is not measured, or has been already. */
  #begunAt = NaN;
  /** Until the answer, or a stream, has ended; null: none is made. */
  #span: TraceSpan | null = null;

  /** @param route undefined when the message has none */
  constructor(
    private readonly services: ExchangeServices,
    private readonly session: ClientSession,
    private readonly message: InboundMessage,
    private readonly route: Route | undefined,
  ) {}

  /**
   * Calls the handler and answers with its result. Undefined when the message has left the client's queue already; else
   * a promise that settles, never rejecting, when it leaves: with the answer, or where a stream begins.
   *
   * @param arrivedAt as `SessionDispatcher.dispatch` takes it
   */
  run(route: Route, arrivedAt?: number): Promise<void> | undefined {
    const { timings, runtime, options } = this.services;
    if (timings.isOn) this.#begunAt = arrivedAt ?? runtime.monotonic();
    const { requestContext } = options;
    if (!requestContext) return this.#traced(route);
    return inContext(contextOfMessage(this.session, route, requestContext), () => this.#traced(route));
  }

  #traced(route: Route): Promise<void> | undefined {
    const { tracing } = this.services;
    if (!tracing.isOn || route.isQuiet) return this.#call(route);
    const { session } = this;
    const span = tracing.begin(route.name, {
      kind: 'server',
      attributes: attributesOf(session, tracing),
      parent: null, // a trace of its own: a connection may last for days
      link: session.upgradedIn,
    });
    this.#span = span;
    return span.run(() => this.#call(route));
  }

  #call({ handle }: Route): Promise<void> | undefined {
    try {
      return this.#answer(handle(this.session, this.message, this));
    } catch (exception) {
      this.fail(exception);
      return undefined;
    }
  }

  /**
   * Answers with an error, unless the message was answered before. A message without an id gets none when a filter of
   * the application has sent something instead. Defects of the application are reported, unless a filter has answered
   * them.
   */
  fail(thrown: unknown): void {
    const { exception, isAnswered, failure } = unfiltered(thrown);
    const source = this.route?.source ?? 'A message';
    if (failure) this.#report(`An exception filter of ${source} failed.`, failure.thrown);
    if ((failure || !isAnswered) && isUnexpected(exception)) this.#report(`${source} failed.`, exception);
    this.#note(exception);
    if (!this.#end(true, exception)) return;
    if (!isAnswered || this.message.id !== undefined) this.session.sendText(this.#encodeError(exception));
    this.#follow();
  }

  whenGivenUp(undo: () => void): void {
    (this.#undos ??= []).push(undo);
  }

  whenAnswered(follow: () => void): void {
    if (this.#ended) follow();
    else (this.#followers ??= []).push(follow);
  }

  expectAck(): AckFunction {
    this.#expectsAck = true;
    return (value) => {
      OWN_SENDS.note(this.session);
      this.#replyOrFail(value);
    };
  }

  #answer(result: unknown): Promise<void> | undefined {
    if (typeof result === 'object' && result !== null) {
      if (isThenable(result)) return this.#answerLater(result);
      const stream = result instanceof AnswerStream ? result : asStream(result);
      if (stream) return this.#stream(stream);
    }
    this.#returned(result);
    return undefined;
  }

  async #answerLater(result: PromiseLike<unknown>): Promise<void> {
    try {
      await this.#answer(await this.#inTime(result));
    } catch (exception) {
      this.fail(exception);
    }
  }

  #returned(value: unknown): void {
    if (this.#expectsAck) this.#awaitAck();
    else this.#reply(value);
  }

  /** @throws what JSON.stringify throws; nothing is sent then */
  #reply(value: unknown): void {
    if (this.#ended) return;
    const isSilent = this.message.id === undefined && (value === undefined || this.route?.answersToIdsOnly === true);
    const text = isSilent ? null : this.#encode(value);
    this.#end();
    if (text !== null) this.session.sendText(text);
    this.#follow();
  }

  #replyOrFail(value: unknown): void {
    try {
      this.#reply(value);
    } catch (exception) {
      this.fail(exception);
    }
  }

  /** @throws WsError TOO_LARGE over `limits.maxPushBytes`; what JSON.stringify throws */
  #encode(value: unknown): string {
    const text = this.#textOf(value);
    this.session.checkSize(text);
    return text;
  }

  #textOf(value: unknown): string {
    try {
      return this.#encodeReply(value);
    } catch (error) {
      // A handler that returns what it got: the client may nest deeper than our stack, within the payload limit.
      if (!(error instanceof RangeError)) throw error;
      throw new WsError('BAD_MESSAGE', 'The answer is nested too deeply.', { cause: error });
    }
  }

  #encodeReply(value: unknown): string {
    const { session, message, route } = this;
    if (value instanceof NamedAnswer) {
      const { type, action, response } = value;
      return session.codec.encodeReply({ type, action, id: message.id }, response);
    }
    if (route?.namesAnswers && isEventAnswer(value)) {
      const { type, action } = routeOfEvent(value.event);
      return session.codec.encodeReply({ type, action, id: message.id }, value.data);
    }
    return session.codec.encodeReply(message, value);
  }

  #encodeError(exception: unknown): string {
    const payload = toErrorPayload(exception);
    this.services.traffic.errors.count(payload.code);
    try {
      return this.#writeError(payload);
    } catch (error) {
      this.#report('The details of an error cannot be sent.', error);
    }
    try {
      return this.#writeError({ ...payload, details: undefined });
    } catch {
      // The code is not a text, or the message too long. What is thrown here would be handled by nobody and end the process.
      return this.session.codec.encodeError(toErrorPayload(undefined), this.message);
    }
  }

  #writeError(payload: ErrorPayload): string {
    const text = this.session.codec.encodeError(payload, this.message);
    this.session.checkSize(text);
    return text;
  }

  /** The promise resolves when the message leaves its queue: once the answer is known to be a stream, or is sent. */
  #stream(answer: AnswerStream): Promise<void> {
    const { session, services } = this;
    return new Promise((leaveQueue) => {
      const last = (write: () => void): void => {
        deadline?.cancel();
        session.openAnswers.delete(reply);
        write();
        leaveQueue();
      };
      const reply = new StreamReply(answer, {
        next: (value) => session.sendText(this.#encode(value)),
        done: () => last(() => this.#done()),
        single: (value) => last(() => this.#settle(value)),
        fail: (exception) => last(() => this.fail(exception)),
        endingFailed: (exception) => this.#report('A stream could not be ended.', exception),
      });
      const limit = services.options.timeouts.handler;
      const late = (): void => {
        answer.whenFailed((exception) => this.fail(exception));
        reply.fail(tooLate());
      };
      const deadline = limit === false ? null : services.runtime.timeout(limit, late);
      answer.whenBegun(() => {
        deadline?.cancel();
        this.#measure();
        this.#open(reply);
        leaveQueue();
      });
      reply.start();
    });
  }

  #done(): void {
    if (!this.#end()) return;
    const text = this.session.codec.encodeDone(this.message);
    if (text !== undefined) this.session.sendText(text);
  }

  #settle(value: unknown): void {
    try {
      this.#returned(value);
    } catch (exception) {
      this.fail(exception);
    }
  }

  /** Counts an answer that stays open after its message has left the queue. It ends with the connection. */
  #open(stream: OpenAnswer): void {
    const { session, message, services } = this;
    if (session.state === 'disconnected') {
      stream.cancel();
      return;
    }
    session.openAnswers.add(stream);
    const limit = session.options.limits.streamsPerClient;
    if (limit !== false && session.openAnswers.size > limit) {
      services.counters.count('streamsPerClient');
      stream.fail(new WsError('RATE_LIMITED', `A client can have ${limit} streams open at most.`));
    } else if (message.id !== undefined) {
      session.setCancel(message.id, () => stream.cancel());
    }
  }

  /** The handler has returned, and may still call its ack function later. */
  #awaitAck(): void {
    const { session, services } = this;
    if (this.#ended) return;
    if (this.message.id === undefined) {
      this.#measure(); // nothing answers it
      this.#span?.end();
      return;
    }
    const limit = services.options.timeouts.handler;
    const deadline = limit === false ? null : services.runtime.timeout(limit, () => this.fail(tooLate()));
    const stream: OpenAnswer = {
      cancel: () => this.#replyOrFail(undefined),
      fail: (exception) => this.fail(exception),
    };
    this.#onEnd = () => {
      deadline?.cancel();
      session.openAnswers.delete(stream);
    };
    this.#open(stream);
  }

  #end(hasFailed = false, exception?: unknown): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#measure(hasFailed, exception);
    this.#span?.end();
    if (this.message.id !== undefined) this.session.endRequest(this.message.id);
    this.#onEnd?.();
    return true;
  }

  /** Once: at the answer, or where a stream begins. */
  #measure(hasFailed = false, exception?: unknown): void {
    if (Number.isNaN(this.#begunAt) || !this.route) return;
    const { timings, traces, runtime } = this.services;
    const ms = runtime.monotonic() - this.#begunAt;
    this.#begunAt = NaN;
    timings.handled(this.route.name, ms, hasFailed);
    if (!traces.isOn) return;
    traces.answered(this.session, this.route.name, ms, hasFailed ? toErrorPayload(exception).code : undefined);
  }

  #note(exception: unknown): void {
    if (!this.#span) return;
    if (isUnexpected(exception)) this.#span.failed(exception);
    else this.#span.refused(toErrorPayload(exception).code);
  }

  #follow(): void {
    for (const follow of this.#followers ?? []) follow();
  }

  #inTime(result: PromiseLike<unknown>): Promise<unknown> {
    const { runtime, options } = this.services;
    const limit = options.timeouts.handler;
    const promise = Promise.resolve(result);
    if (limit === false) return promise;
    const late = (): WsError => {
      for (const undo of this.#undos ?? []) undo();
      return tooLate();
    };
    return runtime.within(limit, promise, late, (exception) => this.fail(exception));
  }

  #report(what: string, exception: unknown): void {
    this.services.errors.report(what, exception, { ...logSubject(this.session), route: this.route?.name });
  }
}

function asStream(result: object): AnswerStream | undefined {
  const values = streamOf(result);
  return values && new AnswerStream(values).begin();
}

function isEventAnswer(value: unknown): value is { event: string; data?: unknown } {
  return typeof value === 'object' && value !== null && 'event' in value && typeof value.event === 'string';
}

function tooLate(): WsError {
  return new WsError('TIMEOUT', 'The handler took too long.');
}
