import { Inject, Injectable } from '@nestjs/common';
import type { WsClient } from '../clients/ws-client.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import { isUnexpected, toErrorPayload } from '../errors/exception-mapper.js';
import { WsError } from '../errors/ws.error.js';
import type { InboundMessage, ProtocolError } from '../protocol/messages.js';
import { routeKey } from '../protocol/route-key.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { Runtime } from '../runtime/runtime.js';
import { AnswerStream, streamOf } from './answer-stream.js';
import { NamedAnswer } from './named-answer.js';
import type { Router } from './router.js';
import { StreamReply } from './stream-reply.js';

/** Brings a client's message to its handler, and the handler's answer back to the client. */
@Injectable()
export class MessageDispatcher {
  #refusing = false;

  constructor(
    private readonly runtime: Runtime,
    private readonly errors: ErrorReporter,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Takes a frame of a client: its message runs now, or waits for its turn in the client's queue. */
  receive(client: WsClient, router: Router, text: string): void {
    const message = client.codec.decode(text);
    if ('problem' in message) {
      this.refuse(client, message);
      return;
    }
    // The client library pings by itself when it hears nothing: that is no sign of its user.
    if (message.action !== 'ping' || message.type !== 'system') client.lastActivity = this.runtime.now();
    this.#notify(client, message);
    if (!this.#begin(client, message)) return;
    // Only the library's own routes pass the queue, so only they are looked up before it.
    const immediate = message.type === 'system' && router.find('system', message.action)?.immediate;
    if (immediate) void this.handle(client, router, message);
    else client.inbound.push(message);
  }

  /** Runs one message. Undefined when it has finished; else a promise that settles, never rejecting, when it has. */
  handle(client: WsClient, router: Router, message: InboundMessage): Promise<void> | undefined {
    try {
      const route = router.find(message.type, message.action);
      if (!route) throw new WsError('UNKNOWN_ROUTE', 'There is no such route.');
      if (this.#refusing) throw new WsError('UNAVAILABLE', 'The server is shutting down.');
      const result = route.handle(client, message);
      if (result instanceof Promise) return this.#answerLater(client, message, result);
      return this.#answer(client, message, result);
    } catch (exception) {
      this.#fail(client, message, exception);
      return undefined;
    }
  }

  /** Answers a frame that is no message. */
  refuse(client: WsClient, { problem, id }: ProtocolError): void {
    client.sendText(client.codec.encodeError({ error: problem, code: 'BAD_MESSAGE', retryable: false }, { id }));
  }

  /** From now on new messages are answered UNAVAILABLE; those that run finish. */
  stop(): void {
    this.#refusing = true;
  }

  /** Ends what a client that is gone still has open. */
  release(client: WsClient): void {
    for (const stream of [...client.streams]) stream.cancel();
  }

  /** Keeps the id in use until the request is answered. */
  #begin(client: WsClient, message: InboundMessage): boolean {
    if (message.id === undefined || client.beginRequest(message.id)) return true;
    // Answered without the id: the client could not tell it from the answer to the first request.
    this.refuse(client, { problem: 'The id is still in use.', id: undefined });
    return false;
  }

  #notify(client: WsClient, message: InboundMessage): void {
    const { onMessage } = this.options.events;
    if (!onMessage) return;
    const { ws, clientId } = client;
    const failed = (error: unknown): void => this.errors.report('events.onMessage failed.', error, clientId);
    try {
      void Promise.resolve(onMessage({ ws, client, clientId, data: message.whole })).catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  async #answerLater(client: WsClient, message: InboundMessage, result: Promise<unknown>): Promise<void> {
    try {
      await this.#answer(client, message, await this.#inTime(result));
    } catch (exception) {
      this.#fail(client, message, exception);
    }
  }

  #answer(client: WsClient, message: InboundMessage, result: unknown): Promise<void> | undefined {
    if (typeof result === 'object' && result !== null) {
      const stream = result instanceof AnswerStream ? result : asStream(result);
      if (stream) return this.#stream(client, message, stream);
    }
    this.#reply(client, message, result);
    return undefined;
  }

  #reply(client: WsClient, message: InboundMessage, response: unknown): void {
    if (message.id !== undefined) client.endRequest(message.id);
    if (response === undefined && message.id === undefined) return;
    if (response instanceof NamedAnswer) {
      const { type, action } = response;
      client.sendText(client.codec.encodeReply({ type, action, id: message.id }, response.response));
      return;
    }
    client.sendText(client.codec.encodeReply(message, response));
  }

  #replyOrFail(client: WsClient, message: InboundMessage, response: unknown): void {
    try {
      this.#reply(client, message, response);
    } catch (exception) {
      this.#fail(client, message, exception);
    }
  }

  #fail(client: WsClient, message: InboundMessage, exception: unknown): void {
    if (message.id !== undefined) client.endRequest(message.id);
    if (isUnexpected(exception)) {
      this.errors.report(
        `The handler of ${routeKey(message.type, message.action)} failed.`,
        exception,
        client.clientId,
      );
    }
    client.sendText(client.codec.encodeError(toErrorPayload(exception), message));
  }

  /** Resolves once the message leaves its queue: when it turns out to be a stream, or with the answer. */
  #stream(client: WsClient, message: InboundMessage, answer: AnswerStream): Promise<void> {
    return new Promise((resolve) => {
      const end = (write: () => void): void => {
        client.streams.delete(reply);
        if (message.id !== undefined) client.endRequest(message.id);
        write();
        resolve();
      };
      const reply = new StreamReply(answer, {
        next: (value) => client.sendText(client.codec.encodeReply(message, value)),
        done: () => end(() => client.sendText(client.codec.encodeDone(message))),
        single: (value) => end(() => this.#replyOrFail(client, message, value)),
        fail: (exception) => end(() => this.#fail(client, message, exception)),
      });
      client.streams.add(reply);
      answer.whenBegun(() => {
        this.#admitStream(client, message, reply);
        resolve();
      });
      reply.start();
    });
  }

  #admitStream(client: WsClient, message: InboundMessage, reply: StreamReply): void {
    const limit = this.options.limits.streamsPerClient;
    if (limit !== false && client.streams.size > limit) {
      reply.fail(new WsError('RATE_LIMITED', `A client can have ${limit} streams open at most.`));
      return;
    }
    const request = message.id === undefined ? undefined : client.requests?.get(message.id);
    if (request) request.cancel = () => reply.cancel();
  }

  #inTime(result: Promise<unknown>): Promise<unknown> {
    const limit = this.options.timeouts.handler;
    return limit === false
      ? result
      : this.runtime.within(limit, result, () => new WsError('TIMEOUT', 'The handler took too long.'));
  }
}

function asStream(result: object): AnswerStream | undefined {
  const values = streamOf(result);
  return values && new AnswerStream(values).begin();
}
